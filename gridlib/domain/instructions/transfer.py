"""One move of a plan with the numbers of its hour."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import numpy as np
import pandas as pd

from gridlib.domain.instructions.lines import say
from gridlib.domain.network import section_load_kva
from gridlib.facts.errors import InputError
from gridlib.facts.messages import Message
from gridlib.facts.types import Limits, Move, Network, Plan, PlanningRules
from gridlib.facts.units import current_a

_HOURS_SHOWN = 12


@dataclass(frozen=True)
class Transfer:
    """One move as the crew meets it; currents are those of a phase.

    ``low_a`` and ``high_a`` are the expected current of the moved sections, p10 to p90, in the hour of the
    sheet; ``by_hour`` the same for that hour and those after it; ``back_low_a`` and ``back_high_a`` in the
    last hour to switch back, NaN where there is none; ``cold_a`` what they draw at most when they come back;
    ``circulating_a`` what taps drive around while two transformers are in parallel, NaN where not known;
    ``receiver_limit_a`` what the receiver may carry; ``loop_limit_a`` what the tie may carry and still break;
    ``opening`` and ``closing`` are the rows of the two devices in the switch table.
    """

    move: Move
    low_a: float
    high_a: float
    by_hour: tuple[Message, ...]
    back_low_a: float
    back_high_a: float
    cold_a: float
    circulating_a: float
    receiver_limit_a: float
    loop_limit_a: float
    customers: Message
    critical: str
    opening: Mapping[Any, Any]
    closing: Mapping[Any, Any]

    @property
    def sections(self) -> str:
        """The sections that move, in words."""
        return ", ".join(self.move.sections)


def sheet_hour(plan: Plan, forecast: pd.DataFrame) -> pd.Timestamp:
    """Give the hour in which the plan is to be switched, at the earliest the first of the forecast."""
    times = pd.DatetimeIndex(forecast["time"].unique()).sort_values()
    if plan.switch_at is None:
        return pd.Timestamp(times[0])
    return max(pd.Timestamp(plan.switch_at), pd.Timestamp(times[0]))


def make_transfer(
    move: Move,
    plan: Plan,
    network: Network,
    forecast: pd.DataFrame,
    *,
    hour: pd.Timestamp,
    tz: str,
    limits: Limits,
    rules: PlanningRules,
) -> Transfer:
    """Work out currents, customers and limits of one move.

    Raises
    ------
    InputError
        A switch, section or transformer that is unknown, or a section without a forecast.
    """
    switches = network.switches.drop_duplicates("switch_id").set_index("switch_id")
    sections = network.sections.drop_duplicates("section_id").set_index("section_id")
    units = network.transformers.drop_duplicates("transformer_id").set_index("transformer_id")
    named = (
        (move.open_switch, switches),
        (move.close_switch, switches),
        (move.from_transformer, units),
        (move.to_transformer, units),
    )
    missing = [name for name, table in named if name not in table.index]
    missing += [name for name in move.sections if name not in sections.index]
    if missing:
        raise InputError(
            f"the plan names {', '.join(missing)}, which the network does not have",
            what_to_do="Ingest the network tables again, or run planning again.",
        )
    low_kva, high_kva = _range_kva(move, network, forecast, sections)
    if hour not in low_kva or not np.isfinite([low_kva[hour], high_kva[hour]]).all():
        raise InputError(
            f"no load forecast for {', '.join(move.sections)} at {hour}",
            what_to_do="Run the forecast, then planning again.",
        )
    kv = rules.lv_kv
    amps = {time: _amps(float(low_kva[time]), float(high_kva[time]), kv) for time in low_kva.index}
    shown = [time for time in amps if time >= hour and (plan.needed_from is None or time < plan.needed_from)]
    by_hour = (
        say("note.hour", at=local(time, tz), low_a=amps[time][0], high_a=amps[time][1])
        for time in (shown or [hour])[:_HOURS_SHOWN]
    )
    back = None if plan.switch_back_by is None else pd.Timestamp(plan.switch_back_by)
    devices = switches.loc[[move.open_switch, move.close_switch]].to_dict("index")
    closing = devices[move.close_switch]
    rating_kva = units["rating_kva"].astype(float)[move.to_transformer]
    sides = {side.transformer_id: side for side in plan.sides}
    receiver = sides.get(move.to_transformer)
    limit_pct = receiver.limit_pct if receiver else limits.loading_limit_pct
    back_low_a, back_high_a = amps.get(back, (np.nan, np.nan)) if back is not None else (np.nan, np.nan)
    return Transfer(
        move=move,
        low_a=amps[hour][0],
        high_a=amps[hour][1],
        by_hour=tuple(by_hour),
        back_low_a=back_low_a,
        back_high_a=back_high_a,
        cold_a=rules.cold_load_factor * max(high for _, high in amps.values()),
        circulating_a=_circulating_a(units, move, kv),
        receiver_limit_a=current_a(rating_kva * limit_pct / 100, kv),
        loop_limit_a=float(
            np.fmin(float(closing["load_break_a"]), current_a(float(closing["limit_kva"]), kv))
        ),
        customers=_customers(sections.loc[list(move.sections)]),
        critical=_critical(sections.loc[list(move.sections)]),
        opening=devices[move.open_switch],
        closing=closing,
    )


def _range_kva(
    move: Move, network: Network, forecast: pd.DataFrame, sections: pd.DataFrame
) -> tuple[pd.Series, pd.Series]:
    """Load of the moved sections in each hour, p10 and p90 widened by the range of their shares [kVA]."""
    spread = sections["spread_pct"].reindex(list(move.sections)).fillna(0.0).to_numpy(float) / 100
    normal = sections["transformer_id"].reindex(list(move.sections))
    rows = forecast[forecast["transformer_id"].isin(normal)]
    ends = []
    for column, outwards in (("load_kva_p10", -1), ("load_kva_p90", 1)):
        wide = rows.pivot(index="time", columns="transformer_id", values=column)
        kva = section_load_kva(network, wide).reindex(columns=list(move.sections)).to_numpy(float)
        kva = kva + outwards * np.abs(kva) * spread
        ends.append(pd.Series(kva.sum(axis=1), index=wide.index))
    return ends[0], ends[1]


def _amps(low_kva: float, high_kva: float, kv: float) -> tuple[float, float]:
    """Range of the current's magnitude; from 0 where the load may be import or export."""
    ends = sorted((current_a(abs(low_kva), kv), current_a(abs(high_kva), kv)))
    return (0.0 if low_kva < 0 < high_kva else ends[0]), ends[1]


def _circulating_a(units: pd.DataFrame, move: Move, kv: float) -> float:
    """Work out the current that different taps drive around two transformers in parallel [A].

    The difference of their no-load voltages over the sum of their impedances; lines between them, which lower
    it, and different loads, which add to it, are left out.
    """
    pair = units.reindex([move.from_transformer, move.to_transformer])
    pair = pair.reindex(columns=["rating_kva", "vk_pct", "tap_pct"]).astype(float)
    ohm = pair["vk_pct"] / 100 * kv**2 * 1000 / pair["rating_kva"]
    volt = 1000 * kv / 3**0.5 * abs(pair["tap_pct"].iloc[0] - pair["tap_pct"].iloc[1]) / 100
    return float(volt / ohm.sum(skipna=False))


def _customers(sections: pd.DataFrame) -> Message:
    known = sections["customers"].dropna() if "customers" in sections else pd.Series(dtype=float)
    if known.empty:
        return say("customers.unknown")
    least = "customers.known" if len(known) == len(sections) else "customers.at_least"
    return say(least, count=float(known.sum()))


def _critical(sections: pd.DataFrame) -> str:
    if "critical_customers" not in sections:
        return ""
    return ", ".join(str(name) for name in sections["critical_customers"].dropna() if str(name).strip())


def local(moment: datetime, tz: str) -> datetime:
    """Take a moment as people read it: with the hour and day of their zone."""
    return pd.Timestamp(moment).tz_convert(tz).to_pydatetime()

"""One move of a plan with the numbers of its hour."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import numpy as np
import pandas as pd

from gridlib.domain.network import section_load_kva
from gridlib.facts.errors import InputError
from gridlib.facts.types import Limits, Move, Network, Plan
from gridlib.facts.units import current_a

_HOURS_SHOWN = 12


@dataclass(frozen=True)
class Transfer:
    """One move as the crew meets it.

    ``low_a`` and ``high_a`` are the expected current through the opening device, p10 to p90, in the hour of
    switching; ``by_hour`` the same for the hours before it; ``receiver_limit_a`` what the receiver may carry;
    ``opening`` and ``closing`` are the rows of the two devices in the switch table.
    """

    move: Move
    low_a: float
    high_a: float
    by_hour: str
    receiver_limit_a: float
    customers: str
    opening: Mapping[Any, Any]
    closing: Mapping[Any, Any]

    @property
    def sections(self) -> str:
        """The sections that move, in words."""
        return ", ".join(self.move.sections)


def switching_hour(plan: Plan, forecast: pd.DataFrame) -> pd.Timestamp:
    """Give the last forecast hour before the transfer is needed, at the earliest the first one."""
    times = pd.DatetimeIndex(forecast["time"].unique()).sort_values()
    if plan.needed_from is None:
        return pd.Timestamp(times[0])
    before = times[times < pd.Timestamp(plan.needed_from)]
    return pd.Timestamp(before[-1] if len(before) else times[0])


def make_transfer(
    move: Move,
    plan: Plan,
    network: Network,
    forecast: pd.DataFrame,
    *,
    hour: pd.Timestamp,
    tz: str,
    limits: Limits,
) -> Transfer:
    """Work out currents, customers and limits of one move.

    Raises
    ------
    InputError
        A switch, section or receiver that is unknown, or a section without a forecast.
    """
    switches = network.switches.drop_duplicates("switch_id").set_index("switch_id")
    sections = network.sections.drop_duplicates("section_id").set_index("section_id")
    units = network.transformers.drop_duplicates("transformer_id").set_index("transformer_id")
    named = ((move.open_switch, switches), (move.close_switch, switches), (move.to_transformer, units))
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
    ahead = low_kva.index[low_kva.index <= hour][-_HOURS_SHOWN:]
    amps = {time: _amps(float(low_kva[time]), float(high_kva[time])) for time in ahead}
    devices = switches.loc[[move.open_switch, move.close_switch]].to_dict("index")
    rating_kva = units["rating_kva"].astype(float)[move.to_transformer]
    sides = {side.transformer_id: side for side in plan.sides}
    receiver = sides.get(move.to_transformer)
    limit_pct = receiver.limit_pct if receiver else limits.loading_limit_pct
    return Transfer(
        move=move,
        low_a=amps[hour][0],
        high_a=amps[hour][1],
        by_hour=", ".join(f"{clock(time, tz)} {low:.0f}-{high:.0f} A" for time, (low, high) in amps.items()),
        receiver_limit_a=current_a(rating_kva * limit_pct / 100),
        customers=_customers(sections.loc[list(move.sections)]),
        opening=devices[move.open_switch],
        closing=devices[move.close_switch],
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


def _amps(low_kva: float, high_kva: float) -> tuple[float, float]:
    """Range of the current's magnitude; from 0 where the load may be import or export."""
    ends = sorted((current_a(abs(low_kva)), current_a(abs(high_kva))))
    return (0.0 if low_kva < 0 < high_kva else ends[0]), ends[1]


def _customers(sections: pd.DataFrame) -> str:
    known = sections["customers"].dropna() if "customers" in sections else pd.Series(dtype=float)
    if known.empty:
        return "an unknown number of customers"
    least = "" if len(known) == len(sections) else "at least "
    return f"{least}{known.sum():.0f} customers"


def clock(moment: datetime, tz: str) -> str:
    """Write a time as people read it, local: ``20:00 on 12 Aug``."""
    return f"{pd.Timestamp(moment).tz_convert(tz):%H:%M on %d %b}"

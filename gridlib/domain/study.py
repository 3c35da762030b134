"""One transformer under other circumstances: hotter air, more load, a tie that cannot be used."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
from scipy.stats import norm

from gridlib.domain.network import cut_around
from gridlib.domain.planning import plan_transfers
from gridlib.domain.risk import score_risk
from gridlib.domain.risk.running import carry_to_present_states
from gridlib.domain.thermal import ThermalState, continue_thermal, forecast_day_limits
from gridlib.facts.errors import NotFoundError
from gridlib.facts.forecasts import JointPaths
from gridlib.facts.types import Limits, Move, Network, PlanningCase, PlanningRules, RiskLevel
from gridlib.facts.units import QUANTILE_COLUMNS

SEARCH_LIMIT_S = 1.0
"""Processor time of one search in a study; then the best found so far is taken [s]."""

_LEAST_Z, _MOST_Z = -3.5, 3.5


@dataclass(frozen=True)
class Ground:
    """What a study starts from; fields as in the material of a run.

    Attributes
    ----------
    network : Network
        With the switch states of now.
    forecast, windows : DataFrame
        `ForecastFrame` and `WindowFrame` with every section at its normal transformer.
    ambient_c : DataFrame
        Air at each transformer over the horizon, wide [degC].
    initial : ThermalState
        Heat at the start of the horizon, in the order of the transformers in ``forecast``.
    paths : JointPaths or None
        Joint error paths of the fleet.
    measured_kva : Series
        Newest measured load by transformer [kVA].
    reserved : tuple of Move
        Moves of the other open plans, whose headroom is spoken for.
    """

    network: Network
    forecast: pd.DataFrame
    windows: pd.DataFrame
    ambient_c: pd.DataFrame
    initial: ThermalState
    paths: JointPaths | None
    measured_kva: pd.Series
    reserved: tuple[Move, ...] = ()


def ground_around(ground: Ground, transformer_id: str, reserved: Sequence[Move] = ()) -> Ground:
    """Cut out what matters for one transformer: the neighbourhood, with all of its substations.

    Parameters
    ----------
    ground : Ground
        The whole fleet.
    transformer_id : str
        The transformer.
    reserved : sequence of Move
        Moves of the other open plans; those inside the neighbourhood are kept.

    Raises
    ------
    NotFoundError
        There is no such transformer in the forecast.
    """
    ids = pd.Index(ground.forecast["transformer_id"].unique())
    if transformer_id not in ids:
        raise NotFoundError(
            "assessed transformer", transformer_id, what_to_do="See the list of 'gridlib run'."
        )
    network = cut_around(ground.network, [transformer_id], reserved)
    near = set(network.transformers["transformer_id"])
    kept = ids.isin(near)
    known = set(network.switches["switch_id"])
    return replace(
        ground,
        network=network,
        forecast=ground.forecast[ground.forecast["transformer_id"].isin(near)],
        windows=ground.windows[ground.windows["transformer_id"].isin(near)],
        initial=ThermalState(*(part[kept] for part in ground.initial)),
        reserved=tuple(m for m in reserved if {m.open_switch, m.close_switch} <= known),
    )


def change_ground(ground: Ground, *, ambient_k: float, load_pct: float, tie_out: str) -> Ground:
    """Put a neighbourhood under other circumstances.

    Parameters
    ----------
    ground : Ground
        As it is.
    ambient_k : float
        Added to the air of every hour [K]. It heats the oil and does not change the load.
    load_pct : float
        Added to every forecast load, in percent of it [%]; what was measured stays.
    tie_out : str
        A switch that cannot be operated, or empty; it stays in its position.

    Raises
    ------
    NotFoundError
        The neighbourhood has no such switch.

    Notes
    -----
    The chance of any overload under more load is P(peak > rating / (1 + load)): read off the distribution of
    the peak, a normal one in pieces through the median, the 90 % quantile and the known chance at the rating.
    """
    network, factor = ground.network, 1 + load_pct / 100
    if tie_out:
        table = network.switches.set_index("switch_id")
        if tie_out not in table.index:
            raise NotFoundError(
                "switch near this transformer", tie_out, what_to_do="Choose one from its neighbourhood."
            )
        network = replace(network, states=_out_of_order(network, tie_out))
    loads = ["load_kva_mean", *QUANTILE_COLUMNS]
    forecast, windows, paths = ground.forecast, ground.windows, ground.paths
    if load_pct:
        rating = network.transformers.set_index("transformer_id")["rating_kva"].astype(float)
        forecast = forecast.assign(**{name: forecast[name] * factor for name in loads})
        paths = paths and replace(paths, unit_kva=paths.unit_kva * factor)
        windows = _grown(windows, windows["transformer_id"].map(rating), factor)
    return replace(
        ground,
        network=network,
        forecast=forecast,
        windows=windows,
        paths=paths,
        ambient_c=ground.ambient_c + ambient_k,
    )


def _out_of_order(network: Network, switch_id: str) -> pd.DataFrame:
    states, mine = network.states, network.states["switch_id"] == switch_id
    if mine.any():
        return states.assign(health=states["health"].where(~mine, "FAULT"))
    row = network.switches[network.switches["switch_id"] == switch_id].iloc[0]
    new = {"switch_id": switch_id, "time": pd.NaT, "state": row["normal_state"], "health": "FAULT"}
    added = pd.DataFrame([{**new, "tags": "", "source": "assumed"}]).astype({"time": "datetime64[ns, UTC]"})
    return added if states.empty else pd.concat([states, added], ignore_index=True)


def _grown(windows: pd.DataFrame, rating_kva: pd.Series, factor: float) -> pd.DataFrame:
    """Windows under loads that are ``factor`` times as large."""
    median, upper = (windows[f"peak_kva_{q}"].to_numpy(float) for q in ("p50", "p90"))
    chance = windows["p_any_overload"].to_numpy(float)
    grown = np.array(
        [
            _chance_above(bound / factor, m, u, bound, p)
            for bound, m, u, p in zip(rating_kva.to_numpy(float), median, upper, chance, strict=True)
        ]
    )
    return windows.assign(p_any_overload=grown, peak_kva_p50=median * factor, peak_kva_p90=upper * factor)


def _chance_above(kva: float, median: float, upper: float, bound: float, chance: float) -> float:
    """P(peak > kva) from its median, its 90 % quantile, and P(peak > bound); NaN where any is unknown."""
    if not np.isfinite([kva, median, upper, bound, chance]).all():
        return float("nan")
    if kva == bound:
        return chance
    z_bound = float(np.clip(norm.isf(chance), _LEAST_Z, _MOST_Z))
    known = sorted({median: 0.0, upper: float(norm.ppf(0.9)), bound: z_bound}.items())
    at = np.array([place for place, _ in known])
    z = np.maximum.accumulate([score for _, score in known])
    k = int(np.clip(np.searchsorted(at, kva) - 1, 0, len(at) - 2)) if len(at) > 1 else 0
    slope = (z[k + 1] - z[k]) / (at[k + 1] - at[k]) if len(at) > 1 else 0.0
    estimate = float(norm.sf(z[k] + slope * (kva - at[k])))
    return max(estimate, chance) if kva <= bound else min(estimate, chance)


def score_ground(ground: Ground, *, limits: Limits, tz: str, transformer_id: str) -> pd.DataFrame:
    """Score a neighbourhood as a run would, and return the row of one transformer (`RiskFrame`).

    Empty where it cannot be scored.
    """
    running, windows = carry_to_present_states(ground.network, ground.forecast, ground.windows, ground.paths)
    units = ground.network.transformers
    thermal = continue_thermal(running, units, ground.ambient_c, ground.initial)
    mine = running["transformer_id"] == transformer_id
    place = pd.Index(running["transformer_id"].unique()).get_loc(transformer_id)
    day_limits = forecast_day_limits(
        running[mine],
        units,
        thermal[thermal["transformer_id"] == transformer_id],
        ThermalState(*(part[[place]] for part in ground.initial)),
        limits=limits,
    )
    normal = ground.forecast.pivot(index="time", columns="transformer_id", values="load_kva_p50")
    risk, _ = score_risk(
        running,
        windows,
        thermal,
        ground.network,
        limits=limits,
        tz=tz,
        measured_kva=ground.measured_kva,
        normal_kva=normal,
        day_limits=day_limits,
    )
    return risk[risk["transformer_id"] == transformer_id]


def plan_ground(
    ground: Ground,
    risk: pd.DataFrame,
    *,
    limits: Limits,
    rules: PlanningRules,
    tz: str,
    now: pd.Timestamp,
) -> PlanningCase | None:
    """Plan transfers for one transformer in its neighbourhood; None where it is LOW.

    Parameters
    ----------
    ground : Ground
        The neighbourhood, under whatever circumstances.
    risk : DataFrame
        The transformer's row of `RiskFrame`.
    limits, rules : Limits, PlanningRules
        The site's; a search is cut short after `SEARCH_LIMIT_S`.
    tz : str
        Zone in which reasons name the hours.
    now : Timestamp
        Moment at which the age of reported switch positions counts.
    """
    if (risk["risk_level"] == RiskLevel.LOW).all():
        return None
    cases = plan_transfers(
        ground.network,
        ground.forecast,
        risk,
        ground.ambient_c,
        limits=limits,
        rules=rules.model_copy(update={"search_limit_s": min(rules.search_limit_s, SEARCH_LIMIT_S)}),
        initial=ground.initial,
        paths=ground.paths,
        reserved=ground.reserved,
        tz=tz,
        now=now,
    )
    return next(iter(cases), None)

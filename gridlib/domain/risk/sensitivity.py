"""How far the score moves if the air is hotter or the load higher than forecast."""

import numpy as np
import pandas as pd

from gridlib.domain.network import current_states
from gridlib.domain.risk.cascading import cascading_component
from gridlib.domain.risk.components import overload_component, thermal_component, weighted_score
from gridlib.domain.thermal import ThermalState, thermal_response, thermal_spec
from gridlib.domain.thermal.arrays import Floats, step_of, wide_arrays
from gridlib.facts.messages import Message
from gridlib.facts.types import Limits, Network
from gridlib.facts.units import QUANTILE_COLUMNS

P50 = QUANTILE_COLUMNS.index("load_kva_p50")


def score_sensitivity(
    forecast: pd.DataFrame,
    thermal: pd.DataFrame,
    network: Network,
    initial: ThermalState,
    *,
    limits: Limits,
    normal_kva: pd.DataFrame | None = None,
    air_k: float = 3.0,
    load_pct: float = 10.0,
) -> pd.DataFrame:
    """Score every transformer again with hotter air, and with more load.

    Parameters
    ----------
    forecast : DataFrame
        `ForecastFrame`: what each transformer carries in the hours ahead.
    thermal : DataFrame
        `ThermalFrame` of it; its air is used.
    network : Network
        The network.
    initial : ThermalState
        Heat at the start of the horizon, as from `gridlib.domain.thermal.forecast_thermal`.
    limits : Limits
        Weights and limits of the site.
    normal_kva : DataFrame, optional
        As in `score_risk`.
    air_k : float
        Added to the air of every hour ahead [K].
    load_pct : float
        Added to every load ahead, in percent of it [%].

    Returns
    -------
    DataFrame
        transformer_id, ``score`` as it is, ``score_air`` with hotter air, ``score_load`` with more load;
        one row for each transformer with rating, forecast and temperatures.

    Notes
    -----
    Each change stands alone: hotter air heats the oil and does not raise the load, as the forecast has the
    load at its own air already. What the transformer starts with stays as measured. Scores without
    temperatures are left out, because half of their answer would be missing.
    """
    ids, times, load = wide_arrays(forecast, QUANTILE_COLUMNS)
    units = network.transformers.drop_duplicates("transformer_id").set_index("transformer_id").reindex(ids)
    rating = units["rating_kva"].to_numpy(float)
    around = thermal.pivot(index="time", columns="transformer_id", values="ambient_c")
    air = around.reindex(index=times, columns=ids).to_numpy(float)
    ok = (rating > 0) & np.isfinite(load).all(axis=(0, 1)) & np.isfinite(air).all(axis=0)
    ok &= np.isfinite(initial.top_oil_c)
    ids, load, rating, air = ids[ok], load[:, :, ok], rating[ok], air[:, ok]
    if normal_kva is None:
        normal_kva = pd.DataFrame(load[P50], index=times, columns=ids)
    states = current_states(network)
    spec = thermal_spec(units[ok].reset_index())
    start = ThermalState(*(part[ok] for part in initial))
    step_min = step_of(times) / pd.Timedelta(minutes=1)

    def heat(factor: float, more_k: float) -> Floats:
        run = thermal_response(
            factor * load[P50] / rating, air + more_k, spec, step_min=step_min, initial=start
        )
        return thermal_component(run.hot_spot_c, limits)

    def loss(factor: float) -> Floats:
        found = cascading_component(network, states, factor * normal_kva, limits)
        return found["cascading"].reindex(ids).fillna(0.0).to_numpy(float)

    more = 1 + load_pct / 100
    over, lost = overload_component(load, rating, limits), loss(1.0)
    return pd.DataFrame(
        {
            "transformer_id": ids.astype(object),
            "score": weighted_score(over, heat(1.0, 0.0), lost, limits),
            "score_air": weighted_score(over, heat(1.0, air_k), lost, limits),
            "score_load": weighted_score(
                overload_component(more * load, rating, limits), heat(more, 0.0), loss(more), limits
            ),
        }
    )


def sensitivity_messages(row: pd.Series, *, air_k: float = 3.0, load_pct: float = 10.0) -> list[Message]:
    """Say how far the score of one transformer moves.

    Parameters
    ----------
    row : Series
        One row of `score_sensitivity`.
    air_k, load_pct : float
        As given there.

    Returns
    -------
    list of Message
        About hotter air, and about more load.

    Examples
    --------
    >>> from gridlib.facts.messages import render
    >>> row = pd.Series({"score": 0.61, "score_air": 0.74, "score_load": 0.8})
    >>> [render(message) for message in sensitivity_messages(row)]
    ['+3 degC: 0.61 -> 0.74', '+10 % load: 0.61 -> 0.80']
    """
    before = float(row["score"])
    return [
        Message("sensitivity.air", {"shift_k": air_k, "before": before, "after": float(row["score_air"])}),
        Message(
            "sensitivity.load", {"shift_pct": load_pct, "before": before, "after": float(row["score_load"])}
        ),
    ]

"""What each transformer will carry under the switch states of now, from a forecast of normal running."""

import numpy as np
import pandas as pd

from gridlib.domain.forecast.paths import share_over, weighted_quantiles
from gridlib.domain.network import closed_switches, current_states, feeding, transformer_load_kva
from gridlib.domain.thermal.arrays import Floats, wide_arrays
from gridlib.facts.forecasts import JointPaths
from gridlib.facts.types import Network
from gridlib.facts.units import QUANTILE_COLUMNS, QUANTILE_LEVELS

_P50 = 1 + QUANTILE_LEVELS.index(0.5)  # after the mean
_PEAKS = np.array([0.5, 0.9])


def carry_to_present_states(
    network: Network, forecast: pd.DataFrame, windows: pd.DataFrame, paths: JointPaths | None = None
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Carry the sections' load to the transformers that feed them now.

    Parameters
    ----------
    network : Network
        With the newest switch states.
    forecast : DataFrame
        `ForecastFrame`, every section at its normal transformer.
    windows : DataFrame
        `WindowFrame` of it.
    paths : JointPaths, optional
        Joint error paths of it.

    Returns
    -------
    forecast, windows : DataFrame
        The same frames for the present states. Where no section is moved they are untouched, to the bit.

    Notes
    -----
    Quantiles are added as they are (comonotonic). For transformers whose sections have changed, chances of
    overload and peaks of windows come from joint paths: loads of all their sections on the same past day are
    added, and smoothed at the rating as in `gridlib.domain.forecast.paths.bands_of`. Without paths the chance
    in a window is taken from its worst hour, a lower bound, and its peak from the hourly quantiles. A section
    that hangs on a foreign transformer and whose load is not known counts as nothing, so that its
    transformer's load is too low: `unknown_foreign_sections` names it, and `score_risk` says so.
    """
    closed = closed_switches(current_states(network))
    normal = frozenset(network.switches.loc[network.switches["normal_state"] == "CLOSED", "switch_id"])
    if closed == normal or forecast.empty:
        return forecast, windows
    columns = ("load_kva_mean", *QUANTILE_COLUMNS)
    ids, times, values = wide_arrays(forecast, columns)
    flat = pd.DataFrame(values.reshape(-1, len(ids)), columns=ids)
    everyone = flat.columns.union(pd.Index(network.transformers["transformer_id"]).unique(), sort=False)
    known_kva = flat.reindex(columns=everyone).fillna(0.0)
    running = transformer_load_kva(network, known_kva, closed).reindex(columns=ids).where(flat.notna())
    carried: Floats = running.to_numpy(float).reshape(values.shape)
    changed = ~np.isclose(carried, values, rtol=0, atol=1e-9, equal_nan=True).all(axis=(0, 1))
    if not changed.any():
        return forecast, windows
    rating = network.transformers.drop_duplicates("transformer_id").set_index("transformer_id")["rating_kva"]
    known = np.where(changed, rating.reindex(ids).to_numpy(float), np.nan)
    p_over = exceedance(carried[1:], known)

    position = {name: i for i, name in enumerate(ids)}
    moved = forecast.copy()
    rows = moved["transformer_id"].isin(ids[changed])
    unit = moved.loc[rows, "transformer_id"].map(position).to_numpy()
    hour = times.get_indexer(pd.DatetimeIndex(moved.loc[rows, "time"]))
    for k, column in enumerate(columns):
        moved.loc[rows, column] = carried[k, hour, unit]
    moved.loc[rows, "p_overload"] = p_over[hour, unit]

    lead_h = np.arange(1, len(times) + 1) * ((times[1] - times[0]) / pd.Timedelta(hours=1))
    median, p90 = (carried[1 + QUANTILE_LEVELS.index(level)] for level in (0.5, 0.9))
    reset = windows.copy()
    rows = reset["transformer_id"].isin(ids[changed])
    unit = reset.loc[rows, "transformer_id"].map(position).to_numpy()
    from_h, to_h = (reset.loc[rows, name].to_numpy(float) for name in ("from_h", "to_h"))
    inside = (lead_h[:, None] > from_h) & (lead_h[:, None] <= to_h)
    for column, hourly in (("p_any_overload", p_over), ("peak_kva_p50", median), ("peak_kva_p90", p90)):
        reset.loc[rows, column] = np.where(inside, hourly[:, unit], -np.inf).max(axis=0)
    if paths is not None and times.equals(paths.times):
        _by_paths(network, closed, paths, moved, reset, pd.Index(ids[changed]), values[_P50][:, changed])
    return moved, reset


def _by_paths(
    network: Network,
    closed: frozenset[str],
    paths: JointPaths,
    moved: pd.DataFrame,
    reset: pd.DataFrame,
    ids: pd.Index,
    median_kva: Floats,
) -> None:
    """Set chances of overload and peaks of windows of some transformers by joint paths, in place."""
    row = pd.Index(paths.transformer_ids).get_indexer(ids)
    error_kva = paths.error_kva(row[row >= 0])
    n, j, steps = error_kva.shape
    normal = (median_kva.T[row >= 0][:, None] + error_kva).reshape(n, j * steps)
    wide = pd.DataFrame(normal.T, columns=ids[row >= 0])
    running = transformer_load_kva(network, wide, closed).to_numpy(float).T.reshape(n, j, steps)
    rating = network.transformers.drop_duplicates("transformer_id").set_index("transformer_id")["rating_kva"]
    rating_kva = rating.reindex(wide.columns).to_numpy(float)
    known = np.isfinite(running).all(axis=(1, 2)) & np.isfinite(rating_kva)
    names, size, rating_kva = wide.columns[known], np.abs(running[known]), rating_kva[known]
    weights = np.full(size.shape[:2], 1 / max(j, 1))
    hourly = share_over(size, weights, rating_kva)
    lead_h = np.arange(1, steps + 1) * ((paths.times[1] - paths.times[0]) / pd.Timedelta(hours=1))
    mine = reset[reset["transformer_id"].isin(names)]
    for from_h, to_h in mine[["from_h", "to_h"]].drop_duplicates().to_numpy():
        rows = mine.index[(mine["from_h"] == from_h) & (mine["to_h"] == to_h)]
        unit = names.get_indexer(pd.Index(mine.loc[rows, "transformer_id"]))
        inside = (lead_h > from_h) & (lead_h <= to_h)
        peaks = size[:, :, inside].max(axis=2, keepdims=True)
        chance = share_over(peaks, weights, rating_kva)
        # The step at the rating is wider for peaks: no hour's chance may be above its window's.
        hourly[:, inside] = np.minimum(hourly[:, inside], chance)
        reset.loc[rows, "p_any_overload"] = chance[unit, 0]
        reset.loc[rows, ["peak_kva_p50", "peak_kva_p90"]] = weighted_quantiles(peaks, weights, _PEAKS)[
            unit, :, 0
        ]
    rows = moved.index[moved["transformer_id"].isin(names)]
    unit = names.get_indexer(pd.Index(moved.loc[rows, "transformer_id"]))
    hour = paths.times.get_indexer(pd.DatetimeIndex(moved.loc[rows, "time"]))
    moved.loc[rows, "p_overload"] = hourly[unit, hour]


MEASURED_AGE_STEPS = 3
"""A reading counts as the load of now for this many steps after it; then rule R0 does without."""


def measured_now(metered_kva: pd.DataFrame) -> pd.Series:
    """Take what counts as the measured load of now.

    Parameters
    ----------
    metered_kva : DataFrame
        Clean load up to now, wide: time x transformer [kVA]; NaN where missing, no rows where telemetry was
        silent.

    Returns
    -------
    Series
        By transformer, without those whose last reading is older than `MEASURED_AGE_STEPS` [kVA].
    """
    if metered_kva.empty:
        return pd.Series(dtype="float64")
    return metered_kva.ffill(limit=MEASURED_AGE_STEPS).iloc[-1].dropna()


def unknown_foreign_sections(
    network: Network, states: pd.DataFrame, normal_kva: pd.DataFrame
) -> dict[str, list[str]]:
    """Name the sections that hang on a foreign transformer now and whose load is not known in every hour.

    Parameters
    ----------
    network : Network
        The network.
    states : DataFrame
        Switch states, as from `gridlib.domain.network.current_states`.
    normal_kva : DataFrame
        Wide, time x transformer, with every section at its normal transformer [kVA].

    Returns
    -------
    dict
        Sections by the transformer that feeds them now.
    """
    sections = network.sections.drop_duplicates("section_id").set_index("section_id")
    fed_by = feeding(network, closed_switches(states)).reindex(sections.index)
    known = normal_kva.columns[np.isfinite(normal_kva.to_numpy(float)).all(axis=0)]
    foreign = fed_by.notna() & (fed_by != sections["transformer_id"])
    unknown = fed_by[foreign & ~sections["transformer_id"].isin(known)]
    found: dict[str, list[str]] = {}
    for section, transformer in unknown.items():
        found.setdefault(str(transformer), []).append(str(section))
    return found


def exceedance(quantile_kva: Floats, rating_kva: Floats) -> Floats:
    """Estimate P(|load| > rating) from quantiles.

    Parameters
    ----------
    quantile_kva : array [Q, T, N]
        Quantiles at `QUANTILE_LEVELS`.
    rating_kva : array [N]
        Nameplates; NaN gives NaN.

    Returns
    -------
    array [T, N]
        Linear between quantiles; held at the outermost levels, so that 0.05 or less reads as 0.05 at the
        quantile itself and 0 beyond it.
    """
    levels = np.asarray(QUANTILE_LEVELS)
    chance = np.full(quantile_kva.shape[1:], np.nan)
    for n in np.flatnonzero(np.isfinite(rating_kva)):
        for t in range(quantile_kva.shape[1]):
            q = quantile_kva[:, t, n]
            above = 1 - np.interp(rating_kva[n], q, levels, left=0.0, right=1.0)
            below = np.interp(-rating_kva[n], q, levels, left=0.0, right=1.0)
            chance[t, n] = min(1.0, above + below)
    return chance

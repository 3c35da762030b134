"""Which transformer is forecast by which rung, and the climb through them, chunk by chunk."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from gridlib.domain.calendar import DayType
from gridlib.domain.forecast.design import design_of, forecast_air_errors
from gridlib.domain.forecast.deviation import first_origin
from gridlib.domain.forecast.door import Request
from gridlib.domain.forecast.expectation import WIDTH, Solver, solver_of
from gridlib.domain.forecast.joint import SAME_DAY_SHARE, Joint, Peaks
from gridlib.domain.forecast.lead_ridge import LeadDesign, lead_design, second_tier
from gridlib.domain.forecast.level_shift import LENGTHS_D, counterpart
from gridlib.domain.forecast.paths import Paths, bands_of, error_paths, window_steps, windows_of
from gridlib.domain.forecast.peaks import REPLAYED, peaks_asked_for, replay_ranks, set_right
from gridlib.domain.forecast.profile import TERMS, fit_profile
from gridlib.domain.forecast.replays import common_ages, confidence_of, set_by_recent
from gridlib.domain.forecast.shape import MOST_DONORS, borrow_from_fleet, persist, unit_kva
from gridlib.domain.forecast.tiers import (
    PROFILED,
    REPEATED,
    better_of,
    blend,
    fast_tier,
    mean_of,
    naive_tiers,
    prepare,
    profile_tier,
    read_after,
    smoothed,
    terms_of,
)
from gridlib.facts.units import QUANTILE_COLUMNS, QUANTILE_LEVELS

RUNGS = ("combination", "fleet", "short_profile", "fleet_shape", "persistence")
"""From the most history, and work, to the least."""

FLEET_D = (112, 56)
"""Days of readings that the tiers ask for, without and with weather [d]: measured, from then on they err
less than the short profile."""

SHORT_PROFILE_D = 2
"""Days of readings that the short profile asks for [d]."""

FLEET_SHARE = 0.5
"""Share of the readings since the first that the tiers ask for; with less, gaps would be most of it."""

LONGEST_D = 730
"""Older readings are not used: grids change [d]."""

SECOND_TIER_SHARE, SECOND_TIER_MOST = 0.1, 200
"""How many get the second tier by default."""

CHOSEN_WIDENING = 1.02
"""Of the second tier's error paths: its memory and ridge were chosen on the very errors that it lends."""

_START_D = 28  # first readings are sorted into classes of so many days, each with one factorisation
_SINGLE_STEPS = 2_000_000  # readings of a chunk of the short profile, to bound the memory
_Float = NDArray[np.float64]
_Int = NDArray[np.int64]
_MEDIAN = QUANTILE_LEVELS.index(0.5)
_MEAN, _FIRST_QUANTILE, _P, _CONFIDENCE = 0, 1, 1 + len(QUANTILE_COLUMNS), 2 + len(QUANTILE_COLUMNS)


@dataclass(frozen=True)
class Result:
    """Everything about all transformers of a request, in its order."""

    rung: NDArray[np.object_]  # [N]
    columns: _Float  # [mean, quantiles, p_overload, confidence; N, H]
    p_any_overload: _Float  # [N, windows]
    peak_kva: _Float  # [N, windows, 2]
    confidence: _Float  # [N]
    error_pu: _Float  # [N]: mean size of the past errors over the root mean square of the load
    terms_kva: _Float  # [terms, N, H], empty where not asked for
    shift_d: _Int  # [N]: days since the level changed; 0: it did not
    shift_ratio: _Float  # [N]: new level over old
    moved_kva: _Float  # [N, lengths]: change of the level, of each of the lengths looked at [kVA]
    joint: Joint
    common_d: _Int  # [paths]: how old the days are whose errors all lend who can [d]
    findings: list[tuple[str, str, str]]


@dataclass(frozen=True)
class _Station:
    """What the transformers of one station, with readings since the same month, share."""

    solver: Solver
    leads: LeadDesign | None
    air_error_k: NDArray[np.float32]


def climb(request: Request, method: str, neighbours: _Int | None = None, *, explain: bool = False) -> Result:
    """Forecast every transformer of a request by its rung.

    Parameters
    ----------
    request : Request
        From the door.
    method : str
        "default" or one of `RUNGS`.
    neighbours : array [pairs, 2] or None
        Rows of transformers that load can be switched over between, both ways; None: not known.
    explain : bool
        Whether to keep the terms.

    Returns
    -------
    Result
        In the order of the request.
    """
    n, steps = len(request.ids), len(request.times)
    n_windows = len(windows_of(request.horizon_h))
    rung, first_day = _rungs(request, method)
    days = min(request.grid.history_days, LONGEST_D)
    origins = first_origin(days, request.grid.days_ahead)
    common_d = common_ages(days - origins if len(origins) else np.array([request.grid.days_ahead]))
    result = Result(
        rung=rung,
        columns=np.zeros((3 + len(QUANTILE_COLUMNS), n, steps)),
        p_any_overload=np.zeros((n, n_windows)),
        peak_kva=np.zeros((n, n_windows, 2)),
        confidence=np.full(n, np.nan),
        error_pu=np.zeros(n),
        terms_kva=np.zeros((len(TERMS), n if explain else 0, steps)),
        shift_d=np.zeros(n, dtype=np.int64),
        shift_ratio=np.ones(n),
        moved_kva=np.zeros((n, len(LENGTHS_D))),
        joint=Joint.empty(common_d, n, steps),
        common_d=common_d,
        findings=[],
    )
    tiered = (rung == "fleet") | (rung == "combination")
    both = rung == "combination"
    for station, chunk in _chunks(request, np.flatnonzero(tiered & ~both), first_day, second=False):
        _by_tiers(result, request, chunk, station)
    if method == "default":
        both = _most_at_risk(result, request, np.flatnonzero(tiered))
    for station, chunk in _chunks(request, np.flatnonzero(both), first_day, second=True):
        _by_tiers(result, request, chunk, station)
    own = np.flatnonzero(rung == "short_profile")
    size = max(1, _SINGLE_STEPS // len(request.readings_kva))
    for start in range(0, len(own), size):
        chunk = own[start : start + size]
        terms, paths, confidence = _by_profile(request, chunk)
        _keep(result, request, chunk, terms, terms.sum(axis=0), paths)
        result.confidence[chunk] = confidence
    few = np.flatnonzero(~tiered & (rung != "short_profile"))
    if len(few):
        _by_the_fleet(result, request, few, method)
    result.columns[_CONFIDENCE] = result.confidence[:, None]
    result.findings.extend(_remarks(request, result, neighbours))
    return result


def _rungs(request: Request, method: str) -> tuple[NDArray[np.object_], _Int]:
    """Return the rung of each transformer by its history, and the first day of the grid it is used from."""
    grid, length = request.grid, len(request.readings_kva)
    count = np.bitwise_count(request.known).sum(axis=1, dtype=np.int64)
    kind = grid.day_type[grid.row, grid.column][:length]
    every_kind = np.ones(len(count), dtype=bool)
    for expected in np.unique(kind[kind != DayType.HOLIDAY]):
        every_kind &= (request.known & np.packbits(kind == expected)).any(axis=1)
    first = np.minimum((request.known != 0).argmax(axis=1) * 8, length - 1)
    first_day = grid.row[first] // _START_D * _START_D
    first_day = np.maximum(first_day, grid.history_days - LONGEST_D)
    days = count / grid.steps_per_day
    enough = np.where(request.station >= 0, FLEET_D[1], FLEET_D[0])
    whole = every_kind & (days >= enough) & (days >= FLEET_SHARE * (grid.history_days - grid.row[first]))
    rank = np.where(days < SHORT_PROFILE_D, 3, np.where(whole, 1, 2))
    if method == "combination":
        rank = np.where(rank == 1, 0, rank)
    elif method != "default":
        rank = np.maximum(rank, RUNGS.index(method))
    return np.array(RUNGS, dtype=object)[rank], first_day


def _chunks(
    request: Request, which: _Int, first_day: _Int, *, second: bool
) -> Iterator[tuple[_Station, _Int]]:
    """Yield chunks of transformers that share a station and a start, with what they share."""
    grid = request.grid
    n_leads = grid.days_ahead * grid.steps_per_day
    errors = np.zeros((0, n_leads), dtype=np.float32)
    if len(which):
        n_origins = len(first_origin(grid.history_days, grid.days_ahead))
        errors = forecast_air_errors(n_origins, n_leads, grid.steps_per_day).astype(np.float32)
    for number in np.unique(request.station[which]):
        here = which[request.station[which] == number]
        air = request.ambient_c[number] if number >= 0 else None
        design = design_of(grid, air)
        for start in np.unique(first_day[here]):
            mine = here[first_day[here] == start]
            # Those with gaps together: filling them asks for more work of the whole chunk.
            read = np.bitwise_count(request.known[mine]).sum(axis=1, dtype=np.int64)
            mine = mine[np.argsort(-read, kind="stable")]
            solver = solver_of(design, grid.history_days, int(start))
            leads = lead_design(grid, air, int(start), errors) if second else None
            station = _Station(solver, leads, errors)
            for i in range(0, len(mine), WIDTH):
                yield station, mine[i : i + WIDTH]


def _by_tiers(result: Result, request: Request, which: _Int, station: _Station) -> None:
    """Forecast a chunk by the fast tier, and by the second where the station is ready for it."""
    grid = request.grid
    prepared = prepare(request.load_kva(which), grid, station.solver, result.common_d)
    tier = fast_tier(prepared, grid, station.solver, station.air_error_k)
    result.rung[which] = "fleet"
    if station.leads is not None:
        tier = mean_of(tier, second_tier(prepared, station.leads))
        tier = blend(tier, profile_tier(prepared, grid, tier), PROFILED)
        result.rung[which] = "combination"
    tier = smoothed(tier, prepared, grid)
    naive = naive_tiers(prepared, grid)
    for repeated in reversed(naive):
        tier = blend(tier, repeated, REPEATED[station.solver.slopes is not None])
    tier, worse = better_of(tier, naive)
    result.rung[which[worse]] = "naive"
    lead = grid.lead_cell
    age = prepared.age_d
    made = tier.errors[..., lead]
    errors = set_by_recent(made, grid.steps_per_day)
    if station.leads is not None:
        errors *= np.float32(CHOSEN_WIDENING)
    result.confidence[which] = confidence_of(made, naive[1].errors[..., lead], age)
    zero = (prepared.mean_kva / prepared.sd_kva).astype(np.float32)[:, None, None]
    came = read_after(prepared, grid, REPLAYED)[..., lead] + zero
    ranks = replay_ranks(
        errors,
        came - made[:, REPLAYED],
        came,
        prepared.origins[prepared.chosen],
        window_steps(request.horizon_h, request.step_min),
        grid.days_ahead,
    )
    # In standard deviations of the load, whose root mean square is that of its mean and 1.
    result.error_pu[which] = np.abs(made).mean(axis=(1, 2)) / np.hypot(zero[:, 0, 0], 1)
    mean = tier.ahead[:, lead] * prepared.sd_kva[:, None] + prepared.mean_kva[:, None]
    paths = Paths(
        np.asarray(errors * prepared.sd_kva[:, None, None].astype(np.float32)),
        np.full(errors.shape[:2], 1 / errors.shape[1]),
        age,
        pooled=True,
    )
    terms = None
    if result.terms_kva.shape[1]:
        terms = terms_of(prepared, station.solver, tier.ahead)[..., lead]
    _keep(result, request, which, terms, mean, paths, ranks)
    shifts = prepared.shifts
    result.shift_d[which], result.shift_ratio[which] = shifts.days, shifts.ratio
    result.moved_kva[which] = shifts.moved * prepared.sd_kva[:, None]


def _remarks(request: Request, result: Result, neighbours: _Int | None) -> Iterator[tuple[str, str, str]]:
    for i in np.flatnonzero(result.shift_d).tolist():
        days, percent = int(result.shift_d[i]), 100 * (result.shift_ratio[i] - 1)
        cause = "a section switched over?"
        if neighbours is not None:
            beside = neighbours[neighbours[:, 0] == i, 1]
            found = counterpart(i, LENGTHS_D.index(days), result.moved_kva, beside)
            cause = "no neighbour changed the other way: new or lost load, or the meter?"
            if found is not None:
                cause = (
                    f"{request.ids[found[0]]} changed by {found[1]:+.0f} kVA at the same time: a section "
                    "switched over between the two? Confirm the switch states."
                )
        message = (
            f"level changed by {percent:+.0f} % about {days} d ago, beyond what calendar and air explain; "
            f"{cause} Forecast at the new level, as metered"
        )
        yield request.ids[i], "level_shift", message
    for i in np.flatnonzero(result.rung == "naive").tolist():
        yield request.ids[i], "naive_is_better", "repeating past readings has erred less: that is used"
    share = result.joint.same_day.mean(axis=1)
    for i in np.flatnonzero((share < SAME_DAY_SHARE) & np.isfinite(result.confidence)).tolist():
        message = (
            f"errors are known of {100 * share[i]:.0f} % of the past days that all are compared on: beside "
            "other transformers its errors count as independent"
        )
        yield request.ids[i], "errors_independent", message
    for i in np.flatnonzero(np.isnan(result.confidence)).tolist():
        message = "too few past days to replay: no measured confidence"
        if share[i] < SAME_DAY_SHARE:
            message += ", and beside other transformers its errors count as independent"
        yield request.ids[i], "confidence_not_measured", message


def _most_at_risk(result: Result, request: Request, which: _Int) -> NDArray[np.bool_]:
    """Return who gets the second tier by default."""
    chosen = np.zeros(len(result.rung), dtype=bool)
    count = min(int(np.ceil(SECOND_TIER_SHARE * len(which))), SECOND_TIER_MOST)
    if request.rating_kva is None:
        order = np.argsort(-result.error_pu[which], kind="stable")
    else:
        loading = result.peak_kva[which, -1, 0] / request.rating_kva[which]
        order = np.lexsort((-loading, -result.p_any_overload[which, -1]))
    chosen[which[order[:count]]] = True
    return chosen


def _by_profile(request: Request, which: _Int) -> tuple[_Float, Paths, _Float]:
    load = request.load_kva(which)
    fit = fit_profile(request.grid.lay_out(load), request.grid)
    paths, confidence = error_paths(fit, load, request.grid)
    return fit.terms_kva, paths, confidence


def _by_the_fleet(result: Result, request: Request, few: _Int, method: str) -> None:
    """Forecast those with hardly any readings by the shape of others, else by their own last readings."""
    load = request.load_kva(few)
    best, _ = _rungs(request, "default")
    donors = np.flatnonzero((best == "fleet") | (best == "short_profile"))
    if len(donors) and method != "persistence":
        donors = donors[np.linspace(0, len(donors) - 1, min(len(donors), MOST_DONORS)).astype(np.int64)]
        lender = request.load_kva(donors)
        rating = request.rating_kva
        lent, lent_paths, _ = _by_profile(request, donors)
        terms, paths = borrow_from_fleet(
            load,
            unit_kva(load, None if rating is None else rating[few]),
            lender,
            unit_kva(lender, None if rating is None else rating[donors]),
            lent.sum(axis=0),
            lent_paths,
            request.grid,
        )
    else:
        result.rung[few] = "persistence"
        terms, paths = persist(load, request.grid)
    _keep(result, request, few, terms, terms.sum(axis=0), paths)


def _keep(
    result: Result,
    request: Request,
    which: _Int,
    terms: _Float | None,
    mean: _Float,
    paths: Paths,
    ranks: _Float | None = None,
) -> None:
    """Write the forecast of some transformers into the arrays of the result."""
    rating = None if request.rating_kva is None else request.rating_kva[which]
    bands = bands_of(mean, paths, rating, horizon_h=request.horizon_h, step_min=request.step_min)
    peaks = None
    if ranks is not None:
        windows = window_steps(request.horizon_h, request.step_min)
        whole = bands.peaks_kva[..., -1]
        peaks = Peaks(windows[-1], whole, peaks_asked_for(whole, ranks[-1]))
        bands = set_right(bands, ranks, windows)
    result.columns[_MEAN, which] = mean
    result.columns[_FIRST_QUANTILE:_P, which] = bands.quantiles_kva.swapaxes(0, 1)
    result.columns[_P, which] = bands.p_overload
    result.p_any_overload[which] = bands.p_any_overload
    result.peak_kva[which] = bands.peak_kva
    names = [request.ids[i] for i in which]
    result.joint.keep(which, names, paths, mean, bands.quantiles_kva[:, _MEDIAN], peaks)
    if terms is not None and result.terms_kva.shape[1]:
        result.terms_kva[:, which] = terms

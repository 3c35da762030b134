"""From origin to origin: what each method would have said, with what was known there, against what came."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from gridlib.domain.backtest import tables
from gridlib.domain.backtest.alarms import ALARM_P, alarm_window
from gridlib.domain.backtest.naive import NAIVE_LAGS_H, naive_forecast
from gridlib.domain.backtest.result import Backtest
from gridlib.domain.backtest.scores import Sheet
from gridlib.domain.backtest.visible import (
    MEASURED_AS_FORECAST,
    Weather,
    open_weather,
    origin_places,
    visible_load,
)
from gridlib.domain.calendar import Calendar, calendar_for
from gridlib.domain.forecast import forecast_load
from gridlib.domain.quality import readings_of, utc_index
from gridlib.facts.errors import GridlibError, InputError
from gridlib.facts.forecasts import Forecast
from gridlib.facts.units import HORIZON_H, QUANTILE_COLUMNS

Method = Callable[..., Forecast]
"""Called as `gridlib.domain.forecast.forecast_load`, with the history and keywords horizon_h, ambient_c,
rating_kva, calendar, step_min."""

LADDER = ("default", "combination", "fleet", "short_profile", "fleet_shape", "persistence")
METHODS = (*LADDER, *NAIVE_LAGS_H)
"""Methods known by name: the forecast and its rungs, and the naives, which every back-test runs."""

HISTORY_H = 8760
"""How much history a method is handed [h]: one year."""

_NAMED = 5  # a note names no more transformers than this

# What a method of any library may end in; anything else is a fault of the back-test itself.
_METHOD_FAULTS = (GridlibError, ArithmeticError, LookupError, ValueError, TypeError, RuntimeError)
_Float = NDArray[np.float64]


@dataclass(frozen=True)
class _Course:
    """What every method is handed and judged by."""

    history: pd.DataFrame
    arrived_ns: NDArray[np.int64] | None
    places: NDArray[np.int64]
    weather: Weather | None
    rating_kva: pd.Series
    calendar: Calendar
    horizon_h: int
    step_min: int
    cpu_clock: Callable[[], float]


def methods_named(names: Sequence[str]) -> dict[str, Method]:
    """Return methods of this package by name.

    Parameters
    ----------
    names : sequence of str
        Of `METHODS`.

    Returns
    -------
    dict of str to Method
        In the same order.

    Raises
    ------
    InputError
        A name that is not known.
    """
    found: dict[str, Method] = {}
    for name in names:
        if name in NAIVE_LAGS_H:
            found[name] = partial(_naive, lag_h=NAIVE_LAGS_H[name])
        elif name in LADDER:
            found[name] = partial(forecast_load, method=name)
        else:
            raise InputError(f"unknown method '{name}'", what_to_do=f"Methods are: {', '.join(METHODS)}.")
    return found


def _naive(
    history: pd.DataFrame, *, lag_h: int, horizon_h: int, rating_kva: pd.Series, step_min: int, **_: Any
) -> Forecast:
    return naive_forecast(history, lag_h=lag_h, horizon_h=horizon_h, rating_kva=rating_kva, step_min=step_min)


def backtest_load(
    history: pd.DataFrame,
    *,
    methods: Mapping[str, Method],
    origins: int = 12,
    horizon_h: int = HORIZON_H,
    ambient_c: pd.DataFrame | pd.Series | None = None,
    available_at: pd.DataFrame | None = None,
    rating_kva: pd.Series | None = None,
    calendar: Calendar | None = None,
    step_min: int = 60,
    cpu_clock: Callable[[], float] = lambda: float("nan"),
    on_progress: Callable[[int, int], None] | None = None,
) -> Backtest:
    """Forecast at past origins with what was known there, and measure against what came.

    Parameters
    ----------
    history : DataFrame
        Wide: UTC index, one row each ``step_min``, a column for each transformer, load [kVA], NaN is missing.
    methods : mapping of str to callable
        From `methods_named`, or any callable of that form; ``naive24`` and ``naive168`` are always added.
    origins : int
        How many, spread over the last quarter of the span at 0, 6, 12, 18 h local in turn.
    horizon_h : int
        Hours ahead [h].
    ambient_c : DataFrame or Series, optional
        Weather: long with station_id, time, issued_at, ambient_c; or measured only, a Series or wide [degC].
    available_at : DataFrame, optional
        The shape of ``history``: when each reading arrived, UTC; NaT is at once.
    rating_kva : Series, optional
        Nameplates [kVA]; a transformer without one takes the 95 % quantile of its load before the first
        origin.
    calendar : Calendar, optional
        Default Jordan in Amman.
    step_min : int
        Step of the history, a divisor of 60 [min].
    cpu_clock : callable, optional
        Tells the CPU time used [s]; without it none is reported.
    on_progress : callable, optional
        Told after every forecast how many are done, and of how many.

    Returns
    -------
    Backtest
        A method that failed at an origin is named in ``faults`` with its reason; hours it owed count as
        missing.

    Raises
    ------
    InputError
        The span is too short, no transformer has readings before the first origin, or fewer than one origin.

    Notes
    -----
    At an origin, readings of later times or that arrived later are not there, and the hours ahead have only
    the weather forecasts issued by then. A method sees at most one year.
    """
    calendar = calendar or calendar_for()
    if origins < 1:
        raise InputError(f"{origins} origins, expected 1 or more", what_to_do="Ask for 12, for example.")
    readings_of(history)
    load = history.astype(np.float64).set_axis(utc_index(history.index), axis="index")
    load = load.set_axis(history.columns.astype(str), axis="columns")
    times = pd.DatetimeIndex(load.index)
    places = origin_places(times, origins, horizon_h=horizon_h, calendar=calendar, step_min=step_min)
    arrived_ns = None if available_at is None else _arrived_ns(available_at, history)
    notes, faults = [], []
    before = visible_load(load, arrived_ns, 0, int(places[0]))
    largest = before.abs().max()
    usable = largest.index[(largest > 0) & np.isfinite(largest)]
    silent = load.columns.difference(usable)
    if usable.empty:
        raise InputError(
            f"no transformer has a load before the first origin {times[places[0]].isoformat()}",
            what_to_do="Give older readings.",
        )
    if len(silent):
        notes.append(f"left out, no load before the first origin: {_named(silent)}")
        keep = load.columns.isin(usable)
        arrived_ns = None if arrived_ns is None else arrived_ns[:, keep]
        load, before, largest = load.loc[:, keep], before.loc[:, keep], largest[keep]
    rating, said = _ratings(rating_kva, before)
    weather = open_weather(ambient_c, load.columns, times[places[-1]])
    notes += [*said, _weather_note(weather, given=ambient_c is not None)]
    course = _Course(load, arrived_ns, places, weather, rating, calendar, horizon_h, step_min, cpu_clock)
    steps = horizon_h * 60 // step_min
    truth = load.to_numpy()[places[:, None] + np.arange(steps)].transpose(2, 0, 1)
    board = tables.Board(truth, largest.to_numpy(), rating, times[places], calendar, horizon_h, step_min)
    run = {**methods, **methods_named(list(NAIVE_LAGS_H))}
    judged = []
    for i, (name, method) in enumerate(run.items()):
        done = i * len(places)

        def tell(more: int, done: int = done) -> None:
            if on_progress is not None:
                on_progress(done + more, len(run) * len(places))

        sheet, cpu_s, failed = _play(course, method, tell)
        faults += [(name, times[place], message) for place, message in failed]
        judged.append(board.judge(name, sheet, cpu_s / (len(places) * load.shape[1])))
    return Backtest(
        **tables.together(judged),
        faults=pd.DataFrame(faults, columns=["method", "origin", "message"]),
        notes=tuple(notes),
        origins=times[places],
        rating_kva=rating,
        window_h=alarm_window(horizon_h),
        alarm_p=ALARM_P,
    )


def _arrived_ns(available_at: pd.DataFrame, history: pd.DataFrame) -> NDArray[np.int64]:
    if available_at.shape != history.shape:
        raise InputError(
            f"available_at has shape {available_at.shape}, expected {history.shape} as the readings",
            what_to_do="Give one time for each reading.",
        )
    columns = [pd.DatetimeIndex(available_at.iloc[:, i]).as_unit("ns").asi8 for i in range(history.shape[1])]
    return np.column_stack(columns)  # NaT is the smallest number: earlier than any origin


def _ratings(rating_kva: pd.Series | None, before: pd.DataFrame) -> tuple[pd.Series, list[str]]:
    stand_in = before.quantile(0.95)
    if rating_kva is None:
        return stand_in, ["overload: above the 95 % quantile of the load before the first origin"]
    own = rating_kva.set_axis(rating_kva.index.astype(str)).reindex(before.columns).astype(np.float64)
    lacking = own.index[~(own > 0)]
    if lacking.empty:
        return own, ["overload: above the nameplate"]
    text = (
        f"above the nameplate; without one, above the 95 % quantile of the earlier load: {', '.join(lacking)}"
    )
    return own.where(own > 0, stand_in), [f"overload: {text}"]


def _named(ids: pd.Index) -> str:
    more = len(ids) - _NAMED
    return ", ".join(ids[:_NAMED]) + (f" and {more} more" if more > 0 else "")


def _weather_note(weather: Weather | None, *, given: bool) -> str:
    if weather is None:
        return "weather: none that can be used" if given else "weather: none"
    if weather.measured is not None:
        return MEASURED_AS_FORECAST
    return "weather: as forecast at each origin"


def _play(
    course: _Course, method: Method, tell: Callable[[int], None]
) -> tuple[Sheet, float, list[tuple[int, str]]]:
    """Run one method over all origins; returns what it said, its CPU time, and where it failed and why."""
    s, o, steps = course.history.shape[1], len(course.places), course.horizon_h * 60 // course.step_min
    sheet = Sheet(
        np.full((s, o, steps, len(QUANTILE_COLUMNS)), np.nan),
        np.full((s, o, steps), np.nan),
        np.full((s, o), np.nan),
        np.full((s, o), np.nan),
    )
    cpu_s, failed = 0.0, []
    for i, place in enumerate(course.places):
        given = _given(course, int(place))
        begun = course.cpu_clock()
        try:
            said = method(**given)
            cpu_s += course.cpu_clock() - begun
            _write(sheet, i, said, course, int(place))
        except _METHOD_FAULTS as error:
            failed.append((int(place), f"{type(error).__name__}: {error}"))
        tell(i + 1)
    return sheet, cpu_s, failed


def _given(course: _Course, place: int) -> dict[str, Any]:
    """Return what a method is handed at an origin: copies, and nothing that was not known."""
    per_hour = 60 // course.step_min
    start = max(0, place - HISTORY_H * per_hour)
    seen = visible_load(course.history, course.arrived_ns, start, place)
    air = None
    if course.weather is not None:
        origin = pd.DatetimeIndex(course.history.index)[place]
        air = course.weather.at(origin, seen.index[0], origin + pd.Timedelta(hours=course.horizon_h))
    return {
        "history": seen,
        "horizon_h": course.horizon_h,
        "ambient_c": air,
        "rating_kva": course.rating_kva.copy(),
        "calendar": course.calendar,
        "step_min": course.step_min,
    }


def _write(sheet: Sheet, i: int, said: Forecast, course: _Course, place: int) -> None:
    """Put one forecast into the sheet, by name and time, whatever its order."""
    steps = sheet.mean_kva.shape[2]
    row = course.history.columns.get_indexer(pd.Index(said.frame["transformer_id"].astype(str)))
    times = pd.DatetimeIndex(course.history.index[place : place + steps])
    lead = times.get_indexer(pd.DatetimeIndex(said.frame["time"]))
    there = (row >= 0) & (lead >= 0)
    row, lead, frame = row[there], lead[there], said.frame[there]
    sheet.quantiles_kva[row, i, lead] = frame[list(QUANTILE_COLUMNS)].to_numpy(dtype=np.float64)
    sheet.mean_kva[row, i, lead] = frame["load_kva_mean"].to_numpy(dtype=np.float64)
    if "confidence" in frame:
        sheet.confidence[row, i] = frame["confidence"].to_numpy(dtype=np.float64)
    start, end = alarm_window(course.horizon_h)
    windows = said.windows[(said.windows["from_h"] == start) & (said.windows["to_h"] == end)]
    row = course.history.columns.get_indexer(pd.Index(windows["transformer_id"].astype(str)))
    sheet.p_any[row[row >= 0], i] = windows["p_any_overload"].to_numpy(dtype=np.float64)[row >= 0]

"""What the caller of a forecast handed in: checked, cleaned, and laid out by local day."""

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from gridlib.domain.calendar import Calendar, DayFeatures, calendar_for
from gridlib.domain.forecast.weather import stations_of
from gridlib.domain.quality import CHUNK, UNTOUCHED, flag_readings, readings_of, utc_index
from gridlib.facts.errors import InputError

LONGEST_HORIZON_H = 336
"""Two weeks [h]; beyond, a load forecast is a plan of another kind."""

LEFT_OUT = ("all_missing", "constant", "infinite", "bad_rating", "nothing_left")
"""Codes of the findings that take a transformer out of the forecast; all others are remarks."""

_STALE_H = 72  # no reading for longer than this is worth a remark
_Float = NDArray[np.float64]
_Int = NDArray[np.int64]
_Finding = tuple[str, str, str]


@dataclass(frozen=True)
class Grid:
    """Where each time stands in a table of local days, the first forecast step at the start of a row.

    Attributes
    ----------
    day_type : array [rows of history + rows ahead, steps a day]
        Numbers of `gridlib.domain.calendar.DayType`.
    history_days, days_ahead, steps_per_day : int
        Sizes.
    row, column : array [times of history, then of the horizon]
        Row 0 is the first of the history. Local clocks that jump leave a hole or share a cell.
    days : DayFeatures
        What the calendar says of the local dates touched.
    calendar_day : array [rows of history + rows ahead, steps a day]
        Which of ``days`` each cell belongs to.
    """

    day_type: _Int
    history_days: int
    days_ahead: int
    steps_per_day: int
    row: _Int
    column: _Int
    days: DayFeatures
    calendar_day: _Int

    @property
    def lead_row(self) -> _Int:
        """Day ahead of each forecast step, from 0."""
        ahead = self.row >= self.history_days
        return self.row[ahead] - self.history_days

    @property
    def lead_column(self) -> _Int:
        """Step of the day of each forecast step."""
        return self.column[self.row >= self.history_days]

    @property
    def lead_cell(self) -> _Int | slice:
        """Cell of each forecast step, counted from the first day ahead; a slice where no clock jumps."""
        cell = self.lead_row * self.steps_per_day + self.lead_column
        whole = bool((np.diff(cell) == 1).all())
        return slice(int(cell[0]), int(cell[-1]) + 1) if whole else cell

    def newest(self, days: int) -> "Grid":
        """Return the grid of the last ``days`` days of the history, and the horizon."""
        dropped = self.history_days - days
        kept = self.row >= dropped
        return Grid(
            day_type=self.day_type[dropped:],
            history_days=days,
            days_ahead=self.days_ahead,
            steps_per_day=self.steps_per_day,
            row=self.row[kept] - dropped,
            column=self.column[kept],
            days=self.days,
            calendar_day=self.calendar_day[dropped:],
        )

    def lay_out(self, values: _Float) -> _Float:
        """Return [N, times] as [N, rows, steps a day], NaN where nothing is known.

        ``values`` may end with the history or with the horizon.
        """
        n, length = values.shape
        whole = length == len(self.row)
        rows = self.history_days + (self.days_ahead if whole else 0)
        table = np.full((n, rows * self.steps_per_day), np.nan)
        cell = self.row[:length] * self.steps_per_day + self.column[:length]
        if cell[-1] - cell[0] == length - 1 and (np.diff(cell) == 1).all():
            table[:, cell[0] : cell[0] + length] = values  # no clock has jumped
        else:
            table[:, cell] = values
        return table.reshape(n, rows, self.steps_per_day)


@dataclass(frozen=True)
class Request:
    """A forecast that can be made: only usable transformers are left, sorted by name.

    Attributes
    ----------
    ids : tuple of str
        The N transformers.
    readings_kva : array [T, transformers handed in]
        As they came: not copied, because a fleet's year is a gigabyte [kVA].
    place : array [N]
        Column of ``readings_kva`` of each transformer.
    known : array [N, T / 8]
        Readings left, as packed bits.
    rating_kva : array [N] or None
        Nameplates, all positive [kVA].
    ambient_c : array [stations, T + steps ahead]
        Air temperature of history and horizon, without gaps [degC].
    station : array [N]
        Row of ``ambient_c`` of each transformer; -1: no temperature.
    times : DatetimeIndex
        Steps of the horizon, UTC.
    grid : Grid
        The local days.
    horizon_h, step_min : int
        Length of the horizon [h] and step [min].
    findings : tuple of (transformer_id, code, message)
        Who was left out and why (`LEFT_OUT`), and remarks.
    """

    ids: tuple[str, ...]
    readings_kva: _Float
    place: _Int
    known: NDArray[np.uint8]
    rating_kva: _Float | None
    ambient_c: _Float
    station: _Int
    times: pd.DatetimeIndex
    grid: Grid
    horizon_h: int
    step_min: int
    findings: tuple[_Finding, ...]

    def load_kva(self, which: _Int) -> _Float:
        """Return the cleaned readings of some transformers, [n, T], NaN is missing [kVA]."""
        load = np.array(self.readings_kva[:, self.place[which]].T, dtype=np.float64, order="C")
        load[~self.is_known(which)] = np.nan
        return load

    def is_known(self, which: _Int) -> NDArray[np.bool_]:
        """Return which readings are left of some transformers, [n, T]."""
        length = len(self.readings_kva)
        return np.unpackbits(self.known[which], axis=1, count=length).view(np.bool_)


def open_request(
    history: pd.DataFrame,
    *,
    horizon_h: int,
    ambient_c: pd.Series | pd.DataFrame | None,
    rating_kva: pd.Series | None,
    calendar: Calendar | None,
    step_min: int,
) -> Request:
    """Check everything once, leave out what cannot be used, and lay the rest out.

    Parameters
    ----------
    history, horizon_h, ambient_c, rating_kva, calendar, step_min
        As for `gridlib.domain.forecast.forecast_load`.

    Returns
    -------
    Request
        With the findings so far.

    Raises
    ------
    InputError
        Where the whole request is spoilt: index, step, horizon or shape.
    """
    times = _check_times(history, step_min, horizon_h)
    readings = readings_of(history)
    names = _names(history.columns)
    order = np.argsort(names.astype(str), kind="stable")
    rating = None if rating_kva is None else _ratings(rating_kva, history.columns)[order]
    known, counts = _look(readings, order, 1440 // step_min)
    findings, usable = _who_is_out(names[order], known, rating, counts)
    place, known = order[usable], known[usable]
    n_ahead = horizon_h * 60 // step_min
    step = pd.Timedelta(minutes=step_min)
    ahead = pd.date_range(times[-1] + step, periods=n_ahead, freq=step)
    everything = pd.DatetimeIndex(times.append(ahead))
    air, station, of_weather = stations_of(
        ambient_c, history.columns[place], everything, len(times), step_min
    )
    kept = names[place]
    findings += of_weather
    tail = min(len(times), _STALE_H * 60 // step_min)
    last = np.unpackbits(known[:, (len(times) - tail) // 8 :], axis=1)
    last = last[:, (len(times) - tail) % 8 :][:, :tail]
    findings += [
        (name, "stale", f"no usable reading in the last {_STALE_H} h: forecast from older ones")
        for name in kept[~last.any(axis=1)]
    ]
    return Request(
        ids=tuple(kept),
        readings_kva=readings,
        place=place,
        known=known,
        rating_kva=None if rating is None else rating[usable],
        ambient_c=air,
        station=station,
        times=ahead,
        grid=_grid(everything, len(times), calendar or calendar_for(), step_min),
        horizon_h=horizon_h,
        step_min=step_min,
        findings=tuple(findings),
    )


def _names(columns: pd.Index) -> NDArray[np.object_]:
    names = np.array([str(column) for column in columns], dtype=object)
    double = pd.Index(names).duplicated()
    if double.any():
        raise InputError(
            f"history: transformer '{names[double][0]}' has two columns",
            what_to_do="Keep one column of each; names are compared as text.",
        )
    return names


def _ratings(rating_kva: pd.Series, columns: pd.Index) -> _Float:
    if not isinstance(rating_kva, pd.Series) or rating_kva.index.has_duplicates:
        found = "a transformer twice" if isinstance(rating_kva, pd.Series) else type(rating_kva).__name__
        raise InputError(
            f"rating_kva: found {found}, expected a Series with one rating of each transformer",
            what_to_do="Give pd.Series(ratings, index=transformer ids) [kVA].",
        )
    try:
        return rating_kva.reindex(columns).to_numpy(dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise InputError(
            f"rating_kva: ratings that are no numbers ({error})", what_to_do="Give them in kVA."
        ) from error


def _look(readings: _Float, order: _Int, steps_per_day: int) -> tuple[NDArray[np.uint8], dict[str, _Int]]:
    """Look at every reading once: which are left (packed bits), and how many have which flag."""
    known = np.empty((len(order), -(-len(readings) // 8)), dtype=np.uint8)
    counts: dict[str, list[_Int]] = {}
    for start in range(0, len(order), CHUNK):
        values = np.array(readings[:, order[start : start + CHUNK]].T, order="C")
        left = np.isfinite(values)
        for code, flag in flag_readings(values, steps_per_day).items():
            counts.setdefault(code, []).append(flag.sum(axis=1))
            if code not in UNTOUCHED:
                left &= ~flag
        known[start : start + CHUNK] = np.packbits(left, axis=1)
    return known, {code: np.concatenate(each) for code, each in counts.items()}


def _check_times(history: pd.DataFrame, step_min: int, horizon_h: int) -> pd.DatetimeIndex:
    if not isinstance(history, pd.DataFrame):
        raise InputError(
            f"history: found {type(history).__name__}, expected a DataFrame, one column a transformer",
            what_to_do="Pivot the readings: times as index, transformers as columns.",
        )
    if not isinstance(horizon_h, int) or not 1 <= horizon_h <= LONGEST_HORIZON_H:
        raise InputError(
            f"horizon of {horizon_h!r} h, expected 1 to {LONGEST_HORIZON_H} h",
            what_to_do="Choose a horizon in that range; 72 h is usual.",
        )
    if not isinstance(step_min, int) or step_min < 1 or 60 % step_min:
        raise InputError(
            f"step of {step_min!r} min, expected a divisor of 60", what_to_do="Use 15, 30 or 60 min."
        )
    if history.shape[0] < 2 or history.shape[1] < 1:
        raise InputError(
            f"history has {history.shape[0]} rows of {history.shape[1]} transformers, expected at least "
            "two rows and one transformer",
            what_to_do="Ingest readings first.",
        )
    times = utc_index(history.index)
    steps = np.diff(times.asi8)
    wrong = np.flatnonzero(steps != pd.Timedelta(minutes=step_min).value)
    if len(wrong):
        found = pd.Timedelta(int(steps[wrong[0]]), unit="ns")
        raise InputError(
            f"history: {found} between {times[wrong[0]].isoformat()} and the next row, "
            f"expected {step_min} min everywhere",
            what_to_do=f"Give one row each {step_min} min, empty where nothing was read, "
            "or name the step with step_min.",
        )
    return times


def _who_is_out(
    names: NDArray[np.object_], known: NDArray[np.uint8], rating: _Float | None, counts: dict[str, _Int]
) -> tuple[list[_Finding], NDArray[np.bool_]]:
    """Return the findings, and who is usable; the first reason that applies is the one given."""
    texts = {
        "all_missing": "no reading at all",
        "constant": "every reading has the same value: a stuck meter or an idle transformer",
        "infinite": "readings that are not finite",
    }
    usable = np.asarray(known.any(axis=1))
    for code in texts:
        usable &= counts[code] == 0
    if rating is not None:
        usable &= np.isfinite(rating) & (rating > 0)
    aside = [code for code in counts if code not in texts and code not in UNTOUCHED]
    out: list[_Finding] = []
    remarks: list[_Finding] = []
    for i in np.flatnonzero(~usable):
        reason = next((code for code in texts if counts[code][i]), None)
        if reason is not None:
            rows = counts[reason][i]
            out.append((names[i], reason, f"{texts[reason]} ({rows} rows); left out of the forecast"))
        elif rating is not None and not (np.isfinite(rating[i]) and rating[i] > 0):
            found = "no rating" if np.isnan(rating[i]) else f"a rating of {rating[i]:g} kVA"
            message = f"{found}, expected a nameplate above 0 kVA; left out of the forecast"
            out.append((names[i], "bad_rating", message))
        else:
            out.append((names[i], "nothing_left", "every reading was flagged; left out of the forecast"))
    for i in np.flatnonzero(usable & np.any([counts[code] > 0 for code in aside], axis=0)):
        text = ", ".join(f"{counts[code][i]} {code}" for code in sorted(aside) if counts[code][i])
        remarks.append((names[i], "set_aside", f"flagged readings taken as missing: {text}"))
    return out + remarks, usable


def _grid(times: pd.DatetimeIndex, n_history: int, calendar: Calendar, step_min: int) -> Grid:
    steps_per_day = 1440 // step_min
    local = calendar.local_time(times)
    step = pd.Timedelta(minutes=step_min)
    offset = ((local - local[n_history]) // step).to_numpy().astype(np.int64)
    # A clock set back near the origin would put the last readings beyond it: they stay before it.
    offset[:n_history] = np.minimum(offset[:n_history], -1)
    offset[n_history:] = np.maximum(offset[n_history:], 0)
    row, column = offset // steps_per_day, offset % steps_per_day
    history_days, days_ahead = int(-row.min()), int(row.max()) + 1
    row = row + history_days
    first = local[n_history] - history_days * pd.Timedelta(days=1)
    cells = np.arange((history_days + days_ahead) * steps_per_day)
    into_day = (first - first.normalize()) // step
    calendar_day = ((cells + into_day) // steps_per_day).reshape(-1, steps_per_day)
    day_type = np.zeros((history_days + days_ahead, steps_per_day), dtype=np.int64)
    day_type[row, column] = calendar.day_type(times)
    return Grid(
        day_type=day_type,
        history_days=history_days,
        days_ahead=days_ahead,
        steps_per_day=steps_per_day,
        row=row,
        column=column,
        days=calendar.days(first.date(), int(calendar_day.max()) + 1),
        calendar_day=calendar_day,
    )

"""Load readings: every doubt that the field is known for becomes a finding; raw values stay."""

from collections.abc import Mapping

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from gridlib.adapters.readers.cells import parse_names, parse_numbers, parse_times
from gridlib.adapters.readers.findings import Findings
from gridlib.adapters.readers.raw import RawTable
from gridlib.adapters.readers.series import drop_future, drop_unclear_times, keep_last
from gridlib.adapters.readings import USABLE, reading_worth
from gridlib.domain.quality import beyond_rating, check_load, check_unit
from gridlib.facts.frames import LoadFrame, check_frame
from gridlib.facts.types import Quality

UNKNOWN_TRANSFORMER = "unknown_transformer"
"""Code of the finding for rows whose transformer is not in the network."""
_MINUTE_NS = 60_000_000_000
_STEPS_MIN = np.array([1, 5, 10, 15, 20, 30, 60])
_THINNEST = 20
"""A file with fewer than one time in so many steps is not checked as a series ..."""
_ALWAYS_CHECKED = 10_000
"""... unless it spans fewer steps than this."""
_WORDS = {
    "constant": "never changes",
    "missing": "has gaps: readings that are missing",
    "stuck": "stands still for six readings or more",
    "zero_block": "is zero for six readings or more: an outage or a dead meter",
    "spike": "stands far out from the same hour of the days around",
}


def read_load(
    table: RawTable,
    findings: Findings,
    *,
    power_factor: float,
    naive_tz: str,
    unit_ratio_limit: float,
    ratings: Mapping[str, float] | None,
    latest: pd.Timestamp | None,
) -> pd.DataFrame:
    """Read load readings.

    Parameters
    ----------
    table : RawTable
        Columns transformer_id, time, load_kva or load_kw, and perhaps quality.
    findings : Findings
        Takes what is doubtful.
    power_factor, naive_tz, unit_ratio_limit, ratings, latest
        As in `gridlib.adapters.readers.read_file`.

    Returns
    -------
    DataFrame
        A `LoadFrame` sorted by transformer and time, one row for each.

    Raises
    ------
    FileError
        The file cannot be used.
    """
    unit = "load_kw" if "load_kva" not in table.frame and "load_kw" in table.frame else "load_kva"
    table.require({"transformer_id", "time", unit})
    findings.add_ignored(table.frame.columns, {"transformer_id", "time", unit, "quality"}, len(table.frame))
    load = parse_numbers(table, unit)
    rows = pd.DataFrame(
        {
            "transformer_id": parse_names(table, "transformer_id"),
            "time": parse_times(table, "time", naive_tz),
            "load_kva": load if unit == "load_kva" else load / power_factor,
            "quality": _quality(table),
        }
    )
    if unit == "load_kw":
        message = f"load_kw was divided by the site's power factor {power_factor:g}"
        findings.add_file("converted_kw", message, len(rows))
    rows = drop_unclear_times(rows, naive_tz, findings)
    rows = _known(table, rows, ratings, findings)
    rows = drop_future(rows, "transformer_id", "time", latest, findings)
    rating_kva = pd.Series(ratings or {}, dtype=float)
    # Before one of several readings is kept: an implausible one must not displace a believable one.
    flagged = rows["quality"].to_numpy() | _invalid(_beyond(rows, rating_kva, unit_ratio_limit))
    worth = reading_worth(rows["load_kva"].to_numpy(), flagged)
    rows = keep_last(rows, ["transformer_id", "time"], "load_kva", worth, findings)
    infinite = np.isinf(rows["load_kva"].to_numpy())
    findings.add_rows(rows[infinite], "transformer_id", "infinite", "are no finite numbers; flagged invalid")
    empty = _check_empty(rows, findings)
    step, history = _series(rows[~infinite])
    wrong_unit = _check_units(rows[~infinite], history, rating_kva, unit_ratio_limit, findings)
    wrong = rows["transformer_id"].isin(wrong_unit).to_numpy()
    beyond = _beyond(rows, rating_kva, unit_ratio_limit) & ~wrong
    _add_implausible(rows[beyond], rating_kva, unit_ratio_limit, findings)
    rating = np.asarray(rating_kva.reindex(history.columns), dtype=np.float64)
    history = history.mask(beyond_rating(history.to_numpy(), rating, unit_ratio_limit))
    said = rows[infinite | empty | beyond]
    _check_series(history.drop(columns=wrong_unit), step, said, findings)
    quality = rows["quality"].to_numpy() | _invalid(infinite | wrong | beyond)
    return check_frame(LoadFrame, rows.assign(quality=quality))


def _invalid(flagged: NDArray[np.bool_]) -> NDArray[np.uint8]:
    return np.where(flagged, Quality.INVALID, Quality.OK).astype(np.uint8)


def _beyond(rows: pd.DataFrame, rating_kva: pd.Series, ratio_limit: float) -> NDArray[np.bool_]:
    rating = rows["transformer_id"].map(rating_kva).to_numpy(dtype=float)
    return beyond_rating(rows["load_kva"].to_numpy(), rating, ratio_limit)


def _known(
    table: RawTable, rows: pd.DataFrame, ratings: Mapping[str, float] | None, findings: Findings
) -> pd.DataFrame:
    if ratings is None:
        return rows
    known = rows["transformer_id"].isin(list(ratings))
    if len(rows) and not known.any():
        raise table.error(
            f"none of its {rows['transformer_id'].nunique()} transformers is in the network",
            what_to_do="Ingest the network first, or correct the names.",
        )
    message = "is not in the network; its rows were left out"
    findings.add_rows(rows[~known], "transformer_id", UNKNOWN_TRANSFORMER, message)
    return rows[known]


def _quality(table: RawTable) -> NDArray[np.uint8]:
    if "quality" not in table.frame:
        return np.zeros(len(table.frame), np.uint8)
    bits = np.nan_to_num(parse_numbers(table, "quality"), nan=0.0, posinf=-1.0)
    bad = (bits < 0) | (bits > 255) | (bits != np.floor(bits))
    if bad.any():
        row = table.frame.index[int(np.argmax(bad))]
        found = table.frame["quality"][row]
        raise table.cell_error(row, "quality", f"'{found}' is no set of quality bits, 0 to 255")
    return bits.astype(np.uint8)


def _check_empty(rows: pd.DataFrame, findings: Findings) -> NDArray[np.bool_]:
    """Add rows without a value; return which they are."""
    empty = rows["load_kva"].isna()
    silent = empty.groupby(rows["transformer_id"]).transform("all")
    findings.add_rows(rows[silent], "transformer_id", "all_missing", "has rows, but not one value")
    findings.add_rows(rows[empty & ~silent], "transformer_id", "no_value", "rows have no value")
    return empty.to_numpy(dtype=bool)


def _series(rows: pd.DataFrame) -> tuple[pd.Timedelta, pd.DataFrame]:
    """Return the step of the file, and its usable readings with a column for each transformer."""
    usable = rows[reading_worth(rows["load_kva"].to_numpy(), rows["quality"].to_numpy()) == USABLE]
    step_ns = usable.groupby("transformer_id")["time"].diff().dropna().astype("int64")
    step_min = int(step_ns.mode().iloc[0] // _MINUTE_NS) if len(step_ns) else 60
    step = pd.Timedelta(minutes=int(_STEPS_MIN[np.abs(_STEPS_MIN - step_min).argmin()]))
    slots = usable.assign(time=usable["time"].dt.floor(step))
    slots = slots.drop_duplicates(["transformer_id", "time"], keep="last")
    return step, slots.pivot(index="time", columns="transformer_id", values="load_kva")


def _check_units(
    rows: pd.DataFrame,
    history: pd.DataFrame,
    rating_kva: pd.Series,
    ratio_limit: float,
    findings: Findings,
) -> list[str]:
    """Add and return the transformers read in a wrong unit."""
    if history.empty:
        return []
    wrong = check_unit(history, rating_kva, ratio_limit)
    usable = rows[reading_worth(rows["load_kva"].to_numpy(), rows["quality"].to_numpy()) == USABLE]
    times = usable.groupby("transformer_id")["time"].agg(["min", "max", "size"])
    for transformer_id, message in zip(wrong["transformer_id"], wrong["message"], strict=True):
        first, last, count = times.loc[transformer_id]
        message = f"{message}; all its readings in this file are flagged invalid"
        findings.add(str(transformer_id), "wrong_unit", message, int(count), first, last)
    return [str(transformer_id) for transformer_id in wrong["transformer_id"]]


def _add_implausible(
    rows: pd.DataFrame, rating_kva: pd.Series, ratio_limit: float, findings: Findings
) -> None:
    for transformer_id, found in rows.groupby("transformer_id", sort=True):
        load_kva = found["load_kva"].to_numpy()
        largest = load_kva[np.abs(load_kva).argmax()]
        rating = rating_kva[str(transformer_id)]
        message = (
            f"readings of up to {largest:.10g} kVA, expected at most {ratio_limit * rating:.10g} kVA "
            f"({ratio_limit:g} times the rating of {rating:.10g} kVA); flagged invalid"
        )
        first, last = found["time"].min(), found["time"].max()
        findings.add(str(transformer_id), "implausible", message, len(found), first, last)


def _check_series(history: pd.DataFrame, step: pd.Timedelta, said: pd.DataFrame, findings: Findings) -> None:
    """Add what the domain finds in the series; rows ``said`` have a finding already and are no gaps."""
    history = history.dropna(how="all")
    if history.empty:
        return
    height = (history.index[-1] - history.index[0]) // step + 1
    if height > _THINNEST * len(history) + _ALWAYS_CHECKED:
        readings = int(history.count().sum())
        findings.add_file("sparse", "readings are too far apart to be checked as a series", readings)
        return
    history = history.reindex(pd.date_range(history.index[0], history.index[-1], freq=step))
    found = check_load(history)
    # One of which nothing is left has been reported reading by reading.
    found = found[found["code"] != "all_missing"]
    slots = said["time"].dt.floor(step)
    explained = {name: pd.DatetimeIndex(own) for name, own in slots.groupby(said["transformer_id"])}
    columns = (found[column] for column in ("transformer_id", "code", "count", "first", "last"))
    for transformer_id, code, count, begin, end in zip(*columns, strict=True):
        if code == "missing" and transformer_id in explained:
            values = history.loc[begin:end, transformer_id]
            gaps = values.index[values.isna()].difference(explained[transformer_id])
            if gaps.empty:
                continue
            count, begin, end = len(gaps), gaps[0], gaps[-1]
        findings.add(str(transformer_id), str(code), _WORDS.get(str(code), str(code)), int(count), begin, end)

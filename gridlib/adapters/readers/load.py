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
from gridlib.domain.quality import check_load, check_unit
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
    worth = reading_worth(rows["load_kva"].to_numpy(), rows["quality"].to_numpy())
    rows = keep_last(rows, ["transformer_id", "time"], "load_kva", worth, findings)
    infinite = np.isinf(rows["load_kva"].to_numpy())
    findings.add_rows(rows[infinite], "transformer_id", "infinite", "are no finite numbers; flagged invalid")
    wrong_unit = _check_series(rows[~infinite], unit_ratio_limit, ratings or {}, findings)
    flagged = infinite | rows["transformer_id"].isin(wrong_unit).to_numpy()
    invalid = np.where(flagged, Quality.INVALID, Quality.OK).astype(np.uint8)
    return check_frame(LoadFrame, rows.assign(quality=rows["quality"].to_numpy() | invalid))


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


def _check_series(
    rows: pd.DataFrame, ratio_limit: float, ratings: Mapping[str, float], findings: Findings
) -> list[str]:
    """Add what the domain finds in the series; return the transformers read in a wrong unit."""
    usable = rows[reading_worth(rows["load_kva"].to_numpy(), rows["quality"].to_numpy()) == USABLE]
    if usable.empty:
        return []
    step_ns = usable.groupby("transformer_id")["time"].diff().dropna().astype("int64")
    step_min = int(step_ns.mode().iloc[0] // _MINUTE_NS) if len(step_ns) else 60
    step = f"{_STEPS_MIN[np.abs(_STEPS_MIN - step_min).argmin()]}min"
    slots = usable.assign(time=usable["time"].dt.floor(step))
    slots = slots.drop_duplicates(["transformer_id", "time"], keep="last")
    history = slots.pivot(index="time", columns="transformer_id", values="load_kva")
    rating_kva = pd.Series(ratings, dtype=float)

    wrong = check_unit(history, rating_kva, ratio_limit)
    times = usable.groupby("transformer_id")["time"].agg(["min", "max", "size"])
    for transformer_id, message in zip(wrong["transformer_id"], wrong["message"], strict=True):
        first, last, count = times.loc[transformer_id]
        message = f"{message}; all its readings in this file are flagged invalid"
        findings.add(str(transformer_id), "wrong_unit", message, int(count), first, last)
    wrong_unit = [str(transformer_id) for transformer_id in wrong["transformer_id"]]

    history = history.drop(columns=wrong_unit).dropna(how="all")
    if history.empty:
        return wrong_unit
    height = (history.index[-1] - history.index[0]) // pd.Timedelta(step) + 1
    if height > _THINNEST * len(history) + _ALWAYS_CHECKED:
        findings.add_file("sparse", "readings are too far apart to be checked as a series", len(slots))
        return wrong_unit
    found = check_load(history.reindex(pd.date_range(history.index[0], history.index[-1], freq=step)))
    columns = (found[column] for column in ("transformer_id", "code", "count", "first", "last"))
    for transformer_id, code, count, begin, end in zip(*columns, strict=True):
        findings.add(str(transformer_id), str(code), _WORDS.get(str(code), str(code)), int(count), begin, end)
    return wrong_unit

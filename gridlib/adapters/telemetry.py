"""Load, weather and the frames of each run as Parquet files.

The ledger of ingested files in the store is the commit point: readers name the ingests they may see, so
parts that a killed ingest left behind are never read, and its next attempt writes them again.

::

    load/date=YYYY-MM-DD/part-<ingest_id>.parquet     sorted by transformer and time, days in UTC
    weather/part-<ingest_id>.parquet
    runs/<run_id>/<name>.parquet
"""

import hashlib
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Literal, NamedTuple

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from numpy.typing import NDArray

from gridlib.adapters.files import draft_path, replacing, sync
from gridlib.adapters.parquet import (
    LOAD_SCHEMA,
    WEATHER_SCHEMA,
    WRITING,
    between,
    checked_name,
    damaged,
    read_parts,
)
from gridlib.adapters.readings import USABLE, reading_worth
from gridlib.facts.errors import FileError, NotFoundError
from gridlib.facts.frames import LoadFrame, WeatherFrame, check_frame

_DAY_NS = 86_400_000_000_000
_MINUTE_NS = 60_000_000_000


class _Readings(NamedTuple):
    """Deduplicated readings, sorted by transformer and time: one row in each array."""

    names: list[str]
    code: NDArray[np.int64]
    time_ns: NDArray[np.int64]
    load_kva: NDArray[np.float64]
    quality: NDArray[np.uint8]


class Telemetry:
    """The measured and computed series of a site.

    Parameters
    ----------
    folder : Path
        Root of the data set; made when first written to.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def write_load(self, ingest_id: str, frame: pd.DataFrame) -> None:
        """Write the readings of one ingested file, one part for each UTC day.

        Parameters
        ----------
        ingest_id : str
            Names the file by its content; parts that an earlier attempt left under it are replaced.
        frame : DataFrame
            A `LoadFrame`.

        Raises
        ------
        FrameError
            The frame is not one.
        """
        part = f"part-{checked_name(ingest_id)}.parquet"
        check_frame(LoadFrame, frame)
        rows = frame.assign(day=frame["time"].astype("int64") // _DAY_NS)
        rows = rows.sort_values(["day", "transformer_id", "time"], kind="stable")
        days, first = np.unique(rows["day"].to_numpy(), return_index=True)
        table = pa.Table.from_pandas(rows.drop(columns="day"), schema=LOAD_SCHEMA, preserve_index=False)
        bounds = np.append(first, len(rows)).tolist()
        parts = [self._day_folder(day) / part for day in days]
        # All are written before any is waited for: the disk then takes them in one go.
        for path, begin, end in zip(parts, bounds[:-1], bounds[1:], strict=True):
            path.parent.mkdir(parents=True, exist_ok=True)
            pq.write_table(table.slice(begin, end - begin), draft_path(path), **WRITING)
        for path in parts:
            sync(draft_path(path))
            draft_path(path).replace(path)
        for left_behind in set((self.folder / "load").glob(f"date=*/{part}")) - set(parts):
            left_behind.unlink()
        for folder in {path.parent for path in parts} | {path.parent.parent for path in parts}:
            sync(folder)

    def has_part(self, ingest_id: str, kind: Literal["load", "weather"]) -> bool:
        """Tell whether anything is there of an ingested file.

        Parameters
        ----------
        ingest_id : str
            As it was written.
        kind : {"load", "weather"}
            What the file held.

        Returns
        -------
        bool
            True where at least one part is there; whether it is whole shows when it is read.
        """
        part = f"part-{checked_name(ingest_id)}.parquet"
        if kind == "weather":
            return (self.folder / "weather" / part).exists()
        return any((folder / part).exists() for folder in (self.folder / "load").glob("date=*"))

    def read_load(
        self,
        ingest_ids: Sequence[str],
        *,
        start: pd.Timestamp | None = None,
        end: pd.Timestamp | None = None,
    ) -> pd.DataFrame:
        """Read the readings of committed ingests, one row for each transformer and time.

        Parameters
        ----------
        ingest_ids : sequence of str
            In the order of the ledger. Where several hold a reading for the same transformer and time,
            the last usable one counts; only where none is usable, the last one that has a value.
        start, end : Timestamp, optional
            First time, and the time before which to stop; with a zone.

        Returns
        -------
        DataFrame
            A `LoadFrame`, sorted by transformer and time.

        Raises
        ------
        FileError
            A part is damaged, or nothing at all is there of one of the ingests; names it.
        """
        found = self._readings(ingest_ids, start, end)
        names = np.array(found.names, dtype=object)
        return pd.DataFrame(
            {
                "transformer_id": names[found.code] if len(names) else names,
                "time": pd.DatetimeIndex(found.time_ns.view("M8[ns]"), tz="UTC"),
                "load_kva": found.load_kva,
                "quality": found.quality,
            }
        )

    def read_load_wide(
        self,
        ingest_ids: Sequence[str],
        *,
        start: pd.Timestamp | None = None,
        end: pd.Timestamp | None = None,
        step_min: int = 60,
    ) -> pd.DataFrame:
        """Read usable loads as a matrix without holes in its index.

        Parameters
        ----------
        ingest_ids, start, end
            As in `read_load`.
        step_min : int
            Step of the index; finer readings are averaged over it [min].

        Returns
        -------
        DataFrame
            UTC index from ``start`` (else the first reading) to before ``end`` (else through the last
            reading), one column for each transformer, load [kVA]; NaN where there is no reading or its
            quality says it is not to be used (any bit of `Quality.MISSING`).

        Raises
        ------
        FileError
            A part is damaged, or nothing at all is there of one of the ingests; names it.
        """
        found = self._readings(ingest_ids, start, end)
        step_ns = step_min * _MINUTE_NS
        slot = found.time_ns // step_ns
        first, last = slot.min(initial=2**62), slot.max(initial=-(2**62)) + 1
        if start is not None:
            first = start.as_unit("ns").value // step_ns
        if end is not None:
            last = -(-end.as_unit("ns").value // step_ns)
        height = max(int(last) - int(first), 0) if len(slot) or None not in (start, end) else 0
        first = int(first) if height else 0

        width = len(found.names)
        usable = reading_worth(found.load_kva, found.quality) == USABLE
        cell = (slot[usable] - first) * width + found.code[usable]
        total = np.bincount(cell, weights=found.load_kva[usable], minlength=height * width)
        count = np.bincount(cell, minlength=height * width).astype(float)
        matrix = np.divide(total, count, out=np.full(len(total), np.nan), where=count > 0)
        index = pd.DatetimeIndex((np.arange(first, first + height) * step_ns).view("M8[ns]"), tz="UTC")
        return pd.DataFrame(matrix.reshape(height, width), index=index, columns=found.names)

    def write_weather(self, ingest_id: str, frame: pd.DataFrame) -> None:
        """Write the weather of one ingested file.

        Parameters
        ----------
        ingest_id : str
            Names the file by its content.
        frame : DataFrame
            A `WeatherFrame`.

        Raises
        ------
        FrameError
            The frame is not one.
        """
        path = self.folder / "weather" / f"part-{checked_name(ingest_id)}.parquet"
        check_frame(WeatherFrame, frame)
        rows = frame.sort_values(["station_id", "time", "issued_at"], kind="stable")
        table = pa.Table.from_pandas(rows, schema=WEATHER_SCHEMA, preserve_index=False)
        with replacing(path) as draft:
            pq.write_table(table, draft, **WRITING)

    def read_weather(
        self,
        ingest_ids: Sequence[str],
        *,
        start: pd.Timestamp | None = None,
        end: pd.Timestamp | None = None,
    ) -> pd.DataFrame:
        """Read the weather of committed ingests: every issue of every hour.

        Parameters
        ----------
        ingest_ids, start, end
            As in `read_load`.

        Returns
        -------
        DataFrame
            A `WeatherFrame`, sorted by station, time and issue; the last ingested value of each counts.

        Raises
        ------
        FileError
            A part is damaged; names it.
        """
        folder = self.folder / "weather"
        wanted = [folder / f"part-{checked_name(ingest_id)}.parquet" for ingest_id in ingest_ids]
        parts = [read_parts([path], WEATHER_SCHEMA, between(start, end)) for path in wanted if path.exists()]
        keys = ["station_id", "time", "issued_at"]
        rows: pd.DataFrame = pa.concat_tables([WEATHER_SCHEMA.empty_table(), *parts]).to_pandas()
        return rows.drop_duplicates(keys, keep="last").sort_values(keys, ignore_index=True)

    def write_run_frame(self, run_id: str, name: str, frame: pd.DataFrame) -> str:
        """Keep a frame that a run computed.

        Parameters
        ----------
        run_id, name : str
            The run, and what the frame is, for example ``forecast``.
        frame : DataFrame
            Any frame with named columns; lists in cells are kept.

        Returns
        -------
        str
            SHA-256 of the file, for the audit.
        """
        path = self._run_path(run_id, name)
        with replacing(path) as draft:
            pq.write_table(pa.Table.from_pandas(frame), draft, **WRITING)
            return hashlib.sha256(draft.read_bytes()).hexdigest()

    def read_run_frame(
        self, run_id: str, name: str, *, transformer_ids: Sequence[str] | None = None
    ) -> pd.DataFrame:
        """Read a frame that a run computed.

        Parameters
        ----------
        run_id, name : str
            As it was written.
        transformer_ids : sequence of str, optional
            Only the rows of these.

        Returns
        -------
        DataFrame
            The same columns, types and index.

        Raises
        ------
        NotFoundError
            The run has no such frame.
        FileError
            The file is damaged.
        """
        path = self._run_path(run_id, name)
        if not path.exists():
            raise NotFoundError(f"{name} of run", run_id, what_to_do="Run that stage first.")
        try:
            rows = (
                None
                if transformer_ids is None
                else pc.field("transformer_id").isin(pa.array(transformer_ids, pa.string()))
            )
            table = pq.read_table(path, page_checksum_verification=True, filters=rows)
            frame: pd.DataFrame = table.to_pandas()
        except (pa.ArrowException, OSError) as error:
            raise damaged(path, "Run the stages again.") from error
        for column in frame.select_dtypes("object"):
            if len(frame) and isinstance(frame[column].iloc[0], np.ndarray):
                frame[column] = [list(cell) for cell in frame[column]]
        return frame

    def _readings(
        self, ingest_ids: Sequence[str], start: pd.Timestamp | None, end: pd.Timestamp | None
    ) -> _Readings:
        wanted = between(start, end)
        parts = self._parts(start, end)
        self._require(ingest_id for ingest_id in ingest_ids if f"part-{ingest_id}.parquet" not in parts)
        tables = [LOAD_SCHEMA.empty_table()]
        ranks = [np.zeros(0, np.int64)]
        for rank, ingest_id in enumerate(ingest_ids):
            if paths := parts.get(f"part-{ingest_id}.parquet"):
                tables.append(read_parts(paths, LOAD_SCHEMA, wanted))
                ranks.append(np.full(len(tables[-1]), rank))
        table = pa.concat_tables(tables).combine_chunks()
        encoded = table["transformer_id"].combine_chunks().dictionary_encode()
        found = encoded.dictionary.to_pylist()
        names = sorted(found)
        position = {name: code for code, name in enumerate(names)}
        code = np.array([position[name] for name in found], np.int64)[encoded.indices.to_numpy()]
        time_ns = table["time"].cast(pa.int64()).to_numpy()
        load_kva = table["load_kva"].to_numpy()
        quality = table["quality"].to_numpy()
        order = np.lexsort((np.concatenate(ranks), reading_worth(load_kva, quality), time_ns, code))
        code, time_ns = code[order], time_ns[order]
        last = np.ones(len(order), bool)
        last[:-1] = (code[1:] != code[:-1]) | (time_ns[1:] != time_ns[:-1])
        kept = order[last]
        return _Readings(names, code[last], time_ns[last], load_kva[kept], quality[kept])

    def _parts(self, start: pd.Timestamp | None, end: pd.Timestamp | None) -> dict[str, list[Path]]:
        first = "" if start is None else f"date={start.tz_convert('UTC').date()}"
        last = "~" if end is None else f"date={end.tz_convert('UTC').date()}"
        found: dict[str, list[Path]] = {}
        for folder in sorted((self.folder / "load").glob("date=*")):
            if first <= folder.name <= last:
                for path in folder.glob("part-*.parquet"):
                    found.setdefault(path.name, []).append(path)
        return found

    def _require(self, ingest_ids: Iterable[str]) -> None:
        """Refuse to read on without ingests of which no part is there, on any day."""
        if not (outside := list(ingest_ids)):
            return
        there = {path.name for path in (self.folder / "load").glob("date=*/part-*.parquet")}
        if lost := [ingest_id for ingest_id in outside if f"part-{ingest_id}.parquet" not in there]:
            raise FileError(
                str(self.folder / "load"),
                f"no readings are left of ingest {', '.join(lost[:5])} ({len(lost)} missing in all)",
                what_to_do="Ingest the same files again, or restore the data folder from a backup.",
            )

    def _day_folder(self, day: int) -> Path:
        return self.folder / "load" / f"date={np.datetime64(int(day), 'D')}"

    def _run_path(self, run_id: str, name: str) -> Path:
        return self.folder / "runs" / checked_name(run_id) / f"{checked_name(name)}.parquet"

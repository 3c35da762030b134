"""What is doubtful about a file, collected while it is read."""

from collections.abc import Container, Iterable

import numpy as np
import pandas as pd

from gridlib.facts.frames import FindingFrame, check_frame


class Findings:
    """A list of findings that ends as a `FindingFrame`.

    Parameters
    ----------
    file_name : str
        Object of the findings about the whole file.
    """

    def __init__(self, file_name: str) -> None:
        self._file_name = file_name
        self._rows: list[tuple[str, str, str, pd.Timestamp | None, pd.Timestamp | None, int]] = []

    def add(
        self,
        object_id: str,
        code: str,
        message: str,
        count: int,
        first: pd.Timestamp | None = None,
        last: pd.Timestamp | None = None,
    ) -> None:
        """Add one finding.

        Parameters
        ----------
        object_id : str
            Transformer, station, switch or file.
        code, message : str
            Its short name, and a sentence for people.
        count : int
            How many rows.
        first, last : Timestamp, optional
            Their first and last time, UTC.
        """
        self._rows.append((object_id, code, message, first, last, count))

    def add_file(self, code: str, message: str, count: int) -> None:
        """Add one finding about the whole file.

        Parameters
        ----------
        code, message, count
            As in `add`.
        """
        self.add(self._file_name, code, message, count)

    def add_ignored(self, columns: Iterable[str], known: Container[str], rows: int) -> None:
        """Add one finding for each column that nobody will read.

        Parameters
        ----------
        columns : iterable of str
            What the file has.
        known : container of str
            What is read.
        rows : int
            Rows of the file.
        """
        for column in columns:
            if column not in known:
                self.add_file("column_ignored", f"column {column} is not known and was not read", rows)

    def add_rows(self, rows: pd.DataFrame, key: str, code: str, message: str) -> None:
        """Add one finding for each object that has rows.

        Parameters
        ----------
        rows : DataFrame
            The doubtful rows, with ``key`` and ``time``.
        key : str
            Column that names the object.
        code, message : str
            As in `add`.
        """
        for object_id, times in rows.groupby(key, sort=True)["time"]:
            self.add(str(object_id), code, message, len(times), times.min(), times.max())

    def summary(self) -> str:
        """Count the findings by code, for a message.

        Returns
        -------
        str
            For example ``unknown_transformer 240``.
        """
        counts: dict[str, int] = {}
        for _, code, _, _, _, count in self._rows:
            counts[code] = counts.get(code, 0) + count
        return ", ".join(f"{code} {count}" for code, count in counts.items())

    def frame(self) -> pd.DataFrame:
        """Return what was collected.

        Returns
        -------
        DataFrame
            A `FindingFrame` in the order of discovery.
        """
        table = pd.DataFrame(
            self._rows, columns=["object_id", "code", "message", "first", "last", "count"], dtype=object
        )
        for column in ("first", "last"):
            table[column] = pd.to_datetime(table[column], utc=True).astype("datetime64[ns, UTC]")
        return check_frame(FindingFrame, table.astype({"count": np.int64}))

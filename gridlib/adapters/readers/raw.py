"""Bytes to a table of text cells (CSV) or typed columns (Parquet), before any meaning is given to them."""

import csv
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.csv as pv
import pyarrow.parquet as pq

from gridlib.facts.errors import FileError

_SEPARATORS = (",", ";", "\t")


@dataclass(frozen=True)
class RawTable:
    """Cells as they came.

    Attributes
    ----------
    path : str
        For messages.
    frame : DataFrame
        Column names stripped and in lower case; the index is the line (CSV) or row (Parquet) number.
    decimal_comma : bool
        Numbers may be written with a decimal comma.
    cut_rows : int
        1 when the last row was cut off and is not in ``frame``.
    row_word : str
        What the index counts.
    """

    path: str
    frame: pd.DataFrame
    decimal_comma: bool
    cut_rows: int
    row_word: str

    @property
    def is_csv(self) -> bool:
        """Whether the cells are text."""
        return self.row_word == "line"

    def error(self, message: str, *, what_to_do: str = "Correct the file and ingest it again.") -> FileError:
        """Make the error that refuses this file.

        Parameters
        ----------
        message : str
            What was found.
        what_to_do : str
            The next step.

        Returns
        -------
        FileError
            To be raised.
        """
        return FileError(self.path, message, what_to_do=what_to_do)

    def cell_error(self, row: object, column: str, message: str) -> FileError:
        """Make the error that refuses this file for one cell.

        Parameters
        ----------
        row : object
            Label of the row in ``frame``.
        column : str
            Name of the column.
        message : str
            What is wrong with the cell.

        Returns
        -------
        FileError
            To be raised.
        """
        return self.error(f"{self.row_word} {row}, column {column}: {message}")

    def require(self, columns: set[str]) -> None:
        """Check that columns are there.

        Parameters
        ----------
        columns : set of str
            Names that must be.

        Raises
        ------
        FileError
            Naming what is missing and what was found.
        """
        if missing := sorted(columns - set(self.frame.columns)):
            raise self.error(
                f"column {', '.join(missing)} is missing; found {', '.join(map(str, self.frame.columns))}"
            )


def read_raw(path: Path, content: bytes) -> RawTable:
    """Take a file apart into rows and columns.

    Parameters
    ----------
    path : Path
        For its ending and for messages.
    content : bytes
        All of it.

    Returns
    -------
    RawTable
        At least one row.

    Raises
    ------
    FileError
        Empty, only a header, half written, or no CSV or Parquet at all.
    """
    if not content.strip():
        raise FileError(str(path), "is empty", what_to_do="Export it again.")
    if path.suffix.lower() == ".parquet" or content.startswith(b"PAR1"):
        table = _read_parquet(path, content)
    else:
        table = _read_csv(path, content)
    repeated = table.frame.columns[table.frame.columns.duplicated()]
    if len(repeated):
        raise table.error(f"column {repeated[0]} is there twice")
    if table.frame.empty:
        raise table.error("holds a header and no rows", what_to_do="Export it again.")
    return table


def _read_parquet(path: Path, content: bytes) -> RawTable:
    try:
        frame = pq.read_table(pa.BufferReader(content)).to_pandas().reset_index(drop=True)
    except (pa.ArrowException, OSError) as error:
        raise FileError(
            str(path),
            "is no whole Parquet file: damaged, or still being written",
            what_to_do="Wait until it is complete, or export it again.",
        ) from error
    frame.index += 1
    frame.columns = _plain_columns(frame.columns)
    return RawTable(str(path), frame, decimal_comma=False, cut_rows=0, row_word="row")


def _read_csv(path: Path, content: bytes) -> RawTable:
    if b"\0" in content:
        raise FileError(
            str(path), "is neither CSV nor Parquet", what_to_do="Export it as CSV (UTF-8) or Parquet."
        )
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError:
        # What Windows programs set to Arabic write; every byte has a meaning there.
        text = content.decode("cp1256")
    text = text.lstrip("\r\n ")
    header = text.splitlines()[0]
    separator = max(_SEPARATORS, key=header.count)
    names = next(csv.reader([header], delimiter=separator))
    odd: list[pv.InvalidRow] = []

    def set_aside(row: pv.InvalidRow) -> str:
        odd.append(row)
        return "skip"

    try:
        cells = pv.read_csv(
            pa.BufferReader(text.encode("utf-8")),
            read_options=pv.ReadOptions(use_threads=False),  # threads lose the line numbers
            parse_options=pv.ParseOptions(
                delimiter=separator, ignore_empty_lines=False, invalid_row_handler=set_aside
            ),
            convert_options=pv.ConvertOptions(
                column_types=dict.fromkeys(names, pa.string()), strings_can_be_null=False, check_utf8=False
            ),
        )
    except pa.ArrowInvalid as error:
        raise FileError(
            str(path), f"is no table: {error}", what_to_do="Export it again as CSV (UTF-8)."
        ) from error
    lines = np.setdiff1d(np.arange(len(cells) + len(odd)) + 2, [row.number for row in odd])
    frame = (
        cells.to_pandas()
        .set_axis(lines, axis="index")
        .set_axis(_plain_columns(cells.column_names), axis="columns")
    )
    frame = frame[~(frame == "").all(axis="columns")]
    odd = [row for row in odd if row.text.strip()]
    cut = len(odd) == 1 and odd[0].number > lines.max(initial=1) and not text.endswith(("\n", "\r"))
    table = RawTable(str(path), frame, separator == ";", int(cut), "line")
    if odd and not cut:
        row = odd[0]
        raise table.error(
            f"line {row.number} has {row.actual_columns} cells, the header {row.expected_columns};"
            f" {len(odd)} such line(s)"
        )
    return table


def _plain_columns(columns: Iterable[object]) -> pd.Index:
    return pd.Index([str(column).strip().lower() for column in columns])

"""Cells to names, times, numbers and yes/no: each either has a clear meaning or refuses the file."""

import re
import unicodedata

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from gridlib.adapters.readers.raw import RawTable
from gridlib.adapters.spreadsheet import unguarded

NAME_LENGTH = 80
"""Longest name of an object [characters]."""
_EARLIEST = pd.Timestamp("1990-01-01", tz="UTC")
_LATEST = pd.Timestamp("2100-01-01", tz="UTC")
_OFFSET = re.compile(r":\d{2}.*?(Z|z|[+-]\d{2}(:?\d{2})?)$")
_MISSING = {"", "nan", "null", "none", "na", "n/a", "#n/a"}
_YES_NO = {"true": True, "yes": True, "1": True, "false": False, "no": False, "0": False, "": False}
_INVISIBLE = {"Cc", "Cf", "Cs", "Zl", "Zp"}


def parse_names(table: RawTable, column: str, *, optional: bool = False) -> pd.Series:
    """Read names of objects, or words.

    Parameters
    ----------
    table : RawTable
        The file.
    column : str
        Its column.
    optional : bool
        Empty cells are None instead of an error.

    Returns
    -------
    Series of str
        Without spaces around, and without the apostrophe that keeps a spreadsheet from computing; in any
        script.

    Raises
    ------
    FileError
        Empty, too long, or with control or direction-changing characters, which would let two names look
        alike or a sheet read differently from what it says.
    """
    cells = table.frame[column]
    codes, found = pd.factorize(cells, use_na_sentinel=True)
    words = ["" if pd.isna(word) else str(word).strip() for word in found]
    if table.is_csv:
        words = [unguarded(word) for word in words]
    for code, word in enumerate(words):
        row = cells.index[int(np.argmax(codes == code))]
        if any(unicodedata.category(character) in _INVISIBLE for character in word):
            raise table.cell_error(row, column, f"{word!a} holds invisible control characters")
        if len(word) > NAME_LENGTH:
            raise table.cell_error(row, column, f"'{word[:20]}...' is longer than {NAME_LENGTH} characters")
    names = np.array([word or None for word in words] + [None], dtype=object)[codes]
    if not optional and (empty := np.flatnonzero(names == None)).size:  # noqa: E711 - elementwise
        raise table.cell_error(cells.index[empty[0]], column, "is empty")
    return pd.Series(names, index=cells.index, dtype=object)


def parse_times(table: RawTable, column: str, naive_tz: str) -> pd.Series:
    """Read times into UTC.

    Parameters
    ----------
    table : RawTable
        The file.
    column : str
        Its column: ISO 8601 text, or Parquet time stamps.
    naive_tz : str
        Zone of stamps without an offset; empty refuses them.

    Returns
    -------
    Series of datetime64[ns, UTC]
        NaT where a local time is skipped or happens twice at a change to or from daylight saving.

    Raises
    ------
    FileError
        A time that cannot be read, is before 1990 or after 2100, or has no offset where none is assumed;
        times with and without offset in one file.
    """
    cells = table.frame[column]
    codes, found = pd.factorize(cells, use_na_sentinel=False)

    def refuse(bad: NDArray[np.bool_], message: str) -> None:
        if bad.any():
            first = int(np.argmax(bad[codes]))
            raise table.cell_error(cells.index[first], column, f"'{found[codes[first]]}' {message}")

    if isinstance(found.dtype, pd.DatetimeTZDtype) or found.dtype.kind == "M":
        stamps = pd.Series(found)
        naive = np.full(len(found), stamps.dt.tz is None)
        refuse(stamps.isna().to_numpy(), "is no time")
    else:
        texts = ["" if pd.isna(text) else str(text).strip() for text in found]
        naive = np.array([_OFFSET.search(text) is None for text in texts])
        stamps = pd.to_datetime(pd.Series(texts), format="ISO8601", utc=True, errors="coerce")
        refuse(stamps.isna().to_numpy(), "is no time in ISO 8601, such as 2026-01-21T19:00:00+03:00")
        if naive.any() and not naive.all():
            refuse(naive, "has no offset, other times in the file have one")
        if naive.all():
            stamps = stamps.dt.tz_localize(None)
    if naive.all():
        if not naive_tz:
            refuse(naive, "has no offset, and no zone is set for such times ([ingest] naive_tz)")
        stamps = stamps.dt.tz_localize(naive_tz, ambiguous="NaT", nonexistent="NaT")
    stamps = stamps.dt.tz_convert("UTC")
    refuse(((stamps < _EARLIEST) | (stamps >= _LATEST)).to_numpy(), "is before 1990 or after 2100")
    moments = pd.DatetimeIndex(stamps).as_unit("ns")
    return pd.Series(moments.take(codes), index=cells.index)


def parse_dates(table: RawTable, column: str) -> pd.Series:
    """Read dates, as text.

    Parameters
    ----------
    table : RawTable
        The file.
    column : str
        Its column: YYYY-MM-DD, or empty.

    Returns
    -------
    Series of str
        YYYY-MM-DD; None where the cell is empty.

    Raises
    ------
    FileError
        Anything else than a day of the calendar; names row, column and text.
    """
    names = parse_names(table, column, optional=True)
    days = pd.to_datetime(names, format="%Y-%m-%d", errors="coerce")
    bad = names.notna() & (days.isna() | (days.dt.strftime("%Y-%m-%d") != names))
    if bad.any():
        row = names.index[int(bad.to_numpy().argmax())]
        raise table.cell_error(row, column, f"'{names[row]}' is no date, such as 2026-01-21")
    return names


def parse_numbers(table: RawTable, column: str) -> NDArray[np.float64]:
    """Read numbers.

    Parameters
    ----------
    table : RawTable
        The file.
    column : str
        Its column.

    Returns
    -------
    array of float
        NaN where the cell is empty or says so.

    Raises
    ------
    FileError
        Text where a number should be; names row, column and text.
    """
    cells = table.frame[column]
    if cells.dtype.kind in "iufb":
        return cells.to_numpy(dtype=float)
    texts = cells.astype(object).where(cells.notna(), "").astype(str).str.strip()
    missing = texts.str.lower().isin(_MISSING)
    plain = texts.str.replace(",", ".", regex=False) if table.decimal_comma else texts
    numbers = pd.to_numeric(plain.where(~missing), errors="coerce")
    bad = numbers.isna() & ~missing
    if bad.any():
        place = int(bad.to_numpy().argmax())
        raise table.cell_error(cells.index[place], column, f"'{texts.iloc[place]}' is not a number")
    # Once more by Python's own rule: pandas' parser may be one unit off in the last place.
    return plain.where(~missing, "nan").to_numpy(dtype=object).astype(float)


def parse_flags(table: RawTable, column: str) -> NDArray[np.bool_]:
    """Read yes or no.

    Parameters
    ----------
    table : RawTable
        The file.
    column : str
        Its column: true / false, yes / no, 1 / 0; empty is no.

    Returns
    -------
    array of bool
        One for each row.

    Raises
    ------
    FileError
        Another word.
    """
    cells = table.frame[column]
    words = cells.astype(object).where(cells.notna(), "").astype(str).str.strip().str.lower()
    flags = words.map(_YES_NO)
    if flags.isna().any():
        place = int(flags.isna().to_numpy().argmax())
        raise table.cell_error(cells.index[place], column, f"'{cells.iloc[place]}' is not true or false")
    return flags.to_numpy(dtype=bool)

"""The site's own dates, written by hand beside gridlib.toml."""

from datetime import date
from pathlib import Path

from gridlib.adapters.readers.cells import parse_dates, parse_names
from gridlib.adapters.readers.raw import RawTable, read_raw
from gridlib.domain.calendar import check_override
from gridlib.facts.errors import FileError, InputError

_COLUMNS = {"date", "what"}


def read_calendar(path: Path) -> dict[date | str, str]:
    """Read the dates that a site has set by hand.

    Parameters
    ----------
    path : Path
        CSV with the columns date (YYYY-MM-DD), what (words of `gridlib.domain.calendar.calendar_for`, parted
        by blanks) and, for people, note.

    Returns
    -------
    dict of date to str
        For ``calendar_for(overrides=...)``.

    Raises
    ------
    FileError
        It cannot be read, lacks a column or has another, names a day twice, or says what no day can be;
        names line and column.
    """
    try:
        return _overrides(read_raw(path, path.read_bytes()))
    except OSError as error:
        raise FileError(str(path), f"cannot be read: {error.strerror}") from error


def _overrides(table: RawTable) -> dict[date | str, str]:
    table.require(_COLUMNS)
    if unknown := sorted(set(table.frame.columns) - _COLUMNS - {"note"}):
        raise _refusal(table, f"column {unknown[0]} is not known; expected date, what, note")
    if table.cut_rows:
        raise _refusal(table, "the last row is cut off")
    days, words = parse_dates(table, "date"), parse_names(table, "what")
    found: dict[date | str, str] = {}
    for row, text, what in zip(days.index, days, words, strict=True):
        place = f"{table.row_word} {row}, column"
        if text is None:
            raise _refusal(table, f"{place} date: is empty")
        day = date.fromisoformat(text)
        if day in found:
            raise _refusal(table, f"{place} date: {day} is there twice; write its words in one row")
        try:
            check_override(day, what)
        except InputError as error:
            raise _refusal(table, f"{place} what: {error}", error.what_to_do) from error
        found[day] = what
    return found


def _refusal(table: RawTable, message: str, what_to_do: str = "Correct the file.") -> FileError:
    return table.error(message, what_to_do=what_to_do)

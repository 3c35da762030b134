"""The site's own dates: read whole, or refused with line and column."""

from datetime import date

import pytest

from gridlib.adapters.readers.calendar import read_calendar
from gridlib.facts.errors import FileError


def written(folder, *rows, header="date,what,note", end="\n"):
    path = folder / "calendar.csv"
    path.write_text("\n".join([header, *rows]) + end, encoding="utf-8")
    return path


def test_dates_words_and_notes(tmp_path):
    path = written(
        tmp_path, "2026-03-21,eid_al_fitr,أعلن مساء 19 آذار", "", "2026-06-18,holiday not_ramadan,"
    )
    assert read_calendar(path) == {
        date(2026, 3, 21): "eid_al_fitr",
        date(2026, 6, 18): "holiday not_ramadan",
    }


def test_a_note_need_not_be_there(tmp_path):
    path = written(tmp_path, "2026-06-18;holiday", header="Date;What")
    assert read_calendar(path) == {date(2026, 6, 18): "holiday"}


@pytest.mark.parametrize(
    ("row", "names"),
    [
        ("2026-06-31,holiday,", "line 3, column date: '2026-06-31' is no date"),
        ("18.6.2026,holiday,", "line 3, column date: '18.6.2026' is no date"),
        (",holiday,", "line 3, column date: is empty"),
        ("2026-06-18,,", "line 3, column what: is empty"),
        ("2026-06-18,feast,", "line 3, column what: .*found 'feast'"),
        ("2026-03-30,eid_al_fitr,", "line 3, column what: .*calculated for 2026-03-20"),
        ("2026-01-04,workday,", "line 3, column date: 2026-01-04 is there twice"),
        ("2026-06-18,holiday", "line 3 has 2 cells, the header 3"),
    ],
)
def test_a_fault_is_named_by_line_and_column(tmp_path, row, names):
    with pytest.raises(FileError, match=names) as caught:
        read_calendar(written(tmp_path, "2026-01-04,holiday,", row))
    assert caught.value.what_to_do


def test_a_file_still_being_written_is_refused(tmp_path):
    with pytest.raises(FileError, match="cut off"):
        read_calendar(written(tmp_path, "2026-01-04,holiday,", "2026-06-18,holi", end=""))


@pytest.mark.parametrize(
    ("header", "row", "names"),
    [
        ("date,kind", "2026-01-04,holiday", "column what is missing"),
        ("date,what,country", "2026-01-04,holiday,JO", "column country is not known"),
    ],
)
def test_other_columns_are_refused(tmp_path, header, row, names):
    with pytest.raises(FileError, match=names):
        read_calendar(written(tmp_path, row, header=header))


def test_no_file_and_a_folder(tmp_path):
    for path in (tmp_path / "none.csv", tmp_path):
        with pytest.raises(FileError, match="cannot be read"):
            read_calendar(path)

"""The site's own dates reach the forecast of its workspace."""

import pandas as pd
import pytest

from gridlib.domain.calendar import DayType, calendar_for
from gridlib.facts.errors import FileError
from gridlib.facts.settings import Settings, Site
from gridlib.workbench import assemble
from gridlib.workflow import pipeline

NOON = pd.DatetimeIndex(["2026-03-22T09:00Z", "2026-03-23T09:00Z"])


def workbench_in(folder, country="JO"):
    return assemble(Settings(home=folder, site=Site(country=country)))


def test_a_workspace_without_the_file_has_the_calendar_of_its_country(tmp_path):
    assert workbench_in(tmp_path).calendar() == calendar_for("JO", "Asia/Amman")
    assert workbench_in(tmp_path, "EG").calendar().country == "EG"


def test_the_file_wins_and_is_read_anew(tmp_path):
    workbench = workbench_in(tmp_path)
    assert workbench.calendar().day_type(NOON).tolist() == [DayType.HOLIDAY, DayType.WORKDAY]
    (tmp_path / "calendar.csv").write_text("date,what\n2026-03-21,eid_al_fitr\n", encoding="utf-8")
    assert workbench.calendar().day_type(NOON).tolist() == [DayType.HOLIDAY, DayType.HOLIDAY]
    (tmp_path / "calendar.csv").write_text("date,what\n2026-03-22,workday\n", encoding="utf-8")
    assert workbench.calendar().day_type(NOON).tolist() == [DayType.WORKDAY, DayType.WORKDAY]


def test_a_faulty_file_stops_the_forecast_by_name(demo):
    demo.calendar_path.write_text("date,what\n2026-08-11,hoilday\n", encoding="utf-8")
    with pytest.raises(FileError, match=r"calendar\.csv: line 2, column what: .*'hoilday'"):
        pipeline.run_forecast(demo)


def test_the_forecast_is_made_with_the_site_s_dates(demo, monkeypatch):
    demo.calendar_path.write_text("date,what\n2026-08-11,holiday\n", encoding="utf-8")
    used = []

    def forecast_load(*arguments, calendar, **more):
        used.append(calendar)
        return real(*arguments, calendar=calendar, **more)

    real = pipeline.forecast_load
    monkeypatch.setattr(pipeline, "forecast_load", forecast_load)
    pipeline.run_forecast(demo)
    assert [c.day_type(pd.DatetimeIndex(["2026-08-11T09:00Z"])).tolist() for c in used] == [[DayType.HOLIDAY]]

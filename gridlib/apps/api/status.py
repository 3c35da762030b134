"""How old the data are that everything else is based on."""

from typing import Any

from pydantic import Field

import gridlib
from gridlib.apps.api.fields import MaybeUtc, Number, View
from gridlib.apps.api.operation import Answer, Call, Operation
from gridlib.facts.messages import render
from gridlib.workflow import queries


class StatusView(View):
    """The site, and the age of its readings and of its forecast."""

    site: str
    notice: str = Field(description="For example that the data are a sample; may be empty.")
    version: str
    tz: str = Field(description="Time zone of the site; times in answers are UTC.")
    stale: bool = Field(description="Readings or forecast are missing or too old to decide on.")
    last_reading: MaybeUtc
    readings_age_h: Number
    forecast_run: str
    forecast_age_h: Number
    messages: list[str]


def get_status(call: Call[Any, None]) -> Answer:
    """Tell how old readings and forecast are."""
    site, fresh = call.workbench.settings.site, queries.get_freshness(call.workbench)
    view = StatusView(
        site=site.name,
        notice=site.notice,
        version=gridlib.__version__,
        tz=site.tz,
        stale=fresh.stale,
        last_reading=fresh.last_reading,
        readings_age_h=fresh.readings_age_h,
        forecast_run=fresh.forecast_run,
        forecast_age_h=fresh.forecast_age_h,
        messages=[render(message, "en") for message in fresh.messages],
    )
    return Answer(view)


OPERATIONS = (Operation("GET", "/api/status/", get_status, StatusView),)

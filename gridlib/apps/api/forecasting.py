"""Load forecasts."""

import pandas as pd
from pydantic import Field

from gridlib.apps.api.fields import Moment, Name, Number, Page, PageQuery, Utc, View
from gridlib.apps.api.operation import Answer, Call, Operation
from gridlib.apps.api.pages import cut
from gridlib.workflow import queries


class ForecastQuery(PageQuery):
    """Which forecasts."""

    limit: int = Field(default=20, ge=1, le=100, description="Transformers of one page.")
    run_id: Name | None = Field(default=None, description="The run; without it, the newest one.")
    transformer_id: Name | None = Field(default=None, description="Only of this transformer.")
    time_from: Moment | None = Field(default=None, description="First hour shown.")
    time_to: Moment | None = Field(default=None, description="Hour before which to stop.")


class HourView(View):
    """The forecast of one hour."""

    time: Utc = Field(description="Start of the hour.")
    load_kva_mean: float
    load_kva_p05: float
    load_kva_p10: float
    load_kva_p20: float
    load_kva_p30: float
    load_kva_p40: float
    load_kva_p50: float
    load_kva_p60: float
    load_kva_p70: float
    load_kva_p80: float
    load_kva_p90: float
    load_kva_p95: float
    p_overload: Number = Field(description="P(|load| > rating); null without a rating.")


class WindowView(View):
    """Chance of any overload and the peak in a window of hours ahead."""

    from_h: int
    to_h: int
    p_any_overload: Number
    peak_kva_p50: float
    peak_kva_p90: float


class ForecastView(View):
    """The forecast of one transformer; negative load is export."""

    transformer_id: str
    method: str = Field(description="Rung of the fallback ladder.")
    confidence: Number = Field(description="Measured skill, 0-1.")
    windows: list[WindowView]
    hours: list[HourView]


class ForecastPage(Page[ForecastView]):
    """Forecasts of one run."""

    run_id: str
    issued_at: Utc


def list_forecasts(call: Call[ForecastQuery, None]) -> Answer:
    """List forecasts of a run by transformer, hour by hour with quantiles."""
    query = call.query
    run = queries.get_run(call.workbench, query.run_id or "", stage="forecast")
    windows = queries.get_frame(call.workbench, "windows", run.run_id)
    names = sorted(windows["transformer_id"].unique())
    if query.transformer_id is not None:
        names = [name for name in names if name == query.transformer_id]
    names = [name for name in names if query.after is None or name > query.after]
    shown, after = cut(names, query.limit, str)
    frame = call.workbench.telemetry.read_run_frame(run.run_id, "forecast", transformer_ids=shown)
    page = ForecastPage(
        run_id=run.run_id,
        issued_at=run.issued_at,
        items=[
            _view(
                name,
                frame[frame["transformer_id"] == name],
                windows[windows["transformer_id"] == name],
                query,
            )
            for name in shown
        ],
        next=call.next_page(after, run_id=run.run_id),
    )
    return Answer(page)


def _view(name: str, frame: pd.DataFrame, windows: pd.DataFrame, query: ForecastQuery) -> ForecastView:
    hours = frame
    if query.time_from is not None:
        hours = hours[hours["time"] >= pd.Timestamp(query.time_from)]
    if query.time_to is not None:
        hours = hours[hours["time"] < pd.Timestamp(query.time_to)]
    return ForecastView(
        transformer_id=name,
        method=frame["method"].iloc[0],
        confidence=frame["confidence"].iloc[0],
        windows=[WindowView.model_validate(row) for row in windows.to_dict("records")],
        hours=[HourView.model_validate(row) for row in hours.to_dict("records")],
    )


OPERATIONS = (
    Operation("GET", "/api/forecasting/forecasts/", list_forecasts, ForecastPage, query=ForecastQuery),
)

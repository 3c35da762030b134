"""The tables of data: one model each is validator, unit register and data dictionary.

Validated at the borders (read, store, stage hand-over) by `check_frame`; strict, never coerced, because
coercion would turn naive time stamps into UTC without a word. Times are UTC in nanoseconds.
"""

from typing import Annotated, Any

import pandas as pd
import pandera.pandas as pa
from pandera.errors import SchemaErrors
from pandera.typing import Series

from gridlib.facts.errors import FrameError

Utc = Annotated[pd.DatetimeTZDtype, "ns", "UTC"]


class _Table(pa.DataFrameModel):
    class Config:
        strict = True
        coerce = False
        ordered = False


class LoadFrame(_Table):
    """Readings: average apparent power over the interval that starts at ``time``; negative is export."""

    transformer_id: Series[str] = pa.Field(description="name of the transformer")
    time: Series[Utc] = pa.Field(description="interval start, UTC")
    load_kva: Series[float] = pa.Field(nullable=True, description="apparent power, signed [kVA]")
    quality: Series[pa.UInt8] = pa.Field(description="IEC 60870-5 quality bits")


class WeatherFrame(_Table):
    """Air temperature: measured where ``issued_at`` is not before ``time``, else forecast."""

    station_id: Series[str] = pa.Field(description="weather station")
    time: Series[Utc] = pa.Field(description="interval start, UTC")
    issued_at: Series[Utc] = pa.Field(description="when it was said, UTC")
    ambient_c: Series[float] = pa.Field(ge=-60, le=65, description="air temperature [degC]")


COLDEST_OIL_C, HOTTEST_OIL_C = -40.0, 160.0
"""Readings beyond are no oil temperatures [degC]."""


class OilFrame(_Table):
    """Top oil measured in transformers."""

    transformer_id: Series[str] = pa.Field(description="name of the transformer")
    time: Series[Utc] = pa.Field(description="when it was read, UTC")
    top_oil_c: Series[float] = pa.Field(
        ge=COLDEST_OIL_C, le=HOTTEST_OIL_C, description="top-oil temperature [degC]"
    )


class ForecastFrame(_Table):
    """One row for each transformer and hour of the horizon; sorted by both."""

    transformer_id: Series[str]
    time: Series[Utc] = pa.Field(description="hour the value is for, UTC")
    load_kva_mean: Series[float] = pa.Field(description="mean [kVA]")
    load_kva_p05: Series[float] = pa.Field(description="5 % quantile [kVA]")
    load_kva_p10: Series[float] = pa.Field(description="10 % quantile [kVA]")
    load_kva_p20: Series[float] = pa.Field(description="20 % quantile [kVA]")
    load_kva_p30: Series[float] = pa.Field(description="30 % quantile [kVA]")
    load_kva_p40: Series[float] = pa.Field(description="40 % quantile [kVA]")
    load_kva_p50: Series[float] = pa.Field(description="median [kVA]")
    load_kva_p60: Series[float] = pa.Field(description="60 % quantile [kVA]")
    load_kva_p70: Series[float] = pa.Field(description="70 % quantile [kVA]")
    load_kva_p80: Series[float] = pa.Field(description="80 % quantile [kVA]")
    load_kva_p90: Series[float] = pa.Field(description="90 % quantile [kVA]")
    load_kva_p95: Series[float] = pa.Field(description="95 % quantile [kVA]")
    p_overload: Series[float] = pa.Field(ge=0, le=1, nullable=True, description="P(|load| > rating)")
    confidence: Series[float] = pa.Field(ge=0, le=1, nullable=True, description="measured skill, 0-1")
    method: Series[str] = pa.Field(description="rung of the fallback ladder")


class WindowFrame(_Table):
    """Chance of any overload in a window of lead hours ``from_h`` < lead <= ``to_h``."""

    transformer_id: Series[str]
    from_h: Series[int] = pa.Field(ge=0, description="window opens after this lead [h]")
    to_h: Series[int] = pa.Field(ge=1, description="last lead of the window [h]")
    p_any_overload: Series[float] = pa.Field(ge=0, le=1, nullable=True)
    peak_kva_p50: Series[float] = pa.Field(description="median of the window's peak [kVA]")
    peak_kva_p90: Series[float] = pa.Field(description="90 % quantile of the window's peak [kVA]")


class FindingFrame(_Table):
    """What could not be computed or is suspicious, for which object, and why."""

    object_id: Series[str] = pa.Field(description="transformer, switch, station or file")
    code: Series[str] = pa.Field(description="short name of the finding")
    message: Series[str] = pa.Field(description="a sentence for people")
    first: Series[Utc] = pa.Field(nullable=True, description="first time it was seen, UTC")
    last: Series[Utc] = pa.Field(nullable=True, description="last time it was seen, UTC")
    count: Series[int] = pa.Field(ge=1, description="how many readings or rows")


class ThermalFrame(_Table):
    """Hot-spot trajectory of the horizon at median and p90 load."""

    transformer_id: Series[str]
    time: Series[Utc]
    ambient_c: Series[float] = pa.Field(
        description="air at the unit, with surcharge and sensor offset [degC]"
    )
    top_oil_c: Series[float] = pa.Field(description="top oil at median load [degC]")
    hot_spot_c: Series[float] = pa.Field(description="hot spot at median load [degC]")
    hot_spot_c_p90: Series[float] = pa.Field(description="hot spot at p90 load [degC]")
    ageing_pu: Series[float] = pa.Field(ge=0, description="relative ageing rate at median load")


LIMITED_BY = ("hot_spot", "ageing", "current", "site", "device")
"""What may bind a transformer on a day: its heat, 1.5 pu, the site's limit, or a device in series with it."""


class DayLimitFrame(_Table):
    """What a transformer may carry at the peak of each day of the horizon, and what binds."""

    transformer_id: Series[str]
    time: Series[Utc] = pa.Field(description="first hour of the day, UTC")
    rating_kva: Series[float] = pa.Field(gt=0, description="nameplate [kVA]")
    cyclic_rating_kva: Series[float] = pa.Field(ge=0, description="thermal cyclic rating of this day [kVA]")
    limit_kva: Series[float] = pa.Field(
        ge=0, description="the least of it, the site's limit and that of devices in series [kVA]"
    )
    limit_by: Series[str] = pa.Field(isin=[*LIMITED_BY])


class RiskFrame(_Table):
    """One row for each transformer; ``risk_score = 0.6 overload + 0.2 thermal + 0.2 cascading``."""

    transformer_id: Series[str]
    risk_score: Series[float] = pa.Field(ge=0, le=1)
    risk_level: Series[str] = pa.Field(isin=["LOW", "MEDIUM", "HIGH"])
    imminent: Series[bool] = pa.Field(description="over its limit now or likely within 24 h (rule R0)")
    raised_by: Series[str] = pa.Field(description="rules that raised the level, e.g. 'R1 R2'; may be empty")
    overload: Series[float] = pa.Field(ge=0, le=1)
    thermal: Series[float] = pa.Field(ge=0, le=1)
    cascading: Series[float] = pa.Field(ge=0, le=1)
    rating_kva: Series[float] = pa.Field(gt=0)
    peak_pct_p50: Series[float] = pa.Field(description="largest median loading of the horizon [%]")
    peak_pct_p90: Series[float] = pa.Field(description="largest p90 loading of the horizon [%]")
    peak_time: Series[Utc] = pa.Field(description="hour of the largest median loading, UTC")
    hours_over: Series[int] = pa.Field(ge=0, description="hours with median loading over the limit")
    first_over: Series[Utc] = pa.Field(nullable=True, description="first hour over: median, else p90")
    p_any_1_24: Series[float] = pa.Field(ge=0, le=1, description="P(any overload), leads 1..24")
    p_any_24_72: Series[float] = pa.Field(ge=0, le=1, description="P(any overload), leads 25..72")
    p_any_1_72: Series[float] = pa.Field(ge=0, le=1, description="P(any overload), whole horizon")
    hot_spot_c_max: Series[float] = pa.Field(
        nullable=True, description="largest hot spot at median load [degC]; empty: not computed"
    )
    hot_spot_c_max_p90: Series[float] = pa.Field(
        nullable=True, description="largest hot spot at p90 load [degC]; empty: not computed"
    )
    loss_of_life_d: Series[float] = pa.Field(
        ge=0, nullable=True, description="insulation life used over the horizon [d]; empty: not computed"
    )
    cyclic_rating_kva: Series[float] = pa.Field(
        ge=0, nullable=True, description="thermal cyclic rating of the first day [kVA]; empty: not computed"
    )
    limit_kva: Series[float] = pa.Field(
        ge=0, nullable=True, description="the least of it, the site's limit and devices in series [kVA]"
    )
    limit_by: Series[str] = pa.Field(isin=[*LIMITED_BY, ""], description="what binds on the first day")
    confidence: Series[float] = pa.Field(ge=0, le=1, nullable=True)
    reasons: Series[object] = pa.Field(description="list of sentences, largest component first")
    messages: Series[str] = pa.Field(
        description="the same as message ids with parameters, JSON; see gridlib.facts.messages"
    )


class SensitivityFrame(_Table):
    """How far the score moves if the air is hotter, or the load higher, than forecast."""

    transformer_id: Series[str]
    score: Series[float] = pa.Field(ge=0, le=1, description="risk score as forecast")
    score_air: Series[float] = pa.Field(ge=0, le=1, description="risk score with air 3 K hotter")
    score_load: Series[float] = pa.Field(ge=0, le=1, description="risk score with 10 % more load")


def _optional(**kwargs: Any) -> Any:
    return pa.Field(nullable=True, **kwargs)


class Substations(_Table):
    """33/11 kV substations."""

    substation_id: Series[str] = pa.Field(unique=True)
    name: Series[str] = _optional()
    name_ar: Series[str] = _optional(description="Arabic name")
    firm_kva: Series[float] = _optional(gt=0, description="what its transformers may carry together [kVA]")
    lat: Series[float] = _optional(ge=-90, le=90)
    lon: Series[float] = _optional(ge=-180, le=180)


class Feeders(_Table):
    """Medium-voltage feeders."""

    feeder_id: Series[str] = pa.Field(unique=True)
    substation_id: Series[str]
    voltage_kv: Series[float] = pa.Field(gt=0)
    limit_a: Series[float] = _optional(gt=0, description="thermal limit of the feeder head [A]")
    pick_up_a: Series[float] = _optional(gt=0, description="pick-up of the feeder relay [A]")
    fault_level_max_mva: Series[float] = _optional(
        gt=0, description="largest three-phase fault level at the head of the feeder [MVA]"
    )
    fault_level_min_mva: Series[float] = _optional(
        gt=0, description="smallest three-phase fault level at the head of the feeder [MVA]"
    )


class Transformers(_Table):
    """Distribution transformers."""

    transformer_id: Series[str] = pa.Field(unique=True)
    substation_id: Series[str]
    feeder_id: Series[str]
    rating_kva: Series[float] = _optional(description="nameplate [kVA]")
    cooling: Series[str] = _optional(description="ONAN | ONAF")
    paper: Series[str] = _optional(description="normal | upgraded")
    enclosure: Series[str] = _optional(description="outdoor | indoor | kiosk")
    customers: Series[float] = _optional(ge=0)
    vk_pct: Series[float] = _optional(description="short-circuit voltage [%]")
    vkr_pct: Series[float] = _optional(description="resistive part of it [%]")
    tap_pct: Series[float] = _optional(description="tap position [%]")
    limit_kva: Series[float] = _optional(
        gt=0, description="least limit of bushing, board, fuse and cable in series [kVA]"
    )
    lat: Series[float] = _optional(ge=-90, le=90)
    lon: Series[float] = _optional(ge=-180, le=180)


class Sections(_Table):
    """Low-voltage load blocks between switches."""

    section_id: Series[str] = pa.Field(unique=True)
    transformer_id: Series[str] = pa.Field(description="transformer it normally hangs on")
    customers: Series[float] = _optional(ge=0)
    share: Series[float] = pa.Field(ge=0, le=1, description="share of the transformer's load")
    method: Series[str] = pa.Field(description="metered | meter_sum | customers | kva_share")
    spread_pct: Series[float] = pa.Field(ge=0, description="+- range of the share [%]")
    critical_customers: Series[str] = _optional(
        description="hospital, pumping, life support: names, told before an interruption"
    )


class Switches(_Table):
    """Breakers and sectionalisers (normally closed) and ties (normally open)."""

    switch_id: Series[str] = pa.Field(unique=True)
    from_id: Series[str] = pa.Field(description="transformer or section")
    to_id: Series[str] = pa.Field(description="section")
    kind: Series[str] = pa.Field(isin=["breaker", "sectionaliser", "tie"])
    normal_state: Series[str] = pa.Field(isin=["OPEN", "CLOSED"])
    load_break_a: Series[float] = _optional(description="load it may break [A]; empty: unknown")
    fault_make_ka: Series[float] = _optional(description="fault-make rating [kA]; empty: unknown")
    remote: Series[bool] = pa.Field(description="operated from the control room")
    limit_kva: Series[float] = _optional(gt=0, description="largest load it may carry [kVA]")
    phase_rotation_confirmed_on: Series[str] = _optional(
        str_matches=r"^\d{4}-\d{2}-\d{2}$", description="date of the test, YYYY-MM-DD"
    )
    may_parallel: Series[bool] = pa.Field(description="site allows closed-transition transfer here")
    pick_up_a: Series[float] = _optional(
        gt=0, description="current at which its fuse or relay clears a fault [A]; empty: none, or unknown"
    )


class SwitchStates(_Table):
    """Reported positions; the newest row of a switch counts."""

    switch_id: Series[str]
    time: Series[Utc]
    state: Series[str] = pa.Field(isin=["OPEN", "CLOSED"])
    health: Series[str] = pa.Field(isin=["OK", "FAULT", "MAINTENANCE"])
    tags: Series[str] = pa.Field(
        str_matches=r"^((EARTHED|TAGGED|PERMIT)( (EARTHED|TAGGED|PERMIT))*)?$",
        description="EARTHED TAGGED PERMIT, space-separated; may be empty",
    )
    source: Series[str] = pa.Field(isin=["telemetered", "manual", "assumed"])


class Lines(_Table):
    """Medium-voltage lines and cables between nodes of a feeder."""

    line_id: Series[str] = pa.Field(unique=True)
    from_id: Series[str]
    to_id: Series[str]
    r_ohm: Series[float] = _optional(ge=0)
    x_ohm: Series[float] = _optional()
    length_km: Series[float] = _optional(ge=0)
    limit_a: Series[float] = _optional(gt=0)


NETWORK_TABLES: dict[str, type[_Table]] = {
    "substations": Substations,
    "feeders": Feeders,
    "transformers": Transformers,
    "sections": Sections,
    "switches": Switches,
    "switch_states": SwitchStates,
    "lines": Lines,
}


def check_frame(model: type[_Table], frame: pd.DataFrame) -> pd.DataFrame:
    """Check a frame against its table and return it unchanged.

    Parameters
    ----------
    model : DataFrameModel
        The table.
    frame : DataFrame
        What claims to be one.

    Returns
    -------
    DataFrame
        The same frame.

    Raises
    ------
    FrameError
        With the number of bad values and the first five of them.
    """
    try:
        model.validate(frame, lazy=True)
    except SchemaErrors as error:
        cases = error.failure_cases
        examples = [
            f"{row.column or row.failure_case}: {row.check} (found {row.failure_case!r}"
            + (f", row {row.index})" if pd.notna(row.index) else ")")
            for row in cases.head(5).itertuples(index=False)
        ]
        raise FrameError(
            model.__name__, len(cases), examples, what_to_do="Correct the source and ingest it again."
        ) from error
    return frame

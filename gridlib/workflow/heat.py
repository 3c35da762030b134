"""The heat of a run: temperatures over its horizon, and what each transformer may carry on each day."""

from dataclasses import dataclass

import numpy as np
import pandas as pd
from sqlalchemy import Connection

from gridlib.adapters.oil import read_oil
from gridlib.adapters.records import runs
from gridlib.domain.thermal import (
    ThermalState,
    ambient_at_transformers,
    forecast_day_limits,
    forecast_thermal,
)
from gridlib.domain.thermal.horizon import TAIL_H
from gridlib.facts.frames import DayLimitFrame, ThermalFrame, check_frame
from gridlib.workbench import Workbench
from gridlib.workflow.material import Loads, as_findings, read_ambient


@dataclass(frozen=True)
class RunHeat:
    """Temperatures of a run.

    Attributes
    ----------
    thermal : DataFrame
        `ThermalFrame`.
    initial : ThermalState
        Heat at the start of the horizon, in the order of the transformers in the forecast.
    day_limits : DataFrame
        `DayLimitFrame`.
    findings : DataFrame
        `FindingFrame`.
    """

    thermal: pd.DataFrame
    initial: ThermalState
    day_limits: pd.DataFrame
    findings: pd.DataFrame


def forecast_heat(
    workbench: Workbench,
    connection: Connection,
    loads: Loads,
    metered: pd.DataFrame,
    issued_at: pd.Timestamp,
) -> RunHeat:
    """Run the thermal model over the horizon of a run, from what was measured before it.

    Parameters
    ----------
    workbench : Workbench
        The workspace.
    connection : Connection
        Any transaction.
    loads : Loads
        Loads of the run.
    metered : DataFrame
        Clean load before ``issued_at``, wide [kVA].
    issued_at : Timestamp
        First hour of the horizon.
    """
    limits = workbench.settings.limits
    transformers = loads.network.transformers
    ambient = read_ambient(workbench, connection, pd.DatetimeIndex(metered.index), issued_at)
    air = ambient_at_transformers(ambient.series, transformers, kiosk_surcharge_k=limits.kiosk_surcharge_k)
    oil_c = read_oil_wide(workbench, connection, issued_at)
    thermal, initial, found = forecast_thermal(loads.running, transformers, air, metered, oil_c=oil_c)
    check_frame(ThermalFrame, thermal)
    day_limits = forecast_day_limits(loads.running, transformers, thermal, initial, limits=limits)
    check_frame(DayLimitFrame, day_limits)
    return RunHeat(thermal, initial, day_limits, as_findings(found))


def read_oil_wide(workbench: Workbench, connection: Connection, issued_at: pd.Timestamp) -> pd.DataFrame:
    """Read measured top oil before ``issued_at``: the last reading within each interval, wide [degC]."""
    step = pd.Timedelta(minutes=workbench.settings.forecast.step_min)
    rows = read_oil(
        workbench.telemetry.folder,
        runs.ingest_ids(connection, "oil"),
        start=issued_at - np.ceil(pd.Timedelta(hours=TAIL_H) / step) * step,
        end=issued_at,
    )
    slot = rows["time"].dt.floor(step)
    last = rows.assign(time=slot).drop_duplicates(["transformer_id", "time"], keep="last")
    return last.pivot(index="time", columns="transformer_id", values="top_oil_c")

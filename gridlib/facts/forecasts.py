"""What a forecast hands over: frames, findings, and joint error paths of the fleet."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd


@dataclass(frozen=True, eq=False)
class JointPaths:
    """How the whole fleet's load could run beside its median: errors of the same past days for everyone.

    Attributes
    ----------
    transformer_ids : array of str [N]
        Whose paths these are.
    times : DatetimeIndex [T]
        Steps of the horizon, UTC.
    days : DatetimeIndex [J]
        Where the horizon that lends its errors began, UTC. All weigh the same: newer days stand closer, and
        where there are few, one stands more than once.
    unit_kva : array [N]
        Of one step of an error: 1/127 of the transformer's largest [kVA].
    error_steps : array of int8 [N, J, T]
        Load less the published median, in ``unit_kva``.
    same_day : array of bool [N, J]
        False where the transformer could not be judged on that day: another of its own past days stands in,
        drawn by lot, so that its errors count as independent of the others'.
    """

    transformer_ids: npt.NDArray[np.object_]
    times: pd.DatetimeIndex
    days: pd.DatetimeIndex
    unit_kva: npt.NDArray[np.float64]
    error_steps: npt.NDArray[np.int8]
    same_day: npt.NDArray[np.bool_]

    def error_kva(self, rows: npt.NDArray[np.int64]) -> npt.NDArray[np.float64]:
        """Return the errors of some transformers, by position, [n, J, T] [kVA]."""
        return np.asarray(self.error_steps[rows] * self.unit_kva[rows, None, None])


@dataclass(frozen=True)
class Forecast:
    """What `gridlib.domain.forecast.forecast_load` returns.

    Attributes
    ----------
    frame : DataFrame
        One row for each transformer and hour (`ForecastFrame`).
    windows : DataFrame
        One row for each transformer and window of hours (`WindowFrame`).
    findings : DataFrame
        transformer_id, code, message: what could not be done as asked, and for whom.
    paths : JointPaths or None
        Joint error paths of the fleet; None from methods that have none.
    """

    frame: pd.DataFrame
    windows: pd.DataFrame
    findings: pd.DataFrame
    paths: JointPaths | None = None

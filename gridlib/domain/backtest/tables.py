"""From one method's hours and windows to the frames of a back-test."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from gridlib.domain.backtest.alarms import Alarms, alarm_window, counted, judge_windows, reliability_of
from gridlib.domain.backtest.naive import NAIVE_LAGS_H
from gridlib.domain.backtest.result import WORSE_THAN_NAIVE
from gridlib.domain.backtest.scores import Hours, Sheet, coverage_of, grouped, judge_hours
from gridlib.domain.calendar import Calendar

SEASONS = ("Dec-Feb", "Mar-May", "Jun-Aug", "Sep-Nov")
_COVERAGE = 0.9  # p05 to p95
_Float = NDArray[np.float64]
_Int = NDArray[np.int64]


@dataclass(frozen=True)
class Board:
    """What came, and how its hours fall into days, seasons and transformers.

    Attributes
    ----------
    load_kva : array [S, O, H]
        Readings after each origin [kVA].
    largest_kva : array [S]
        Largest load before the first origin [kVA].
    rating_kva : Series [S]
        Rating, by transformer [kVA].
    origins : DatetimeIndex [O]
        First times forecast, UTC.
    calendar : Calendar
        For seasons.
    horizon_h, step_min : int
        Horizon [h] and step [min].
    """

    load_kva: _Float
    largest_kva: _Float
    rating_kva: pd.Series
    origins: pd.DatetimeIndex
    calendar: Calendar
    horizon_h: int
    step_min: int

    def judge(self, method: str, sheet: Sheet, cpu_s_per_series: float) -> dict[str, pd.DataFrame]:
        """Measure one method; returns its rows of every frame of a `Backtest`."""
        hours = judge_hours(
            sheet, self.load_kva, self.largest_kva, self.rating_kva.to_numpy(dtype=np.float64)
        )
        from_h, to_h = (h * 60 // self.step_min for h in alarm_window(self.horizon_h))
        alarms = judge_windows(hours, sheet.p_any, slice(from_h, to_h))
        by_transformer = self._by_transformer(hours, alarms, sheet)
        found = {
            "overall": _overall(hours, alarms, by_transformer, cpu_s_per_series),
            "by_lead_day": self._by_lead(hours, 24, "lead_day"),
            "by_lead_hour": self._by_lead(hours, 1, "lead_h")[["lead_h", "hours", "nmae_pct", "ncrps_pct"]],
            "by_season": self._by_season(hours, alarms),
            "by_transformer": by_transformer,
            "reliability": reliability_of(alarms),
            "coverage": coverage_of(hours),
        }
        for frame in found.values():
            frame.insert(0, "method", method)
        return found

    def _by_lead(self, hours: Hours, width_h: int, name: str) -> pd.DataFrame:
        lead = np.arange(self.load_kva.shape[2]) * self.step_min // 60 // width_h
        table = grouped(hours, lead, int(lead[-1]) + 1)
        table.insert(0, name, np.arange(1, len(table) + 1))
        return table

    def _by_season(self, hours: Hours, alarms: Alarms) -> pd.DataFrame:
        steps = np.arange(self.load_kva.shape[2]) * pd.Timedelta(minutes=self.step_min).value
        when = pd.DatetimeIndex((self.origins.as_unit("ns").asi8[:, None] + steps).ravel(), tz="UTC")
        month = self.calendar.local_time(when).month.to_numpy()
        season = (month % 12 // 3).reshape(len(self.origins), -1).astype(np.int64)
        opens = alarm_window(self.horizon_h)[0] * 60 // self.step_min
        table = pd.concat(
            [
                grouped(hours, season, len(SEASONS)),
                counted(alarms, season[:, opens], len(SEASONS)),
            ],
            axis="columns",
        )
        table.insert(0, "season", SEASONS)
        return table[(table["hours"] > 0) | (table["missing_pct"] > 0)].reset_index(drop=True)

    def _by_transformer(self, hours: Hours, alarms: Alarms, sheet: Sheet) -> pd.DataFrame:
        n = len(self.rating_kva)
        table = pd.concat(
            [
                grouped(hours, np.arange(n)[:, None, None], n),
                counted(alarms, np.arange(n)[:, None], n),
            ],
            axis="columns",
        )
        table.insert(0, "transformer_id", self.rating_kva.index.to_numpy())
        stated = np.isfinite(sheet.confidence)
        total = np.where(stated, sheet.confidence, 0.0).sum(axis=1)
        count = stated.sum(axis=1)
        table["confidence"] = np.where(count > 0, total / np.maximum(count, 1), np.nan)
        return table


def _overall(hours: Hours, alarms: Alarms, each: pd.DataFrame, cpu_s: float) -> pd.DataFrame:
    one = np.zeros(1, dtype=np.int64)
    table = pd.concat([grouped(hours, one, 1), counted(alarms, one, 1)], axis="columns")
    # Every transformer weighs the same here, however many of its readings are missing.
    return table.assign(
        nmae_pct=each["nmae_pct"].mean(),
        ncrps_pct=each["ncrps_pct"].mean(),
        nmae_worst_pct=each["nmae_pct"].max(),
        confidence=each["confidence"].mean(),
        cpu_s_per_series=cpu_s,
    )


def together(judged: Sequence[dict[str, pd.DataFrame]]) -> dict[str, pd.DataFrame]:
    """Stack the methods, and measure each transformer against the better naive.

    Parameters
    ----------
    judged : sequence of dict
        From `Board.judge`, the naives among them.

    Returns
    -------
    dict of str to DataFrame
        Frames of a `Backtest` by name.

    Notes
    -----
    The skill measured is what the stated confidence should be:
    ``clip(1 - nCRPS / nCRPS of the 168 h naive, 0, 1) * (1 - |cover90 - 0.9| / 0.9)``.
    """
    frames = {name: pd.concat([j[name] for j in judged], ignore_index=True) for name in judged[0]}
    each = frames["by_transformer"]
    naive = each[each["method"].isin(NAIVE_LAGS_H)]
    better = each["transformer_id"].map(naive.groupby("transformer_id")["nmae_pct"].min())
    weekly = naive[naive["method"] == "naive168"].set_index("transformer_id")["ncrps_pct"]
    weekly_ncrps = each["transformer_id"].map(weekly)
    ratio = each["nmae_pct"] / better.where(better > 0)
    gain = (1 - each["ncrps_pct"] / weekly_ncrps.where(weekly_ncrps > 0)).clip(0, 1)
    skill = gain * (1 - (each["cover90"] - _COVERAGE).abs() / _COVERAGE)
    each = each.assign(ratio_to_naive=ratio, worse_than_naive=ratio > WORSE_THAN_NAIVE, skill=skill)
    overall = frames["overall"]
    measured = overall["method"].map(each.groupby("method")["skill"].mean())
    worse = overall["method"].map(each.groupby("method")["worse_than_naive"].sum())
    return frames | {
        "by_transformer": each,
        "overall": overall.assign(skill=measured, worse_than_naive=worse.astype(np.int64)),
    }

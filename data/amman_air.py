"""Air temperature in Amman for the sample and the demo, made from published normals.

One station, no day-to-day variation: the monthly normals hold at mid-month, between them linear; the day goes
by half cosines from the minimum at 05:00 to the maximum at 15:00 and back. Readings up to the last load
reading, then a 72 h forecast issued at the hour after it, without error.
"""

import numpy as np
import pandas as pd

TZ = "Asia/Amman"
HORIZON_H = 72
# Amman Airport (Marka), mean daily maximum and minimum of the months January to December [degC], as widely
# published from the Jordan Meteorological Department; (max + min) / 2 is within 0.5 K of the means of the
# NOAA daily summaries 1995-2014 in every month.
TMAX_C = (12.7, 13.9, 17.6, 23.3, 27.9, 30.9, 32.5, 32.7, 30.8, 26.8, 20.1, 14.6)
TMIN_C = (4.2, 4.8, 7.2, 10.9, 14.8, 18.3, 20.5, 20.4, 18.3, 15.1, 9.8, 5.8)
TMIN_HOUR, TMAX_HOUR = 5, 15


def ambient_c(times: pd.DatetimeIndex) -> np.ndarray:
    """Give the normal air temperature in Amman at the times [degC]."""
    wall = times.tz_convert(TZ)
    hours = np.asarray(wall.hour + wall.minute / 60)
    after_low = hours >= TMIN_HOUR
    day = np.asarray(wall.dayofyear, dtype=float)
    fall_h = 24 - TMAX_HOUR + TMIN_HOUR
    tmax_day = np.where(after_low, day, day - 1)
    tmin_day = np.where(hours <= TMAX_HOUR, day, day + 1)
    rising = after_low & (hours <= TMAX_HOUR)
    since_high = np.where(hours > TMAX_HOUR, hours - TMAX_HOUR, hours + 24 - TMAX_HOUR)
    # 0 at the daily minimum, 1 at the daily maximum
    phase = np.where(rising, (hours - TMIN_HOUR) / (TMAX_HOUR - TMIN_HOUR), 1 - since_high / fall_h)
    high, low = _normal_c(TMAX_C, tmax_day), _normal_c(TMIN_C, tmin_day)
    return np.round(low + (high - low) * (1 - np.cos(np.pi * phase)) / 2, 1)


def _normal_c(months_c: tuple[float, ...], day_of_year: np.ndarray) -> np.ndarray:
    middles = (np.arange(12) + 0.5) * 365.25 / 12
    return np.interp(day_of_year, middles, months_c, period=365.25)


def weather(first: pd.Timestamp, last: pd.Timestamp, station_id: str, offset_k: float = 0.0) -> pd.DataFrame:
    """Make measured air temperature from ``first`` to ``last`` and the 72 h forecast that follows."""
    issued = last + pd.Timedelta(hours=1)
    end = last + pd.Timedelta(hours=HORIZON_H)
    times = pd.date_range(first.tz_convert(TZ), end.tz_convert(TZ), freq="h")
    stamps = [time.isoformat() for time in times]
    return pd.DataFrame(
        {
            "station_id": station_id,
            "time": stamps,
            "issued_at": [
                stamp if time < issued else issued.isoformat()
                for time, stamp in zip(times, stamps, strict=True)
            ],
            "ambient_c": np.round(ambient_c(times) + offset_k, 1),
        }
    )

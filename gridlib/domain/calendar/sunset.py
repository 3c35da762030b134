"""When the sun sets by the clock on the wall: in Ramadan the hour of iftar."""

from functools import lru_cache
from importlib import resources

import numpy as np
from numpy.typing import NDArray

_ZENITH_DEG = 90.833
"""Of the sun's centre at sunset: half its disc and refraction at the horizon [deg] (NOAA)."""
_NO_PLACE_H = 18.0
"""Sunset where no place is known: a day at the equator [h]."""


def sunset_h(
    day_of_year: NDArray[np.int64],
    utc_offset_h: NDArray[np.float64],
    place: tuple[float, float] | None,
) -> NDArray[np.float64]:
    """Return the hour of sunset.

    Parameters
    ----------
    day_of_year : array [days]
        From 1.
    utc_offset_h : array [days]
        Local time less UTC [h].
    place : tuple of float, optional
        Latitude, positive north, and longitude, positive east [deg].

    Returns
    -------
    array [days]
        Hour of the local clock [h], above 24 where the sun sets after midnight; 18.0 without a place. Where
        it does not set that day: midnight of the sun in summer, its noon in winter.

    Notes
    -----
    ``cos H = cos z / (cos phi cos delta) - tan phi tan delta``, with the sun's declination delta and the
    equation of time as Fourier series of the year; +-2 min between the polar circles.

    References
    ----------
    Spencer, J. W. (1971): Fourier series representation of the position of the sun. Search 2 (5), 172.
    NOAA Global Monitoring Laboratory: General Solar Position Calculations.

    Examples
    --------
    >>> amman = (31.95, 35.93)
    >>> sunset_h(np.array([172, 355]), np.array([3.0, 3.0]), amman).round(1).tolist()
    [19.7, 17.6]
    """
    if place is None:
        return np.full(len(day_of_year), _NO_PLACE_H)
    latitude, longitude_deg = np.radians(np.clip(place[0], -89.9, 89.9)), place[1]
    year = 2 * np.pi / 365 * (day_of_year - 0.5)  # in the afternoon
    wave = [f(k * year) for k in (1, 2, 3) for f in (np.cos, np.sin)]
    equation_min = 229.18 * (
        7.5e-5 + np.tensordot([0.001868, -0.032077, -0.014615, -0.040849], wave[:4], axes=1)
    )
    declination = 0.006918 + np.tensordot(
        [-0.399912, 0.070257, -0.006758, 0.000907, -0.002697, 0.00148], wave, axes=1
    )
    cosine = np.cos(np.radians(_ZENITH_DEG)) / (np.cos(latitude) * np.cos(declination)) - np.tan(
        latitude
    ) * np.tan(declination)
    half_day_deg = np.degrees(np.arccos(np.clip(cosine, -1, 1)))
    hour = (720 - 4 * (longitude_deg - half_day_deg) - equation_min) / 60 + utc_offset_h
    return np.asarray((hour - 6) % 24 + 6)


@lru_cache(maxsize=1)
def zone_places() -> dict[str, tuple[float, float]]:
    """Return the principal place of each time zone: latitude and longitude [deg].

    Notes
    -----
    The table ``zone.tab`` of the IANA time zone data, as the package `tzdata` carries it. Zones of no
    place (UTC, Etc/GMT-3) and old names (US/Eastern) are not in it.
    """
    table = (resources.files("tzdata") / "zoneinfo" / "zone.tab").read_text(encoding="utf-8")
    rows = [line.split("\t") for line in table.splitlines() if line and not line.startswith("#")]
    return {row[2]: _parse_place(row[1]) for row in rows}


def _parse_place(text: str) -> tuple[float, float]:
    """Read ISO 6709 +-DDMM+-DDDMM or +-DDMMSS+-DDDMMSS."""
    cut = max(text.rfind("+"), text.rfind("-"))
    latitude, longitude = text[:cut], text[cut:]
    return _degrees(latitude, 3), _degrees(longitude, 4)


def _degrees(text: str, minutes_at: int) -> float:
    size = float(text[1:minutes_at]) + float(text[minutes_at : minutes_at + 2]) / 60
    return -size if text[0] == "-" else size

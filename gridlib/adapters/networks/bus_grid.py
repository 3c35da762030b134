"""A grid as other programs write it: buses joined by lines, transformers and switches."""

from dataclasses import dataclass
from enum import StrEnum

import pandas as pd

Finding = tuple[str, str, str, int]
"""Object, code, message, how many objects of this kind."""


class Level(StrEnum):
    """Whose switching is planned: behind 11/0.415 kV units, or behind 33/11 kV units."""

    LOW = "low"
    MEDIUM = "medium"


@dataclass(frozen=True)
class BusGrid:
    """Buses and what joins them, in service; one name never stands for two objects.

    Attributes
    ----------
    buses : DataFrame
        bus_id, kv, lat, lon.
    loads : DataFrame
        load_id, bus_id, kva, customers.
    sources : DataFrame
        source_id, bus_id.
    units : DataFrame
        Transformers: unit_id, hv_bus, lv_bus, hv_kv, lv_kv, rating_kva, vk_pct, vkr_pct, tap_pct.
    lines : DataFrame
        line_id, from_bus, to_bus, r_ohm, x_ohm, length_km, limit_a.
    switches : DataFrame
        switch_id, bus_id, element (bus, line or unit: what it joins to that bus), element_id, closed,
        load_break_a, limit_a.
    findings : tuple of Finding
        What the file says beyond this.
    """

    buses: pd.DataFrame
    loads: pd.DataFrame
    sources: pd.DataFrame
    units: pd.DataFrame
    lines: pd.DataFrame
    switches: pd.DataFrame
    findings: tuple[Finding, ...]

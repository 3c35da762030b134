"""pandapower networks, JSON or Excel; SimBench, MATPOWER and CGMES grids come through them."""

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from gridlib.adapters.networks.bus_grid import BusGrid, Finding
from gridlib.adapters.networks.names import distinct_names
from gridlib.facts.errors import FileError, InputError

_NOT_CARRIED = {
    "sgen": "static generator(s): readings must hold the net load",
    "gen": "generator(s)",
    "storage": "storage unit(s)",
    "trafo3w": "three-winding transformer(s)",
    "impedance": "impedance element(s)",
    "shunt": "shunt(s)",
    "ward": "ward(s)",
    "xward": "extended ward(s)",
    "dcline": "DC line(s)",
    "tcsc": "series compensator(s)",
}
_NO_NETWORK = (ValueError, KeyError, TypeError, AttributeError, UserWarning, OSError)
"""What pandapower raises on a file that is not one of its own."""

_BREAKS_NO_LOAD = ("DS",)
"""Disconnectors: to be opened without current alone."""


def read_pandapower(path: Path) -> BusGrid:
    """Read a pandapower file.

    Parameters
    ----------
    path : Path
        JSON or Excel, as `pandapower.to_json` and `to_excel` write it.

    Returns
    -------
    BusGrid
        What is in service; loads scaled as the file says.

    Raises
    ------
    InputError
        pandapower is not installed.
    FileError
        The file is no pandapower network.
    """
    try:
        import pandapower
        from pandapower.io_utils import DeserializationNotAllowed
    except ModuleNotFoundError as error:
        raise InputError(
            "reading pandapower files needs the package pandapower",
            what_to_do="Install it: pip install 'gridlib[pandapower]'.",
        ) from error
    read = pandapower.from_json if path.suffix.lower() == ".json" else pandapower.from_excel
    try:
        net = read(str(path))
    except (DeserializationNotAllowed, *_NO_NETWORK) as error:
        raise FileError(
            str(path), f"is no pandapower network: {error}", what_to_do="Write it with pandapower.to_json."
        ) from error
    if not isinstance(net, pandapower.pandapowerNet):
        raise FileError(str(path), "is no pandapower network", what_to_do="Write it with pandapower.to_json.")
    return bus_grid_of(net)


def bus_grid_of(net: Any) -> BusGrid:
    """Turn a pandapower network into buses and what joins them.

    Parameters
    ----------
    net : pandapowerNet
        Is not changed.

    Returns
    -------
    BusGrid
        What is in service.
    """
    tables = {name: net[name] for name in ("bus", "load", "ext_grid", "trafo", "line", "switch")}
    words = {"bus": "bus", "load": "load", "ext_grid": "source", "trafo": "transformer", "line": "line"}
    names = distinct_names(
        {word: pd.Series(tables[table]["name"]) for table, word in (words | {"switch": "switch"}).items()}
    )
    findings: list[Finding] = list(_dropped(net))
    bus = _in_service(tables["bus"])
    live = {table: _in_service(tables[table]) for table in ("load", "ext_grid", "trafo", "line")}
    live = {
        table: rows[np.logical_and.reduce([rows[c].isin(bus.index) for c in _bus_columns(table)])]
        for table, rows in live.items()
    }
    buses = names["bus"]
    lat, lon = _places(bus)
    return BusGrid(
        buses=_table(bus_id=buses[bus.index], kv=bus["vn_kv"], lat=lat, lon=lon),
        loads=_loads(live["load"], names["load"], buses),
        sources=_table(
            source_id=names["source"][live["ext_grid"].index], bus_id=buses[live["ext_grid"]["bus"]]
        ),
        units=_units(live["trafo"], names["transformer"], buses, findings),
        lines=_lines(live["line"], names["line"], buses),
        switches=_switches(tables["switch"], live, bus, names, findings),
        findings=tuple(findings),
    )


def _in_service(table: pd.DataFrame) -> pd.DataFrame:
    return table[table["in_service"].astype(bool)]


def _bus_columns(table: str) -> tuple[str, ...]:
    return {"trafo": ("hv_bus", "lv_bus"), "line": ("from_bus", "to_bus")}.get(table, ("bus",))


def _table(**columns: Iterable[Any]) -> pd.DataFrame:
    return pd.DataFrame({name: np.asarray(values) for name, values in columns.items()})


def _column(
    table: pd.DataFrame, name: str, missing: float = np.nan
) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    """Read a column that older files lack."""
    if name not in table:
        return np.full(len(table), missing)
    numbers = pd.to_numeric(table[name], errors="coerce").to_numpy(dtype=float)
    return np.where(np.isnan(numbers), missing, numbers)


def _loads(load: pd.DataFrame, names: pd.Series, buses: pd.Series) -> pd.DataFrame:
    power = np.hypot(_column(load, "p_mw", 0.0), _column(load, "q_mvar", 0.0)) * _column(load, "scaling", 1.0)
    return _table(
        load_id=names[load.index], bus_id=buses[load["bus"]], kva=1e3 * power, customers=np.ones(len(load))
    )


def _units(trafo: pd.DataFrame, names: pd.Series, buses: pd.Series, findings: list[Finding]) -> pd.DataFrame:
    """Read the transformers, taps as if every changer were a ratio changer.

    pandapower leaves a tap out of account where ``tap_changer_type`` is empty, as SimBench leaves it; the
    position is on the nameplate all the same. A tap at the lower side counts the other way round.
    """
    steps = _column(trafo, "tap_pos") - _column(trafo, "tap_neutral", 0.0)
    side = trafo["tap_side"].to_numpy(dtype=object) if "tap_side" in trafo else np.full(len(trafo), None)
    tap_pct = steps * _column(trafo, "tap_step_percent") * np.where(side == "lv", -1.0, 1.0)
    if "tap_changer_type" in trafo:
        assumed = trafo["tap_changer_type"].isna().to_numpy() & np.isfinite(tap_pct) & (tap_pct != 0)
        for name in names[trafo.index[assumed]]:
            message = f"{name} has a tap position and no tap_changer_type; taken for a ratio changer"
            findings.append((str(name), "tap_type_assumed", message, 1))
    unknown = trafo["vector_group"].isna().sum() if "vector_group" in trafo else len(trafo)
    if unknown:
        message = f"{unknown} transformer(s) without vector group: no tie is allowed to parallel any two"
        findings.append(("transformers", "vector_group_unknown", message, int(unknown)))
    parallel = _column(trafo, "parallel", 1.0)
    for name in names[trafo.index[parallel > 1]]:
        findings.append(
            (str(name), "parallel_units", f"{name} stands for several units in parallel; carried as one", 1)
        )
    return _table(
        unit_id=names[trafo.index],
        hv_bus=buses[trafo["hv_bus"]],
        lv_bus=buses[trafo["lv_bus"]],
        hv_kv=trafo["vn_hv_kv"].astype(float),
        lv_kv=trafo["vn_lv_kv"].astype(float),
        rating_kva=1e3 * _column(trafo, "sn_mva") * parallel * _column(trafo, "df", 1.0),
        vk_pct=_column(trafo, "vk_percent"),
        vkr_pct=_column(trafo, "vkr_percent"),
        tap_pct=tap_pct,
    )


def _lines(line: pd.DataFrame, names: pd.Series, buses: pd.Series) -> pd.DataFrame:
    parallel, km = _column(line, "parallel", 1.0), _column(line, "length_km")
    return _table(
        line_id=names[line.index],
        from_bus=buses[line["from_bus"]],
        to_bus=buses[line["to_bus"]],
        r_ohm=_column(line, "r_ohm_per_km") * km / parallel,
        x_ohm=_column(line, "x_ohm_per_km") * km / parallel,
        length_km=km,
        limit_a=1e3 * _column(line, "max_i_ka") * parallel * _column(line, "df", 1.0),
    )


def _switches(
    switch: pd.DataFrame,
    live: dict[str, pd.DataFrame],
    bus: pd.DataFrame,
    names: dict[str, pd.Series],
    findings: list[Finding],
) -> pd.DataFrame:
    words = {
        "b": ("bus", bus, "bus"),
        "l": ("line", live["line"], "line"),
        "t": ("unit", live["trafo"], "transformer"),
    }
    rows = []
    dropped = 0
    for switch_id, (_, row) in zip(names["switch"], switch.iterrows(), strict=True):
        if row["et"] not in words:
            dropped += 1
            continue
        element, table, word = words[row["et"]]
        if row["bus"] not in bus.index or row["element"] not in table.index:
            dropped += 1
            continue
        in_ka = float(row["in_ka"]) if "in_ka" in switch and pd.notna(row["in_ka"]) else np.nan
        rows.append(
            {
                "switch_id": switch_id,
                "bus_id": names["bus"][row["bus"]],
                "element": element,
                "element_id": names[word][row["element"]],
                "closed": bool(row["closed"]),
                "load_break_a": 0.0 if row["type"] in _BREAKS_NO_LOAD else 1e3 * in_ka,
                "limit_a": 1e3 * in_ka,
            }
        )
    if dropped:
        message = (
            f"{dropped} switch(es) at something that is out of service, or of another kind, are not carried"
        )
        findings.append(("switches", "switch_not_carried", message, dropped))
    columns = ["switch_id", "bus_id", "element", "element_id", "closed", "load_break_a", "limit_a"]
    return pd.DataFrame(rows, columns=columns)


def _dropped(net: Any) -> Iterable[Finding]:
    for table, what in _NOT_CARRIED.items():
        if table in net and len(net[table]):
            yield table, "not_carried", f"not carried: {len(net[table])} {what}", len(net[table])
    for table in ("bus", "line", "trafo", "load", "ext_grid"):
        if out := int((~net[table]["in_service"].astype(bool)).sum()):
            yield table, "out_of_service", f"{out} {table} row(s) out of service are not carried", out


def _places(bus: pd.DataFrame) -> tuple[list[float], list[float]]:
    """Read GeoJSON points; what is no place on Earth (a drawing's own grid) is left empty."""
    import json

    lat, lon = [], []
    for text in bus["geo"] if "geo" in bus else [None] * len(bus):
        point = json.loads(text)["coordinates"] if isinstance(text, str) and text else (np.nan, np.nan)
        x, y = float(point[0]), float(point[1])
        known = abs(x) <= 180 and abs(y) <= 90
        lon.append(x if known else np.nan)
        lat.append(y if known else np.nan)
    return lat, lon

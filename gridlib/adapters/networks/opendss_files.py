"""OpenDSS circuits, compiled from their master file by the engine itself."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from gridlib.adapters.networks.bus_grid import BusGrid, Finding
from gridlib.adapters.networks.names import distinct_names
from gridlib.facts.errors import FileError, InputError

_KM = {1: 1.609344, 2: 0.3048, 3: 1.0, 4: 0.001, 5: 0.0003048, 6: 0.0000254, 7: 0.00001, 8: 0.000001}
"""Kilometres in each unit of length by the engine's number; 0 is none, and the length is then not known."""

_NOT_CARRIED = {
    "Generator": "generator(s): readings must hold the net load",
    "PVSystem": "photovoltaic system(s): readings must hold the net load",
    "Storage": "storage unit(s)",
    "Capacitor": "capacitor(s)",
    "Reactor": "reactor(s)",
    "RegControl": "regulator control(s)",
    "CapControl": "capacitor control(s)",
    "Fuse": "fuse(s): nobody switches with them",
}
_SQRT3 = 3**0.5


def read_opendss(path: Path) -> BusGrid:
    """Read an OpenDSS circuit.

    Parameters
    ----------
    path : Path
        The master file; what it redirects to is found from its folder.

    Returns
    -------
    BusGrid
        What is enabled, with positions as the file leaves them; a disabled line that is a switch is open.

    Raises
    ------
    InputError
        dss-python is not installed.
    FileError
        The engine refuses the file.
    """
    try:
        from dss import DSS, DSSException
    except ModuleNotFoundError as error:
        raise InputError(
            "reading OpenDSS files needs the package dss-python",
            what_to_do="Install it: pip install 'gridlib[opendss]'.",
        ) from error
    engine = DSS.NewContext()
    engine.AllowEditor = engine.AllowForms = engine.AllowChangeDir = False
    try:
        engine.Text.Command = f'compile "{path.absolute()}"'
        engine.Text.Command = "MakeBusList"
        return _grid_of(engine.ActiveCircuit)
    except DSSException as error:
        raise FileError(
            str(path), f"OpenDSS refuses it: {error}", what_to_do="Compile it in OpenDSS first."
        ) from error


def _grid_of(circuit: Any) -> BusGrid:
    findings: list[Finding] = []
    raw = {
        "bus": pd.DataFrame({"name": list(circuit.AllBusNames)}),
        "load": pd.DataFrame(_loads(circuit)),
        "source": pd.DataFrame(_sources(circuit)),
        "transformer": _banks(pd.DataFrame(_transformers(circuit, findings)), findings),
        "line": pd.DataFrame(_line_rows(circuit, findings)),
    }
    raw["switch"] = _line_end_switches(circuit, raw["line"])
    names = distinct_names({word: rows["name"] for word, rows in raw.items()})
    is_switch = raw["line"]["is_switch"].to_numpy(dtype=bool)
    lines = raw["line"].assign(line_id=names["line"])
    units = raw["transformer"].assign(unit_id=names["transformer"])
    devices, ends = lines[is_switch], raw["switch"].assign(switch_id=names["switch"])
    by_line = dict(zip(lines["name"], lines["line_id"], strict=True))
    switches = pd.concat(
        [
            pd.DataFrame(
                {
                    "switch_id": devices["line_id"],
                    "bus_id": devices["from_bus"],
                    "element": "bus",
                    "element_id": devices["to_bus"],
                    "closed": devices["closed"],
                    "load_break_a": np.nan,
                    "limit_a": devices["limit_a"],
                }
            ),
            ends.assign(
                element="line", element_id=ends["line"].map(by_line), load_break_a=np.nan, limit_a=np.nan
            ),
        ],
        ignore_index=True,
    )[["switch_id", "bus_id", "element", "element_id", "closed", "load_break_a", "limit_a"]]
    findings += _not_carried(circuit)
    nowhere = np.full(len(raw["bus"]), np.nan)
    return BusGrid(
        buses=pd.DataFrame(
            {"bus_id": raw["bus"]["name"], "kv": _voltages(circuit, raw), "lat": nowhere, "lon": nowhere}
        ),
        loads=raw["load"].assign(load_id=names["load"])[["load_id", "bus_id", "kva", "customers"]],
        sources=raw["source"].assign(source_id=names["source"])[["source_id", "bus_id"]],
        units=units[
            ["unit_id", "hv_bus", "lv_bus", "hv_kv", "lv_kv", "rating_kva", "vk_pct", "vkr_pct", "tap_pct"]
        ],
        lines=lines.loc[
            ~is_switch, ["line_id", "from_bus", "to_bus", "r_ohm", "x_ohm", "length_km", "limit_a"]
        ].reset_index(drop=True),
        switches=switches.astype({"closed": bool, "load_break_a": float, "limit_a": float}),
        findings=tuple(findings),
    )


def _bus(name: str) -> str:
    return name.split(".")[0].lower()


def _loads(circuit: Any) -> Iterator[dict[str, Any]]:
    for load in circuit.Loads:
        yield {
            "name": load.Name,
            "bus_id": _bus(circuit.ActiveCktElement.BusNames[0]),
            "kva": float(np.hypot(load.kW, load.kvar)),
            "customers": float(load.NumCust),
        }


def _sources(circuit: Any) -> Iterator[dict[str, Any]]:
    for source in circuit.Vsources:
        yield {"name": source.Name, "bus_id": _bus(circuit.ActiveCktElement.BusNames[0]), "kv": source.BasekV}


def _transformers(circuit: Any, findings: list[Finding]) -> Iterator[dict[str, Any]]:
    for unit in circuit.Transformers:
        element = circuit.ActiveCktElement
        buses, phases = [_bus(name) for name in element.BusNames], element.NumPhases
        if len(set(buses)) > 2:
            message = f"{unit.Name} has more than two windings; the first two are carried"
            findings.append((unit.Name, "third_winding", message, 1))
        sides = []
        for winding in (1, 2):
            unit.Wdg = winding
            kv = unit.kV * (_SQRT3 if phases == 1 and not unit.IsDelta else 1.0)
            sides.append((kv, buses[winding - 1], unit.kVA, unit.R, unit.Tap))
        high, low = sorted(sides, key=lambda side: -side[0])
        r_pct = high[3] + low[3]
        yield {
            "name": unit.Name,
            "phases": phases,
            "hv_bus": high[1],
            "lv_bus": low[1],
            "hv_kv": high[0],
            "lv_kv": low[0],
            "rating_kva": high[2],
            "vk_pct": float(np.hypot(unit.Xhl, r_pct)),
            "vkr_pct": r_pct,
            "tap_pct": 100.0 * (high[4] / low[4] - 1.0),
        }


def _banks(units: pd.DataFrame, findings: list[Finding]) -> pd.DataFrame:
    """Make one unit of single-phase units between the same buses."""
    if units.empty:
        columns = ["name", "hv_bus", "lv_bus", "hv_kv", "lv_kv", "rating_kva", "vk_pct", "vkr_pct", "tap_pct"]
        return units.reindex(columns=columns)
    key = (units["hv_bus"] + "|" + units["lv_bus"]).where(units["phases"] < 3, units["name"] + "||")
    rating = units.groupby(key)["rating_kva"].transform("sum")
    size = units.groupby(key)["name"].transform("size")
    banks = units.assign(rating_kva=rating)[~key.duplicated()].reset_index(drop=True)
    for name, count in zip(units["name"], size.where(~key.duplicated(), 0), strict=True):
        if count > 1:
            message = f"{name} stands for {count} single-phase units between the same buses, ratings added up"
            findings.append((name, "bank", message, int(count)))
    return banks


def _line_rows(circuit: Any, findings: list[Finding]) -> Iterator[dict[str, Any]]:
    for line in circuit.Lines:
        element = circuit.ActiveCktElement
        r_ohm, x_ohm = (_positive_sequence(matrix) * line.Length for matrix in (line.Rmatrix, line.Xmatrix))
        is_switch = bool(line.IsSwitch)
        open_ends = [end for end in (1, 2) if element.IsOpen(end, 0)]
        yield {
            "name": line.Name,
            "from_bus": _bus(line.Bus1),
            "to_bus": _bus(line.Bus2),
            "r_ohm": r_ohm,
            "x_ohm": x_ohm,
            "length_km": line.Length * _KM.get(int(line.Units), np.nan),
            "limit_a": line.NormAmps if line.NormAmps > 0 else np.nan,
            "is_switch": is_switch,
            "closed": not open_ends,
            "open_ends": open_ends,
        }
    off = 0
    for name in circuit.AllElementNames:
        kind, _, short = name.partition(".")
        circuit.SetActiveElement(name)
        element = circuit.ActiveCktElement
        if kind.lower() != "line" or element.Enabled:
            continue
        if element.Properties("switch").Val.lower()[:1] not in ("y", "t"):
            off += 1
            continue
        buses = [_bus(element.Properties(end).Val) for end in ("bus1", "bus2")]
        facts = {"name": short, "from_bus": buses[0], "to_bus": buses[1], "is_switch": True, "closed": False}
        yield {
            **facts,
            "r_ohm": np.nan,
            "x_ohm": np.nan,
            "length_km": np.nan,
            "limit_a": np.nan,
            "open_ends": [],
        }
    if off:
        findings.append(("lines", "out_of_service", f"{off} disabled line(s) are not carried", off))


def _positive_sequence(matrix: Any) -> float:
    """Take the positive-sequence value of a phase matrix: mean of the diagonal less mean of the rest."""
    square = np.asarray(matrix, dtype=float)
    n = round(len(square) ** 0.5)
    square = square.reshape(n, n)
    own = float(np.trace(square)) / n
    return float(own if n == 1 else own - (square.sum() - n * own) / (n * (n - 1)))


def _line_end_switches(circuit: Any, lines: pd.DataFrame) -> pd.DataFrame:
    """Find switches at the ends of lines: controls, reclosers, relays, and ends that stand open."""
    by_name = lines.set_index("name")
    rows: dict[tuple[str, int], dict[str, Any]] = {}

    def add(name: str, target: str, end: int, closed: bool) -> None:
        kind, _, line = target.lower().partition(".")
        if kind != "line" or line not in by_name.index or by_name.loc[line, "is_switch"]:
            return
        bus = by_name.loc[line, "from_bus" if end == 1 else "to_bus"]
        rows.setdefault((line, end), {"name": name, "bus_id": bus, "line": line, "closed": closed})

    for line, ends in lines.set_index("name")["open_ends"].items():
        for end in ends:
            add(f"{line}-{end}", f"line.{line}", end, closed=False)
    for control in circuit.SwtControls:
        add(control.Name, control.SwitchedObj, int(control.SwitchedTerm), closed=True)
    for device in circuit.Reclosers:
        add(device.Name, device.SwitchedObj, int(device.SwitchedTerm), closed=True)
    for relay in circuit.Relays:
        add(relay.Name, relay.SwitchedObj, int(relay.SwitchedTerm), closed=True)
    return pd.DataFrame(list(rows.values()), columns=["name", "bus_id", "line", "closed"])


def _voltages(circuit: Any, raw: dict[str, pd.DataFrame]) -> list[float]:
    """Take the voltage base of each bus [kV, line to line], else what transformers and lines make of it."""
    known: dict[str, float] = {}
    for name in raw["bus"]["name"]:
        circuit.SetActiveBus(name)
        if circuit.ActiveBus.kVBase > 0:
            known[name] = circuit.ActiveBus.kVBase * _SQRT3
    for row in raw["transformer"].itertuples():
        known.setdefault(str(row.hv_bus), float(str(row.hv_kv)))
        known.setdefault(str(row.lv_bus), float(str(row.lv_kv)))
    for row in raw["source"].itertuples():
        known.setdefault(str(row.bus_id), float(str(row.kv)))
    joined = raw["line"][["from_bus", "to_bus"]].itertuples(index=False, name=None)
    neighbours: dict[str, list[str]] = {}
    for one, other in joined:
        neighbours.setdefault(one, []).append(other)
        neighbours.setdefault(other, []).append(one)
    waiting = list(known)
    while waiting:
        bus = waiting.pop()
        for other in neighbours.get(bus, ()):
            if other not in known:
                known[other] = known[bus]
                waiting.append(other)
    return [known.get(name, np.nan) for name in raw["bus"]["name"]]


def _not_carried(circuit: Any) -> Iterator[Finding]:
    kinds = pd.Series([name.split(".")[0] for name in circuit.AllElementNames]).value_counts()
    for kind, what in _NOT_CARRIED.items():
        if count := int(kinds.get(kind, 0)):
            yield kind, "not_carried", f"not carried: {count} {what}", count

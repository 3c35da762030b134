"""The switches of the fleet as arrays: which may move, what they carry, which transformers take nothing."""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from gridlib.domain.planning.fleet import P50, Fleet, Floats
from gridlib.domain.planning.switchgear import Device
from gridlib.facts.types import PlanningRules

Ints = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]

HOPS = 2
"""Groups of tied sections away from a transformer at risk in which switches may move."""


@dataclass(frozen=True)
class Wiring:
    """Switches between nodes that can be planned with, one entry for each.

    Attributes
    ----------
    devices : list of Device
        The switches.
    start, end : array of int
        Their ends as positions in the fleet.
    closed, fixed : array of bool
        Present state; those that keep it: in FAULT, under MAINTENANCE, tagged, without known capability, and
        what lies on the way from a transformer to such a device.
    line_kva, break_kva : array
        What they may carry, and break on load [kVA].
    cost_kvah : array
        What one operation must bring at least [kVAh].
    takes_nothing : set of int
        Transformers whose feeder breaker is open, tagged or not in order.
    row_of : dict
        Position of each switch.
    """

    devices: list[Device]
    start: Ints
    end: Ints
    closed: Bools
    fixed: Bools
    line_kva: Floats
    break_kva: Floats
    cost_kvah: Floats
    takes_nothing: frozenset[int]
    row_of: dict[str, int]

    def rows(self, names: Iterable[str]) -> list[int]:
        """Positions of named switches."""
        return [self.row_of[name] for name in names if name in self.row_of]


def wire(fleet: Fleet, rules: PlanningRules) -> Wiring:
    """Bring the switches into arrays.

    Parameters
    ----------
    fleet : Fleet
        The fleet.
    rules : PlanningRules
        ``remote_cost_kvah``, ``manual_cost_kvah`` and ``lv_kv`` are used.

    Returns
    -------
    Wiring
        Without the switches at transformers and sections that cannot be planned with: no rating, no load, a
        ring, no supply.
    """
    sound = _sound(fleet)
    devices = [
        device
        for device in fleet.devices.values()
        if min(device.start, device.end) >= 0
        and device.start != device.end
        and sound[device.start]
        and sound[device.end]
    ]
    row_of = {device.switch_id: row for row, device in enumerate(devices)}
    closed = np.array([device.is_closed for device in devices], dtype=bool)
    ill = np.array([is_ill(device) for device in devices], dtype=bool)
    fixed = ill | ~np.array([_operable(device) for device in devices], dtype=bool)
    line_kva = np.array([device.limit_kva for device in devices], dtype=float)
    for row in np.flatnonzero(ill & closed):
        device = devices[row]
        line_kva[row] = 0.0
        below = device.start if fleet.tree.parent[device.start] == device.end else device.end
        fixed[[row_of[name] for name in way_up(fleet, below) if name in row_of]] = True
    n = fleet.tree.transformers
    unknown = np.flatnonzero(
        sound[n:] & ~np.isfinite(fleet.sections_kva(np.arange(n, len(sound)), [P50], [0])[0]).all(axis=1)
    )
    for section in (unknown + n).tolist():
        fixed[[row_of[name] for name in way_up(fleet, section) if name in row_of]] = True
    break_kva = np.array([device.load_break_a for device in devices], dtype=float) * 3**0.5 * rules.lv_kv
    remote = np.array([device.remote for device in devices], dtype=bool)
    feeder = fleet.units["feeder_id"].astype(str).to_numpy()
    dead = [
        feeder_id
        for feeder_id, heads in fleet.feeder_devices.items()
        if any(is_ill(head) or not head.is_closed for head in heads)
    ]
    return Wiring(
        devices=devices,
        start=np.array([device.start for device in devices], dtype=np.int64),
        end=np.array([device.end for device in devices], dtype=np.int64),
        closed=closed,
        fixed=fixed,
        line_kva=line_kva,
        break_kva=break_kva,
        cost_kvah=np.where(remote, rules.remote_cost_kvah, rules.manual_cost_kvah),
        takes_nothing=frozenset(np.flatnonzero(np.isin(feeder, dead)).tolist()),
        row_of=row_of,
    )


@dataclass(frozen=True)
class Ground:
    """Groups of sections that switches join: switches and transformers of each, groups of a transformer."""

    rows_of: dict[int, list[int]]
    units_of: dict[int, set[int]]
    groups_of: dict[int, set[int]]

    def rows_around(self, units: Iterable[int]) -> Ints:
        """Find the switches within `HOPS` groups from transformers."""
        near, reached = set(units), set[int]()
        for _ in range(HOPS):
            reached |= {group for unit in near for group in self.groups_of.get(unit, ())}
            near |= {unit for group in reached for unit in self.units_of[group]}
        rows = sorted(row for group in reached for row in self.rows_of[group])
        return np.array(rows, dtype=np.int64)


def ground_of(fleet: Fleet, wiring: Wiring) -> Ground:
    """Group the sections that switches may join."""
    n = fleet.tree.transformers
    usable = ~(wiring.fixed & ~wiring.closed)
    inner = (wiring.start >= n) & (wiring.end >= n) & usable
    ends = wiring.start[inner] - n, wiring.end[inner] - n
    size = len(fleet.names) - n
    _, group = connected_components(coo_array((np.ones(len(ends[0])), ends), shape=(size, size)))
    ground = Ground(defaultdict(list), defaultdict(set), defaultdict(set))
    low, high = np.minimum(wiring.start, wiring.end), np.maximum(wiring.start, wiring.end)
    for row in np.flatnonzero(usable & (high >= n)).tolist():
        home = int(group[high[row] - n])
        ground.rows_of[home].append(row)
        if low[row] < n:
            ground.units_of[home].add(int(low[row]))
            ground.groups_of[int(low[row])].add(home)
    return ground


def way_up(fleet: Fleet, node: int) -> Iterator[str]:
    """Name the switches between a node and its transformer."""
    while node >= fleet.tree.transformers and fleet.tree.parent[node] >= 0:
        yield str(fleet.tree.parent_switch[node])
        node = int(fleet.tree.parent[node])


def is_ill(device: Device) -> bool:
    """Tell whether a device may neither be operated nor be given more to carry."""
    return device.health in ("FAULT", "MAINTENANCE") or bool(device.tags)


def _operable(device: Device) -> bool:
    """Tell whether what is known of a device lets it be operated on load."""
    known = device.load_break_a > 0 and device.fault_make_ka > 0
    return known and (device.is_closed or device.kind != "tie" or bool(device.phase_rotation))


def _sound(fleet: Fleet) -> Bools:
    """Find nodes that can be planned with: fed radially, loads and rating known."""
    n = fleet.tree.transformers
    known = np.isfinite(fleet.load_kva).all(axis=(0, 1)) & np.isfinite(fleet.rating_kva)
    known &= fleet.tree.source[:n] == np.arange(n)
    source = fleet.tree.source
    sound: Bools = (source >= 0) & known[np.maximum(source, 0)]
    return sound

"""The switchable grid as arrays: transformers, sections between switches, loads in scenarios and hours."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt

from gridlib.facts.errors import InputError

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]

TOLERANCE_KVA = 1e-7
"""Loads closer to a limit than this count as at the limit: rounding of sums, far below any reading."""

LEAST_GAIN_KVAH = 0.01
"""Cost of an operation where none is given: just enough that nothing is switched for nothing."""


@dataclass(frozen=True, eq=False)
class SectionGrid:
    """Transformers, sections and switches; nodes are transformers 0..n-1, then sections n..n+S-1.

    Build one with `section_grid`, which checks and broadcasts.

    Attributes
    ----------
    transformers : int
        Number n of transformers.
    start, end : array of int [E]
        Ends of each switch.
    line_kva : array [E]
        What switch and line behind it carry, either way [kVA]; infinite where not known.
    closed : array of bool [E]
        Present state of each switch.
    fixed : array of bool [E]
        Switches that keep their state: in FAULT, under MAINTENANCE, EARTHED, TAGGED, under PERMIT, locked.
    cost_kvah : array [E]
        What one operation must bring at least [kVAh]: small for remote, larger for manual switches.
    load_kva : array [Q, S, H]
        Signed load of each section in each scenario and hour [kVA]; negative is export.
    limit_kva : array [n, H]
        What each transformer may carry, either way [kVA].
    weight : array [n]
        Risk weight of each transformer's overload.
    scenario_weight : array [Q]
        Share of each scenario in the objective; all are checked.
    step_h : float
        Length of a step [h].
    barred : tuple
        Open switches over which a group of sections may not go, alone or with others: switch and nodes.
    """

    transformers: int
    start: Ints
    end: Ints
    line_kva: Floats
    closed: Bools
    fixed: Bools
    cost_kvah: Floats
    load_kva: Floats
    limit_kva: Floats
    weight: Floats
    scenario_weight: Floats
    step_h: float
    barred: tuple[tuple[int, frozenset[int]], ...] = ()

    def is_barred(self, switches: Collection[int], nodes: Collection[int]) -> bool:
        """Tell whether sections may not be fed together over switches that are open now."""
        return any(switch in switches and group.issubset(nodes) for switch, group in self.barred)

    @property
    def sections(self) -> int:
        """Number of sections."""
        return int(self.load_kva.shape[1])

    @property
    def nodes(self) -> int:
        """Number of transformers and sections."""
        return self.transformers + self.sections

    @cached_property
    def step_load_kva(self) -> Floats:
        """Loads with all scenarios' hours in a row, [S, Q x H]."""
        return np.ascontiguousarray(self.load_kva.transpose(1, 0, 2).reshape(self.sections, -1))

    @cached_property
    def step_limit_kva(self) -> Floats:
        """Limits with all scenarios' hours in a row, [n, Q x H]."""
        return np.tile(self.limit_kva, (1, len(self.scenario_weight)))

    @cached_property
    def step_weight_h(self) -> Floats:
        """Weight of each scenario's hour in the objective, [Q x H]."""
        return np.repeat(self.scenario_weight * self.step_h, self.load_kva.shape[2])

    def scenario_hour(self, step: int) -> tuple[int, int]:
        """Scenario and hour of a step."""
        scenario, hour = divmod(step, self.load_kva.shape[2])
        return scenario, hour


def section_grid(
    start: npt.ArrayLike,
    end: npt.ArrayLike,
    line_kva: npt.ArrayLike,
    closed: npt.ArrayLike,
    load_kva: npt.ArrayLike,
    limit_kva: npt.ArrayLike,
    *,
    fixed: npt.ArrayLike = False,
    cost_kvah: npt.ArrayLike = LEAST_GAIN_KVAH,
    weight: npt.ArrayLike = 1.0,
    scenario_weight: Sequence[float] | None = None,
    step_h: float = 1.0,
    barred: Sequence[tuple[int, frozenset[int]]] = (),
) -> SectionGrid:
    """Build a grid from arrays.

    Parameters
    ----------
    start, end : array of int [E]
        Ends of the switches: transformers 0..n-1, sections n..n+S-1.
    line_kva : array [E] or float
        Limit of each line [kVA]; NaN where not known.
    closed : array of bool [E]
        Present states.
    load_kva : array [S, H] or [Q, S, H]
        Section loads, signed [kVA].
    limit_kva : array [n] or [n, H]
        Transformer limits [kVA].
    fixed, cost_kvah, weight : array or scalar, optional
        As in `SectionGrid`; by default nothing is fixed and all transformers weigh the same.
    scenario_weight : sequence of float, optional
        By default the middle scenario counts alone; the others are only checked.
    step_h : float
        Length of a step [h].
    barred : sequence of (int, frozenset of int)
        As in `SectionGrid`.

    Returns
    -------
    SectionGrid
        With contiguous arrays of full shape.

    Raises
    ------
    InputError
        Shapes that do not fit, ends that are no node, weights or costs that are negative or not known.

    Examples
    --------
    >>> grid = section_grid([0, 1], [2, 3], 300.0, [True, True], [[80.0], [90.0]], [100.0, 100.0])
    >>> grid.transformers, grid.sections, grid.load_kva.shape
    (2, 2, (1, 2, 1))
    """
    loads = np.asarray(load_kva, dtype=float)
    loads = loads[None] if loads.ndim == 2 else loads
    limits = np.asarray(limit_kva, dtype=float)
    limits = limits[:, None] if limits.ndim == 1 else limits
    ends = np.asarray(start, dtype=np.int64), np.asarray(end, dtype=np.int64)
    if loads.ndim != 3 or limits.ndim != 2 or limits.shape[1] not in (1, loads.shape[2]):
        raise InputError(
            f"loads have shape {loads.shape} and limits {limits.shape}: "
            f"expected [scenarios, sections, hours] and [transformers, hours]"
        )
    n, switches = len(limits), ends[0].shape
    if ends[0].ndim != 1 or ends[1].shape != switches:
        raise InputError(f"the ends of the switches have shapes {switches} and {ends[1].shape}")
    for end_of in ends:
        if end_of.size and not 0 <= end_of.min() <= end_of.max() < n + loads.shape[1]:
            raise InputError(f"a switch ends at {end_of.max()}: expected 0 to {n + loads.shape[1] - 1}")
    shares = np.zeros(len(loads))
    shares[len(loads) // 2] = 1.0
    if scenario_weight is not None:
        shares = np.asarray(scenario_weight, dtype=float)
    if shares.shape != (len(loads),):
        raise InputError(f"{len(shares)} scenario weights for {len(loads)} scenarios")
    costs = np.broadcast_to(np.asarray(cost_kvah, dtype=float), switches)
    weights = np.broadcast_to(np.asarray(weight, dtype=float), (n,))
    for name, values in (("cost", costs), ("weight", weights), ("scenario weight", shares)):
        if not (np.isfinite(values) & (values >= 0)).all():
            raise InputError(f"a {name} is negative or not a number: expected 0 or more")
    lines = np.broadcast_to(np.asarray(line_kva, dtype=float), switches)
    return SectionGrid(
        transformers=n,
        start=ends[0],
        end=ends[1],
        line_kva=np.where(np.isnan(lines), np.inf, lines),
        closed=np.broadcast_to(np.asarray(closed, dtype=bool), switches),
        fixed=np.broadcast_to(np.asarray(fixed, dtype=bool), switches),
        cost_kvah=costs,
        load_kva=loads,
        limit_kva=np.broadcast_to(limits, (n, loads.shape[2])),
        weight=weights,
        scenario_weight=shares,
        step_h=step_h,
        barred=tuple(barred),
    )

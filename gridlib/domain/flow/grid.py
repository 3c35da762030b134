"""The electrical network as arrays."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from gridlib.facts.messages import Message

Floats = npt.NDArray[np.float64]
Complexes = npt.NDArray[np.complex128]
Ints = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]
Names = npt.NDArray[np.object_]


class Finding(NamedTuple):
    """What could not be solved: the element, a short name of the reason, what to say, and how many cases."""

    object_id: str
    code: str
    message: Message
    cases: int = 1


@dataclass(frozen=True, eq=False)
class Lines:
    """Lines and cables; arrays over lines.

    Attributes
    ----------
    names : array of object
        Identifiers.
    start, end : array of int
        Positions of the nodes at both ends.
    r_ohm, x_ohm : array
        Series resistance and reactance of the whole length [ohm].
    c_uf : array
        Capacitance to earth of the whole length [uF].
    limit_a : array
        Thermal limit [A]; NaN where not known.
    closed : array of bool
        Whether the line is in; never where its data are impossible.
    """

    names: Names
    start: Ints
    end: Ints
    r_ohm: Floats
    x_ohm: Floats
    c_uf: Floats
    limit_a: Floats
    closed: Bools


@dataclass(frozen=True, eq=False)
class Transformers:
    """Two-winding transformers; arrays over transformers.

    Attributes
    ----------
    names : array of object
        Identifiers.
    start, end : array of int
        Nodes of the high- and the low-voltage side.
    rating_kva : array
        Nameplate [kVA].
    hv_kv, lv_kv : array
        Rated voltages of the windings [kV]; they may differ from those of the nodes.
    vk_pct, vkr_pct : array
        Short-circuit voltage and its resistive part [%].
    tap_pct : array
        Tap: how much more than rated turns the high-voltage winding has in [%].
    no_load_kw, no_load_pct : array
        No-load loss [kW] and no-load current [%].
    closed : array of bool
        Whether the transformer is in; never where its data are impossible.
    """

    names: Names
    start: Ints
    end: Ints
    rating_kva: Floats
    hv_kv: Floats
    lv_kv: Floats
    vk_pct: Floats
    vkr_pct: Floats
    tap_pct: Floats
    no_load_kw: Floats
    no_load_pct: Floats
    closed: Bools


@dataclass(frozen=True, eq=False)
class Links:
    """Switches and busbar couplers without impedance; closed ones make one node of their ends."""

    names: Names
    start: Ints
    end: Ints
    closed: Bools


@dataclass(frozen=True, eq=False)
class FlowGrid:
    """A network that can be solved; build one with `flow_grid`, which checks every element.

    Attributes
    ----------
    names : array of object [N]
        Identifiers of the nodes.
    kv : array [N]
        Nominal voltages [kV].
    lines, transformers, links : Lines, Transformers, Links
        What joins the nodes.
    source : array of int
        Nodes with a stiff voltage.
    source_pu : array
        That voltage [pu].
    findings : tuple of Finding
        Elements left out because their data are impossible.
    """

    names: Names
    kv: Floats
    lines: Lines
    transformers: Transformers
    links: Links
    source: Ints
    source_pu: Floats
    findings: tuple[Finding, ...]

    def switched(self, closed: Iterable[str], of: Iterable[str]) -> "FlowGrid":
        """Set switch states.

        Parameters
        ----------
        closed : iterable of str
            Lines and links that are closed.
        of : iterable of str
            The lines and links that can be switched; all others keep their state.

        Returns
        -------
        FlowGrid
            The same network; elements with impossible data stay out.
        """
        wanted, movable = set(closed), set(of)
        bad = {finding.object_id for finding in self.findings}

        def states(names: Names, now: Bools) -> Bools:
            return np.array(
                [
                    (name in wanted) and (name not in bad) if name in movable else state
                    for name, state in zip(names, now, strict=True)
                ],
                dtype=bool,
            )

        return replace(
            self,
            lines=replace(self.lines, closed=states(self.lines.names, self.lines.closed)),
            links=replace(self.links, closed=states(self.links.names, self.links.closed)),
        )

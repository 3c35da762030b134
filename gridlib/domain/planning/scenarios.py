"""Loads of the fleet on its joint error paths: one scenario for each past day."""

from collections.abc import Iterable
from functools import lru_cache

import numpy as np

from gridlib.domain.forecast.joint import SAME_DAY_SHARE
from gridlib.domain.network import LOOPED
from gridlib.domain.planning.fleet import P50, Fleet, Floats, Place
from gridlib.facts.forecasts import JointPaths
from gridlib.facts.types import Move


class Scenarios:
    """Loads of a fleet on its joint paths.

    Parameters
    ----------
    fleet : Fleet
        The fleet; a path is its median load and an error.
    paths : JointPaths or None
        Over the same hours; None, or over other hours: nothing is known.
    """

    def __init__(self, fleet: Fleet, paths: JointPaths | None) -> None:
        self.fleet = fleet
        self.paths = paths if paths is not None and fleet.times.equals(paths.times) else None
        names = [] if self.paths is None else self.paths.transformer_ids.tolist()
        self._row = {fleet.position(name): row for row, name in enumerate(names)}
        self.normal_kva = lru_cache(maxsize=64)(self._normal_kva)
        self.place_kva = lru_cache(maxsize=64)(self._place_kva)

    def _normal_kva(self, unit: int) -> Floats:
        """Load [J, T] of a transformer with every section at its normal one; NaN where not known."""
        row = self._row.get(unit)
        if self.paths is None or row is None:
            return np.full((1, len(self.fleet.times)), np.nan)
        error_kva = self.paths.error_kva(np.array([row]))[0]
        load: Floats = self.fleet.normal_kva[P50][:, unit] + error_kva
        return load

    def section_kva(self, section: int) -> tuple[Floats, Floats]:
        """Load of a section and its +- range, each [J, T]: its share of its normal transformer's path."""
        normal, share, spread_pu = self.fleet.share_of(section)
        load = share * self.normal_kva(normal)
        return load, spread_pu * np.abs(load)

    def moved_kva(self, move: Move, end: int = 0) -> Floats:
        """Load [J, T] that a move takes over, with its sections at one end of their +- range."""
        moved: Floats = np.zeros((1, len(self.fleet.times)))
        for name in move.sections:
            load, spread = self.section_kva(self.fleet.position(name))
            moved = moved + load + end * spread
        return moved

    def present_kva(self, unit: int) -> Floats:
        """Load [J, T] of a transformer under the present switch states."""
        tree, load = self.fleet.tree, self.normal_kva(unit)
        for section in self.fleet.displaced.get(unit, ()):
            if tree.source[section] != LOOPED:
                load = load - self.section_kva(section)[0]
        for section in self.fleet.members.get(unit, ()):
            if self.fleet.share_of(section)[0] != unit:
                load = load + self.section_kva(section)[0]
        return load

    def _place_kva(self, place: Place) -> Floats:
        """Load [J, T] of all transformers of a feeder or substation under the present switch states."""
        total: Floats = np.zeros((1, len(self.fleet.times)))
        for unit in self.fleet.units_below[place]:
            total = total + self.present_kva(unit)
        return total

    def independent(self, units: Iterable[int]) -> tuple[str, ...]:
        """Name the transformers that few of the paths are of the same day as the others'."""
        if self.paths is None:
            return ()
        shares = {unit: self.paths.same_day[self._row[unit]].mean() for unit in units if unit in self._row}
        return tuple(str(self.fleet.names[unit]) for unit, share in shares.items() if share < SAME_DAY_SHARE)

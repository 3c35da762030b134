"""Protection of what is moved: reach, pick-up, fault-make ratings, and what is not known of them."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np

from gridlib.domain.flow.prove import lacking_plates
from gridlib.domain.planning.ac import AcFleet
from gridlib.domain.planning.devices import Refusal
from gridlib.domain.planning.fault_level import (
    SMALLEST,
    FaultModel,
    Findings,
    Stage,
    check_fault_make,
    stages,
)
from gridlib.domain.planning.fleet import Fleet, Floats
from gridlib.domain.planning.heat import upper_kva
from gridlib.domain.planning.hours import flows, peak_kva
from gridlib.domain.planning.reserve import reserve
from gridlib.domain.planning.states import Unit
from gridlib.domain.planning.switchgear import Device
from gridlib.domain.planning.switching import cold_kva, switching_hour
from gridlib.facts.messages import Message, once_each
from gridlib.facts.types import Move, PlanningRules
from gridlib.facts.units import current_a

PICK_UP_MARGIN = 1.2
"""Load at p90 times this stays below the pick-up of what protects it, so that load trips nothing."""

FAULT_LEVEL, PROTECTION = Message("guard.fault_level", {}), Message("guard.protection", {})


class Guard(NamedTuple):
    """What refuses moves, what holds of fault level and protection in words, and what is not known."""

    refusals: tuple[Refusal, ...] = ()
    fault_level: tuple[Message, ...] = ()
    protection: tuple[Message, ...] = ()
    not_checked: tuple[Message, ...] = (FAULT_LEVEL, PROTECTION)


def check_protection(ac: AcFleet, moves: Sequence[Move], before: Mapping[int, Unit] | None = None) -> Guard:
    """Check fault-make ratings against the fault level, and protection against the new feeding.

    Parameters
    ----------
    ac : AcFleet
        The fleet, with its impedances.
    moves : sequence of Move
        What one plan would switch; they fit the network.
    before : mapping, optional
        The touched transformers before the moves; says when the transfer is needed, so when to switch.

    Returns
    -------
    Guard
        Refusals ``fault_make``, ``protection_reach`` and ``pick_up``. What is not known is named and refuses
        nothing; words are given only where all is known.

    Notes
    -----
    After each move the smallest current of a fault at the far end of every moved section
    (`smallest_fault_ka`, one phase to neutral) is to reach the pick-up of the nearest device towards the
    transformer that has one. Load at p90 through each such device stays below pick-up / 1.2, and what comes
    back cold in the hour of switching below pick-up. The relay of a feeder is looked at where sections come
    from another one. A load that was above before may stay, not grow.
    """
    fleet, rules = ac.fleet, ac.rules
    level, protection = Findings(), Findings()
    fault = FaultModel(ac, moves)
    plates = lacking_plates(ac.model, fault.units)
    level.unknown, protection.unknown = list(plates), list(plates)
    hour = switching_hour(fleet, moves, rules, before)
    done: tuple[Move, ...] = ()
    for stage in stages(fleet, moves):
        done = (*done, stage.move)
        if not plates:
            check_fault_make(fault, stage, level)
            _check_reach(fault, stage, done, protection)
        _check_load(fleet, stage, done, hour, rules, protection)
    _check_feeders(fleet, moves, rules, protection)
    return Guard(
        (*level.refusals, *protection.refusals),
        () if level.unknown else once_each(level.words),
        () if protection.unknown else once_each(protection.words),
        (*_named(FAULT_LEVEL, level), *_named(PROTECTION, protection)),
    )


def _named(what: Message, found: Findings) -> tuple[Message, ...]:
    if not found.unknown:
        return ()
    return (Message("guard.lacking", {"what": what, "missing": once_each(found.unknown)}),)


def _check_reach(fault: FaultModel, stage: Stage, done: Sequence[Move], found: Findings) -> None:
    """Compare the smallest fault current of each moved section with the pick-up towards its transformer."""
    fleet = fault.fleet
    sections = [name for move in done for name in move.sections]
    currents_ka = fault.smallest_ka(stage.changes_after, sections)
    for section, least_a in zip(sections, (1000 * currents_ka).tolist(), strict=True):
        node = fleet.position(section)
        way = [fleet.devices[name] for name in stage.after.way_up(node)]
        guard = next((device for device in way if device.pick_up_a > 0), None)
        lacking = fault.lacking(stage.after, node, SMALLEST)
        if guard is None:
            lacking.append(_no_pick_up(way[-1].switch_id))
        if guard is None or lacking:
            found.unknown += lacking
            continue
        what = Message(
            "guard.reach",
            {
                "section": section,
                "least_a": least_a,
                "switch": guard.switch_id,
                "pick_up_a": guard.pick_up_a,
            },
        )
        found.words.append(what)
        if least_a < guard.pick_up_a:
            reason = Message("guard.no_reach", {"what": what, "short_a": guard.pick_up_a - least_a})
            found.refusals.append(Refusal("protection_reach", reason, guard.switch_id))


def _check_load(
    fleet: Fleet, stage: Stage, done: Sequence[Move], hour: int, rules: PlanningRules, found: Findings
) -> None:
    """Compare the load through each device that protects moved sections with its pick-up."""
    moved = frozenset(fleet.position(name) for move in done for name in move.sections)
    guards = _guards(fleet, stage, moved)
    if not guards:
        return
    nobody = reserve(fleet, ())
    tree = fleet.tree
    now_fed = {node: (int(tree.parent[node]), str(tree.parent_switch[node])) for node in stage.after.parents}
    earlier = flows(fleet, now_fed, set(guards), nobody, frozenset())
    later = flows(fleet, stage.after.parents, set(guards), nobody, moved)
    last = [fleet.position(name) for name in stage.move.sections]
    behind = set(stage.after.way_up(last[0]))
    surge_kva = cold_kva(fleet, stage.move, rules) - float(peak_kva(fleet.moved_kva(last))[hour])
    for name, guard in guards.items():
        was_a = _largest_a(earlier[name], rules) if name in earlier else 0.0
        _compare(found, name, was_a, _largest_a(later[name], rules), guard.pick_up_a)
        if name in behind and not stage.move.closes_first:
            cold_a = _largest_a(np.abs(later[name][:, hour]) + surge_kva, rules)
            if cold_a >= guard.pick_up_a:
                reason = Message(
                    "guard.cold",
                    {
                        "name": name,
                        "cold_a": cold_a,
                        "sections": ", ".join(stage.move.sections),
                        "factor": rules.cold_load_factor,
                        "pick_up_a": guard.pick_up_a,
                        "over_a": cold_a - guard.pick_up_a,
                    },
                )
                found.refusals.append(Refusal("pick_up", reason, name))


def _guards(fleet: Fleet, stage: Stage, moved: frozenset[int]) -> dict[str, Device]:
    """Find the devices with a pick-up between moved sections and their transformers."""
    names = [name for node in sorted(moved) for name in stage.after.way_up(node)]
    return {name: fleet.devices[name] for name in names if fleet.devices[name].pick_up_a > 0}


def _largest_a(load_kva: Floats, rules: PlanningRules) -> float:
    return current_a((1 + rules.derating_pct / 100) * float(np.abs(load_kva).max()), rules.lv_kv)


def _compare(found: Findings, name: str, was_a: float, load_a: float, pick_up_a: float) -> None:
    """Note the load of what protects, and refuse what comes too close to its pick-up and grows."""
    what = Message(
        "guard.load", {"name": name, "load_a": load_a, "pick_up_a": pick_up_a, "margin": PICK_UP_MARGIN}
    )
    found.words.append(what)
    over_a = load_a - pick_up_a / PICK_UP_MARGIN
    if over_a >= 0 and load_a > was_a:
        reason = Message("guard.load_over", {"what": what, "over_a": over_a})
        found.refusals.append(Refusal("pick_up", reason, name))


def _no_pick_up(name: str) -> Message:
    return Message("guard.value", {"column": "pick_up_a", "name": name})


def _check_feeders(fleet: Fleet, moves: Sequence[Move], rules: PlanningRules, found: Findings) -> None:
    """Compare the load of each feeder that takes sections over from another one with its relay."""
    feeder_of = fleet.units["feeder_id"]
    feeders = fleet.network.feeders.drop_duplicates("feeder_id").set_index("feeder_id")
    pick_up = feeders.get("pick_up_a", np.nan * feeders["voltage_kv"])
    changes = fleet.deltas(moves)
    factor = 1 + rules.derating_pct / 100
    taking = [
        feeder_of[move.to_transformer]
        for move in moves
        if feeder_of[move.to_transformer] != feeder_of[move.from_transformer]
    ]
    for feeder in dict.fromkeys(taking):
        if not pick_up.get(feeder, np.nan) > 0:
            found.unknown.append(_no_pick_up(str(feeder)))
            continue
        on_it = np.flatnonzero((feeder_of == feeder).to_numpy()).tolist()
        before = [fleet.load_kva[:, :, unit] for unit in on_it]
        after = [load + changes.get(unit, 0.0) for unit, load in zip(on_it, before, strict=True)]
        totals = [np.nansum([upper_kva(load) for load in loads], axis=0) for loads in (before, after)]
        kv = float(feeders["voltage_kv"][feeder])
        was_a, load_a = (current_a(factor * float(total.max()), kv) for total in totals)
        _compare(found, str(feeder), was_a, load_a, float(pick_up[feeder]))

"""Every hour of a transfer against currents, switch limits and ratings."""

from collections.abc import Iterator, Mapping, Sequence

import numpy as np

from gridlib.domain.planning.devices import Refusal
from gridlib.domain.planning.feeding import Feeding
from gridlib.domain.planning.fleet import CHECKED, P10, P50, P90, SPREAD, Fleet, Floats
from gridlib.domain.planning.reserve import Reservation
from gridlib.domain.planning.states import Unit
from gridlib.facts.messages import Message
from gridlib.facts.types import Move, PlanningRules
from gridlib.facts.units import current_a

TOLERANCE_KVA = 1e-6
_QUANTILE_NAME = {P10: "p10", P50: "p50", P90: "p90"}


def unknown_loads(fleet: Fleet, moves: Sequence[Move]) -> Iterator[Refusal]:
    """Find touched transformers without rating, and loads that are not known in every hour."""
    for unit, change in fleet.deltas(moves).items():
        name = str(fleet.names[unit])
        if np.isnan(fleet.rating_kva[unit]):
            yield Refusal("rating_missing", Message("plan.no_rating", {"transformer": name}))
        elif not np.isfinite(fleet.load_kva[:, :, unit]).all() or not np.isfinite(change).all():
            yield Refusal("forecast_missing", Message("plan.hour_unknown", {"transformer": name}))


def load_break(fleet: Fleet, moves: Sequence[Move], rules: PlanningRules) -> Iterator[Refusal]:
    """Find currents above what the devices may break; the tie must break them at the switch-back."""
    for move in moves:
        moved = fleet.moved_kva([fleet.position(name) for name in move.sections])
        peak_a = current_a(float(peak_kva(moved).max()), rules.lv_kv) * (1 + rules.derating_pct / 100)
        for name in (move.open_switch, move.close_switch):
            limit_a = fleet.devices[name].load_break_a
            if peak_a > limit_a:
                yield Refusal(
                    "load_break_exceeded",
                    Message(
                        "plan.load_break",
                        {"switch": name, "load_a": peak_a, "limit_a": limit_a, "over_a": peak_a - limit_a},
                    ),
                    name,
                )


def peak_kva(moved: tuple[Floats, Floats]) -> Floats:
    """Give the largest |load| [T] between p10 and p90 of what moves, range included."""
    load, spread = moved
    peak: Floats = np.maximum(np.abs(load[P90]) + spread[P90], np.abs(load[P10]) + spread[P10])
    return peak


def switch_limits(
    fleet: Fleet,
    moves: Sequence[Move],
    feeding: Feeding,
    reserved: Reservation,
    rules: PlanningRules,
) -> Iterator[Refusal]:
    """Find switches that would carry more than their limit; the ties among them as ``tie_limit``."""
    fed = feeding.parents
    limited = [fleet.devices[switch] for _, switch in fed.values()]
    limited = [device for device in limited if np.isfinite(device.limit_kva)]
    if not limited:
        return
    moved = {fleet.position(name) for move in moves for name in move.sections}
    before = {node: (int(fleet.tree.parent[node]), str(fleet.tree.parent_switch[node])) for node in fed}
    names = {device.switch_id for device in limited}
    flow_before = flows(fleet, before, names, reserved, frozenset())
    flow_after = flows(fleet, fed, names, reserved, frozenset(moved))
    closing = {move.close_switch for move in moves}
    for device in limited:
        flow = (1 + rules.derating_pct / 100) * np.abs(flow_after[device.switch_id])
        earlier = (1 + rules.derating_pct / 100) * np.abs(flow_before.get(device.switch_id, np.zeros(1)))
        growth = flow - np.maximum(device.limit_kva, earlier)
        if growth.max() > TOLERANCE_KVA:
            quantile, hour = np.unravel_index(int(growth.argmax()), growth.shape)
            yield Refusal(
                "tie_limit" if device.switch_id in closing else "switch_limit",
                over_carried(
                    device.switch_id,
                    flow[quantile, hour],
                    when(fleet, int(quantile), int(hour), rules),
                    device.limit_kva,
                ),
                device.switch_id,
            )


def flows(
    fleet: Fleet,
    parents: dict[int, tuple[int, str]],
    names: set[str],
    reserved: Reservation,
    moved: frozenset[int],
) -> dict[str, Floats]:
    """Sum the load [3, T] through the named switches: what hangs below each."""
    flows: dict[str, Floats] = {}
    for section in parents:
        load, spread = fleet.section_kva(section)
        if section in moved:
            load = load + SPREAD * spread
        if section in reserved.landing_kva:
            load = load + reserved.landing_kva[section]
        node = section
        while node in parents:
            node, switch = parents[node]
            if switch in names:
                flows[switch] = flows.get(switch, 0.0) + load[list(CHECKED)]
    return flows


def all_hours(
    fleet: Fleet,
    moves: Sequence[Move],
    reserved: Reservation,
    rules: PlanningRules,
    states: Mapping[int, Unit] | None = None,
) -> tuple[tuple[Refusal, ...], float]:
    """Check every hour of every touched transformer; also the margin left on the receivers [%].

    The limits are those of ``states``, the transformers after the moves; without it those of the present
    loads, which is what the search takes.
    """
    factor = 1 + rules.derating_pct / 100
    receivers = {fleet.position(move.to_transformer) for move in moves}
    found, margin_pct = [], np.inf
    for unit, change in fleet.deltas(moves).items():
        rating = fleet.rating_kva[unit]
        limit, by = (fleet.limit_kva[:, unit], fleet.limit_by[:, unit])
        if states is not None:
            limit, by = states[unit].limit_kva, states[unit].limit_by
        most, least = reserved.load_kva(fleet, unit)
        before = factor * np.stack([most, -least])[:, CHECKED]
        after = before + factor * np.stack([change, -change])[:, CHECKED]
        growth = after - np.maximum(limit, before)
        if unit in receivers:
            margin_pct = min(margin_pct, float(100 * (limit - after).min() / rating))
        if growth.max() > TOLERANCE_KVA:
            way, quantile, hour = np.unravel_index(int(growth.argmax()), growth.shape)
            reached = after[way, quantile, hour]
            found.append(
                Refusal(
                    "receiver_overload" if unit in receivers else "donor_worse",
                    Message(
                        "plan.overload",
                        {
                            "transformer": str(fleet.names[unit]),
                            "reached_pct": 100 * reached / rating,
                            "when": when(fleet, int(quantile), int(hour), rules, export=bool(way)),
                            "limit_pct": 100 * limit[hour] / rating,
                            "by": Message(f"plan.by.{by[hour]}", {}),
                            "over_kva": reached - limit[hour],
                        },
                    ),
                    str(fleet.names[unit]),
                )
            )
    return tuple(found), margin_pct


def when(fleet: Fleet, quantile: int, hour: int, rules: PlanningRules, *, export: bool = False) -> Message:
    """Say at which of the checked quantiles and in which hour, towards import or export."""
    return Message(
        "plan.when.export" if export else "plan.when",
        {
            "quantile": _QUANTILE_NAME[CHECKED[quantile]],
            "at": fleet.times[hour].tz_convert(fleet.tz),
            "derating_pct": rules.derating_pct,
        },
    )


def over_carried(name: str | Message, load_kva: float, at: Message, limit_kva: float) -> Message:
    """Say that a switch, a feeder or a substation would carry more than it may."""
    return Message(
        "plan.over_carried",
        {
            "name": name,
            "load_kva": load_kva,
            "when": at,
            "limit_kva": limit_kva,
            "over_kva": load_kva - limit_kva,
        },
    )

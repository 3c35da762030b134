"""Why a transformer is where it is in the list, as messages."""

from dataclasses import dataclass
from datetime import datetime

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from gridlib.domain.risk.levels import LEVELS, RULE_FLOORS
from gridlib.domain.thermal.arrays import Floats
from gridlib.facts.messages import Message
from gridlib.facts.types import Limits

Flags = NDArray[np.bool_]


@dataclass(frozen=True)
class Picture:
    """What the messages are made of; arrays [N], [T, N] where they have a time, ``local`` [T].

    ``components`` is [3, N]: overload, thermal, cascading; ``p_any`` [3, N]: first day, after it, whole
    horizon; ``worst`` is the hour of the overload component; ``loss`` holds what `cascading_component` says;
    ``unknown_sections`` are the foreign sections of unknown load, in words.
    """

    ids: NDArray[np.object_]
    local: list[datetime]
    rating_kva: Floats
    median_kva: Floats
    upper_pct: Floats
    worst: NDArray[np.intp]
    hours_over: Floats
    components: Floats
    heat_known: Flags
    air_c: Floats
    hot_spot_c: Floats
    life_d: Floats
    horizon_h: float
    loss_known: Flags
    loss: NDArray[np.object_]
    unknown_sections: NDArray[np.object_]
    measured_kva: Floats
    over_now: Flags
    p_any: Floats
    run_h: Floats
    hottest_p90: Floats
    imminent: Flags
    raises: dict[str, Flags]


def all_reasons(picture: Picture, limits: Limits) -> list[list[Message]]:
    """Give the reasons of every transformer: components by weight, then the rules that spoke.

    Parameters
    ----------
    picture : Picture
        What was found.
    limits : Limits
        Weights and limits.

    Returns
    -------
    list of list of Message
        One list for each transformer, in the order of ``picture.ids``.
    """
    weights = np.array([[limits.weight_overload], [limits.weight_thermal], [limits.weight_cascading]])
    order = np.argsort(-weights * picture.components, axis=0, kind="stable")
    write = (_overload, _thermal, _cascading)
    return [
        [write[k](picture, limits, n) for k in order[:, n] if picture.components[k, n] > 0]
        + _rules(picture, limits, n)
        for n in range(len(picture.ids))
    ]


def limit_message(row: pd.Series) -> Message | None:
    """Say what a transformer may carry today, and what binds.

    Parameters
    ----------
    row : Series
        One row of a `RiskFrame`.

    Returns
    -------
    Message or None
        None where it is not known.

    Examples
    --------
    >>> from gridlib.facts.messages import render
    >>> render(limit_message(pd.Series({"rating_kva": 500.0, "limit_kva": 455.0, "limit_by": "hot_spot"})))
    "today's limit 455 kVA, 91 % of nameplate 500 kVA: the hot spot binds"
    """
    if not row["limit_by"]:
        return None
    rating, limit = float(row["rating_kva"]), float(row["limit_kva"])
    by = Message(f"limit.by.{row['limit_by']}", {})
    return Message(
        "limit.today",
        {"limit_kva": limit, "limit_pct": 100 * limit / rating, "rating_kva": rating, "by": by},
    )


def _overload(picture: Picture, limits: Limits, n: int) -> Message:
    t = int(picture.worst[n])
    median, rating = float(picture.median_kva[t, n]), float(picture.rating_kva[n])
    share_pct, hours = 100 * abs(median) / rating, float(picture.hours_over[n])
    if share_pct < limits.overload_points[0][0]:
        cause = Message("risk.cause.spread", {})
    else:
        what = "back_feed" if median < 0 else "load"
        cause = (
            Message(f"risk.cause.{what}_over", {"hours": hours})
            if hours
            else Message(f"risk.cause.{what}_within", {})
        )
    return Message(
        "risk.overload",
        {
            "score": float(picture.components[0, n]),
            "at": picture.local[t],
            "median_kva": abs(median),
            "share_pct": share_pct,
            "rating_kva": rating,
            "upper_pct": float(picture.upper_pct[t, n]),
            "limit_pct": limits.loading_limit_pct,
            "cause": cause,
        },
    )


def _thermal(picture: Picture, limits: Limits, n: int) -> Message:
    t = int(picture.hot_spot_c[:, n].argmax())
    return Message(
        "risk.thermal",
        {
            "score": float(picture.components[1, n]),
            "hot_spot_c": float(picture.hot_spot_c[t, n]),
            "at": picture.local[t],
            "limit_c": limits.thermal_points[0][0],
            "share_pct": 100 * float(abs(picture.median_kva[t, n]) / picture.rating_kva[n]),
            "air_c": float(picture.air_c[t, n]),
            "life_d": float(picture.life_d[n]),
            "horizon_h": picture.horizon_h,
        },
    )


def _cascading(picture: Picture, limits: Limits, n: int) -> Message:  # noqa: ARG001
    return Message("risk.cascading", {"score": float(picture.components[2, n]), "loss": picture.loss[n]})


def _rules(picture: Picture, limits: Limits, n: int) -> list[Message]:
    """Say which rules raised the level and on which number, and what is unknown."""
    said = []
    if picture.imminent[n]:
        cause = _chance("risk.chance_next", picture.p_any[0, n], 24.0, limits)
        if picture.over_now[n]:
            cause = Message(
                "risk.over_now",
                {
                    "load_kva": abs(float(picture.measured_kva[n])),
                    "limit_pct": limits.loading_limit_pct,
                    "rating_kva": float(picture.rating_kva[n]),
                },
            )
        if picture.raises["R0"][n]:
            said.append(_raised("risk.rule.imminent_raised", "R0", cause))
        else:
            said.append(Message("risk.rule.imminent", {"rule": "R0", "cause": cause}))
    if picture.raises["R1"][n]:
        cause = _chance("risk.chance", picture.p_any[2, n], picture.horizon_h, limits)
        said.append(_raised("risk.rule.raised", "R1", cause))
    if picture.raises["R2"][n]:
        said.append(_raised("risk.rule.raised", "R2", _severe(picture, limits, n)))
    if not picture.heat_known[n]:
        said.append(Message("risk.no_thermal", {}))
    if picture.unknown_sections[n]:
        said.append(Message("risk.load_too_low", {"sections": picture.unknown_sections[n]}))
    if not picture.loss_known[n]:
        said.append(Message("risk.no_cascading", {}))
    return said


def _raised(name: str, rule: str, cause: Message | list[Message]) -> Message:
    level = Message(f"level.{LEVELS[RULE_FLOORS[rule]]}", {})
    return Message(name, {"level": level, "rule": rule, "cause": cause})


def _chance(name: str, chance: float, hours: float, limits: Limits) -> Message:
    return Message(
        name, {"chance_pct": 100 * float(chance), "hours": hours, "limit_pct": 100 * limits.p_any_limit}
    )


def _severe(picture: Picture, limits: Limits, n: int) -> list[Message]:
    said = []
    if picture.run_h[n] >= limits.high_loading_p50_h:
        run = {"limit_pct": limits.high_loading_p50_pct, "hours": float(picture.run_h[n])}
        said.append(Message("risk.long_run", run))
    if (peak := float(picture.upper_pct[:, n].max())) >= limits.high_loading_p90_pct:
        at = picture.local[int(picture.upper_pct[:, n].argmax())]
        peak_of = {"upper_pct": peak, "at": at, "limit_pct": limits.high_loading_p90_pct}
        said.append(Message("risk.p90_loading", peak_of))
    if picture.hottest_p90[n] >= limits.high_hot_spot_p90_c:
        heat = {"hot_spot_c": float(picture.hottest_p90[n]), "limit_c": limits.high_hot_spot_p90_c}
        said.append(Message("risk.p90_hot_spot", heat))
    return said

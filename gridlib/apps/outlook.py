"""The daily outlook: what a manager reads in two minutes, as escaped HTML and tables."""

from collections.abc import Hashable, Mapping
from dataclasses import dataclass
from typing import Any

import pandas as pd

from gridlib.adapters.records.plans import OPEN_PLAN_STATES, PlanRecord
from gridlib.apps.html import Html, badge, escape
from gridlib.apps.summary import describe_limit, describe_moves, describe_relief, describe_sides, local_time
from gridlib.domain.planning import describe_chances
from gridlib.facts.messages import Message, render
from gridlib.facts.types import Limits, PlanningCase, PlanState
from gridlib.workbench import Workbench
from gridlib.workflow import audit, material, queries
from gridlib.workflow.queries import Queue

WEEK_H = 168
FORMATS = {
    "score": ".2f",
    "+3 degC": ".2f",
    "nameplate [kVA]": ".0f",
    "P [%]": ".0f",
    "hot spot [degC]": ".0f",
}


@dataclass(frozen=True)
class Outlook:
    """Everything the report of one run shows."""

    run_id: str
    tz: str
    issued_at: pd.Timestamp
    risk: pd.DataFrame
    worst: Any
    worst_forecast: pd.DataFrame
    worst_history: pd.Series
    worst_thermal: pd.DataFrame
    worst_day_limits: pd.DataFrame
    worst_limits: list[Message]
    sensitivity: pd.DataFrame
    limits: Limits
    plans: list[PlanRecord]
    relieved: dict[str, str]
    cases: dict[str, PlanningCase]
    blind_spots: dict[str, str]
    queue: Queue
    findings: pd.DataFrame
    audit_rows: int
    audit_checkpoints: int

    @property
    def best_plans(self) -> list[PlanRecord]:
        """The best open plan of each transformer, worst transformer first."""
        best = {r.plan.transformer_id: r for r in reversed(self.plans)}
        return [best[name] for name in self.risk["transformer_id"] if name in best]


def read_outlook(workbench: Workbench, run_id: str = "") -> Outlook:
    """Read what the report of a run shows; an empty id takes the newest scored run."""
    run = queries.get_run(workbench, run_id, stage="risk")
    risk = queries.get_risk(workbench, run.run_id)
    worst = next(risk.itertuples(index=False))
    forecast = queries.get_frame(workbench, "forecast", run.run_id)
    thermal = queries.get_frame(workbench, "thermal", run.run_id)
    day_limits = queries.get_frame(workbench, "day_limits", run.run_id)
    with workbench.store.read() as connection:
        history = material.read_history(workbench, connection, run.issued_at)
    verdict = audit.verify(workbench)
    return Outlook(
        run.run_id,
        workbench.settings.site.tz,
        run.issued_at,
        risk,
        worst,
        forecast[forecast["transformer_id"] == worst.transformer_id],
        history[worst.transformer_id].iloc[-WEEK_H:],
        thermal[thermal["transformer_id"] == worst.transformer_id],
        day_limits[day_limits["transformer_id"] == worst.transformer_id],
        queries.get_limit_messages(workbench, str(worst.transformer_id), run.run_id),
        queries.get_sensitivity(workbench, run.run_id),
        workbench.settings.limits,
        queries.get_plans(workbench, states=OPEN_PLAN_STATES),
        {r.plan.transformer_id: r.plan_id for r in queries.get_plans(workbench, states=[PlanState.EXECUTED])},
        {case.transformer_id: case for case in queries.get_cases(workbench, run.run_id)},
        queries.get_blind_spots(workbench, run.run_id),
        queries.get_queue(workbench),
        queries.get_findings(workbench, run.run_id),
        verdict.rows,
        verdict.checkpoints,
    )


def headline(day: Outlook) -> Html:
    """Say in a few sentences how the hours ahead look, and what could not be assessed."""
    counts = day.risk["risk_level"].value_counts()
    high, medium = int(counts.get("HIGH", 0)), int(counts.get("MEDIUM", 0))
    until = local_time(day.worst_forecast["time"].iloc[-1], day.tz)
    covered = len(day.best_plans)
    sentences = [
        f"From {local_time(day.issued_at, day.tz)} to {until} ({day.tz}): {high} of {len(day.risk)} "
        f"transformers are at HIGH risk, {medium} at MEDIUM.",
    ]
    if day.risk["imminent"].any():
        names = ", ".join(day.risk.loc[day.risk["imminent"], "transformer_id"])
        sentences.append(f"IMMINENT, within 24 hours: {names}.")
    sentences.append(
        f"A load transfer is ready for {covered} of them; plans approved: {len(day.queue.approved)}, "
        f"work orders under way: {len(day.queue.orders)}."
    )
    sentences += [f"{name} {why}." for name, why in day.blind_spots.items()]
    return Html("".join(f"<p>{escape(sentence)}</p>" for sentence in sentences))


def ranking(day: Outlook) -> list[dict[str, object]]:
    """List the transformers at risk, worst first; at least five."""
    shown = day.risk.head(max(5, int((day.risk["risk_level"] != "LOW").sum())))
    moved = day.sensitivity.set_index("transformer_id")["score_air"].to_dict()
    return [
        {
            "transformer": row["transformer_id"],
            "level": Html(badge(row["risk_level"]) + (" IMMINENT" if row["imminent"] else "")),
            "score": row["risk_score"],
            "+3 degC": moved.get(row["transformer_id"]),
            "nameplate [kVA]": row["rating_kva"],
            "today's limit [%]": _limit(row),
            "p50 (p90) [%]": f"{row['peak_pct_p50']:.0f} ({row['peak_pct_p90']:.0f})",
            "first over": local_time(row["first_over"], day.tz),
            "hours over": row["hours_over"],
            "P [%]": 100 * row["p_any_1_72"],
            "hot spot [degC]": row["hot_spot_c_max"],
        }
        for row in shown.to_dict("records")
    ]


def _limit(row: Mapping[Hashable, Any]) -> str:
    """Write today's limit in percent of nameplate, and what binds; a dash where it is not known."""
    if not row["limit_by"]:
        return "-"
    return f"{100 * row['limit_kva'] / row['rating_kva']:.0f} {row['limit_by'].replace('_', ' ')}"


def worst_reasons(day: Outlook) -> Html:
    """Say why the worst transformer is where it is, what it may carry, and how far its score would move."""
    said = (*day.worst.reasons, *(render(message) for message in day.worst_limits))
    items = "".join(f"<li>{escape(line)}</li>" for line in said)
    title = f"{day.worst.transformer_id}: {day.worst.risk_level}, score {day.worst.risk_score:.2f}"
    return Html(f"<p><strong>{escape(title)}</strong></p><ul>{items}</ul>")


def plan_sentences(day: Outlook) -> Html:
    """Say for each transformer at risk what its best plan does, or that there is none."""
    best = {r.plan.transformer_id: r for r in day.best_plans}
    items = []
    for name in day.risk.loc[day.risk["risk_level"] != "LOW", "transformer_id"]:
        record = best.get(name)
        if record is None:
            text = _without_plan(day, name)
        else:
            text = (
                f"{name}, {record.plan_id} ({record.state}): {describe_moves(record.plan)}. "
                f"Peak loading {describe_sides(record.plan)}. It {describe_relief(record.plan)}; it "
                f"{render(describe_chances(record.plan))}; "
                f"decide by {local_time(record.plan.decide_by, day.tz)}."
            )
        items.append(f"<li>{escape(text)}</li>")
    total = f"<p>{escape(_relief_in_all(day))}</p>"
    return Html(f"{total}<ul>{''.join(items)}</ul>" if items else "<p>Nothing needs to be switched.</p>")


def _relief_in_all(day: Outlook) -> str:
    """Say how much of the overload the best plans relieve together, and what switching leaves over."""
    over_kvah = sum(case.do_nothing.get("overload_kvah_p50") or 0.0 for case in day.cases.values())
    relieved_kvah = sum(
        record.plan.relieved_kvah
        for record in day.best_plans
        if record.plan.transformer_id in day.cases and any(s.hours_over_before for s in record.plan.sides)
    )
    if not over_kvah:
        return "At median load no transformer at risk is above what it may carry."
    return (
        f"At median load {over_kvah:,.0f} kVAh lie above what the transformers at risk may carry; the best "
        f"plans relieve {relieved_kvah:,.0f} kVAh ({100 * relieved_kvah / over_kvah:.0f} %)."
    )


def _without_plan(day: Outlook, name: str) -> str:
    if name in day.relieved:
        return f"{name}: relieved by {day.relieved[name]}, which is carried out."
    case = day.cases.get(name)
    why = f" Nearest: {render(case.why_not[0].reason)}." if case is not None and case.why_not else ""
    other = (
        f" What else could help: {render(case.other_measures[-1])}." if case and case.other_measures else ""
    )
    return f"{name}: no load transfer helps without harm.{why}{other}"


def waiting(day: Outlook) -> list[dict[str, object]]:
    """Count what waits for a person."""
    return [
        {"what": "plans to decide", "how many": len(day.queue.drafts)},
        {"what": "approved plans without a work order", "how many": len(day.queue.approved)},
        {"what": "work orders open or in progress", "how many": len(day.queue.orders)},
        {"what": "aborted work orders to settle", "how many": len(day.queue.unsettled)},
        {"what": "HIGH alerts nobody has acknowledged", "how many": len(day.queue.unacknowledged)},
    ]


def trust(day: Outlook) -> Html:
    """Say how good the forecast has been, what was found in the data, and that the trail holds."""
    confidence = day.risk["confidence"].median()
    known = "has not been measured yet" if pd.isna(confidence) else f"is {confidence:.2f} of 1 at the median"
    codes = day.findings.groupby("code")["object_id"].nunique()
    found = ", ".join(f"{code} at {count}" for code, count in codes.items()) or "none"
    sentences = [
        f"Confidence of the forecast, measured on its own past, {known}.",
        f"Findings of this run: {found}.",
        "Plans are proven by additive kVA with derating and, where impedances are known, by AC power flow; "
        "protection is not checked.",
        f"The audit trail holds: {day.audit_rows} rows, {day.audit_checkpoints} signed checkpoints. "
        f"Run {day.run_id}.",
    ]
    return Html("<ul>" + "".join(f"<li>{escape(sentence)}</li>" for sentence in sentences) + "</ul>")


def ranking_alt(day: Outlook) -> str:
    """Describe the risk bars in words."""
    return (
        f"Bars of risk scores: {day.worst.transformer_id} leads with {day.worst.risk_score:.2f}, "
        f"{day.worst.risk_level}; overload is the largest part where loading passes 80 % of nameplate"
    )


def forecast_alt(day: Outlook) -> str:
    """Describe the fan in words."""
    return (
        f"Load of {day.worst.transformer_id} over the last week and the hours ahead: the median peaks at "
        f"{day.worst.peak_pct_p50:.0f} % of its {day.worst.rating_kva:.0f} kVA, today's limit is "
        f"{_limit(day.worst._asdict())} %"
    )


def hot_spot_alt(day: Outlook) -> str:
    """Describe the temperatures in words."""
    return (
        f"Temperatures of {day.worst.transformer_id}: the hot spot peaks at {day.worst.hot_spot_c_max:.0f} "
        f"degC, at p90 load at {day.worst.hot_spot_c_max_p90:.0f} degC; a planned transfer may heat it to "
        f"{day.limits.planned_hot_spot_c:g} degC"
    )


def sides_alt(record: PlanRecord) -> str:
    """Describe before and after in words."""
    limits = "; ".join(f"{side.transformer_id} {describe_limit(side)}" for side in record.plan.sides)
    return f"Peak loading before and after {record.plan_id}: {describe_sides(record.plan)}; limits: {limits}"

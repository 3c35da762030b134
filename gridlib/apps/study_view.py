"""A study as a person reads it in the terminal, and as a program does."""

from typing import Any

from pydantic import TypeAdapter
from rich.console import Console

from gridlib.apps.summary import describe_moves, describe_sides, local_time, print_table
from gridlib.facts.messages import from_json, render, rendered
from gridlib.facts.studies import Study

_STUDY = TypeAdapter(Study)


def study_record(study: Study) -> dict[str, Any]:
    """Lay a study out as JSON can hold it; numbers that were not computed are None."""
    record: dict[str, Any] = _plain(_STUDY.dump_python(study, mode="json", context={"language": "en"}))
    return record


def _plain(value: Any) -> Any:
    if isinstance(value, float) and value != value:
        return None
    if isinstance(value, dict):
        return {name: _plain(inner) for name, inner in value.items()}
    if isinstance(value, list):
        return [_plain(inner) for inner in value]
    return value


def print_study(console: Console, study: Study, tz: str) -> None:
    """Print what a study found: before and after, plans, and why not."""
    for message in from_json(study.messages):
        console.print(render(message), markup=False)
    rows = [
        (
            word,
            risk.risk_level,
            "IMMINENT" if risk.imminent else "",
            f"{risk.risk_score:.2f}",
            f"{risk.overload:.2f} {risk.thermal:.2f} {risk.cascading:.2f}",
            f"{risk.peak_pct_p50:.0f}/{risk.peak_pct_p90:.0f}",
            local_time(risk.first_over, tz),
            "-" if risk.hot_spot_c_max is None else f"{risk.hot_spot_c_max:.0f}",
            f"{100 * risk.p_any_1_72:.0f}",
        )
        for word, risk in (("as it is", study.before), ("study", study.after))
    ]
    columns = (
        "",
        "level",
        "24 h",
        "score",
        "overload thermal cascading",
        "p50/p90 %",
        "first over",
        "degC",
        "P %",
    )
    print_table(console, f"{study.transformer_id} in {study.run_id}", columns, rows)
    for plan in study.plans:
        console.print(f"  plan: {describe_moves(plan)}; {describe_sides(plan)}", markup=False)
    for why in study.why_not:
        console.print(f"  why not: {render(why.reason)}", markup=False)
    for measure in rendered(study.other_measures):
        console.print(f"  instead: {measure}", markup=False)

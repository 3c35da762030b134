"""The other ways: to do nothing, what it costs, and why other transfers were refused."""

from collections.abc import Mapping

from gridlib.apps.html import MISSING, Html
from gridlib.apps.message_html import message_html, messages_html
from gridlib.apps.screens.frame import ltr
from gridlib.apps.screens.visit import Visit
from gridlib.facts.types import PlanningCase
from gridlib.workflow import queries


def case(visit: Visit) -> Html:
    """Draw plan 0 and what was refused, for the chosen plan or transformer."""
    found = _case(visit)
    if found is None:
        return Html()
    other = messages_html(found.other_measures, visit.language)
    measures = f"<h3>{visit.say('desk.other')}</h3>{other}" if found.other_measures else ""
    return Html(
        f"<h3>{visit.say('desk.do_nothing')}</h3>{_do_nothing(visit, found.do_nothing)}"
        f"{_why_not(visit, found)}{measures}"
    )


def _case(visit: Visit) -> PlanningCase | None:
    plan_id, unit = visit.state.get("plan", ""), visit.state.get("unit", "")
    if plan_id:
        return queries.get_plan(visit.workbench, plan_id).case
    if unit and visit.memory is not None:
        return queries.get_case(visit.workbench, visit.memory.base.run.run_id, unit)
    return None


def _do_nothing(visit: Visit, numbers: Mapping[str, float | None]) -> Html:
    if not numbers:
        return Html(f"<p>{visit.say('desk.nothing_known')}</p>")

    def shown(name: str, spec: str) -> str:
        value = numbers.get(name)
        return MISSING if value is None or value != value else f"{value:{spec}}"

    figures = {
        "hours": f"{shown('hours_over_p50', '.0f')} / {shown('hours_over_p90', '.0f')} h",
        "peak": f"{shown('peak_pct_p50', '.0f')} / {shown('peak_pct_p90', '.0f')} %",
        "hot_spot": f"{shown('hot_spot_c_max', '.0f')} °C",
        "life": f"{shown('loss_of_life_d', '.1f')} d",
    }
    pairs = "".join(
        f"<div><dt>{visit.say(f'desk.zero.{name}')}</dt><dd>{ltr(text)}</dd></div>"
        for name, text in figures.items()
    )
    return Html(f'<dl class="figures">{pairs}</dl>')


def _why_not(visit: Visit, found: PlanningCase) -> Html:
    if not found.why_not:
        return Html(f"<h3>{visit.say('desk.why_not')}</h3><p>{visit.say('desk.no_other')}</p>")
    rows = "".join(
        "<tr><td>"
        + "<br>".join(ltr(f"{m.open_switch} → {m.close_switch}, {m.to_transformer}") for m in why.moves)
        + f"</td><td>{message_html(why.reason, visit.language)}</td></tr>"
        for why in found.why_not
    )
    return Html(
        f'<details id="why-not"><summary>{visit.say("desk.why_not")} ({len(found.why_not)})</summary>'
        f'<table><thead><tr><th scope="col">{visit.say("desk.transfer")}</th>'
        f'<th scope="col">{visit.say("desk.because")}</th></tr></thead>'
        f"<tbody>{rows}</tbody></table></details>"
    )

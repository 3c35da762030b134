"""What if: the chosen transformer in other air, with another load, or without one tie. Nothing is stored."""

from collections.abc import Callable

from gridlib.apps.html import MISSING, Html, escape
from gridlib.apps.message_html import messages_html
from gridlib.apps.screens.control_room.fleet import risk_of, section_switches
from gridlib.apps.screens.frame import ltr, place
from gridlib.apps.screens.visit import Done, Fields, Visit
from gridlib.facts.errors import InputError
from gridlib.facts.messages import from_json
from gridlib.facts.studies import Study, StudyRisk
from gridlib.facts.types import Plan
from gridlib.workflow import studies

_WHY_NOT = 5


def what_if(visit: Visit) -> Html:
    """Draw the form of a study and the place of its outcome."""
    name = visit.state.get("unit", "")
    if risk_of(visit, name) is None:
        return Html()
    near = section_switches(visit, name)
    ties = "".join(
        f'<option value="{escape(switch)}">{escape(switch)}</option>'
        for switch in near.loc[near["kind"] == "tie", "switch_id"]
    )
    # A field for numbers would swallow Arabic digits.
    number = '<input id="{name}" name="{name}" inputmode="decimal" size="6" maxlength="12" value="0">'
    air, load = number.format(name="ambient_k"), number.format(name="load_pct")
    return Html(
        f"<h3>{visit.say('room.what_if')}</h3><p class=quiet>{visit.say('room.what_if_note')}</p>"
        f'<form id="studying" class="row" data-action="study" data-fresh>'
        f'<input type="hidden" name="unit" value="{escape(name)}">'
        f"<label>{visit.say('room.what_if.air')} {air}</label>"
        f"<label>{visit.say('room.what_if.load')} {load}</label>"
        f'<label>{visit.say("room.what_if.tie")} <select id="tie_out" name="tie_out">'
        f'<option value="">{visit.say("room.what_if.none")}</option>{ties}</select></label>'
        f"<button>{visit.say('room.what_if.run')}</button></form>{place('study')}"
    )


def study(visit: Visit, fields: Fields) -> Done:
    """Score and plan again under the circumstances in the form, and show it as a study."""
    found = studies.study(
        visit.workbench,
        fields.get("unit", ""),
        ambient_k=_number(fields, "ambient_k"),
        load_pct=_number(fields, "load_pct"),
        tie_out=fields.get("tie_out", ""),
        base=visit.known.base,
    )
    said = visit.say("room.said.studied", unit=found.transformer_id)
    return Done(said, regions={"study": _outcome(visit, found)})


def _number(fields: Fields, name: str) -> float:
    text = fields.get(name, "").strip() or "0"
    try:
        return float(text.replace("٫", ".").replace(",", "."))
    except ValueError as error:
        raise InputError(
            f"'{text}' is no number", what_to_do="Write digits, for example 3 or -1.5."
        ) from error


def _outcome(visit: Visit, found: Study) -> Html:
    plans = "".join(f"<li>{_plan(visit, plan)}</li>" for plan in found.plans)
    said = (*(why.reason for why in found.why_not[:_WHY_NOT]), *found.other_measures)
    return Html(
        f'<div class="study"><p class="mark">{visit.say("room.study")}</p>'
        f"{messages_html(from_json(found.messages), visit.language)}{_compared(visit, found)}"
        f"<h4>{visit.say('room.study.why')}</h4>"
        f"{messages_html(from_json(found.after.messages), visit.language)}"
        f"<h4>{visit.say('room.study.plans', count=len(found.plans))}</h4><ul>{plans}</ul>"
        + (f"<h4>{visit.say('room.study.why_not')}</h4>{messages_html(said, visit.language)}" if said else "")
        + "</div>"
    )


def _compared(visit: Visit, found: Study) -> Html:
    cells: dict[str, Callable[[StudyRisk], Html]] = {
        "level": lambda risk: Html(
            (visit.badge("IMMINENT") + " " if risk.imminent else "") + visit.badge(risk.risk_level)
        ),
        "score": lambda risk: ltr(f"{risk.risk_score:.2f}"),
        "overload": lambda risk: ltr(f"{risk.overload:.2f}"),
        "thermal": lambda risk: ltr(f"{risk.thermal:.2f}"),
        "cascading": lambda risk: ltr(f"{risk.cascading:.2f}"),
        "first_over": lambda risk: visit.when(risk.first_over),
        "peak": lambda risk: ltr(f"{risk.peak_pct_p50:.0f} / {risk.peak_pct_p90:.0f} %"),
        "chance": lambda risk: ltr(f"{100 * risk.p_any_1_72:.0f} %"),
        "hot_spot": lambda risk: (
            escape(MISSING) if risk.hot_spot_c_max is None else ltr(f"{risk.hot_spot_c_max:.0f} °C")
        ),
    }
    terms = ("overload", "thermal", "cascading")
    rows = "".join(
        f'<tr><th scope="row">{visit.say(f"room.term.{name}" if name in terms else f"room.head.{name}")}</th>'
        f"<td>{cell(found.before)}</td><td>{cell(found.after)}</td></tr>"
        for name, cell in cells.items()
    )
    heads = "".join(
        f'<th scope="col">{visit.say(f"room.study.{head}")}</th>' for head in ("what", "before", "after")
    )
    return Html(f"<table><thead><tr>{heads}</tr></thead><tbody>{rows}</tbody></table>")


def _plan(visit: Visit, plan: Plan) -> Html:
    moves = "".join(
        visit.say("room.study.move", opened=m.open_switch, closed=m.close_switch, to=m.to_transformer) + " "
        for m in plan.moves
    )
    return Html(moves + visit.say("room.study.relief", relief_pct=plan.relief_pct, after=plan.risk_after))

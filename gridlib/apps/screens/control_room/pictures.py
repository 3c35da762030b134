"""Pictures of the chosen transformer: load and heat ahead, and what lies around it."""

from gridlib.apps.html import Html, escape
from gridlib.apps.screens.control_room.fleet import risk_of
from gridlib.apps.screens.frame import place
from gridlib.apps.screens.visit import Visit
from gridlib.apps.study.pictures import draw_picture
from gridlib.facts.errors import NotFoundError, RefusedError

_KINDS = ("load_band", "hot_spot", "neighbours")


def sketches(visit: Visit) -> Html:
    """Leave a blank place for the pictures, a new one for another transformer or other data."""
    shown = " ".join((visit.state.get("unit", ""), *visit.known.version))
    return Html(f'<div data-of="{escape(shown)}">{place("pictures")}</div>')


def pictures(visit: Visit) -> Html:
    """Draw the forecast against its limits, the hot spot, and the neighbours with their switches."""
    name = visit.state.get("unit", "")
    if risk_of(visit, name) is None:
        return Html()
    drawn = "".join(
        f'<div class="picture" tabindex="0">{_picture(visit, kind, name)}</div>' for kind in _KINDS
    )
    return Html(f'<div class="pictures">{drawn}</div>')


def _picture(visit: Visit, kind: str, name: str) -> Html:
    try:
        return Html(
            draw_picture(visit.workbench, visit.known, kind, transformer_id=name, language=visit.language)
        )
    except (NotFoundError, RefusedError) as error:
        return Html(f"<p>{visit.say('room.no_picture')} <bdi>{escape(error)}</bdi></p>")

"""The control room: which transformers are at risk, why, and what has been done about it."""

from gridlib.apps.html import Html
from gridlib.apps.screens.control_room import actions, history, pictures, ranking, switching, unit, what_if
from gridlib.apps.screens.frame import place
from gridlib.apps.screens.visit import Screen, Visit


def _layout(visit: Visit) -> Html:
    chosen = "".join(place(region) for region in ("unit", "sketches", "switches", "what_if", "history"))
    return Html(
        f'{place("alarms")}{place("tiles")}<div class="halves">'
        f'<section aria-label="{visit.text("room.ranking")}">{place("filters")}{place("ranking")}</section>'
        f'<section id="chosen" aria-label="{visit.text("room.chosen")}">{chosen}</section></div>'
    )


CONTROL_ROOM = Screen(
    "control_room",
    _layout,
    regions={
        "alarms": switching.alarms,
        "tiles": ranking.tiles,
        "filters": ranking.filters,
        "ranking": ranking.ranking,
        "unit": unit.unit,
        "sketches": pictures.sketches,
        "switches": switching.switches,
        "what_if": what_if.what_if,
        "history": history.history,
    },
    later={"pictures": pictures.pictures},
    actions={
        "acknowledge": actions.acknowledge,
        "shelve": actions.shelve,
        "unshelve": actions.unshelve,
        "confirm": actions.confirm,
        "study": what_if.study,
    },
)

"""What happened to the alerts of a transformer."""

from gridlib.apps.html import Html, escape
from gridlib.apps.screens.visit import Visit
from gridlib.workflow import queries

_SHOWN = 30


def history(visit: Visit) -> Html:
    """Draw the newest events of the chosen transformer's alerts."""
    name = visit.state.get("unit", "")
    if not name:
        return Html()
    events = queries.get_alert_history(visit.workbench, name).head(_SHOWN)
    if events.empty:
        return Html(f"<h3>{visit.say('room.history')}</h3><p>{visit.say('room.no_history')}</p>")
    rows = "".join(
        f"<tr><td>{visit.when(row['time'])}</td><td>{visit.word('alert.event', row['event'])}</td>"
        f"<td>{visit.badge(row['risk_level'])}</td><td><bdi>{escape(row['by'])}</bdi></td>"
        f'<td dir="auto">{escape(row["note"])}</td></tr>'
        for row in events.to_dict("records")
    )
    heads = ("time", "event", "level", "by", "note")
    head = "".join(f'<th scope="col">{visit.say(f"room.history.{word}")}</th>' for word in heads)
    return Html(
        f'<details id="history"><summary>{visit.say("room.history")} ({len(events)})</summary>'
        f'<div class="wide" tabindex="0" role="region" aria-label="{visit.text("room.history")}">'
        f"<table><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table></div></details>"
    )

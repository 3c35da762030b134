"""Commands with which people see alerts, and acknowledge or shelve them."""

import json
from typing import Annotated, Any

import typer

from gridlib.apps.cli.base import By, Home, Json, Reason, moment_of, out, say
from gridlib.facts.errors import InputError
from gridlib.workbench import open_workbench

app = typer.Typer()


@app.command()
def alerts(
    transformer_id: Annotated[
        str | None, typer.Argument(help="Show all that happened to the alerts of this transformer.")
    ] = None,
    home: Home = None,
    as_json: Json = False,
) -> None:
    """List the alerts that stand, those that call for a person first, or the history of one transformer.

    Examples: gridlib alerts; gridlib alerts T-07
    """
    from gridlib.apps.summary import print_alerts, print_history
    from gridlib.workflow.queries import get_alert_history, get_alerts

    workbench = open_workbench(home)
    if transformer_id is not None:
        history = get_alert_history(workbench, transformer_id)
        if as_json:
            record = {"history": json.loads(history.to_json(orient="records", date_format="iso"))}
            print(json.dumps(record, ensure_ascii=False))
        else:
            print_history(out, transformer_id, history, workbench.settings.site.tz)
        return
    standing = get_alerts(workbench)
    if as_json:
        print(json.dumps({"alerts": [_record(a) for a in standing]}, ensure_ascii=False, default=str))
    else:
        print_alerts(out, standing, workbench.settings.site.tz, workbench.clock())


@app.command()
def acknowledge(
    transformer_id: str,
    by: By,
    note: Annotated[str, typer.Option(help="A remark.")] = "",
    home: Home = None,
    as_json: Json = False,
) -> None:
    """Write down that the alert of a transformer has been seen; it comes back if it gets worse.

    Example: gridlib acknowledge T-07 --by operator
    """
    from gridlib.workflow.decisions import acknowledge as acknowledge_

    alert = acknowledge_(open_workbench(home), transformer_id, by=by, note=note)
    say(as_json, _record(alert), f"{transformer_id} acknowledged by {by}")


@app.command()
def shelve(
    transformer_id: str,
    by: By,
    reason: Reason,
    hours: Annotated[float | None, typer.Option(help="For how long [h].", min=0)] = None,
    until: Annotated[str | None, typer.Option(help="Until when, with offset, instead of --hours.")] = None,
    home: Home = None,
    as_json: Json = False,
) -> None:
    """Set the alert of a transformer aside for some hours; it comes back before if it gets worse.

    Example: gridlib shelve T-07 --by operator --reason "mobile transformer on its way" --hours 4
    """
    from datetime import timedelta

    from gridlib.workflow.decisions import shelve as shelve_

    if (hours is None) == (until is None):
        raise typer.BadParameter("say either --hours or --until")
    workbench = open_workbench(home)
    end = moment_of(until) if hours is None else workbench.clock() + timedelta(hours=hours)
    if end.tzinfo is None:
        raise InputError(f"'{until}' has no time zone", what_to_do="Write it as 2026-08-13T06:00+03:00.")
    alert = shelve_(workbench, transformer_id, by=by, reason=reason, until=end)
    local = end.astimezone(workbench.settings.site.zone)
    say(as_json, _record(alert), f"{transformer_id} shelved by {by} until {local:%Y-%m-%d %H:%M %z}")


@app.command()
def unshelve(transformer_id: str, by: By, home: Home = None, as_json: Json = False) -> None:
    """Take the alert of a transformer off the shelf.

    Example: gridlib unshelve T-07 --by operator
    """
    from gridlib.workflow.decisions import unshelve as unshelve_

    alert = unshelve_(open_workbench(home), transformer_id, by=by)
    say(as_json, _record(alert), f"{transformer_id} is off the shelf")


def _record(alert: Any) -> dict[str, Any]:
    return {
        "transformer_id": alert.transformer_id,
        "risk_level": alert.risk_level,
        "imminent": alert.imminent,
        "since": alert.since,
        "called_at": alert.called_at,
        "escalated": alert.escalated,
        "waits": alert.waits,
        "acknowledged_by": alert.acknowledged_by,
        "shelved_by": alert.shelved_by,
        "shelved_until": alert.shelved_until,
        "shelved_reason": alert.shelved_reason,
    }

"""Commands about the positions of switches."""

import json
from typing import Annotated

import typer

from gridlib.apps.cli.base import By, Home, Json, out, progress, say
from gridlib.facts.types import SwitchState
from gridlib.workbench import open_workbench

app = typer.Typer(
    no_args_is_help=True, help="Positions of switches as reported. Nothing is operated from here."
)


@app.command("list")
def list_(home: Home = None, as_json: Json = False) -> None:
    """List switches with position, source and age, those that telemetry contradicts first.

    Example: gridlib switch list --json
    """
    from gridlib.apps.summary import print_switches
    from gridlib.workflow.queries import get_switches

    workbench = open_workbench(home)
    table = get_switches(workbench)
    if as_json:
        record = {"switches": json.loads(table.to_json(orient="records", date_format="iso"))}
        print(json.dumps(record, ensure_ascii=False))
    else:
        print_switches(out, table, workbench.settings.site.tz)


@app.command()
def confirm(
    switch_id: str,
    position: Annotated[str, typer.Argument(help="open or closed.")],
    by: By,
    home: Home = None,
    as_json: Json = False,
) -> None:
    """Write down the position of a switch as it is operated; it counts until a later one is reported.

    Example: gridlib switch confirm TIE-045 open --by operator
    """
    from gridlib.workflow.switches import confirm_switch

    if position.upper() not in tuple(SwitchState):
        raise typer.BadParameter(f"'{position}' is none of open, closed")
    state = SwitchState(position.upper())
    mismatch = confirm_switch(open_workbench(home), switch_id, by=by, state=state)
    if mismatch:
        progress(mismatch)
    record = {"switch_id": switch_id, "state": state, "mismatch": mismatch}
    say(as_json, record, f"{switch_id} confirmed {state} by {by}")

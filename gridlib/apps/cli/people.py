"""Commands for people and for the audit trail."""

from pathlib import Path
from typing import Annotated

import typer

from gridlib.apps.cli.base import Home, Json, say
from gridlib.facts.types import Role
from gridlib.workbench import open_workbench

users = typer.Typer(no_args_is_help=True, help="People who may act, and their roles.")
audit = typer.Typer(no_args_is_help=True, help="The tamper-evident audit trail.")


@users.command("add")
def user_add(
    name: str,
    role: Annotated[list[Role], typer.Option(help="analyst, operator or manager; may be repeated.")],
    home: Home = None,
    as_json: Json = False,
) -> None:
    """Add a person with one role or several.

    Example: gridlib user add layla --role operator
    """
    from gridlib.workflow.accounts import add_user

    user = add_user(open_workbench(home), name, role)
    say(
        as_json,
        {"username": user.username, "roles": list(user.roles)},
        f"{user.username}: {', '.join(user.roles)}",
    )


@users.command("list")
def user_list(home: Home = None, as_json: Json = False) -> None:
    """List people and their roles."""
    from gridlib.workflow.accounts import list_users

    users = list_users(open_workbench(home))
    record = {"users": [{"username": u.username, "roles": list(u.roles), "active": u.active} for u in users]}
    say(as_json, record, "\n".join(f"{u.username}: {', '.join(u.roles)}" for u in users) or "no users yet")


@audit.command("verify")
def audit_verify(home: Home = None, as_json: Json = False) -> None:
    """Check every row of the audit trail and every signed checkpoint.

    Example: gridlib audit verify --json
    """
    from gridlib.workflow.audit import verify

    verdict = verify(open_workbench(home))
    record = {"rows": verdict.rows, "checkpoints": verdict.checkpoints, "holds": True}
    say(as_json, record, f"{verdict.rows} rows hold, against {verdict.checkpoints} signed checkpoints")


@audit.command("export")
def audit_export(
    file: Annotated[Path, typer.Argument(help="A .csv or .jsonl file to write.")],
    home: Home = None,
    as_json: Json = False,
) -> None:
    """Write the audit trail to a CSV or JSON Lines file.

    Example: gridlib audit export trail.csv
    """
    from gridlib.workflow.audit import export

    rows = export(open_workbench(home), file)
    say(as_json, {"file": str(file), "rows": rows}, f"{rows} rows written to {file}")

"""Commands for people and for the audit trail."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from gridlib.apps.cli.base import Home, Json, say
from gridlib.domain.lifecycle import SYSTEM
from gridlib.facts.types import Role
from gridlib.workbench import open_workbench

if TYPE_CHECKING:
    from gridlib.adapters.records.people import UserRecord

users = typer.Typer(no_args_is_help=True, help="People who may act: roles, passwords, tokens.")
tokens = typer.Typer(no_args_is_help=True, help="Tokens with which programs act for a person.")
users.add_typer(tokens, name="token")
audit = typer.Typer(no_args_is_help=True, help="The tamper-evident audit trail.")


TokenName = Annotated[str, typer.Argument(help="What the token is called, for example scada-export.")]
PasswordStdin = Annotated[
    bool, typer.Option("--password-stdin", help="Read the password from the first line of standard input.")
]
Manager = Annotated[str, typer.Option("--by", help="The manager who does this; default: the shell itself.")]


@users.command("add")
def user_add(
    name: str,
    role: Annotated[list[Role], typer.Option(help="analyst, operator or manager; may be repeated.")],
    password: Annotated[bool, typer.Option("--password", help="Ask for a password to sign in with.")] = False,
    password_stdin: PasswordStdin = False,
    by: Manager = SYSTEM,
    home: Home = None,
    as_json: Json = False,
) -> None:
    """Add a person with one role or several; without a password, the person can only be named with --by.

    Examples: gridlib user add layla --role operator --password;
    gridlib user add omar --role analyst --role manager
    """
    from gridlib.workflow.accounts import add_user

    secret = _password(password_stdin) if password or password_stdin else None
    user = add_user(open_workbench(home), name, role, password=secret, actor=by)
    say(
        as_json,
        {"username": user.username, "roles": list(user.roles)},
        _described(user),
    )


@users.command("password")
def user_password(
    name: str,
    password_stdin: PasswordStdin = False,
    by: Manager = SYSTEM,
    home: Home = None,
    as_json: Json = False,
) -> None:
    """Give a person a new password: a lock ends, and so does every session.

    Example: gridlib user password layla
    """
    from gridlib.workflow.accounts import set_password

    workbench = open_workbench(home)
    set_password(workbench, name, _password(password_stdin), actor=by)
    say(as_json, {"username": name}, f"{name} has a new password")


@users.command("disable")
def user_disable(name: str, by: Manager = SYSTEM, home: Home = None, as_json: Json = False) -> None:
    """Let a person do nothing any more: sessions end and tokens are revoked at once; records stay.

    Example: gridlib user disable layla
    """
    from gridlib.workflow.accounts import disable_user

    disable_user(open_workbench(home), name, actor=by)
    say(as_json, {"username": name, "active": False}, f"{name} is disabled")


@users.command("enable")
def user_enable(name: str, by: Manager = SYSTEM, home: Home = None, as_json: Json = False) -> None:
    """Let a disabled or locked person sign in again.

    Example: gridlib user enable layla
    """
    from gridlib.workflow.accounts import enable_user

    enable_user(open_workbench(home), name, actor=by)
    say(as_json, {"username": name, "active": True}, f"{name} may sign in")


@users.command("list")
def user_list(home: Home = None, as_json: Json = False) -> None:
    """List people and their roles.

    Example: gridlib user list
    """
    from gridlib.workflow.accounts import list_users

    users = list_users(open_workbench(home))
    record = {
        "users": [
            {
                "username": u.username,
                "roles": list(u.roles),
                "active": u.active,
                "language": u.language,
                "has_password": u.has_password,
            }
            for u in users
        ]
    }
    say(as_json, record, "\n".join(map(_described, users)) or "no users yet")


@tokens.command("add")
def token_add(
    name: str, token: TokenName, by: Manager = SYSTEM, home: Home = None, as_json: Json = False
) -> None:
    """Make a token with which a program acts for a person; it is shown this once.

    Example: gridlib user token add layla scada-export
    """
    from gridlib.workflow.accounts import make_token

    secret = make_token(open_workbench(home), name, token, actor=by)
    say(as_json, {"username": name, "name": token, "token": secret}, secret)


@tokens.command("revoke")
def token_revoke(
    name: str, token: TokenName, by: Manager = SYSTEM, home: Home = None, as_json: Json = False
) -> None:
    """Make a token useless.

    Example: gridlib user token revoke layla scada-export
    """
    from gridlib.workflow.accounts import revoke_token

    revoke_token(open_workbench(home), name, token, actor=by)
    say(as_json, {"username": name, "name": token}, f"{token} of {name} is revoked")


@tokens.command("list")
def token_list(name: str, home: Home = None, as_json: Json = False) -> None:
    """List the tokens of a person, with their last use.

    Example: gridlib user token list layla
    """
    from gridlib.workflow.accounts import list_tokens

    found = list_tokens(open_workbench(home), name)
    rows = [
        {"name": t.name, "created_at": t.created_at, "used_at": t.used_at, "revoked_at": t.revoked_at}
        for t in found
    ]
    lines = [
        f"{t.name}: {'revoked' if t.revoked_at else 'good'}, last used {t.used_at or 'never'}" for t in found
    ]
    say(as_json, {"username": name, "tokens": rows}, "\n".join(lines) or "no tokens")


def _password(from_stdin: bool) -> str:
    """Ask for a password twice, or take it from a pipe."""
    if from_stdin:
        return sys.stdin.readline().rstrip("\r\n")
    return str(typer.prompt("Password", hide_input=True, confirmation_prompt=True, err=True))


def _described(user: "UserRecord") -> str:
    notes = [
        *([] if user.active else ["disabled"]),
        *([] if user.has_password else ["no password: cannot sign in"]),
    ]
    return f"{user.username}: {', '.join(user.roles)}" + (f" ({', '.join(notes)})" if notes else "")


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

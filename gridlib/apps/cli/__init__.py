"""The shell: ``gridlib``. Exit status 0 done, 1 not done, 2 wrong use."""

import json
import sys

import typer

from gridlib.apps.cli import alerts, backtest, decide, network, orders, people, stages, switches
from gridlib.apps.cli.base import complain, fault_of
from gridlib.facts.errors import FileError, GridlibError

app = typer.Typer(
    name="gridlib",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode="rich",
    help="Keep a distribution grid from overloading: forecast, risk, transfers, decisions, audit.",
    epilog="Example: [bold]gridlib init --sample --home demo && gridlib run --home demo[/bold]",
)
for part in (stages.app, backtest.app, decide.app, alerts.app):
    app.registered_commands += part.registered_commands
app.add_typer(decide.plans, name="plan")
app.add_typer(orders.app, name="workorder")
app.add_typer(switches.app, name="switch")
app.add_typer(network.app, name="network")
app.add_typer(people.users, name="user")
app.add_typer(people.audit, name="audit")


def main() -> None:
    """Run the shell; every error a user can meet ends in one line and an exit status."""
    try:
        app()
    except (GridlibError, OSError) as found:
        error = found if isinstance(found, GridlibError) else _file_error(found)
        if "--json" in sys.argv:
            print(json.dumps({"error": fault_of(error)}, ensure_ascii=False))
        complain(error)
        sys.exit(1)


def _file_error(error: OSError) -> FileError:
    """Say a fault of the file system as one of ours, without a traceback."""
    name = str(error.filename or "file")
    return FileError(
        name, error.strerror or str(error), what_to_do="Check the path, its rights and the disk."
    )

"""Options and manners that all commands of the shell share."""

import json
import sys
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console

from gridlib.facts.errors import GridlibError, InputError

Home = Annotated[
    Path | None,
    typer.Option(envvar="GRIDLIB_HOME", help="Workspace folder; default: the nearest with gridlib.toml."),
]
Json = Annotated[bool, typer.Option("--json", help="Print one JSON object instead of text.")]
By = Annotated[str, typer.Option("--by", help="Name of the user who acts.")]
Reason = Annotated[str, typer.Option("--reason", help="Why, in a sentence.")]

out = Console(soft_wrap=False)
err = Console(stderr=True, highlight=False)


def say(as_json: bool, record: dict[str, Any], text: str) -> None:
    """Report an outcome: the record as JSON, or the text."""
    if as_json:
        print(json.dumps(record, ensure_ascii=False, default=str))
    else:
        out.print(text, markup=False)


def fault_of(error: GridlibError) -> dict[str, str]:
    """Collect what a program reads of an error."""
    return {"code": error.code, "message": str(error), "what_to_do": error.what_to_do}


def complain(error: GridlibError) -> None:
    """Say an error on the error stream, in one line."""
    line = " ".join(f"{str(error).rstrip('.')}. {error.what_to_do}".split())
    print(f"gridlib: {line}", file=sys.stderr)


def progress(text: str) -> None:
    """Say on the error stream what is under way."""
    err.print(text, markup=False)


def moment_of(text: str | None) -> Any:
    """Read a time given on the command line; None stays None."""
    import pandas as pd

    if text is None:
        return None
    try:
        return pd.Timestamp(datetime.fromisoformat(text))
    except ValueError as error:
        raise InputError(
            f"'{text}' is not a time", what_to_do="Write it as 2026-08-13T00:00+03:00."
        ) from error

"""Commands for network tables before they are taken in."""

import json
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from gridlib.apps.cli.base import Json, out, say
from gridlib.facts.errors import InputError

if TYPE_CHECKING:
    from gridlib.workflow.networks import NetworkCheck

app = typer.Typer(no_args_is_help=True, help="Network tables: check, examples, import. Needs no workspace.")


@app.command()
def check(
    files: Annotated[list[Path], typer.Argument(help="Tables, or folders that hold them.")],
    tz: Annotated[str, typer.Option(help="Zone of times without an offset; default: refuse them.")] = "",
    as_json: Json = False,
) -> None:
    """Say everything that is wrong with network tables, with file, row and column.

    Exit status 0 where there is nothing but remarks, 1 where there are faults. Example:
    gridlib network check network/*.csv
    """
    from gridlib.workflow.networks import check_files

    verdict = check_files(files, naive_tz=tz)
    if as_json:
        print(json.dumps(_record(verdict), ensure_ascii=False))
    else:
        _print(verdict)
    if not verdict.clean:
        raise typer.Exit(1)


@app.command()
def templates(
    folder: Annotated[Path, typer.Argument(help="Where to write them.")], as_json: Json = False
) -> None:
    """Write an example of every network table, ready to be filled in.

    Example: gridlib network templates my_network
    """
    from gridlib.workflow.networks import write_templates

    files = [str(path) for path in write_templates(folder)]
    say(as_json, {"files": files}, f"{len(files)} tables written to {folder}")


@app.command("import")
def import_(
    file: Annotated[Path, typer.Argument(help="pandapower .json or .xlsx, or OpenDSS .dss master file.")],
    to: Annotated[Path, typer.Option("--to", help="Folder for the tables.")],
    level: Annotated[
        str | None,
        typer.Option(help="low (11/0.415 kV) or medium (33/11 kV) units; default: where most load is."),
    ] = None,
    as_json: Json = False,
) -> None:
    """Turn a pandapower or OpenDSS file into network tables, and say what was not carried over.

    Example: gridlib network import grid.json --to network
    """
    from gridlib.adapters.networks import Level
    from gridlib.workflow.networks import import_network

    if level not in (None, *Level):
        raise InputError(f"unknown level '{level}'", what_to_do=f"Levels are: {', '.join(Level)}.")
    done = import_network(file, to, level=None if level is None else Level(level))
    if as_json:
        findings = json.loads(
            done.findings[["object_id", "code", "message", "count"]].to_json(orient="records")
        )
        record = {"files": [str(path) for path in done.files], "rows": done.rows, "findings": findings}
        print(json.dumps(record, ensure_ascii=False))
        return
    for row in done.findings.itertuples():
        out.print(f"{row.code!s}: {row.message!s}", markup=False, highlight=False, soft_wrap=True)
    counts = ", ".join(f"{count} {name}" for name, count in done.rows.items())
    out.print(f"Written to {to}: {counts}", markup=False, highlight=False, soft_wrap=True)
    out.print(f"Next: gridlib network check {to}", markup=False, highlight=False, soft_wrap=True)


def _record(verdict: "NetworkCheck") -> dict[str, Any]:
    columns = ["object_id", "code", "message", "file", "row", "remark"]
    return {
        "clean": verdict.clean,
        "rows": verdict.rows,
        "faults": [asdict(fault) for fault in verdict.faults],
        "findings": json.loads(verdict.findings[columns].to_json(orient="records")),
    }


def _print(verdict: "NetworkCheck") -> None:
    for fault in verdict.faults:
        row = "" if fault.row is None else f", row {fault.row}"
        column = f", column {fault.column}" if fault.column else ""
        text = (
            f"{fault.file}{row}{column}: found {fault.found}; expected {fault.expected}. {fault.what_to_do}"
        )
        out.print(text, markup=False, highlight=False, soft_wrap=True)
    for found in verdict.findings.sort_values("remark", kind="stable").itertuples():
        word = "remark" if found.remark else "fault"
        place = f" ({found.file!s}, row {found.row!s})" if found.row is not None else ""
        text = f"{word} {found.code!s}: {found.object_id!s}: {found.message!s}{place}"
        out.print(text, markup=False, highlight=False, soft_wrap=True)
    faults = len(verdict.faults) + int((~verdict.findings["remark"]).sum())
    counts = ", ".join(f"{count} {name}" for name, count in verdict.rows.items())
    verdict_text = f"{faults} fault(s)" if faults else "No fault"
    out.print(f"{verdict_text} in {counts}.", markup=False, highlight=False, soft_wrap=True)

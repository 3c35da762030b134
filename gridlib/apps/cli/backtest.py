"""The command that measures the forecast on past readings."""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from gridlib.apps.cli.base import Home, Json, err, out
from gridlib.facts.errors import InputError
from gridlib.facts.settings import Settings, read_settings
from gridlib.workbench import find_home

if TYPE_CHECKING:
    from gridlib.domain.backtest import Method

app = typer.Typer()


@app.command()
def backtest(
    file: Annotated[
        Path, typer.Argument(help="Load: transformer_id, time, load_kva [, quality, available_at].")
    ],
    ambient: Annotated[
        Path | None, typer.Option(help="Weather: station_id, time, issued_at, ambient_c.")
    ] = None,
    ratings: Annotated[
        Path | None, typer.Option(help="transformers.csv; default: the 95 % quantile of the earlier load.")
    ] = None,
    country: Annotated[
        str | None, typer.Option(help="Country of the holidays; default: the workspace's, else JO.")
    ] = None,
    tz: Annotated[
        str | None, typer.Option(help="Local time; default: the workspace's, else Asia/Amman.")
    ] = None,
    origins: Annotated[int, typer.Option(help="How many past moments to forecast from.", min=1)] = 12,
    horizon_h: Annotated[int, typer.Option(help="Hours ahead.", min=1, max=336)] = 72,
    methods: Annotated[
        list[str] | None,
        typer.Option(help="Methods, with commas or repeated: default, combination, fleet, ..., mstl."),
    ] = None,
    picture: Annotated[Path | None, typer.Option("--out", help="Where to put the picture (PNG).")] = None,
    home: Home = None,
    as_json: Json = False,
) -> None:
    """Forecast at past moments with what was known then, and measure against what came.

    Needs no workspace. Repeating yesterday and repeating last week are always measured too. Examples:
    gridlib backtest load.csv; gridlib backtest load.csv --ambient weather.csv --methods default,mstl --json
    """
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    from gridlib.apps import backtest_view
    from gridlib.apps.backtest_plots import lead_method, save_backtest_figure
    from gridlib.domain.calendar import calendar_for
    from gridlib.workflow.backtest import backtest_files, read_backtest_files

    found = home or find_home()
    settings = Settings() if found is None else read_settings(found)
    wanted = _methods(" ".join(methods or ["default"]).replace(",", " ").split())
    calendar = calendar_for(country or settings.site.country, tz or settings.site.tz)
    files = read_backtest_files(
        file, ambient=ambient, ratings=ratings, tz=calendar.tz, ingest=settings.ingest
    )
    target = (
        picture or (Path.cwd() if found is None else settings.reports_dir) / "backtest" / f"{file.stem}.png"
    )
    columns = (TextColumn("Back-test"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=err, transient=True, disable=as_json) as bar:
        task = bar.add_task("")
        result = backtest_files(
            files,
            methods=wanted,
            origins=origins,
            horizon_h=horizon_h,
            calendar=calendar,
            on_progress=lambda done, total: bar.update(task, completed=done, total=total),
        )
    lead = lead_method(result)
    if not result.overall.set_index("method").at[lead, "hours"]:
        why = result.faults.loc[result.faults["method"] == lead, "message"]
        reason = why.iloc[0] if len(why) else "no reading and forecast at the same time"
        raise InputError(f"{lead} gave nothing to measure: {reason}", what_to_do="Check the readings.")
    save_backtest_figure(result, target)
    if as_json:
        record = backtest_view.backtest_record(result) | {
            "findings": json.loads(files.findings.to_json(orient="records", date_format="iso")),
            "picture": str(target),
        }
        print(json.dumps(record, ensure_ascii=False))
        return
    backtest_view.print_backtest(out, result)
    counts = files.findings.groupby("code")["object_id"].nunique()
    for code, count in counts.items():
        out.print(f"Found in the files: {code} at {count}", markup=False, highlight=False)
    out.print(f"Picture: {target}", markup=False, soft_wrap=True)


def _methods(names: list[str]) -> "dict[str, Method]":
    """Return the methods asked for; those of other libraries only where they are installed."""
    from gridlib.adapters.peers import mstl_forecast, require_peers
    from gridlib.domain.backtest import METHODS, methods_named

    if unknown := [name for name in names if name not in (*METHODS, "mstl")]:
        raise InputError(
            f"unknown method '{unknown[0]}'", what_to_do=f"Methods are: {', '.join((*METHODS, 'mstl'))}."
        )
    if "mstl" in names:
        require_peers()
    own = methods_named([name for name in names if name != "mstl"])
    return {name: mstl_forecast if name == "mstl" else own[name] for name in names}

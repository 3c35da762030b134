"""A back-test in tables and sentences, for the terminal, for programs and for the report."""

import json
from typing import Any

import numpy as np
import pandas as pd
from rich.console import Console

from gridlib.apps.backtest_plots import lead_method
from gridlib.apps.html import Html, escape
from gridlib.apps.summary import print_table
from gridlib.domain.backtest import Backtest

_FRAMES = (
    "overall",
    "by_lead_day",
    "by_lead_hour",
    "by_season",
    "by_transformer",
    "reliability",
    "coverage",
    "faults",
)
_DAYS_SHOWN = 3
COMPARED = (
    "All in %: nMAE and nCRPS of the largest load, d1 .. by day ahead; band: hours inside the 90 % band; "
    "recall and precision of alarms; P: chance stated of an overload, came: how often it did. "
    "ms: CPU time of one forecast of one transformer"
)
"""What the columns of `comparison` are."""
FORMATS = {
    **dict.fromkeys(("nMAE", "nCRPS", "of naive", "confidence", "skill"), ".2f"),
    **dict.fromkeys(("d1", "d2", "d3", "ms"), ".1f"),
    **dict.fromkeys(("band", "recall", "prec.", "P", "came"), ".0f"),
}
"""How the numbers of all tables here are written."""


def backtest_record(backtest: Backtest) -> dict[str, Any]:
    """Collect everything a back-test found, for programs."""
    start, end = backtest.window_h
    return {
        "origins": [origin.isoformat() for origin in backtest.origins],
        "transformers": len(backtest.rating_kva),
        "notes": list(backtest.notes),
        "alarms": {"from_h": start, "to_h": end, "p": backtest.alarm_p},
    } | {name: _records(getattr(backtest, name)) for name in _FRAMES}


def _records(frame: pd.DataFrame) -> Any:
    return json.loads(frame.to_json(orient="records", date_format="iso", double_precision=12))


def comparison(backtest: Backtest) -> list[dict[str, object]]:
    """Set the methods side by side, one row each; what the columns are is in `COMPARED`."""
    days = backtest.by_lead_day.pivot(index="method", columns="lead_day", values="nmae_pct")
    return [
        {"method": row["method"], "nMAE": row["nmae_pct"]}
        | {f"d{day}": value for day, value in days.loc[row["method"]].iloc[:_DAYS_SHOWN].items()}
        | {
            "nCRPS": row["ncrps_pct"],
            "band": 100 * row["cover90"],
            "recall": 100 * row["recall"],
            "prec.": 100 * row["precision"],
            "P": 100 * row["mean_p"],
            "came": 100 * row["observed"],
            "ms": 1000 * row["cpu_s_per_series"],
        }
        for row in backtest.overall.to_dict("records")
    ]


def scoreboard(backtest: Backtest) -> list[dict[str, object]]:
    """Count the alarms of the method at stake, by season and in all."""
    lead = lead_method(backtest)
    whole = backtest.overall[backtest.overall["method"] == lead].assign(season="all")
    seasons = backtest.by_season[backtest.by_season["method"] == lead]
    return [
        {
            "season": row["season"],
            "windows": row["windows"],
            "overloads": row["overloads"],
            "warned": row["hits"],
            "missed": row["misses"],
            "false alarms": row["false_alarms"],
            "nMAE": row["nmae_pct"],
            "band": 100 * row["cover90"],
        }
        for row in pd.concat([seasons, whole]).to_dict("records")
    ]


def hardest(backtest: Backtest, *, top: int = 5) -> list[dict[str, object]]:
    """List the transformers with the largest error of the method at stake."""
    rows = backtest.by_transformer[backtest.by_transformer["method"] == lead_method(backtest)]
    return [
        {
            "transformer": row["transformer_id"],
            "nMAE": row["nmae_pct"],
            "of naive": row["ratio_to_naive"],
            "worse": row["worse_than_naive"],
            "band": 100 * row["cover90"],
            "confidence": row["confidence"],
            "skill": row["skill"],
            "missed": row["misses"],
            "false": row["false_alarms"],
        }
        for row in rows.nlargest(top, "nmae_pct").to_dict("records")
    ]


def headline(backtest: Backtest) -> list[str]:
    """Say in sentences what a back-test means."""
    lead = lead_method(backtest)
    table = backtest.overall.set_index("method")
    row = table.loc[lead]
    naive = table.loc[["naive24", "naive168"], "nmae_pct"].min()
    start, end = backtest.window_h
    said = [
        f"Forecast again at {len(backtest.origins)} past moments, {backtest.origins[0]:%d %b %Y} to "
        f"{backtest.origins[-1]:%d %b %Y}, from what was known then. "
        f"Transformers: {len(backtest.rating_kva)}.",
        f"Of {row['overloads']:.0f} overload windows (hours {start + 1} to {end}), {row['hits']:.0f} were "
        f"warned of, {row['misses']:.0f} missed; false alarms: {row['false_alarms']:.0f}, in "
        f"{row['windows']:.0f} windows.",
        f"The 90 % bands held {_text(100 * row['cover90'], 0)} % of the hours.",
        f"The error was {_text(row['nmae_pct'], 1)} % of the largest load; repeating yesterday or last week, "
        f"whichever is better, errs by {_text(naive, 1)} %.",
    ]
    if row["worse_than_naive"]:
        said.append(f"Transformers better forecast by repeating the past: {row['worse_than_naive']:.0f}.")
    if pd.notna(row["confidence"]):
        said.append(
            f"Confidence stated: {_text(row['confidence'], 2)}; measured here: {_text(row['skill'], 2)}."
        )
    if row["missing_pct"] > 0:
        said.append(f"{_text(row['missing_pct'], 1)} % of the measured hours had no forecast.")
    return said + [f"{note[0].upper()}{note[1:]}." for note in backtest.notes] + _failures(backtest)


def _failures(backtest: Backtest) -> list[str]:
    return [
        f"{method} failed at {len(rows)} of {len(backtest.origins)} origins: {rows['message'].iloc[0]}"
        for method, rows in backtest.faults.groupby("method", sort=False)
    ]


def as_html(sentences: list[str]) -> Html:
    """Write sentences as a list."""
    return Html(f"<ul>{''.join(f'<li>{escape(sentence)}</li>' for sentence in sentences)}</ul>")


def backtest_alt(backtest: Backtest) -> str:
    """Describe the picture in words."""
    row = backtest.overall.set_index("method").loc[lead_method(backtest)]
    return (
        f"Four panels: error by hours ahead, {_text(row['nmae_pct'], 1)} % on average; chances of overload "
        f"against what came; {_text(100 * row['cover90'], 0)} % of hours inside the 90 % band; error of each "
        f"transformer over that of the better naive, {row['worse_than_naive']:.0f} of them above 1.05"
    )


def print_backtest(console: Console, backtest: Backtest) -> None:
    """Print the methods side by side, the alarms, the hardest transformers, and what it means."""
    lead = lead_method(backtest)
    start, end = backtest.window_h
    chance = f"{100 * backtest.alarm_p:.0f} % chance or more of any overload in hours {start + 1} to {end}"
    for title, rows in (
        (f"Methods. {COMPARED}", comparison(backtest)),
        (f"Alarms of {lead}: {chance}", scoreboard(backtest)),
        (f"Hardest transformers for {lead}", hardest(backtest)),
    ):
        print_table(console, title, list(rows[0]), [[_cell(*cell) for cell in row.items()] for row in rows])
    for sentence in headline(backtest):
        console.print(sentence, markup=False, highlight=False)


def _cell(column: str, value: object) -> str:
    if isinstance(value, str | bool | np.bool_):
        return {"True": "yes", "False": ""}.get(str(value), str(value))
    number = float(value)  # type: ignore[arg-type]
    return "-" if pd.isna(number) else format(number, FORMATS.get(column, ".0f"))


def _text(value: object, digits: int) -> str:
    number = float(value)  # type: ignore[arg-type]
    return "-" if pd.isna(number) else f"{number:.{digits}f}"

"""The back-test from the shell, on files alone, and its pictures."""

import json
import sys

import matplotlib as mpl
import numpy as np
import pandas as pd
import pytest

from gridlib.adapters.peers import mstl_forecast
from gridlib.apps import backtest_view
from gridlib.apps.backtest_plots import backtest_figure, calibration_figure
from gridlib.apps.cli import main
from gridlib.domain.backtest import backtest_load, methods_named
from gridlib.facts.units import QUANTILE_COLUMNS


@pytest.fixture
def shell(monkeypatch, capsys, tmp_path):
    """Run the shell in this process, in an empty folder; returns status, stdout, stderr."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("GRIDLIB_HOME", raising=False)
    monkeypatch.setenv("COLUMNS", "80")
    monkeypatch.setenv("MPLBACKEND", "agg")

    def run(*words):
        monkeypatch.setattr(sys, "argv", ["gridlib", "backtest", *map(str, words)])
        try:
            main()
            status = 0
        except SystemExit as end:
            status = int(end.code or 0)
        said = capsys.readouterr()
        return status, said.out, said.err

    return run


def wide(days=30):
    times = pd.date_range("2026-03-01", periods=24 * days, freq="h", tz="UTC")
    hour = times.tz_convert("Asia/Amman").hour.to_numpy()
    load = 100 + 60 * np.exp(-(((hour - 20) / 2.0) ** 2)) + np.arange(len(times)) / 40
    rng = np.random.default_rng(3)
    columns = {f"T-{i}": i * load + rng.normal(0, 4, len(times)) for i in (1, 2)}
    return pd.DataFrame(columns, index=times.rename("time"))


def long(days=30):
    rows = wide(days).reset_index().melt("time", var_name="transformer_id", value_name="load_kva")
    return rows[["transformer_id", "time", "load_kva"]]


@pytest.fixture
def load_file(tmp_path):
    path = tmp_path / "load.csv"
    long().to_csv(path, index=False)
    return path


def test_a_file_alone_gives_a_table_alarms_and_a_picture(shell, load_file, tmp_path):
    status, out, err = shell(load_file, "--origins", 4)
    assert status == 0, err
    for word in ("default", "naive24", "naive168", "nMAE", "warned", "false alarms", "The 90 % bands held"):
        assert word in out
    assert "…" not in out  # nothing is cut off in 80 columns
    picture = tmp_path / "backtest" / "load.png"
    assert str(picture) in out.replace("\n", "")
    assert picture.read_bytes().startswith(b"\x89PNG")


def test_json_holds_every_number_and_nothing_else_is_printed(shell, load_file, tmp_path):
    target = tmp_path / "other" / "picture.png"
    status, out, err = shell(
        load_file,
        "--origins",
        3,
        "--horizon-h",
        48,
        "--methods",
        "fleet,short_profile",
        "--out",
        target,
        "--json",
    )
    assert (status, err) == (0, "")
    said = json.loads(out)
    assert target.is_file()
    assert said["picture"] == str(target)
    overall = {one["method"]: one for one in said["overall"]}
    assert list(overall) == ["fleet", "short_profile", "naive24", "naive168"]
    assert overall["fleet"]["nmae_pct"] < overall["naive168"]["nmae_pct"]
    assert overall["fleet"]["cpu_s_per_series"] > 0
    assert said["alarms"] == {"from_h": 24, "to_h": 48, "p": 0.3}
    assert {one["lead_day"] for one in said["by_lead_day"]} == {1, 2}
    assert {one["transformer_id"] for one in said["by_transformer"]} == {"T-1", "T-2"}
    assert len(said["origins"]) == 3
    assert said["faults"] == []


def test_weather_ratings_and_late_readings_are_heeded(shell, tmp_path):
    rows = long()
    times = pd.DatetimeIndex(rows["time"].unique())
    # The last six hours before any moment have not arrived.
    rows.assign(available_at=rows["time"] + pd.Timedelta("6h")).to_parquet(tmp_path / "late.parquet")
    rows.to_parquet(tmp_path / "load.parquet")
    air = pd.DataFrame({"station_id": "AMM", "time": times, "issued_at": times, "ambient_c": 20.0})
    air.to_csv(tmp_path / "weather.csv", index=False)
    network = pd.DataFrame({"transformer_id": ["T-1"], "substation_id": ["S"], "feeder_id": ["F"]})
    network.assign(rating_kva=50.0).to_csv(tmp_path / "transformers.csv", index=False)
    given = ("--ambient", tmp_path / "weather.csv", "--ratings", tmp_path / "transformers.csv")
    options = ("--methods", "naive24", "--origins", 4, "--json")
    found = {}
    for name in ("load", "late"):
        status, out, err = shell(tmp_path / f"{name}.parquet", *given, *options)
        assert status == 0, err
        found[name] = json.loads(out)
    said = found["load"]
    assert any("perfectly forecast" in note for note in said["notes"])
    assert any("T-2" in note for note in said["notes"])
    first = next(one for one in said["by_transformer"] if one["transformer_id"] == "T-1")
    assert first["observed"] == 1  # always over its 50 kVA
    assert not any("available_at" in one["message"] for one in found["late"]["findings"])
    assert found["late"]["overall"][0]["nmae_pct"] > 1.1 * said["overall"][0]["nmae_pct"]


def test_quarter_hours_and_stamps_without_offset_are_read(shell, load_file, tmp_path):
    rows = long()
    fine = pd.concat([rows.assign(time=rows["time"] + pd.Timedelta(minutes=m)) for m in (0, 15, 30, 45)])
    local = fine["time"].dt.tz_convert("Asia/Amman").dt.tz_localize(None)
    fine.assign(time=local).to_csv(tmp_path / "fine.csv", index=False)
    options = ("--methods", "naive24", "--origins", 3, "--json")
    hourly = json.loads(shell(load_file, *options)[1])
    status, out, err = shell(tmp_path / "fine.csv", *options)
    assert status == 0, err
    assert json.loads(out)["overall"][0]["nmae_pct"] == pytest.approx(hourly["overall"][0]["nmae_pct"])


@pytest.mark.parametrize(
    ("content", "options", "words"),
    [
        ("transformer_id,load_kva\nT-1,5\n", (), ("time", "missing")),
        ("transformer_id,time,load_kva\nT-1,2026-01-01T00:00Z,many\n", (), ("line 2", "load_kva", "many")),
        (None, ("--horizon-h", 336), ("span", "--horizon-h")),
        (None, ("--methods", "crystal_ball"), ("crystal_ball", "naive24", "mstl")),
        (None, ("--tz", "Asia/Atlantis"), ("Atlantis",)),
        (None, ("--ambient", "nowhere.csv"), ("nowhere.csv", "no such file")),
        (None, ("--home", "nowhere"), ("not a gridlib workspace",)),
    ],
)
def test_what_cannot_be_used_ends_in_one_line_and_status_1(shell, load_file, content, options, words):
    if content is not None:
        load_file.write_text(content)
    elif "336" in map(str, options):
        long(days=12).to_csv(load_file, index=False)
    status, out, err = shell(load_file, *options, "--json")
    assert status == 1
    assert json.loads(out)["error"]["code"] in ("bad_file", "bad_input", "bad_settings")
    for word in words:
        assert word in err
    assert len(err.strip().splitlines()) == 1


def test_a_method_that_gives_nothing_is_not_done(shell, load_file):
    long(days=6).to_csv(load_file, index=False)
    status, _, err = shell(load_file, "--methods", "naive168")
    assert status == 1
    assert "naive168 gave nothing to measure" in err


@pytest.mark.parametrize("options", [("--origins", "0"), ("--horizon-h", "900"), ("--fast",)])
def test_wrong_use_ends_with_status_2(shell, load_file, options):
    assert shell(load_file, *options)[0] == 2


def test_without_the_library_the_peer_names_its_extra(shell, load_file, monkeypatch):
    monkeypatch.setitem(sys.modules, "statsforecast.models", None)
    status, _, err = shell(load_file, "--methods", "default,mstl")
    assert status == 1
    assert "gridlib[peers]" in err


def test_the_peer_forecasts_with_bands_that_hold_a_repeating_load():
    pytest.importorskip("statsforecast", reason="statsforecast is not installed")
    history = wide(days=28)
    said = mstl_forecast(history.iloc[: -2 * 24], horizon_h=48)
    frame = said.frame.set_index(["transformer_id", "time"])
    truth = history.iloc[-2 * 24 :].T.stack().rename_axis(["transformer_id", "time"])
    assert (frame["load_kva_mean"] / truth - 1).abs().mean() < 0.15
    assert (np.diff(frame[list(QUANTILE_COLUMNS)].to_numpy(), axis=1) >= 0).all()


# --- pictures and sentences -----------------------------------------------------------------------------


@pytest.fixture(scope="module")
def result():
    mpl.use("agg")
    return backtest_load(wide(), methods=methods_named(["default"]), origins=4)


def test_the_picture_shows_every_method_and_says_its_numbers(result):
    figure = backtest_figure(result)
    leads, chances, coverage, transformers = figure.axes
    labels = [text.get_text() for text in leads.get_legend().get_texts()]
    assert [label.split(":")[0] for label in labels] == ["default", "naive24", "naive168"]
    lead = result.overall.set_index("method").loc["default"]
    assert f"{lead['nmae_pct']:.1f}" in labels[0]
    assert f"{100 * lead['cover90']:.0f} %" in coverage.get_title(loc="left")
    counts = [int(text.get_text()) for text in chances.texts if text.get_text().isdigit()]
    assert sum(counts) == lead["windows"]
    assert [bar.get_height() for bar in transformers.patches] == sorted(
        result.by_transformer.loc[result.by_transformer["method"] == "default", "ratio_to_naive"]
    )
    mpl.pyplot.close(figure)


def test_the_calibration_alone_has_two_panels(result):
    figure = calibration_figure(result)
    assert len(figure.axes) == 2
    mpl.pyplot.close(figure)


def test_the_sentences_say_what_was_counted(result):
    lead = result.overall.set_index("method").loc["default"]
    said = " ".join(backtest_view.headline(result))
    assert f"Of {lead['overloads']:.0f} overload windows" in said
    assert f"{lead['hits']:.0f} were warned of" in said
    assert f"false alarms: {lead['false_alarms']:.0f}, in" in said
    assert "95 % quantile" in said
    board = backtest_view.scoreboard(result)
    assert board[-1]["season"] == "all"
    assert sum(one["windows"] for one in board[:-1]) == board[-1]["windows"]

"""The data sets that come with gridlib are what data/README.md says of them."""

import importlib.util
import sys
import tomllib
from pathlib import Path
from types import ModuleType

import networkx as nx
import numpy as np
import pandas as pd
import pytest

from gridlib.facts.frames import NETWORK_TABLES, LoadFrame, WeatherFrame, check_frame
from gridlib.facts.settings import Settings

DATA = Path(__file__).parents[2] / "data"
SETS = {"sample": DATA / "sample", "demo_seed": DATA / "demo_seed"}
TEXTS = {"phase_rotation_confirmed_on", "kind", "normal_state", "state", "health", "tags", "source", "method"}
TEXTS |= {
    "critical_customers",
    "name",
    "name_ar",
    "cooling",
    "paper",
    "enclosure",
    "transformer_id",
    "station_id",
}
TIMES = ("time", "issued_at")


def _read_csv(path: Path) -> pd.DataFrame:
    header = pd.read_csv(path, nrows=0).columns
    texts = {name: str for name in header if name.endswith("_id") or name in TEXTS}
    flags = {name: bool for name in header if name in ("remote", "may_parallel")}
    frame = pd.read_csv(path, dtype=texts | flags, keep_default_na=False, na_values=[""])
    for name in header:
        if name in TIMES:
            frame[name] = pd.to_datetime(frame[name], utc=True).astype("datetime64[ns, UTC]")
        elif name == "quality":
            frame[name] = frame[name].astype(np.uint8)
        elif name not in texts | flags:
            frame[name] = frame[name].astype(float)
        elif name == "tags":
            frame[name] = frame[name].fillna("")
    return frame


@pytest.fixture(scope="module")
def sample_load() -> pd.DataFrame:
    return pd.read_parquet(DATA / "sample" / "load.parquet")


@pytest.fixture(scope="module")
def demo_load() -> pd.DataFrame:
    return _read_csv(DATA / "demo_seed" / "load.csv")


@pytest.fixture(params=list(SETS))
def folder(request: pytest.FixtureRequest) -> Path:
    return SETS[request.param]


@pytest.fixture
def tables(folder: Path) -> dict[str, pd.DataFrame]:
    return {path.stem: _read_csv(path) for path in sorted((folder / "network").glob("*.csv"))}


@pytest.fixture
def builder(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    monkeypatch.syspath_prepend(str(DATA))
    for name in ("amman_air", "dtu_source", "build_sample", "build_demo_seed"):
        monkeypatch.delitem(sys.modules, name, raising=False)
    return importlib.import_module("build_demo_seed")


def _graph(tables: dict[str, pd.DataFrame], *, closed_only: bool) -> nx.Graph:
    switches = tables["switches"].merge(tables["switch_states"][["switch_id", "state"]], on="switch_id")
    switches = switches[~switches["from_id"].isin(tables["feeders"]["feeder_id"])]
    if closed_only:
        switches = switches[switches["state"] == "CLOSED"]
    graph = nx.MultiGraph()
    graph.add_nodes_from(tables["transformers"]["transformer_id"])
    graph.add_nodes_from(tables["sections"]["section_id"])
    graph.add_edges_from(zip(switches["from_id"], switches["to_id"], strict=True))
    return graph


def test_the_sample_stays_below_three_megabytes() -> None:
    assert sum(path.stat().st_size for path in SETS["sample"].rglob("*")) < 3_000_000


def test_the_licence_of_the_source_goes_with_the_sample() -> None:
    text = (DATA / "sample" / "LICENSE-DTU.txt").read_text(encoding="utf-8")
    assert "MIT License" in text
    assert "Copyright (c) 2018 TOPFARM" in text
    assert "Copyright (c) 2018 TOPFARM" in (DATA / "README.md").read_text(encoding="utf-8")


def test_every_network_file_is_a_table_of_the_contract(tables: dict[str, pd.DataFrame]) -> None:
    assert set(tables) >= set(NETWORK_TABLES) - {"lines"}
    for name, frame in tables.items():
        check_frame(NETWORK_TABLES[name], frame)


def test_the_sample_has_all_tables() -> None:
    assert {path.stem for path in (DATA / "sample" / "network").iterdir()} == set(NETWORK_TABLES)


def test_settings_are_valid_and_follow_the_data(folder: Path) -> None:
    settings = Settings.model_validate(tomllib.loads((folder / "gridlib.toml").read_text(encoding="utf-8")))
    assert settings.clock.follow == "data"
    assert (settings.site.country, settings.site.tz) == ("JO", "Asia/Amman")
    assert settings.site.notice.startswith(("Sample data", "Demo scenario"))


def test_loads_are_tables_of_the_contract_without_gaps(
    sample_load: pd.DataFrame, demo_load: pd.DataFrame
) -> None:
    for frame in (sample_load, demo_load):
        check_frame(LoadFrame, frame)
        assert frame["load_kva"].notna().all()
        assert (frame["quality"] == 0).all()
        wide = frame.pivot(index="time", columns="transformer_id", values="load_kva")
        assert wide.notna().all(axis=None)
        assert (wide.index.to_series().diff().dropna() == pd.Timedelta(hours=1)).all()


def test_the_sample_is_large_and_long_enough(sample_load: pd.DataFrame) -> None:
    assert sample_load["transformer_id"].nunique() == 50
    assert (sample_load["time"].max() - sample_load["time"].min()).days >= 180
    assert sample_load["time"].max() == pd.Timestamp("2026-09-09 20:00", tz="UTC")


def test_every_transformer_with_load_is_in_the_network(folder: Path, tables: dict[str, pd.DataFrame]) -> None:
    path = folder / "load.parquet"
    load = pd.read_parquet(path) if path.exists() else _read_csv(folder / "load.csv")
    assert set(load["transformer_id"]) == set(tables["transformers"]["transformer_id"])


def test_the_sample_rests_on_friday_and_saturday(sample_load: pd.DataFrame) -> None:
    wall = sample_load["time"].dt.tz_convert("Asia/Amman")
    morning = sample_load[wall.dt.hour == 8]
    by_day = morning.groupby(wall.dt.dayofweek)["load_kva"].mean()
    assert by_day[[4, 5]].max() < by_day[[6, 0, 1, 2, 3]].min()


def test_weather_covers_history_and_three_days_ahead(folder: Path) -> None:
    weather = check_frame(WeatherFrame, _read_csv(folder / "weather.csv"))
    path = folder / "load.parquet"
    load = pd.read_parquet(path) if path.exists() else _read_csv(folder / "load.csv")
    issued = load["time"].max() + pd.Timedelta(hours=1)
    measured = weather[weather["time"] < issued]
    assert (measured["issued_at"] == measured["time"]).all()
    assert measured["time"].tolist() == sorted(load["time"].unique())
    ahead = weather[weather["time"] >= issued]
    assert len(ahead) == 72
    assert (ahead["issued_at"] == issued).all()
    hours = weather.groupby(weather["time"].dt.tz_convert("Asia/Amman").dt.hour)["ambient_c"].mean()
    assert (hours.idxmin(), hours.idxmax()) == (5, 15)


def test_each_section_is_fed_by_the_transformer_it_names(tables: dict[str, pd.DataFrame]) -> None:
    graph = _graph(tables, closed_only=True)
    assert nx.is_forest(graph)
    units = set(tables["transformers"]["transformer_id"])
    named = tables["sections"].set_index("section_id")["transformer_id"]
    for component in nx.connected_components(graph):
        (unit,) = component & units
        assert set(named[sorted(component - units)]) == {unit}


def test_shares_of_a_transformer_sum_to_one(tables: dict[str, pd.DataFrame]) -> None:
    sections = tables["sections"].groupby("transformer_id")
    assert np.allclose(sections["share"].sum(), 1, atol=1e-9)
    assert sections.size().between(2, 4).all()
    assert (tables["sections"]["share"] > 0).all()


def test_ties_join_end_sections_of_different_transformers(tables: dict[str, pd.DataFrame]) -> None:
    ties = tables["switches"][tables["switches"]["kind"] == "tie"]
    assert (ties["normal_state"] == "OPEN").all()
    unit = tables["sections"].set_index("section_id")["transformer_id"]
    assert (unit[ties["from_id"]].to_numpy() != unit[ties["to_id"]].to_numpy()).all()
    closed = _graph(tables, closed_only=True)
    assert all(closed.degree(end) == 1 for end in (*ties["from_id"], *ties["to_id"]))


def test_closed_switches_can_break_their_share_of_nameplate(tables: dict[str, pd.DataFrame]) -> None:
    graph = _graph(tables, closed_only=True)
    share = tables["sections"].set_index("section_id")["share"]
    unit = tables["sections"].set_index("section_id")["transformer_id"]
    rating = tables["transformers"].set_index("transformer_id")["rating_kva"]
    closed = tables["switches"][tables["switches"]["to_id"].isin(share.index)]
    for row in closed[closed["kind"] != "tie"].itertuples():
        cut = graph.copy()
        cut.remove_edge(row.from_id, row.to_id)
        below = share[sorted(nx.node_connected_component(cut, row.to_id))].sum()
        assert row.load_break_a > 1.25 * below * rating[unit[row.to_id]] / (3**0.5 * 0.4)


def test_some_ties_of_the_sample_are_not_available() -> None:
    tables = {path.stem: _read_csv(path) for path in (DATA / "sample" / "network").glob("*.csv")}
    states = tables["switch_states"].set_index("switch_id")
    assert states.index[states["health"] == "FAULT"].tolist() == ["TIE-029"]
    assert states.index[states["tags"] == "PERMIT"].tolist() == ["TIE-065"]
    ties = tables["switches"][tables["switches"]["kind"] == "tie"]
    assert 0 < ties["phase_rotation_confirmed_on"].isna().sum() < len(ties) / 4
    assert 0 < ties["may_parallel"].sum() < len(ties) / 4


def _usual_peak_pu(load: pd.DataFrame, rating: pd.Series, days: int) -> pd.Series:
    """Largest median loading by hour over the last days, whatever the day [pu]."""
    recent = load[load["time"] > load["time"].max() - pd.Timedelta(days=days)]
    hour = recent["time"].dt.hour.rename("hour")
    return (
        recent.groupby([recent["transformer_id"], hour])["load_kva"].median().abs().groupby(level=0).max()
        / rating
    )


def test_a_handful_of_the_sample_is_overloaded(sample_load: pd.DataFrame) -> None:
    rating = _read_csv(DATA / "sample" / "network" / "transformers.csv").set_index("transformer_id")[
        "rating_kva"
    ]
    peak = _usual_peak_pu(sample_load, rating, 28)
    assert set(peak.nlargest(5).index) == {"39-378", "34-260", "34-254", "34-257", "39-374"}
    assert peak.max() < 1.25
    assert (peak < 0.8).sum() >= 40


def test_the_demo_has_the_published_scenario() -> None:
    network = DATA / "demo_seed" / "network"
    units = _read_csv(network / "transformers.csv").set_index("transformer_id")
    assert units["feeder_id"].str[-1].tolist() == list("AAABBBBCCC")
    assert units["rating_kva"].tolist() == [500, 630, 500, 800, 500, 630, 500, 400, 630, 500]
    assert units.index[units["cooling"] == "ONAF"].tolist() == ["T-03", "T-04", "T-09"]
    assert _read_csv(network / "feeders.csv")["voltage_kv"].tolist() == [33, 33, 11]
    switches = _read_csv(network / "switches.csv").set_index("switch_id")
    published = {
        "SW-01": ("T-01", "T-02", 200),
        "SW-02": ("T-02", "T-04", 250),
        "LINK-03": ("T-03", "T-05", 180),
        "LINK-04": ("T-05", "T-06", 220),
        "SW-03": ("T-07", "T-09", 300),
        "SW-04": ("T-05", "T-08", 150),
        "SW-06": ("T-09", "T-10", 200),
        "LINK-08": ("T-04", "T-07", 280),
    }
    ties = switches[switches["kind"] == "tie"]
    assert set(ties.index) == set(published)
    for name, (one, two, limit_kw) in published.items():
        tie = ties.loc[name]
        assert (tie["from_id"].rsplit("-S", 1)[0], tie["to_id"].rsplit("-S", 1)[0]) == (one, two)
        assert tie["limit_kva"] == limit_kw
        unknown = name.startswith("LINK")
        assert pd.isna(tie["load_break_a"]) == pd.isna(tie["fault_make_ka"]) == unknown
    assert (switches.loc["SW-05", "from_id"], switches.loc["SW-05", "normal_state"]) == ("FDR-C", "CLOSED")


def test_the_demo_has_1680_readings_with_two_hot_transformers(demo_load: pd.DataFrame) -> None:
    assert len(demo_load) == 1680
    rating = _read_csv(DATA / "demo_seed" / "network" / "transformers.csv").set_index("transformer_id")[
        "rating_kva"
    ]
    peak_pu = demo_load.groupby("transformer_id")["load_kva"].max() / rating
    assert peak_pu[["T-04", "T-07"]].between(1.18, 1.24).all()
    assert peak_pu.drop(["T-04", "T-07"]).between(0.55, 0.80).all()
    wall = demo_load["time"].dt.tz_convert("Asia/Amman")
    pu = demo_load["load_kva"] / demo_load["transformer_id"].map(rating)
    working = ~wall.dt.dayofweek.isin([4, 5])
    for name in ("T-04", "T-07"):
        own = working & (demo_load["transformer_id"] == name)
        assert (pu[own].groupby(wall.dt.hour).median() >= 1.10).sum() >= 2


def test_one_end_section_relieves_each_hot_transformer_of_the_demo(demo_load: pd.DataFrame) -> None:
    network = DATA / "demo_seed" / "network"
    rating = _read_csv(network / "transformers.csv").set_index("transformer_id")["rating_kva"]
    share = _read_csv(network / "sections.csv").set_index("section_id")["share"]
    limit = _read_csv(network / "switches.csv").set_index("switch_id")["limit_kva"]
    wide = demo_load.pivot(index="time", columns="transformer_id", values="load_kva")
    for section, receiver, tie in (("T-07-S4", "T-09", "SW-03"), ("T-04-S4", "T-02", "SW-02")):
        donor = section[:4]
        moved = share[section] * wide[donor]
        assert 1.1 * moved.max() < limit[tie]
        assert (wide[donor] - moved).max() < rating[donor]
        assert (wide[receiver] + 1.1 * moved).max() < 0.95 * rating[receiver]


def test_building_the_demo_again_gives_the_same_bytes(builder: ModuleType) -> None:
    built = builder.build()
    assert {f"{name}.csv" for name in built} == {
        path.relative_to(DATA / "demo_seed").as_posix() for path in (DATA / "demo_seed").rglob("*.csv")
    }
    for name, table in built.items():
        shipped = (DATA / "demo_seed" / f"{name}.csv").read_bytes()
        assert builder.csv_text(table).encode() == shipped, name


def test_building_the_sample_again_gives_the_same_values(
    builder: ModuleType, sample_load: pd.DataFrame
) -> None:
    if importlib.util.find_spec("dtu_adn") is None:
        pytest.skip("the source of the sample, PyPI dtu-adn 0.0.1, is not installed")
    sample = importlib.import_module("build_sample")
    load, network = sample.build(sample.find_source())
    shipped = sample_load.pivot(index="time", columns="transformer_id", values="load_kva")
    assert np.array_equal(load[shipped.columns].to_numpy(), shipped.to_numpy())
    for name, table in network.items():
        text = (DATA / "sample" / "network" / f"{name}.csv").read_text(encoding="utf-8")
        assert table.to_csv(index=False, lineterminator="\n") == text, name


def test_the_readme_names_every_column_of_every_table() -> None:
    rows = [
        line for line in (DATA / "README.md").read_text(encoding="utf-8").splitlines() if line[:2] == "| "
    ]
    told = {cells[1].strip(): cells[2] for cells in (row.split("|") for row in rows)}
    for name, model in {"load": LoadFrame, "weather": WeatherFrame, **NETWORK_TABLES}.items():
        missing = [column for column in model.to_schema().columns if column not in told[name]]
        assert not missing, f"{name}: {missing}"

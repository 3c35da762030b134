"""A top-oil sensor's file, from the drop folder to the hot spot of its transformer and no other."""

import numpy as np
import pandas as pd
import pytest

from gridlib.adapters.oil import oil_part
from gridlib.workflow import queries
from gridlib.workflow.ingest import ingest_paths
from gridlib.workflow.pipeline import run_stages
from gridlib.workflow.setup import init_workspace

STAGES = ("forecast", "risk")


@pytest.fixture
def workbench(tmp_path):
    workbench, _ = init_workspace(tmp_path / "home", example="demo_seed")
    yield workbench
    workbench.store.dispose()


def test_a_sensor_makes_its_unit_hotter_and_touches_no_other(workbench, tmp_path) -> None:
    run_stages(workbench, STAGES)
    plain = queries.get_frame(workbench, "thermal").set_index("transformer_id")
    issued_at = queries.get_run(workbench, stage="risk").issued_at
    start = plain.loc["T-05", "top_oil_c"].iloc[0]
    times = pd.date_range(end=issued_at - pd.Timedelta(minutes=5), periods=24, freq="h")
    swing = 5 * np.sin(np.arange(24))
    frame = pd.DataFrame({"transformer_id": "T-05", "time": times, "top_oil_c": start + 25 + swing})
    path = tmp_path / "oil.csv"
    frame.assign(time=frame["time"].map(pd.Timestamp.isoformat)).to_csv(path, index=False)
    (taken,) = ingest_paths(workbench, [path])
    assert (taken.kind, taken.rows, taken.repeated) == ("oil", 24, False)
    (again,) = ingest_paths(workbench, [path])
    assert again.repeated

    run_stages(workbench, STAGES)
    found = queries.get_frame(workbench, "thermal").set_index("transformer_id")
    # The first hour of the horizon lies 60 min after a reading of 25 K and a little above the model.
    assert found.loc["T-05", "hot_spot_c"].iloc[0] > plain.loc["T-05", "hot_spot_c"].iloc[0] + 15
    others = [name for name in plain.index.unique() if name != "T-05"]
    pd.testing.assert_frame_equal(found.loc[others], plain.loc[others], check_exact=True)
    days = queries.get_frame(workbench, "day_limits")
    assert days.groupby("transformer_id").size().eq(3).all()


def test_a_lost_part_comes_back_with_the_same_file(workbench, tmp_path) -> None:
    path = tmp_path / "oil.csv"
    path.write_text("transformer_id,time,top_oil_c\nT-05,2026-08-10T10:00+03:00,55\n", encoding="utf-8")
    ingest_paths(workbench, [path])
    (part,) = (workbench.telemetry.folder / "oil").glob("part-*.parquet")
    part.unlink()
    (taken,) = ingest_paths(workbench, [path])
    assert taken.repeated
    assert oil_part(workbench.telemetry.folder, part.stem.removeprefix("part-")).exists()

"""Figures that take a forecast apart: what is drawn is what was handed in."""

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest

from gridlib.apps.forecast_plots import TERM_WORDS, waterfall_figure
from gridlib.domain.forecast import explain_forecast
from gridlib.facts.errors import InputError


def terms_of(*kva, time="2026-09-12T17:00Z"):
    row = pd.Series(dict(zip(TERM_WORDS, kva, strict=True)), dtype=object)
    row["load_kva_mean"] = float(sum(kva))
    row["transformer_id"], row["time"] = "T-07", pd.Timestamp(time)
    return row


def drawn(terms, rating_kva=630.0, load_kva_p90=700.0):
    figure = waterfall_figure(terms, rating_kva, load_kva_p90=load_kva_p90, tz="Asia/Amman")
    axes = figure.axes[0]
    figure.canvas.draw()
    plt.close(figure)
    return axes


@pytest.mark.parametrize(
    "kva", [(500, 100, 6, 50, 24, -1), (100, -90, -60, -20, 5, 1), (-300, -50, 10, 0, 0, 20)]
)
def test_each_bar_starts_where_the_one_before_ended_and_the_last_is_the_mean(kva):
    bars = drawn(terms_of(*kva)).patches
    ends = np.cumsum(kva)
    assert [bar.get_height() for bar in bars] == pytest.approx([*kva, ends[-1]])
    assert [bar.get_y() for bar in bars] == pytest.approx([0, *ends[:-1], 0])


@pytest.mark.parametrize(
    ("kva", "limit"), [((500, 100, 6, 50, 24, -1), 630), ((-300, -50, 0, 0, 0, 0), -630)]
)
def test_the_nameplate_stands_on_the_side_of_the_load(kva, limit):
    axes = drawn(terms_of(*kva))
    dashed = [line.get_ydata()[0] for line in axes.lines if line.get_linestyle() == "--"]
    assert dashed == [limit]
    assert axes.get_legend().get_texts()[0].get_text() == "nameplate 630 kVA"


def test_p90_is_marked_and_named():
    axes = drawn(terms_of(500, 100, 6, 50, 24, -1), load_kva_p90=789.4)
    assert "p90 789" in [text.get_text() for text in axes.texts]
    assert any(set(line.get_ydata()) == {789.4} for line in axes.lines)
    assert axes.get_ylim()[1] > 789.4


def test_every_term_is_named_with_its_kva_at_the_local_hour():
    axes = drawn(terms_of(500, 100, 6, 50, 24, -1))
    assert [text.get_text() for text in axes.texts][:6] == ["500", "+100", "+6", "+50", "+24", "-1"]
    assert axes.get_xticklabels()[-1].get_text() == "mean\n679 kVA"
    assert axes.get_title(loc="left").startswith("T-07, Sat 12 Sep 20:00")


def test_terms_that_do_not_sum_to_the_mean_are_refused():
    terms = terms_of(500, 100, 6, 50, 24, -1)
    terms["load_kva_mean"] += 1
    with pytest.raises(InputError, match=r"terms sum to 679 kVA, expected the mean of 680 kVA"):
        waterfall_figure(terms, 630.0, load_kva_p90=700.0, tz="Asia/Amman")


def test_any_row_of_an_explained_forecast_can_be_drawn():
    times = pd.date_range("2026-01-01", periods=21 * 24, freq="h", tz="UTC")
    load = 100.0 + 50.0 * (times.hour == 17) + np.random.default_rng(0).normal(0, 3, len(times))
    terms = explain_forecast(pd.DataFrame({"T-01": load}, index=times))
    assert [name for name in terms if name.endswith("_kva")] == list(TERM_WORDS)
    for row in (0, 17, 71):
        assert drawn(terms.loc[row]).patches[-1].get_height() == terms.loc[row, "load_kva_mean"]

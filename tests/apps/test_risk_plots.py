"""The figure of heat and messages as HTML: what is drawn is what was handed in."""

from datetime import UTC, datetime

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest

from gridlib.apps.message_html import message_html, messages_html
from gridlib.apps.risk_plots import hot_spot_figure
from gridlib.facts.messages import Message
from gridlib.facts.types import Limits

TIMES = pd.date_range("2026-08-11T00:00Z", periods=72, freq="h")


def heat(hot_c: float = 125.0) -> pd.DataFrame:
    curve = hot_c - 30 + 30 * np.sin(np.arange(72) / 24 * 2 * np.pi)
    return pd.DataFrame(
        {"transformer_id": "T-07", "time": TIMES, "ambient_c": 33.0, "top_oil_c": curve - 20}
        | {"hot_spot_c": curve, "hot_spot_c_p90": curve + 6}
    )


@pytest.fixture
def axes():
    figure = hot_spot_figure(heat(), Limits(planned_hot_spot_c=118), "Asia/Amman")
    figure.canvas.draw()
    yield figure.axes[0]
    plt.close(figure)


def test_curve_limits_and_hottest_hour_are_those_given(axes) -> None:
    curves = [line for line in axes.lines if len(line.get_ydata()) == 72]
    assert np.array_equal(curves[0].get_ydata(), heat()["hot_spot_c"])
    flat = {line.get_ydata()[0] for line in axes.lines if len(line.get_ydata()) == 2}
    assert flat == {98, 118, 140}
    # Hour 6 UTC is 09:00 in Amman.
    assert axes.get_title(loc="right") == "hottest 09:00 on 11 Aug: 125 degC, at p90 load 131 degC"


def test_words_beside_the_lines_do_not_fall_on_each_other(axes) -> None:
    words = [text for text in axes.texts if text.get_text()]
    assert {word.get_text() for word in words} >= {
        "hot spot",
        "top oil",
        "98 ages faster",
        "118 planned limit",
    }
    boxes = sorted(word.get_window_extent().y0 for word in words)
    assert min(np.diff(boxes)) >= words[0].get_window_extent().height * 0.8


def test_names_are_escaped_and_set_apart_in_arabic() -> None:
    odd = Message("loss.busiest", {"neighbour": "<b>T-1</b>", "reach_pct": 91.0})
    assert message_html(odd) == "busiest neighbour &lt;b&gt;T-1&lt;/b&gt; would reach 91 %"
    arabic = message_html(odd, "ar")
    assert "<bdi>&lt;b&gt;T-1&lt;/b&gt;</bdi>" in arabic
    assert '<bdi dir="ltr">91 %</bdi>' in arabic
    assert "\u2066" not in arabic


def test_a_list_reads_in_the_direction_of_its_language() -> None:
    at = Message(
        "loss.carries", {"transformer": "T", "at": datetime(2026, 8, 1, tzinfo=UTC), "load_kva": 1.0}
    )
    assert messages_html([at], "ar").startswith('<ul lang="ar" dir="rtl"><li>')
    assert messages_html([at]).startswith('<ul lang="en" dir="ltr"><li>T at 00:00 on 01 Aug')

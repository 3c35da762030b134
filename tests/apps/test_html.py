import re
import subprocess
import sys

import nbformat
import pandas as pd
import pytest

from gridlib.apps.html import Html, badge, escape, table
from gridlib.facts.errors import InputError
from gridlib.facts.types import RiskLevel


@pytest.mark.parametrize(
    "attack",
    ["<script>x</script>", "<img src=x onerror=x>", '" onclick="x', "' onclick='x", "</td><b>", "&lt;b&gt;"],
)
def test_no_text_becomes_markup(attack):
    shown = escape(attack)
    assert not set("<>\"'") & set(shown)
    assert table([{"note": attack}]).count("<td") == 1
    assert shown in table([{"note": attack}])
    assert shown in table([{attack: 1}], caption=attack)
    assert badge(attack).count("<") == 2


def test_characters_that_turn_or_hide_text_are_dropped():
    assert escape("T\u202e7\u2066-\u200fA\u200b\x00\x1b[1m\x85\ufeff") == "T7-A[1m"
    assert escape("محوّل ۱۲\u200cکیلو\n\tT7") == "محوّل ۱۲\u200cکیلو\n\tT7"


def test_html_is_escaped_once():
    assert escape(escape("<b>")) == "&lt;b&gt;"
    assert isinstance(table([{"level": badge("HIGH")}]), Html)
    assert "<span" in table([{"level": badge("HIGH")}])


def test_a_table_shows_numbers_words_and_what_is_missing():
    frame = pd.DataFrame(
        {
            "transformer_id": ["T1", None],
            "load_kva": [412.345, float("nan")],
            "customers": [12, 0],
            "time": [pd.Timestamp("2025-08-12", tz="UTC"), pd.NaT],
            "hidden": [1, 2],
            "proven": [True, False],
        }
    )
    shown = table(
        frame,
        headings={
            "transformer_id": "Transformer",
            "load_kva": "Load [kVA]",
            "customers": "Customers",
            "time": "Since",
            "proven": "Proven",
        },
        formats={"load_kva": ".0f"},
    )
    rows = [re.findall(r"<t[dh][^>]*>(.*?)</t[dh]>", row) for row in re.findall(r"<tr>(.*?)</tr>", shown)]
    assert rows == [
        ["Transformer", "Load [kVA]", "Customers", "Since", "Proven"],
        ["T1", "412", "12", "2025-08-12 00:00:00+00:00", "yes"],
        ["–", "–", "0", "–", "no"],
    ]
    assert '<td class="number">412</td>' in shown
    assert "<tbody></tbody>" in table([])


def luminance(colour):
    channels = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    return sum(weight * c for weight, c in zip((0.2126, 0.7152, 0.0722), linear, strict=True))


@pytest.mark.parametrize("level", [*RiskLevel, "DRAFT"])
def test_a_badge_reads_without_colour_and_with_contrast(level):
    ink, ground = re.search(r"color:(#\w{6});background-color:(#\w{6})", badge(level)).groups()
    dark, light = sorted([luminance(ink), luminance(ground)])
    assert (light + 0.05) / (dark + 0.05) >= 4.5
    assert str(level) in badge(level)
    shapes = {re.search(r">(.)&nbsp;", badge(one))[1] for one in [*RiskLevel, "DRAFT"]}
    assert len(shapes) == 4


def test_the_kernels_of_the_screens_stay_thin():
    script = (
        "import sys, gridlib.apps.html, gridlib.apps.show; "
        "print({'pandas', 'matplotlib', 'voila'} & set(sys.modules))"
    )
    assert subprocess.check_output([sys.executable, "-c", script], text=True).strip() == "set()"


def test_a_figure_is_shown_with_its_description_and_released(monkeypatch):
    import matplotlib as mpl
    from matplotlib import pyplot

    from gridlib.apps.show import display_figure

    mpl.use("agg")
    shown = []
    monkeypatch.setattr("IPython.display.display", lambda data, **options: shown.append((data, options)))
    figure, axes = pyplot.subplots()
    axes.plot([1, 2])
    with pytest.raises(InputError, match="description"):
        display_figure(figure, " ")
    display_figure(figure, "Load rises from 1 to 2 kVA")
    ((data, options),) = shown
    output = nbformat.v4.new_output("display_data", data=data, metadata=options["metadata"])
    assert output.metadata["image/png"]["alt"] == output.data["text/plain"] == "Load rises from 1 to 2 kVA"
    assert output.data["image/png"].startswith("iVBOR")
    assert not pyplot.fignum_exists(figure.number)

"""The report of the back-test, from the shell, on the readings of a workspace."""

import json
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest


@pytest.mark.notebooks
def test_the_report_says_in_words_what_the_warnings_were_worth(sqlite_demo, tmp_path):
    home = tmp_path / "home"
    shutil.copytree(sqlite_demo, home)
    shell = Path(sys.executable).parent / "gridlib"
    done = subprocess.run(
        [shell, "report", "backtest", "--home", home, "--json"], capture_output=True, text=True, timeout=180
    )
    assert done.returncode == 0, done.stderr
    html = Path(json.loads(done.stdout)["path"]).read_text(encoding="utf-8")
    assert not re.search(r"<script|https?://|import |No description has been provided", html)
    (image,) = re.findall(r"<img[^>]*>", html)
    assert re.search(r'alt="[^"]{20,}"', image)
    assert re.search(r"Of \d+ overload windows .* were warned of, \d+ missed", html)
    assert "bands held" in html
    assert "Demo" in html
    assert "T-0" in html

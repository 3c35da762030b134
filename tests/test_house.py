"""The rules of the house that no linter knows."""

import json
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
import yaml

from gridlib.facts.settings import Settings

ROOT = Path(__file__).resolve().parents[1]
HEAVY = (
    "pandas",
    "numpy",
    "matplotlib",
    "sqlalchemy",
    "papermill",
    "voila",
    "nbconvert",
    "pandera",
    "anthropic",
)


def test_importing_gridlib_pulls_no_heavy_package():
    code = "import sys, json, gridlib; print(json.dumps(sorted(sys.modules)))"
    loaded = json.loads(
        subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    )
    assert not {name.split(".")[0] for name in loaded} & set(HEAVY)


def test_every_module_stays_under_400_lines():
    long = {
        str(path.relative_to(ROOT)): count
        for path in [*ROOT.glob("gridlib/**/*.py"), *ROOT.glob("data/*.py")]
        if (count := len(path.read_text(encoding="utf-8").splitlines())) >= 400
    }
    assert not long


def test_whatever_writes_csv_keeps_formulas_out_of_spreadsheets():
    sources = [*ROOT.glob("gridlib/**/*.py"), *ROOT.glob("notebooks/**/*.ipynb")]
    texts = {path.name: path.read_text(encoding="utf-8") for path in sources}
    writers = {name for name, text in texts.items() if re.search(r"\bto_csv\(|\bcsv\.\w*[wW]riter\(", text)}
    assert writers == {"rows.py", "folder.py"}
    assert all("import guarded" in texts[name] for name in writers)


def test_the_lock_names_no_host():
    lines = (ROOT / "requirements.lock").read_text(encoding="utf-8").splitlines()
    assert all(re.fullmatch(r"[A-Za-z0-9._\[\],-]+==\S+( ; .+)?", line) for line in lines)


def test_the_environment_file_installs_this_package_with_all_its_extras():
    environment = yaml.safe_load((ROOT / "environment.yml").read_text(encoding="utf-8"))
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    (by_pip,) = [entry["pip"] for entry in environment["dependencies"] if isinstance(entry, dict)]
    assert f"-e .[{','.join(project['optional-dependencies'])}]" in by_pip
    assert "-r requirements.lock" in by_pip
    assert f"python{project['requires-python']}" in environment["dependencies"]


@pytest.mark.parametrize("example", ["site", "sample", "demo_seed"])
def test_shipped_settings_are_valid_and_every_key_is_commented(example):
    text = (ROOT / "data" / example / "gridlib.toml").read_text(encoding="utf-8")
    Settings.model_validate(tomllib.loads(text))
    keys = [line for line in text.splitlines() if re.match(r"\w+ *=", line)]
    assert keys
    assert all("#" in line for line in keys)


def test_the_default_settings_file_says_the_defaults():
    text = (ROOT / "data" / "site" / "gridlib.toml").read_text(encoding="utf-8")
    assert Settings.model_validate(tomllib.loads(text)) == Settings()


def test_the_checkout_is_the_sample_workspace():
    assert (ROOT / "gridlib.toml").read_bytes() == (ROOT / "data" / "sample" / "gridlib.toml").read_bytes()


def test_a_wheel_takes_the_examples_and_never_the_workspace_in_data():
    hatch = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["hatch"]
    shipped = set(hatch["build"]["targets"]["wheel"]["force-include"])
    examples = {"data/demo_seed", "data/sample", "data/site", "data/templates"}
    assert shipped == {"notebooks", "data/README.md", *examples}

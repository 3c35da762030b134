import ast
import json
import os
import sys
import time
from pathlib import Path

import nbformat
import pytest

from gridlib.adapters.notebook_process import check_html, clean_html
from gridlib.adapters.notebooks import notebook_parameters, run_notebook, share_dir
from gridlib.facts.errors import FileError, InputError, NotebookError

PARAMETERS = """\
# What the report is about.
as_of: str = "2025-08-12"  # day of the report
limit_pct: float = 100.0  # loading limit [%]
top: int = 5  # rows to show
details: bool = False  # also show the sections
"""
DOT = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="

KERNEL = {"kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}}


@pytest.fixture
def bench(tmp_path):
    return Bench(tmp_path)


class Bench:
    """A folder of notebooks, a workspace and a place to publish in."""

    def __init__(self, folder):
        self.root, self.home, self.target = folder / "notebooks", folder / "home", folder / "{as_of}"
        self.root.mkdir()
        self.home.mkdir()

    def write(self, *cells, parameters=PARAMETERS):
        made = [nbformat.v4.new_markdown_cell("# How is the grid?\n\n> Two minutes, a < b.")]
        if parameters is not None:
            made.append(nbformat.v4.new_code_cell(parameters, metadata={"tags": ["parameters"]}))
        made += [nbformat.v4.new_code_cell(cell) for cell in cells]
        nbformat.write(nbformat.v4.new_notebook(cells=made, metadata=KERNEL), self.root / "daily.ipynb")
        return self

    def run(self, parameters=None, source="daily.ipynb", **options):
        return run_notebook(
            Path(source), self.target, parameters or {}, cwd=self.home, root=self.root, **options
        )

    def refused(self, parameters, source="daily.ipynb"):
        with pytest.raises(InputError) as refused:
            self.run(parameters, source)
        assert not self.target.exists()
        return refused.value


def test_the_parameters_cell_is_read_with_type_default_and_help(bench):
    bench.write()
    found = notebook_parameters(bench.root / "daily.ipynb")
    assert {name: spec.type for name, spec in found.items()} == {
        "as_of": str,
        "limit_pct": float,
        "top": int,
        "details": bool,
    }
    assert found["limit_pct"].default == 100.0
    assert found["limit_pct"].help == "loading limit [%]"


def test_papermill_sees_the_same_parameters(bench):
    from papermill.inspection import inspect_notebook

    path = bench.write().root / "daily.ipynb"
    ours = {
        name: (spec.type.__name__, spec.default, spec.help)
        for name, spec in notebook_parameters(path).items()
    }
    theirs = {
        name: (spec["inferred_type_name"], ast.literal_eval(spec["default"]), spec["help"])
        for name, spec in inspect_notebook(path).items()
    }
    assert ours == theirs


@pytest.mark.parametrize(
    "line",
    [
        "as_of = '2025'  # no type",
        "as_of: str = '2025'",
        "as_of: str | None = None  # papermill does not see it",
        "as_of: str = 'a=b'  # papermill skips a second equals sign",
        "as_of: str = 'a#b'  # papermill cuts at the first hash",
        "top: int = 2 + 2  # not a literal",
        "top: int = '2'  # not an int",
        "top: int = True  # a bool is not an int",
        "limit_pct: float = 1  # an int is not a float",
        "import os; os.remove('x')",
        "as_of: str = open('x').read()  # not a literal",
        "as_of: str = '1'  # twice\nas_of: str = '2'  # twice",
    ],
)
def test_a_parameters_cell_with_anything_else_is_refused(bench, line):
    bench.write(parameters=line)
    with pytest.raises(FileError, match="parameters cell"):
        notebook_parameters(bench.root / "daily.ipynb")


@pytest.mark.parametrize(
    ("parameters", "said"),
    [
        ({"asof": "2025-08-12"}, "no parameter 'asof'"),
        ({"x=open('pwned','w');as_of": "1"}, "no parameter"),
        ({"as_of": 20250812}, "as_of must be str"),
        ({"top": "5"}, "top must be int"),
        ({"top": True}, "top must be int"),
        ({"details": "false"}, "details must be bool"),
        ({"details": 0}, "details must be bool"),
        ({"limit_pct": float("nan")}, "limit_pct must be float"),
        ({"as_of": ["2025"]}, "as_of must be str"),
        ({"as_of": "postgresql://grid:hunter22@db/grid"}, "password"),
    ],
)
def test_unknown_and_mistyped_parameters_are_refused_before_anything_runs(bench, parameters, said):
    error = bench.write("open('ran', 'w')").refused(parameters)
    assert said in str(error)
    assert "hunter22" not in str(error)
    assert error.what_to_do
    assert list(bench.home.iterdir()) == []


@pytest.mark.parametrize(
    "source",
    ["http://127.0.0.1:9/daily.ipynb", "../outside.ipynb", "notes.txt", "absent.ipynb", "link.ipynb", ""],
)
def test_only_packaged_notebooks_run(bench, source):
    bench.write()
    outside = bench.root.parent / "outside.ipynb"
    outside.write_bytes((bench.root / "daily.ipynb").read_bytes())
    (bench.root / "link.ipynb").symlink_to(outside)
    (bench.root / "notes.txt").write_text("{}")
    assert "not one of gridlib's notebooks" in str(bench.refused({}, source))
    assert bench.refused({}, str(outside))


def test_the_notebooks_of_the_package_are_found():
    assert (share_dir() / "notebooks" / "reports").is_dir()


REPORT = """
import base64, json, os, sys
from IPython.display import HTML, Markdown, display
print(json.dumps([as_of, limit_pct, top, details, sys.executable, os.getcwd(), os.environ["GRIDLIB_HOME"],
                  os.environ.get("GRIDLIB_ACTING_USER")]))
print("a warning for the person on call", file=sys.stderr)
display(HTML("<style scoped>td {color: red}</style><table><tr><td onclick='x()'>T1</td></tr></table>"
             "<script>alert(1)</script><img src='x' onerror='alert(2)' alt='x'>"))
display(Markdown("[press](javascript:alert(3)) <b>bold</b>"))
display({"image/png": %r}, raw=True, metadata={"image/png": {"alt": "One dot, at 12 kVA"}})
"""


@pytest.mark.notebooks
def test_a_notebook_is_published_with_its_report(bench, monkeypatch):
    monkeypatch.setenv("GRIDLIB_ACTING_USER", "olu")
    monkeypatch.setenv("GRIDLIB_HOME", "/elsewhere")
    monkeypatch.setenv("BILLING_API_KEY", "k-0123456789")
    # Neither may decide which interpreter runs or which code it finds.
    (bench.home / "ipykernel_launcher.py").write_text("raise SystemExit(3)")
    (bench.home / "base64.py").write_text("raise SystemExit(3)")
    spec = bench.home / "data" / "kernels" / "python3"
    spec.mkdir(parents=True)
    (spec / "kernel.json").write_text(
        json.dumps({"argv": ["/bin/false"], "display_name": "x", "language": "python"})
    )
    monkeypatch.setenv("JUPYTER_DATA_DIR", str(bench.home / "data"))
    text = "\"; open('pwned', 'w'); x = '''\\ \n{top}"

    # The old report stays until the new one is complete; what an earlier failure left goes with it.
    (bench.target / "failed-daily").mkdir(parents=True)
    (bench.target / "daily.html").write_text("old report")
    while_it_runs = f"print(os.environ['BILLING_API_KEY'], open({str(bench.target / 'daily.html')!r}).read())"
    result = bench.write(REPORT % DOT, while_it_runs).run({"as_of": text, "limit_pct": 110})

    assert sorted(path.name for path in bench.target.iterdir()) == ["daily.html", "daily.ipynb"]
    assert (result.executed, result.html) == (bench.target / "daily.ipynb", bench.target / "daily.html")
    assert result.parameters == {"as_of": text, "limit_pct": 110.0, "top": 5, "details": False}
    executed = nbformat.read(result.executed, 4)
    printed = next(
        o.text for cell in executed.cells for o in cell.get("outputs", []) if o.output_type == "stream"
    )
    home = str(bench.home)
    assert json.loads(printed) == [text, 110.0, 5, False, sys.executable, home, home, None]
    assert not (bench.home / "pwned").exists()
    assert executed.metadata.gridlib.outcome == "done"
    assert "*** old report" in result.html.read_text()
    assert "k-0123456789" not in result.executed.read_text() + result.html.read_text()
    check_report(result.html)


def check_report(path):
    page = path.read_text()
    assert check_html(path) == ()
    assert "default-src 'none'" in page
    assert "<title>How is the grid?</title>" in page
    assert page.count("<h1") == 1
    assert "loading limit [%]" in page  # the run's facts are named by their help
    assert "<blockquote>" in page
    assert 'alt="One dot, at 12 kVA"' in page
    assert "<b>bold</b>" in page
    assert "<td>T1</td>" in page
    for unwanted in (
        "<script",
        "onerror",
        "onclick",
        "javascript:",
        "color: red",
        "display(",
        "person on call",
    ):
        assert unwanted not in page
    assert len(page) < 20_000


@pytest.mark.notebooks
def test_a_failure_publishes_nothing_and_keeps_what_ran(bench):
    bench.target.mkdir()
    (bench.target / "daily.html").write_text("old report")
    bench.write("print('second')", "raise KeyError('T7')", "open('after', 'w')")
    with pytest.raises(NotebookError) as failed:
        bench.run({"top": 3})

    error = failed.value
    assert (error.notebook, error.cell_index, error.ename, error.evalue) == ("daily", 3, "KeyError", "'T7'")
    assert error.kept_at == str(bench.target / "failed-daily")
    assert (bench.target / "daily.html").read_text() == "old report"
    partial = (bench.target / "failed-daily" / "daily.ipynb").read_text()
    assert "second" in partial
    assert json.loads(partial)["metadata"]["gridlib"]["outcome"] == "failed"
    assert not (bench.home / "after").exists()
    assert sorted(path.name for path in bench.target.iterdir()) == ["daily.html", "failed-daily"]


@pytest.mark.notebooks
def test_a_killed_kernel_is_a_failure(bench):
    bench.write(
        "print('alive')", "import os, signal\nos.kill(os.getpid(), signal.SIGKILL)", "open('after', 'w')"
    )
    with pytest.raises(NotebookError, match="DeadKernel") as failed:
        bench.run()
    assert failed.value.cell_index == 3
    assert [path.name for path in bench.target.iterdir()] == ["failed-daily"]
    assert json.loads((bench.target / "failed-daily" / "daily.ipynb").read_text())["metadata"]["papermill"][
        "exception"
    ]


@pytest.mark.notebooks
def test_a_run_over_its_time_is_killed_with_its_kernel(bench):
    bench.write(
        "import os\nopen('pid', 'w').write(str(os.getpid()))",
        # Inside one call that never lets another thread run: the kernel cannot notice that it is an orphan.
        "import ctypes\nctypes.PyDLL(None).sleep(60)",
    )
    began = time.monotonic()
    with pytest.raises(NotebookError, match="took longer than 9 s") as failed:
        bench.run(timeout_s=9)
    assert time.monotonic() - began < 13
    assert (failed.value.ename, failed.value.cell_index) == ("TimeoutError", 3)
    assert [path.name for path in bench.target.iterdir()] == ["failed-daily"]
    kernel = int((bench.home / "pid").read_text())
    assert not Path(f"/proc/{kernel}").exists() or "Z" in Path(f"/proc/{kernel}/stat").read_text().split()[2]


@pytest.mark.notebooks
def test_a_figure_without_a_description_fails_the_report(bench):
    bench.write(f"from IPython.display import display\ndisplay({{'image/png': {DOT!r}}}, raw=True)")
    with pytest.raises(NotebookError, match="no description"):
        bench.run()
    assert [path.name for path in bench.target.iterdir()] == ["failed-daily"]


@pytest.mark.parametrize(
    ("body", "fault"),
    [
        ("<script>1</script>", "<script> is not allowed"),
        ("<p onclick='x()'>", "carries a script"),
        ("<a href='javascript:x()'>", "carries a script"),
        ("<img src='https://elsewhere/x.png' alt='x'>", "fetches https://elsewhere/x.png"),
        ("<img src='data:image/png;base64,' alt=' '>", "no description"),
        ("<img src='data:image/png;base64,'>", "no description"),
        ("<link rel='stylesheet' href='x.css'>", "<link> is not allowed"),
        ("x" * 1_000_000, "1.0 MB"),
    ],
)
def test_the_check_of_a_report_names_each_fault(tmp_path, body, fault):
    path = tmp_path / "report.html"
    path.write_text(f"<html lang='en'><title>t</title><main>{body}</main></html>")
    assert [said for said in check_html(path) if fault in said]
    path.write_text("<html><p>x</p></html>")
    assert check_html(path) == ("no lang", "no title", "no main")


def test_cleaning_keeps_tables_and_badges():
    badge = '<span class="badge" style="color: #ffffff; background-color: #a3161a;">■ HIGH</span>'
    head = '<thead><tr><th scope="col">Load</th></tr></thead>'
    kept = f"<table>{head}<tbody><tr><td>{badge}</td></tr></tbody></table>"
    assert clean_html(kept) == kept
    assert "url" not in clean_html('<p style="background-color: url(http://x)">')


def test_starting_the_command_line_does_not_pay_for_papermill():
    script = (
        "import sys, gridlib.adapters.notebooks; print({'papermill', 'nbconvert', 'zmq'} & set(sys.modules))"
    )
    import subprocess

    assert (
        subprocess.check_output([sys.executable, "-c", script], text=True, env=os.environ).strip() == "set()"
    )

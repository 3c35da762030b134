"""The process that executes one notebook; started by `gridlib.adapters.notebooks`, job on standard input.

It leaves ``<notebook>.ipynb`` and ``<notebook>.html`` in the job's folder. A failure that it could name goes
to ``outcome.json`` with exit status 1; whatever else ends it speaks by its exit status alone.
"""

import json
import os
import re
import sys
from datetime import UTC, datetime
from html.parser import HTMLParser
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from jupyter_client.manager import AsyncKernelManager
from jupyter_client.provisioning.local_provisioner import LocalProvisioner
from jupyter_core.utils import run_sync

from gridlib.adapters.kernels import KERNEL_NAME, ThisInterpreter, apply_environment, kernel_environment

if TYPE_CHECKING:
    from nbformat import NotebookNode

MAX_REPORT_BYTES = 1_000_000
"""A report must pass through a mail gateway; figures at 100 dots per inch stay far below."""

_HIDDEN_TAGS = ("parameters", "injected-parameters", "hide")
_TAGS = frozenset(
    "a abbr b bdi blockquote br caption code col colgroup dd del details div dl dt em figcaption figure "  # noqa: SIM905
    "h1 h2 h3 h4 h5 h6 hr i img kbd li mark ol p pre q s section small span strong sub summary sup table "
    "tbody td tfoot th thead tr u ul".split()
)
_ATTRIBUTES = {
    "*": {"class", "dir", "id", "lang", "title", "role", "aria-label", "style"},
    "a": {"href"},
    "img": {"src", "alt", "width", "height"},
    "td": {"colspan", "rowspan", "headers"},
    "th": {"colspan", "rowspan", "scope"},
    "ol": {"start"},
}
_WITH_CONTENT = re.compile(r"<(style|script)\b.*?</\1\s*>", re.IGNORECASE | re.DOTALL)


def main() -> int:
    """Execute the job; 0 when the notebook and its report are complete."""
    job = json.load(sys.stdin)
    work, scratch = Path(job["work"]), Path(job["scratch"])
    environment = kernel_environment(Path(job["cwd"]), scratch, os.environ)
    apply_environment(environment)
    kernel = AsyncKernelManager(
        kernel_name=KERNEL_NAME,
        kernel_spec_manager=ThisInterpreter(),
        transport="ipc",  # sockets in a private folder: no port to guess, to race for or to run out of
        connection_file=str(scratch / "kernel.json"),
    )
    # Started before the imports below, which take as long as the kernel takes to come up.
    run_sync(kernel.start_kernel)(cwd=job["cwd"], env=environment)
    (work / "kernel.pid").write_text(str(cast(LocalProvisioner, kernel.provisioner).pid))
    try:
        failure = _run(job, work, kernel)
    finally:
        run_sync(kernel.shutdown_kernel)(now=True)
    if failure is None:
        return 0
    (work / "outcome.json").write_text(json.dumps(failure), encoding="utf-8")
    return 1


def _run(job: dict[str, Any], work: Path, kernel: AsyncKernelManager) -> dict[str, Any] | None:
    from papermill.exceptions import PapermillExecutionError
    from papermill.execute import execute_notebook

    source = Path(job["source"])
    output = work / source.name
    try:
        notebook = execute_notebook(
            source,
            str(output).replace("{", "{{").replace("}", "}}"),  # papermill formats paths
            parameters=job["parameters"],
            kernel_name=KERNEL_NAME,
            language="python",
            progress_bar=False,
            cwd=job["cwd"],
            km=kernel,
        )
    except PapermillExecutionError as error:
        return {"cell_index": _source_index(output, error), "ename": error.ename, "evalue": error.evalue}
    notebook.metadata["title"] = job["title"] or _heading(notebook) or source.stem
    notebook.metadata["gridlib"] = {
        "outcome": "done",
        "finished_at": datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC"),
        "parameters": job["parameters"],
        "facts": job["facts"],
    }
    output.write_text(json.dumps(notebook, indent=1, ensure_ascii=False), encoding="utf-8")
    if not job["as_html"]:
        return None
    html = work / f"{source.stem}.html"
    html.write_text(report_html(notebook), encoding="utf-8")
    faults = check_html(html)
    if faults:
        return {"cell_index": None, "ename": "ReportError", "evalue": "; ".join(faults)}
    return None


def _source_index(output: Path, error: Any) -> int:
    """Index of the failed cell in the notebook as written, before papermill added cells."""
    cells = json.loads(output.read_text(encoding="utf-8"))["cells"]
    # papermill counted before it put its two marks in: one first of all, one before the failed cell.
    before = cells[1 : error.cell_index + 1]
    injected = sum("injected-parameters" in cell["metadata"].get("tags", []) for cell in before)
    return int(error.cell_index) - injected


def _heading(notebook: "NotebookNode") -> str | None:
    for cell in notebook.cells:
        match = re.match(r"\s*# +(.+)", cell.source) if cell.cell_type == "markdown" else None
        if match:
            return match[1].strip()
    return None


def report_html(notebook: "NotebookNode") -> str:
    """Convert an executed notebook into a report.

    Parameters
    ----------
    notebook : NotebookNode
        Executed, with ``title`` and ``gridlib`` in its metadata.

    Returns
    -------
    str
        One HTML page without code, scripts or outside references.
    """
    from nbconvert import HTMLExporter
    from traitlets.config import Config

    exporter: Any = HTMLExporter(  # type: ignore[no-untyped-call]
        template_name="report_template",
        extra_template_basedirs=[str(Path(__file__).parent)],
        exclude_input=True,
        exclude_input_prompt=True,
        exclude_output_prompt=True,
        exclude_anchor_links=True,
        sanitize_html=True,
        config=Config({"TagRemovePreprocessor": {"enabled": True, "remove_cell_tags": set(_HIDDEN_TAGS)}}),
    )
    exporter.register_filter("clean_html", clean_html)
    page, _ = exporter.from_notebook_node(
        notebook, resources={"metadata": {"name": notebook.metadata["title"]}, "heading": _heading(notebook)}
    )
    return str(page)


def clean_html(markup: object) -> str:
    """Keep what a report needs of some HTML, and nothing that could run or fetch."""
    import bleach  # type: ignore[import-untyped]
    from bleach.css_sanitizer import CSSSanitizer  # type: ignore[import-untyped]

    return str(
        bleach.clean(
            _WITH_CONTENT.sub("", str(markup)),
            tags=_TAGS,
            attributes=_stays,
            protocols={"http", "https", "mailto", "data"},
            css_sanitizer=CSSSanitizer(),
            strip=True,
        )
    )


def _stays(tag: str, name: str, value: str) -> bool:
    """Decide on one attribute; an outside picture or ground would be fetched when the report is opened."""
    if name == "src":
        return value.startswith("data:image/")
    if name == "style" and "url(" in value.lower():
        return False
    return name in _ATTRIBUTES["*"] or name in _ATTRIBUTES.get(tag, ())


def check_html(report: Path) -> tuple[str, ...]:
    """Name what keeps a report from being read anywhere by anyone.

    Parameters
    ----------
    report : Path
        An HTML file.

    Returns
    -------
    tuple of str
        Faults: scripts, outside references, figures without a description, missing language, title or
        ``main``, too large; empty when there are none.
    """
    page = _Page()
    page.feed(report.read_text(encoding="utf-8"))
    faults = list(dict.fromkeys(page.faults))
    faults += [f"no {part}" for part in ("lang", "title", "main") if part not in page.parts]
    size = report.stat().st_size
    if size >= MAX_REPORT_BYTES:
        faults.append(f"{size / 1e6:.1f} MB, at most {MAX_REPORT_BYTES / 1e6:.0f} MB")
    return tuple(faults)


class _Page(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.parts: set[str] = set()
        self.faults: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        self.parts |= {tag} & {"title", "main"}
        if tag == "html" and given.get("lang"):
            self.parts.add("lang")
        if tag in {"script", "iframe", "object", "embed", "link", "base", "form"}:
            self.faults.append(f"<{tag}> is not allowed")
        if any(name.startswith("on") for name in given) or "javascript:" in given.get("href", "").lower():
            self.faults.append(f"<{tag}> carries a script")
        for name in ("src", "srcset", "poster", "background"):
            if given.get(name, "data:")[:5] != "data:":
                self.faults.append(f"<{tag}> fetches {given[name]}")
        described = given.get("alt", "").strip()
        if tag == "img" and (not described or described.startswith("No description has been provided")):
            self.faults.append("a figure has no description: show it with display_figure(figure, alt)")


if __name__ == "__main__":
    sys.exit(main())

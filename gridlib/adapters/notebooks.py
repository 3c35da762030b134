"""Run a packaged notebook as a job: checked parameters, a process of its own, published when complete.

papermill executes parameter names as code, reads ``http://`` paths, formats ``{name}`` in output paths, only
warns about unknown parameters and calls a killed run completed. So everything is checked before it is
asked, and afterwards only the raised exception and the exit code are believed.
"""

import ast
import json
import math
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping
from dataclasses import dataclass
from html import escape
from pathlib import Path
from typing import Any, NamedTuple, NoReturn

from gridlib.facts.errors import FileError, InputError, NotebookError

Value = bool | int | float | str

_TYPES: dict[str, type[Value]] = {"bool": bool, "int": int, "float": float, "str": str}
# No '#' and no '=' in the literal: papermill cuts a default at the first and skips lines with a second.
_PARAMETER = re.compile(
    r"(?P<name>[a-z][a-z0-9_]*): (?P<type>bool|int|float|str) = (?P<literal>[^#=]+?)  # (?P<help>.+)"
)
_SECRET_NAME = re.compile(r"(KEY|TOKEN|SECRET|PASSWORD|PASSWD|CREDENTIALS)$")
_URL_PASSWORD = re.compile(r"[a-z][a-z0-9+.-]*://[^/\s:@]*:(?P<password>[^/\s@]+)@", re.IGNORECASE)


class Parameter(NamedTuple):
    """One line of a notebook's parameters cell."""

    type: type[Value]
    default: Value
    help: str


@dataclass(frozen=True)
class NotebookResult:
    """What `run_notebook` published.

    Attributes
    ----------
    notebook : str
        Name without suffix.
    executed : Path
        The executed notebook.
    html : Path or None
        The report, where one was asked for.
    seconds : float
        Wall-clock time of the whole run [s].
    parameters : mapping of str to value
        All parameters, also those left at their default.
    """

    notebook: str
    executed: Path
    html: Path | None
    seconds: float
    parameters: Mapping[str, Value]


def share_dir() -> Path:
    """Folder of the packaged ``notebooks/`` and ``data/``.

    Returns
    -------
    Path
        ``gridlib/share`` of an installed package, else the checkout that the package lies in.

    Raises
    ------
    FileError
        Neither holds the notebooks.
    """
    package = Path(__file__).resolve().parents[1]
    for folder in (package / "share", package.parent):
        if (folder / "notebooks").is_dir():
            return folder
    raise FileError(
        str(package / "share"), "the packaged notebooks are missing", what_to_do="Install gridlib again."
    )


def notebook_parameters(source: Path) -> dict[str, Parameter]:
    """Read the parameters that a notebook takes.

    Parameters
    ----------
    source : Path
        A notebook whose cell tagged ``parameters`` holds lines ``name: type = literal  # help``.

    Returns
    -------
    dict of str to Parameter
        In the order of the cell; empty where there is no such cell.

    Raises
    ------
    FileError
        Not a notebook, or a parameters cell with any other code.
    """
    found: dict[str, Parameter] = {}
    for cell in _read(source)["cells"]:
        if "parameters" not in cell.get("metadata", {}).get("tags", []):
            continue
        for line in "".join(cell["source"]).splitlines():
            if not line.strip() or line.startswith("#"):
                continue
            match = _PARAMETER.fullmatch(line.rstrip())
            value = _literal(match["literal"]) if match else None
            if match is None or type(value) is not _TYPES[match["type"]] or match["name"] in found:
                raise FileError(
                    str(source),
                    f"parameters cell: {line!r} is not of the form 'name: type = literal  # help'",
                    what_to_do="Write one bool, int, float or str on each line, with its unit as help.",
                )
            found[match["name"]] = Parameter(_TYPES[match["type"]], value, match["help"])
    return found


def run_notebook(
    source: Path,
    target_dir: Path,
    parameters: Mapping[str, Value],
    *,
    cwd: Path,
    title: str | None = None,
    timeout_s: float = 900,
    as_html: bool = True,
    root: Path | None = None,
) -> NotebookResult:
    """Execute a packaged notebook and publish it, with its report, when it is complete.

    Parameters
    ----------
    source : Path
        The notebook, absolute or below ``root``.
    target_dir : Path
        Folder to publish in; what is there stays until the new files are complete.
    parameters : mapping of str to bool, int, float or str
        Values for lines of the parameters cell; the others keep their default.
    cwd : Path
        The workspace: working folder and ``GRIDLIB_HOME`` of the notebook.
    title : str, optional
        Title of the report; default is the first heading.
    timeout_s : float
        Wall-clock limit of the whole run [s]; the notebook's processes are killed at its end.
    as_html : bool
        Publish the report beside the executed notebook.
    root : Path, optional
        Folder that the notebook must lie in; default is the packaged ``notebooks/``.

    Returns
    -------
    NotebookResult

    Raises
    ------
    InputError
        A notebook outside ``root``, or a parameter that is unknown or of another type.
    NotebookError
        The notebook failed; nothing was published, and the part that ran is kept in
        ``failed-<notebook>`` below ``target_dir``.
    """
    began = time.monotonic()
    path = _packaged(source, root or share_dir() / "notebooks")
    accepted = notebook_parameters(path)
    values = _checked(path.stem, accepted, parameters)
    target_dir.mkdir(parents=True, exist_ok=True)
    # In the target folder, because only inside one file system is a rename all or nothing.
    work = Path(tempfile.mkdtemp(prefix=".running-", dir=target_dir.absolute()))
    job = {
        "source": str(path),
        "work": str(work),
        "parameters": values,
        "facts": {help_.help: values[name] for name, help_ in accepted.items()},
        "cwd": str(cwd.absolute()),
        "title": title,
        "as_html": as_html,
    }
    try:
        outcome = _in_own_process(job, work, timeout_s)
        if outcome is not None:
            _give_up(path.stem, work, target_dir, outcome)
        names = [f"{path.stem}.ipynb"] + ([f"{path.stem}.html"] if as_html else [])
        for name in names:
            _hide_secrets(work / name)
        for name in names:
            (work / name).replace(target_dir / name)
        shutil.rmtree(target_dir / f"failed-{path.stem}", ignore_errors=True)
    finally:
        shutil.rmtree(work, ignore_errors=True)
    html = target_dir / names[1] if as_html else None
    return NotebookResult(path.stem, target_dir / names[0], html, time.monotonic() - began, values)


def _read(source: Path) -> dict[str, Any]:
    try:
        notebook = json.loads(source.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise FileError(str(source), f"cannot be read as a notebook: {error}") from error
    if not isinstance(notebook, dict) or notebook.get("nbformat") != 4 or "cells" not in notebook:
        raise FileError(str(source), "is not a notebook of format 4")
    return notebook


def _literal(text: str) -> Any:
    try:
        return ast.literal_eval(text)
    except (ValueError, SyntaxError):
        return None


def _packaged(source: Path, root: Path) -> Path:
    path = (root / source).resolve()
    if not path.is_relative_to(root.resolve()) or path.suffix != ".ipynb" or not path.is_file():
        raise InputError(
            f"'{source}' is not one of gridlib's notebooks",
            what_to_do="Name a notebook of the packaged notebooks folder.",
        )
    return path


def _checked(
    notebook: str, accepted: Mapping[str, Parameter], given: Mapping[str, Value]
) -> dict[str, Value]:
    takes = ", ".join(f"{name} ({spec.type.__name__})" for name, spec in accepted.items()) or "none"
    what_to_do = f"Parameters of {notebook}: {takes}."
    unknown = sorted(set(given) - set(accepted))
    if unknown:
        raise InputError(f"{notebook} has no parameter {unknown[0]!r}", what_to_do=what_to_do)
    values = {name: spec.default for name, spec in accepted.items()}
    for name, value in given.items():
        wanted = accepted[name].type
        if wanted is float and type(value) is int:
            value = float(value)
        if type(value) is not wanted or (isinstance(value, float) and not math.isfinite(value)):
            raise InputError(
                f"{notebook}: {name} must be {wanted.__name__}, got {type(value).__name__} {value!r}",
                what_to_do=what_to_do,
            )
        if isinstance(value, str) and _URL_PASSWORD.search(value):
            raise InputError(
                f"{notebook}: {name} holds an address with a password, which the report would keep",
                what_to_do="Put the address into gridlib.toml or GRIDLIB_DATABASE_URL.",
            )
        values[name] = value
    return values


class _Outcome(NamedTuple):
    cell_index: int | None
    ename: str
    evalue: str


def _in_own_process(job: Mapping[str, Any], work: Path, timeout_s: float) -> _Outcome | None:
    """Run the job; None when it is done, else why it is not."""
    with (
        tempfile.TemporaryDirectory(prefix="gridlib-") as scratch,
        (work / "log.txt").open("wb") as log,
        subprocess.Popen(
            [sys.executable, "-P", "-m", "gridlib.adapters.notebook_process"],
            stdin=subprocess.PIPE,
            stdout=log,
            stderr=log,
            start_new_session=True,
        ) as process,
    ):
        ended = False
        try:
            process.communicate(json.dumps({**job, "scratch": scratch}).encode(), timeout=timeout_s)
            ended = (work / "outcome.json").is_file() or process.returncode == 0
        except subprocess.TimeoutExpired:
            return _Outcome(_cell_under_way(work), "TimeoutError", f"took longer than {timeout_s:g} s")
        finally:
            if not ended:
                _kill(process, work / "kernel.pid")
    if process.returncode == 0:
        return None
    if ended:
        return _Outcome(**json.loads((work / "outcome.json").read_text(encoding="utf-8")))
    said = (work / "log.txt").read_text(encoding="utf-8", errors="replace").strip().splitlines()
    reason = f"exit status {process.returncode}" + (f", {said[-1]}" if said else "")
    return _Outcome(_cell_under_way(work), "ProcessDied", reason)


def _kill(process: subprocess.Popen[bytes], kernel_pid: Path) -> None:
    """End the runner and then its kernel, which is in a session of its own."""
    groups = [process.pid]
    if kernel_pid.is_file():
        groups.append(int(kernel_pid.read_text()))
    for group in groups:
        try:
            os.killpg(group, signal.SIGKILL)
        except ProcessLookupError:
            continue
    process.wait()


def _partial(work: Path) -> Path | None:
    return next(work.glob("*.ipynb"), None)


def _cell_under_way(work: Path) -> int | None:
    """Index, in the notebook as written, of the last cell that was started."""
    path = _partial(work)
    if path is None:
        return None
    cells = _read(path)["cells"]
    started = [
        index for index, cell in enumerate(cells) if cell["metadata"].get("papermill", {}).get("start_time")
    ]
    if not started:
        return None
    injected = sum("injected-parameters" in cell["metadata"].get("tags", []) for cell in cells[: started[-1]])
    return started[-1] - injected


def _give_up(notebook: str, work: Path, target_dir: Path, outcome: _Outcome) -> NoReturn:
    """Keep what there is, marked as failed, and raise."""
    path = _partial(work)
    if path is not None:
        partial = _read(path)
        partial["metadata"]["gridlib"] = {"outcome": "failed", **outcome._asdict()}
        partial["metadata"].setdefault("papermill", {})["exception"] = True
        path.write_text(json.dumps(partial, indent=1), encoding="utf-8")
    kept = target_dir / f"failed-{notebook}"
    shutil.rmtree(kept, ignore_errors=True)
    kept.mkdir()
    for name in (f"{notebook}.ipynb", "log.txt"):
        if (work / name).is_file():
            _hide_secrets(work / name)
            (work / name).replace(kept / name)
    raise NotebookError(
        notebook, outcome.cell_index, outcome.ename, _without_secrets(outcome.evalue), kept_at=str(kept)
    )


def _secrets() -> set[str]:
    """Values of this process's environment that no report may show."""
    named = {value for name, value in os.environ.items() if _SECRET_NAME.search(name.upper())}
    in_urls = {match["password"] for value in os.environ.values() for match in _URL_PASSWORD.finditer(value)}
    return {value for value in named | in_urls if len(value) >= 6}


def _without_secrets(text: str) -> str:
    for secret in sorted(_secrets(), key=len, reverse=True):
        for form in {secret, json.dumps(secret)[1:-1], escape(secret)}:
            text = text.replace(form, "***")
    return text


def _hide_secrets(path: Path) -> None:
    text = path.read_text(encoding="utf-8", errors="replace")
    hidden = _without_secrets(text)
    if hidden != text:
        path.write_text(hidden, encoding="utf-8")

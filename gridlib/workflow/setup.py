"""Make a workspace: settings, database, example people, network and readings."""

import shutil
from pathlib import Path

from gridlib.adapters import passwords
from gridlib.adapters.notebooks import share_dir
from gridlib.domain.lifecycle import SYSTEM
from gridlib.facts.errors import InputError
from gridlib.facts.settings import SETTINGS_FILE, read_settings
from gridlib.facts.types import Role
from gridlib.workbench import Workbench, assemble
from gridlib.workflow import accounts, audit
from gridlib.workflow.audit import intention
from gridlib.workflow.ingest import IngestResult, ingest_paths

EXAMPLE_PEOPLE = {
    "analyst": Role.ANALYST,
    "operator": Role.OPERATOR,
    "operator2": Role.OPERATOR,
    "manager": Role.MANAGER,
}


def init_workspace(home: Path, *, example: str = "") -> tuple[Workbench, list[IngestResult]]:
    """Make a folder a workspace, or complete one; what is there already stays as it is.

    Settings and data are for the user who makes it alone.

    Parameters
    ----------
    home : Path
        The folder; made if needed.
    example : str
        "sample", "demo_seed", or empty for settings and database alone.

    Returns
    -------
    Workbench
        Ready to use.
    list of IngestResult
        The example files taken in.

    Raises
    ------
    InputError
        The folder is a workspace with other settings than the example's.
    """
    source = share_dir() / "data" / example if example else share_dir() / "data" / "site"
    settings_file = home / SETTINGS_FILE
    home.mkdir(parents=True, exist_ok=True)
    if not settings_file.exists():
        settings_file.touch(mode=0o600)  # the address of a database may hold its password
        shutil.copyfile(source / SETTINGS_FILE, settings_file)
    elif example and settings_file.read_bytes() != (source / SETTINGS_FILE).read_bytes():
        raise InputError(
            f"{home} is a workspace with settings of its own; the example '{example}' would mix with it",
            what_to_do="Choose an empty folder with --home, or run 'gridlib init' without an example.",
        )
    settings = read_settings(home)
    settings.data_dir.mkdir(mode=0o700, exist_ok=True)
    settings.reports_dir.mkdir(exist_ok=True)
    workbench = assemble(settings)
    workbench.store.migrate()
    with intention(workbench, SYSTEM, "workspace.init", home.name) as act:
        act.facts["example"] = example
    if not example:
        return workbench, []
    _add_example_people(workbench)
    results = ingest_paths(workbench, [source])
    audit.checkpoint(workbench)
    return workbench, results


def provide_notebooks(workbench: Workbench) -> Path:
    """Return the workspace's folder of notebooks; the shipped ones are copied where there is none.

    Returns
    -------
    Path
        ``notebooks`` of the workspace; what is there stays as it is.
    """
    folder = workbench.settings.home / "notebooks"
    if not folder.exists():
        shipped = share_dir() / "notebooks"
        shutil.copytree(shipped, folder, ignore=shutil.ignore_patterns("apps", ".ipynb_checkpoints"))
    return folder


def _add_example_people(workbench: Workbench) -> None:
    """Add who is missing, and give a random password to each who has none; they stand in a private file."""
    known = {user.username: user for user in accounts.list_users(workbench)}
    lines = []
    for username, role in EXAMPLE_PEOPLE.items():
        user = known.get(username)
        if user is not None and (user.has_password or not user.active):
            continue
        password = passwords.make_password()
        if user is None:
            accounts.add_user(workbench, username, [role], password=password)
        else:
            accounts.set_password(workbench, username, password)
        lines.append(f"{username} {password}\n")
    if lines:
        path = workbench.first_passwords_path
        path.touch(mode=0o600)
        with path.open("a", encoding="utf-8") as file:
            file.writelines(lines)

"""Everything a stage or a screen needs of one workspace, opened once and handed down."""

import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from gridlib.adapters.readers.calendar import read_calendar
from gridlib.adapters.store import Store
from gridlib.adapters.telemetry import Telemetry
from gridlib.domain.calendar import Calendar, calendar_for
from gridlib.domain.instructions import write_instruction
from gridlib.facts.settings import SETTINGS_FILE, Settings, read_settings
from gridlib.facts.sheets import Instruction


def wall_clock() -> pd.Timestamp:
    """Real time, UTC."""
    return pd.Timestamp.now("UTC")


@dataclass(frozen=True)
class Workbench:
    """Settings, store, telemetry, drafter and clock of one workspace.

    Attributes
    ----------
    settings : Settings
        The checked gridlib.toml.
    store : Store
        Operational state and audit trail.
    telemetry : Telemetry
        Load, weather and the frames of each run.
    draft : callable
        Writes the switching sheet of a plan.
    clock : callable
        Real time; what counts as "now" for plans is `gridlib.workflow.clock.now`.
    """

    settings: Settings
    store: Store
    telemetry: Telemetry
    draft: Callable[..., Instruction] = write_instruction
    clock: Callable[[], pd.Timestamp] = wall_clock

    @property
    def checkpoint_path(self) -> Path:
        """File of signed checkpoints of the audit trail; copy it to another host."""
        return self.settings.data_dir / "audit_checkpoints.jsonl"

    @property
    def key_path(self) -> Path:
        """Private key that signs the checkpoints."""
        return self.settings.data_dir / "audit_key.pem"

    @property
    def first_passwords_path(self) -> Path:
        """Private file with the random passwords of the example people; made by 'gridlib init'."""
        return self.settings.data_dir / "first_passwords.txt"

    @property
    def calendar_path(self) -> Path:
        """The site's own dates, beside gridlib.toml; need not be there."""
        return self.settings.home / "calendar.csv"

    def calendar(self) -> Calendar:
        """Return the calendar of the site, with its own dates.

        Returns
        -------
        Calendar
            Of the country and time zone in gridlib.toml; the dates of ``calendar_path`` win.

        Raises
        ------
        FileError
            A row of ``calendar_path`` cannot be used; names line and column.
        InputError
            No such country, or its dates contradict each other.
        """
        site, path = self.settings.site, self.calendar_path
        return calendar_for(site.country, site.tz, read_calendar(path) if path.exists() else None)


def find_home(start: Path | None = None) -> Path | None:
    """Find the workspace around a folder: the nearest one upwards that holds gridlib.toml."""
    folder = (start or Path.cwd()).absolute()
    return next((f for f in (folder, *folder.parents) if (f / SETTINGS_FILE).is_file()), None)


def assemble(settings: Settings) -> Workbench:
    """Build the workbench of a workspace, whatever the state of its database."""
    return Workbench(settings, Store(settings.database_url), Telemetry(settings.data_dir / "telemetry"))


def open_workbench(home: str | Path | None = None) -> Workbench:
    """Open a workspace.

    Parameters
    ----------
    home : str or Path, optional
        Its folder; default is ``GRIDLIB_HOME``, else the nearest folder upwards with gridlib.toml.

    Returns
    -------
    Workbench
        Ready to use; the database has the version of this code.

    Raises
    ------
    SettingsError
        No workspace there, or a key of gridlib.toml is wrong.
    StoreError
        The database is missing, or older or newer than this code.
    """
    if home is None and (found := find_home()) is not None:
        home = found if "GRIDLIB_HOME" not in os.environ else None
    workbench = assemble(read_settings(None if home is None else Path(home)))
    workbench.store.check_version()
    return workbench

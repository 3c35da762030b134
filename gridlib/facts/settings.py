"""The site's settings: one TOML file, every key checked, every unit in its name."""

import os
import re
import tomllib
from ipaddress import ip_address
from pathlib import Path
from typing import Literal, Self
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    IPvAnyAddress,
    ValidationError,
    field_validator,
    model_validator,
)

from gridlib.facts.errors import SettingsError
from gridlib.facts.types import Limits, PlanningRules
from gridlib.facts.units import HORIZON_H

SETTINGS_FILE = "gridlib.toml"


class _Section(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Site(_Section):
    """Who and where."""

    name: str = "gridlib site"
    country: str = Field(default="JO", min_length=2, max_length=2)
    tz: str = "Asia/Amman"
    notice: str = ""
    """Shown on every screen and report, for example that the data are a sample."""
    assumed_ambient_c: float = Field(default=35.0, ge=-40, le=60)
    """Air temperature where no weather is known; each use is a finding."""

    @property
    def zone(self) -> ZoneInfo:
        """The time zone."""
        return ZoneInfo(self.tz)

    @field_validator("tz")
    @classmethod
    def _known_zone(cls, value: str) -> str:
        try:
            ZoneInfo(value)
        except (ZoneInfoNotFoundError, ValueError) as error:
            raise ValueError(f"unknown time zone '{value}'; use a name such as Asia/Amman") from error
        return value


class Database(_Section):
    """Where operational state is kept; empty means the embedded SQLite file under ``data/``."""

    url: str = ""
    lab_url: str = ""
    """What notebooks under 'gridlib lab' connect with, for example as a read-only role; empty: ``url``."""


class Clock(_Section):
    """``data``: now is the hour after the last reading (samples, replays); ``wall``: the real time."""

    follow: Literal["wall", "data"] = "wall"


class ForecastSettings(_Section):
    """How far and how finely the load is forecast."""

    horizon_h: int = Field(default=HORIZON_H, ge=25, le=336)
    step_min: Literal[15, 30, 60] = 60
    history_d: int = Field(default=400, ge=7)


class Ingest(_Section):
    """How readings are understood at the door."""

    power_factor: float = Field(default=0.95, gt=0.3, le=1.0)
    naive_tz: str = ""
    """Zone of stamps without an offset; empty refuses such stamps."""
    unit_ratio_limit: float = Field(default=5.0, gt=1)
    """A transformer whose median load exceeds this multiple of its rating is read in a wrong unit."""


class Decisions(_Section):
    """Who may decide what."""

    four_eyes: bool = True
    shelve_max_h: float = Field(default=12, gt=0, le=24 * 7)
    """How long an alert may be set aside at a time."""
    readings_max_age_h: float = Field(default=6, gt=0)
    """Older readings count as stale."""


class Server(_Section):
    """How people sign in to the screens, and where the server may be reached."""

    session_h: float = Field(default=12, gt=0, le=168)
    idle_min: float = Field(default=120, gt=0)
    failures: int = Field(default=5, ge=1)
    lock_min: float = Field(default=15, gt=0)
    address: str = "127.0.0.1"
    public_url: str = ""
    proxy_addresses: tuple[IPvAnyAddress, ...] = ()
    proxy_user_header: str = ""
    proxy_sign_out: str = ""

    @field_validator("public_url")
    @classmethod
    def _https(cls, value: str) -> str:
        found = urlsplit(value)
        if value and (found.scheme != "https" or not found.hostname or found.path.strip("/") or found.query):
            raise ValueError("write it as https://name or https://name:port; passwords need TLS")
        return value.rstrip("/")

    @field_validator("proxy_sign_out")
    @classmethod
    def _local_path(cls, value: str) -> str:
        if value and not re.fullmatch(r"/[\w-][\w/.?=&%-]*", value):
            raise ValueError("write it as a path of this server, for example /oauth2/sign_out")
        return value

    @model_validator(mode="after")
    def _reached_by_the_proxy_alone(self) -> Self:
        if self.proxy_user_header and not self.proxy_addresses:
            raise ValueError("proxy_user_header is believed from proxy_addresses only: name them")
        if not ip_address(self.address).is_loopback and not (self.public_url and self.proxy_addresses):
            raise ValueError("an address other than loopback needs a proxy: public_url and proxy_addresses")
        return self

    @property
    def public_host(self) -> str:
        """Name under which a proxy publishes the server; empty where there is none."""
        return urlsplit(self.public_url).hostname or ""


class Settings(_Section):
    """All of gridlib.toml, checked."""

    home: Path = Path()
    site: Site = Site()
    database: Database = Database()
    clock: Clock = Clock()
    ingest: Ingest = Ingest()
    forecast: ForecastSettings = ForecastSettings()
    limits: Limits = Limits()
    planning: PlanningRules = PlanningRules()
    decisions: Decisions = Decisions()
    server: Server = Server()

    @property
    def data_dir(self) -> Path:
        """Folder of the database and the telemetry data set."""
        return self.home / "data"

    @property
    def reports_dir(self) -> Path:
        """Folder of executed notebooks and HTML reports."""
        return self.home / "reports"

    @property
    def database_url(self) -> str:
        """SQLAlchemy URL; ``GRIDLIB_DATABASE_URL`` wins over the file."""
        embedded = f"sqlite:///{(self.data_dir / 'gridlib.db').absolute()}"
        return os.environ.get("GRIDLIB_DATABASE_URL") or self.database.url or embedded


def read_settings(home: Path | None = None) -> Settings:
    """Read ``gridlib.toml`` of a workspace.

    Parameters
    ----------
    home : Path, optional
        The workspace; default is ``GRIDLIB_HOME``, else the current folder.

    Returns
    -------
    Settings
        Checked settings with ``home`` made absolute.

    Raises
    ------
    SettingsError
        No such file, not UTF-8, not TOML, or a key that is unknown or out of range.
    """
    folder = (home or Path(os.environ.get("GRIDLIB_HOME", "."))).absolute()
    path = folder / SETTINGS_FILE
    if not path.is_file():
        raise SettingsError(
            str(path),
            "not found: this folder is not a gridlib workspace",
            what_to_do="Run 'gridlib init --sample' here, or name the workspace with --home.",
        )
    try:
        found = tomllib.loads(path.read_text(encoding="utf-8"))
        return Settings.model_validate({**found, "home": folder})
    except tomllib.TOMLDecodeError as error:
        raise SettingsError(str(path), f"not valid TOML: {error}") from error
    except UnicodeDecodeError as error:
        raise SettingsError(
            str(path),
            f"not UTF-8: byte {error.object[error.start]:#04x} at position {error.start}",
            what_to_do="Save it as UTF-8.",
        ) from error
    except ValidationError as error:
        faults = "; ".join(f"{'.'.join(map(str, e['loc']))}: {e['msg']}" for e in error.errors())
        raise SettingsError(str(path), faults, what_to_do="Correct the named keys.") from error

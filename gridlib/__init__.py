"""gridlib keeps a distribution grid from overloading.

The floors, imports pointing only down::

    apps        people and other systems: plots, screens, the shell
    workflow    one intention = one function = one transaction = one audit row
    workbench   settings + store + telemetry + drafter + clock, opened once
    adapters    the outside world: files, database, telemetry, notebooks
    domain      pure rules of the trade: quality > calendar > forecast > thermal, network > risk > planning
    facts       frames, settings, sheets, types, units, errors

Everything else is imported from its own module; its path tells its floor.
"""

from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from gridlib.workbench import Workbench

__all__ = ["__version__", "open_workbench"]
__version__ = version("gridlib")


def open_workbench(home: str | Path | None = None) -> "Workbench":
    """Open the workspace in ``home``; see `gridlib.workbench.open_workbench`."""
    from gridlib.workbench import open_workbench as open_

    return open_(home)

"""Other programs' files by their ending."""

from pathlib import Path

from gridlib.adapters.networks.bus_grid import BusGrid
from gridlib.adapters.networks.opendss_files import read_opendss
from gridlib.adapters.networks.pandapower_files import read_pandapower
from gridlib.facts.errors import FileError

_READERS = {".json": read_pandapower, ".xlsx": read_pandapower, ".dss": read_opendss}


def read_grid(path: Path) -> BusGrid:
    """Read another program's grid.

    Parameters
    ----------
    path : Path
        pandapower .json or .xlsx, or an OpenDSS .dss master file.

    Returns
    -------
    BusGrid
        Buses and what joins them.

    Raises
    ------
    FileError
        No such file, another ending, or not what the ending says.
    InputError
        The package that reads it is not installed.
    """
    reader = _READERS.get(path.suffix.lower())
    if reader is None:
        known = ", ".join(_READERS)
        raise FileError(
            str(path), f"ends in none of {known}", what_to_do="Export it from pandapower or OpenDSS."
        )
    if not path.is_file():
        raise FileError(str(path), "no such file", what_to_do="Check the name.")
    return reader(path)

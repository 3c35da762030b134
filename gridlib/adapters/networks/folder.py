"""A network as a folder of tables, written so that reading gives the same frames."""

from collections.abc import Mapping
from pathlib import Path

import pandas as pd

from gridlib.adapters.files import replacing
from gridlib.adapters.spreadsheet import guarded
from gridlib.facts.errors import FileError
from gridlib.facts.frames import NETWORK_TABLES, check_frame
from gridlib.facts.types import Network

_DTYPES = {
    "float64": "float64",
    "bool": "bool",
    "str": "object",
    "datetime64[ns, UTC]": "datetime64[ns, UTC]",
}


def network_of(tables: Mapping[str, pd.DataFrame]) -> Network:
    """Put tables together into a network.

    Parameters
    ----------
    tables : mapping of str to DataFrame
        By their name in `NETWORK_TABLES`; a missing one is empty.

    Returns
    -------
    Network
        Rows numbered from 0.
    """
    frames = {name: tables.get(name, _empty(name)).reset_index(drop=True) for name in NETWORK_TABLES}
    return Network(states=frames.pop("switch_states"), **frames)


def write_network(network: Network, folder: Path) -> list[Path]:
    """Write a network as CSV tables.

    Parameters
    ----------
    network : Network
        Its tables are checked before anything is written.
    folder : Path
        Where; made if needed.

    Returns
    -------
    list of Path
        The files, one for each table with rows.

    Raises
    ------
    FrameError
        A table breaks its rules.
    FileError
        The folder holds a network table already; nothing is replaced.

    Notes
    -----
    Numbers are written as the shortest text that reads back to the same double, times in UTC to the
    nanosecond, names that a spreadsheet would take for a formula behind an apostrophe: reading gives equal
    frames.
    """
    frames = {
        name: check_frame(model, network.states if name == "switch_states" else getattr(network, name))
        for name, model in NETWORK_TABLES.items()
    }
    for name in NETWORK_TABLES:
        if (folder / f"{name}.csv").exists():
            raise FileError(
                str(folder), f"holds {name}.csv already", what_to_do="Choose a folder without network tables."
            )
    written = []
    for name, frame in frames.items():
        if frame.empty:
            continue
        path = folder / f"{name}.csv"
        text = frame.assign(time=frame["time"].map(pd.Timestamp.isoformat)) if "time" in frame else frame
        with replacing(path) as draft:
            text.map(guarded).to_csv(draft, index=False, lineterminator="\n", encoding="utf-8")
        written.append(path)
    return written


def _empty(name: str) -> pd.DataFrame:
    columns = NETWORK_TABLES[name].to_schema().columns
    return pd.DataFrame({c: pd.Series([], dtype=_DTYPES[str(rule.dtype)]) for c, rule in columns.items()})

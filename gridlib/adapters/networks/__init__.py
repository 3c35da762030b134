"""Networks as files: our own tables checked and written, and other programs' grids turned into them."""

from gridlib.adapters.networks.bus_grid import BusGrid, Level
from gridlib.adapters.networks.convert import Converted, to_network
from gridlib.adapters.networks.door import read_grid
from gridlib.adapters.networks.faults import CheckedTable, Fault, check_table_file
from gridlib.adapters.networks.folder import network_of, write_network

__all__ = [
    "BusGrid",
    "CheckedTable",
    "Converted",
    "Fault",
    "Level",
    "check_table_file",
    "network_of",
    "read_grid",
    "to_network",
    "write_network",
]

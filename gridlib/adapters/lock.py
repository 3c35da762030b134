"""A lock between the processes of one computer that ends with the process that holds it, however it ends."""

import fcntl
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

_STEP_S = 0.05


@contextmanager
def holding(path: Path, *, wait_s: float = 0.0) -> Iterator[bool]:
    """Hold a lock while the block runs.

    Parameters
    ----------
    path : Path
        File that stands for the lock; made if needed, never removed.
    wait_s : float
        How long to wait for another holder [s].

    Yields
    ------
    bool
        False where another process still holds it: then the block runs without.
    """
    with path.open("ab") as file:
        yield _take(file.fileno(), time.monotonic() + wait_s)


def _take(handle: int, until_s: float) -> bool:
    while True:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() >= until_s:
                return False
            time.sleep(_STEP_S)
        else:
            return True

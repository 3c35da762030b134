"""Files that are either whole or not there."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """Write a file so that a reader, or a crash, never meets half of it.

    Parameters
    ----------
    path : Path
        The file to be; its folder is made.

    Yields
    ------
    Path
        A temporary file beside it to write; it takes the place of ``path`` when the block ends, and is
        removed when the block fails.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = draft_path(path)
    try:
        yield draft
        sync(draft)
        draft.replace(path)
        sync(path.parent)
    finally:
        draft.unlink(missing_ok=True)


def draft_path(path: Path) -> Path:
    """Name the temporary file that is written in place of another.

    Parameters
    ----------
    path : Path
        The file to be.

    Returns
    -------
    Path
        Beside it, and another one for each process.
    """
    return path.with_name(f"{path.name}.{os.getpid()}.tmp")


def sync(path: Path) -> None:
    """Wait until a file or a folder is on the disk.

    Parameters
    ----------
    path : Path
        A file, or a folder whose entries were changed.
    """
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)

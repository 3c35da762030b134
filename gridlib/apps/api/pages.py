"""Lists a page at a time."""

from collections.abc import Callable, Sequence
from typing import TypeVar

from gridlib.facts.errors import NotFoundError

Row = TypeVar("Row")


def cut(
    rows: Sequence[Row], limit: int, name: Callable[[Row], str | int]
) -> tuple[Sequence[Row], str | int | None]:
    """Split what was read into a page and the name of its last row, if more follow.

    Parameters
    ----------
    rows : sequence
        One more than the page holds, where there are as many.
    limit : int
        Rows of a page.
    name : callable
        Names a row.

    Returns
    -------
    sequence
        The page.
    str, int or None
        Name of its last row; None where no more follow.
    """
    shown = rows[:limit]
    return shown, name(shown[-1]) if len(rows) > limit else None


def behind(rows: Sequence[Row], after: str | None, kind: str, name: Callable[[Row], str]) -> Sequence[Row]:
    """Leave out a row of a short list and all before it.

    Raises
    ------
    NotFoundError
        There is no such row.
    """
    if after is None:
        return rows
    names = [name(row) for row in rows]
    if after not in names:
        raise NotFoundError(kind, after, what_to_do="Begin again without 'after'.")
    return rows[names.index(after) + 1 :]

"""Reading long lists a page at a time, by the keys of the last row seen: no row twice, none left out.

Counting rows to skip would show a row again, or miss one, whenever something is added in between.
"""

from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa
from sqlalchemy import ColumnElement, Connection

from gridlib.facts.errors import NotFoundError


def after_key(
    connection: Connection,
    kind: str,
    keys: Sequence[ColumnElement[Any]],
    named: ColumnElement[Any],
    after: str | int,
    *,
    among: ColumnElement[bool] | None = None,
) -> ColumnElement[bool]:
    """Say which rows come after a named one.

    Parameters
    ----------
    connection : Connection
        Any transaction.
    kind : str
        What the rows are, for the message.
    keys : sequence of columns
        What the list is sorted by, ascending; together they tell any two rows apart.
    named : column
        What a row is named by.
    after : str or int
        The name of the last row seen.
    among : condition, optional
        Where the name alone does not tell rows apart.

    Returns
    -------
    condition
        True for the rows behind it.

    Raises
    ------
    NotFoundError
        There is no row of that name.
    """
    query = sa.select(*keys).where(named == after)
    if among is not None:
        query = query.where(among)
    row = connection.execute(query).first()
    if row is None:
        raise NotFoundError(kind, str(after), what_to_do="Begin again without 'after'.")
    return sa.tuple_(*keys) > sa.tuple_(
        *(sa.literal(value, key.type) for key, value in zip(keys, row, strict=True))
    )

"""Names of other programs' objects, made fit for ours."""

import unicodedata
from collections.abc import Mapping

import pandas as pd

from gridlib.adapters.readers.cells import NAME_LENGTH

_ROOM = 10
"""Characters left for what is put behind a name, such as ``-terminal``."""


def distinct_names(given: Mapping[str, pd.Series]) -> dict[str, pd.Series]:
    """Give each object a name that no other object has, of whatever kind.

    Parameters
    ----------
    given : mapping of str to Series
        The word for a kind -> names as found, perhaps empty, by index.

    Returns
    -------
    dict of str to Series
        The name as found where it is fit and nobody had it before, else with the word for its kind, else that
        word and the index.

    Examples
    --------
    >>> names = distinct_names({"bus": pd.Series(["A", None]), "line": pd.Series(["A", "A"])})
    >>> names["bus"].tolist(), names["line"].tolist()
    (['A', 'bus 1'], ['line A', 'line 1'])
    """
    taken: set[str] = set()
    done: dict[str, pd.Series] = {}
    for word, names in given.items():
        chosen = []
        for index, name in names.items():
            text = "" if pd.isna(name) else str(name).strip()
            text = text if _is_fit(text) else f"{word} {index}"
            if text in taken:
                text = _free(f"{word} {text}", f"{word} {index}", taken)
            taken.add(text)
            chosen.append(text)
        done[word] = pd.Series(chosen, index=names.index, dtype=object)
    return done


def _is_fit(text: str) -> bool:
    visible = not any(unicodedata.category(character)[0] in "CZ" and character != " " for character in text)
    return bool(text) and visible and len(text) <= NAME_LENGTH - _ROOM


def _free(text: str, plain: str, taken: set[str]) -> str:
    if text not in taken and _is_fit(text):
        return text
    while plain in taken:
        plain += "'"
    return plain

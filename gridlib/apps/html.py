"""HTML for screens and reports: one escape function, and tables and badges that use it.

Everything that came from outside (names, notes, a drafter's words) reaches a page through `escape`; what the
functions here return is marked `Html` and passes unchanged.
"""

import html
import math
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pandas as pd

# C0 and C1 controls except tab and line feed; marks, embeddings, overrides and isolates of direction;
# zero-width space, word joiner, separators and byte order mark. The joiners stay: Arabic script uses them.
_STRIPPED = dict.fromkeys(
    [
        *(code for code in range(0x20) if code not in (0x09, 0x0A)),
        *range(0x7F, 0xA0),
        0x061C,
        0x200B,
        0x200E,
        0x200F,
        *range(0x2028, 0x202F),
        *range(0x2060, 0x2070),
        0xFEFF,
    ]
)

MISSING = "–"
"""Shown where there is no value."""

_BADGES = {
    "IMMINENT": ("⚠", "#ffffff", "#5c0d10"),
    "HIGH": ("■", "#ffffff", "#a3161a"),
    "MEDIUM": ("▲", "#1c1c1c", "#ffc94d"),
    "LOW": ("●", "#ffffff", "#1e6b34"),
}
_PLAIN_BADGE = ("◆", "#1c1c1c", "#dfe5ea")


class Html(str):
    """Text that is HTML already: it was escaped where it was made."""

    __slots__ = ()


def escape(text: object) -> Html:
    """Make any value safe to show as HTML text or inside a quoted attribute.

    Parameters
    ----------
    text : object
        `Html` passes unchanged; anything else is shown as ``str(text)``.

    Returns
    -------
    Html
        Without control characters and characters that turn the reading direction.

    Examples
    --------
    >>> escape('<img src=x onerror="press()">')
    '&lt;img src=x onerror=&quot;press()&quot;&gt;'
    """
    if isinstance(text, Html):
        return text
    return Html(html.escape(str(text).translate(_STRIPPED), quote=True))


def badge(level: str, word: str = "") -> Html:
    """Show a level or a state by colour, shape and word, so that none of them is needed.

    Parameters
    ----------
    level : str
        HIGH, MEDIUM, LOW or IMMINENT; any other gets a neutral badge.
    word : str, optional
        What is written on it, where that is not ``level`` itself: the reader's word for it.

    Returns
    -------
    Html
        A ``span``; text on its ground has a contrast of at least 4.5 to 1.

    References
    ----------
    WCAG 2.2, success criteria 1.4.1 (use of colour) and 1.4.3 (contrast).
    """
    shape, ink, ground = _BADGES.get(str(level), _PLAIN_BADGE)
    style = f"color:{ink};background-color:{ground}"
    return Html(f'<span class="badge" style="{style}">{shape}&nbsp;{escape(word or level)}</span>')


def table(
    rows: "pd.DataFrame | Iterable[Mapping[str, object]]",
    *,
    caption: str = "",
    headings: Mapping[str, str] | None = None,
    formats: Mapping[str, str] | None = None,
) -> Html:
    """Show rows as a table; every heading and cell is escaped.

    Parameters
    ----------
    rows : DataFrame or iterable of mappings
        Its columns (or the keys of the first row) are the columns; the index is not shown.
    caption : str
        What the table shows.
    headings : mapping of str to str, optional
        Column to heading with unit; columns that are not named are left out, in this order.
    formats : mapping of str to str, optional
        Column to format specification of its numbers, such as ``".0f"``.

    Returns
    -------
    Html
        A ``table``; numbers carry the class ``number``, missing values are a dash.
    """
    records = _records(rows)
    shown = headings or {column: column for column in (records[0] if records else {})}
    specs = formats or {}
    head = "".join(f'<th scope="col">{escape(heading)}</th>' for heading in shown.values())
    body = "".join(
        f"<tr>{''.join(_cell(record.get(column), specs.get(column, '')) for column in shown)}</tr>"
        for record in records
    )
    title = f"<caption>{escape(caption)}</caption>" if caption else ""
    return Html(f"<table>{title}<thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>")


def _records(rows: "pd.DataFrame | Iterable[Mapping[str, object]]") -> list[Mapping[str, object]]:
    # By method, not by type: the kernels of the screens do without pandas.
    if hasattr(rows, "to_dict"):
        return [{str(key): value for key, value in row.items()} for row in rows.to_dict("records")]
    return list(rows)


def _cell(value: object, spec: str) -> str:
    if value is None or str(value) in {"NaT", "<NA>"}:
        return f"<td>{MISSING}</td>"
    if isinstance(value, bool):
        return "<td>yes</td>" if value else "<td>no</td>"
    if hasattr(value, "__float__"):
        number = float(value)
        text = format(number if spec else value, spec) if math.isfinite(number) else MISSING
        return f'<td class="number">{escape(text)}</td>'
    return f'<td dir="auto">{escape(value)}</td>'

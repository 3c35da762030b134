"""Show things in a notebook so that everybody can read them, also in the report made of it."""

import base64
import io
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

from gridlib.apps.html import Html, escape, table
from gridlib.facts.errors import InputError

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.figure import Figure

    from gridlib.workbench import Workbench

_DOTS_PER_INCH = 100


def display_figure(figure: "Figure", alt: str) -> None:
    """Show a figure with its description, and release it.

    Parameters
    ----------
    figure : Figure
        Closed afterwards, so that the notebook does not show it a second time.
    alt : str
        What the figure shows, in words, with the number that matters.

    Raises
    ------
    InputError
        The description is empty.
    """
    from IPython.display import display
    from matplotlib import pyplot

    if not alt.strip():
        raise InputError("a figure needs a description", what_to_do="Say in words what the figure shows.")
    image = io.BytesIO()
    figure.savefig(image, format="png", dpi=_DOTS_PER_INCH, bbox_inches="tight")
    pyplot.close(figure)
    display(  # type: ignore[no-untyped-call]
        {"image/png": base64.b64encode(image.getvalue()).decode(), "text/plain": alt},
        raw=True,
        metadata={"image/png": {"alt": alt}},
    )


def display_html(html: Html) -> None:
    """Show HTML that was built and escaped by `gridlib.apps.html`."""
    from IPython.display import HTML, display

    display(HTML(html))  # type: ignore[no-untyped-call]


def display_table(
    rows: "pd.DataFrame | Iterable[Mapping[str, object]]",
    *,
    caption: str = "",
    headings: Mapping[str, str] | None = None,
    formats: Mapping[str, str] | None = None,
) -> None:
    """Show rows as a table, see `gridlib.apps.html.table`; nothing to show is said in words."""
    shown = table(rows, caption=caption, headings=headings, formats=formats)
    if "<td" not in shown:
        shown = Html(f"<p>{escape(caption or 'Table')}: nothing.</p>")
    display_html(shown)


def display_notice(workbench: "Workbench") -> None:
    """Show the notice of the site, for example that the data are a sample; nothing where there is none."""
    if workbench.settings.site.notice:
        display_html(Html(f'<p class="notice"><strong>{escape(workbench.settings.site.notice)}</strong></p>'))

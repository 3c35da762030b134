"""The one error boundary of all screens: no callback fails without a word."""

import logging
import secrets
from collections.abc import Callable
from typing import Any

import ipywidgets as widgets

from gridlib.apps.html import Html, escape
from gridlib.facts.errors import GridlibError

log = logging.getLogger(__name__)


class StatusLine(widgets.HTML):  # type: ignore[misc]
    """A line that says what the last action did; read out by screen readers."""

    def say(self, message: object, kind: str = "done") -> None:
        """Show a message of kind done, refused or broken."""
        self.value = Html(
            f'<div role="status" aria-live="polite" class="status {escape(kind)}">{escape(message)}</div>'
        )


def guarded(
    action: Callable[[], str], status: StatusLine, buttons: list[widgets.Button], after: Callable[[], None]
) -> Callable[[Any], None]:
    """Wrap a button's action: buttons rest while it works, every end is said, the screen is redrawn.

    Parameters
    ----------
    action : callable
        Does the thing and returns what to say.
    status : StatusLine
        Where the outcome is said.
    buttons : list of Button
        Cannot be pressed meanwhile, so that a double click acts once.
    after : callable
        Redraws the screen from the store, whatever happened.

    Returns
    -------
    callable
        For ``Button.on_click``.
    """

    def pressed(_: Any) -> None:
        for button in buttons:
            button.disabled = True
        try:
            said, kind = action(), "done"
        except GridlibError as error:
            said, kind = f"Not done: {error}. {error.what_to_do}", "refused"
        except Exception:
            reference = secrets.token_hex(3)
            log.exception("fault %s in a screen", reference)
            said = f"Something is wrong with the program; nothing was saved. Tell support: {reference}."
            kind = "broken"
        finally:
            for button in buttons:
                button.disabled = False
        after()
        status.say(said, kind)

    return pressed

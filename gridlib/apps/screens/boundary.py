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
        said, kind = "", "done"
        try:
            said = action()
        except GridlibError as error:
            said, kind = f"Not done: {error}. {error.what_to_do}", "refused"
        except Exception:  # noqa: BLE001 - the entrance: anything else is a fault of ours, said and logged
            said, kind = _fault(), "broken"
        finally:
            for button in buttons:
                button.disabled = False
        redrawn(after, status)
        status.say(said, kind)

    return pressed


def redrawn(draw: Callable[[], None], status: StatusLine) -> None:
    """Redraw a screen; a fault while drawing is said and logged like any other."""
    try:
        draw()
    except GridlibError as error:
        status.say(f"Cannot show this: {error}. {error.what_to_do}", "refused")
    except Exception:  # noqa: BLE001 - the entrance, as above
        status.say(_fault(), "broken")


def _fault() -> str:
    reference = secrets.token_hex(3)
    log.exception("fault %s in a screen", reference)
    return f"A fault of the program: look at the state shown before you go on, and tell support {reference}."

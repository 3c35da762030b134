"""A screen in the browser: shows regions of HTML, and passes on what people choose and press.

This is all that a kernel loads. Who acts comes from the kernel's environment, which the server sets; what a
page sends can name an action and its fields, never a person.
"""

import os
from pathlib import Path
from typing import Any

import anywidget

from gridlib.apps.study.client import StudyClient
from gridlib.apps.study.protocol import ACTING_USER_VARIABLE
from gridlib.facts.errors import InputError, StudyError


class ScreenPage(anywidget.AnyWidget):
    """One open page: takes questions from the browser, and answers each."""

    _esm = Path(__file__).parent / "browser.js"

    def __init__(self, screen: str, username: str) -> None:
        super().__init__()
        self._screen, self._username = screen, username
        self.on_msg(self._asked)

    def _asked(self, _: object, question: Any, __: object) -> None:
        asked = question if isinstance(question, dict) else {}
        number = asked.pop("number", 0)
        self.send(
            {**self._answer({**asked, "screen": self._screen, "user": self._username}), "number": number}
        )

    def _answer(self, question: dict[str, Any]) -> dict[str, Any]:
        try:
            return StudyClient.from_environment().screen(question)
        except StudyError:
            return {"kind": "lost"}


def open_page(screen: str) -> ScreenPage:
    """Open a screen for the user the server started this kernel for.

    Parameters
    ----------
    screen : str
        Name of the screen, such as ``"control_room"``.

    Returns
    -------
    ScreenPage
        The widget; the last line of a notebook shows it.

    Raises
    ------
    InputError
        The screen was not opened by 'gridlib serve'.
    """
    username = os.environ.get(ACTING_USER_VARIABLE, "")
    if not username:
        raise InputError("nobody acts here", what_to_do="Open the screen with 'gridlib serve'.")
    return ScreenPage(screen, username)

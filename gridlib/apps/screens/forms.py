"""What stands in the fields of a form, read as what it means."""

from gridlib.apps.screens.visit import Fields
from gridlib.facts.errors import InputError

_DIGITS = 6
"""No form of ours asks for a longer number."""


def whole(fields: Fields, name: str) -> int:
    """Read a whole number from a form.

    Raises
    ------
    InputError
        It is none, or longer than any that is asked for.
    """
    text = fields.get(name, "")
    if not text.isdecimal() or len(text) > _DIGITS:
        raise InputError(f"{name} is '{text}', not a whole number", what_to_do="Reload the page.")
    return int(text)

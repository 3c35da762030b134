"""What stands in the fields of a form, read as what it means."""

from gridlib.apps.screens.visit import Fields
from gridlib.facts.errors import InputError


def whole(fields: Fields, name: str) -> int:
    """Read a whole number from a form.

    Raises
    ------
    InputError
        It is none.
    """
    text = fields.get(name, "")
    if not text.isdecimal():
        raise InputError(f"{name} is '{text}', not a whole number", what_to_do="Reload the page.")
    return int(text)

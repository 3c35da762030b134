"""Text in CSV files that people open in spreadsheets: no name or remark may become a formula there.

Every CSV file that gridlib writes goes through `guarded`; what it reads goes through `unguarded`, so that a
name such as ``=E01-Q1`` (IEC 81346) comes back as it was.
"""

import re

_FORMULA = re.compile("'*[=+\\-@\t\r\n＝＋－＠]")
"""How cells begin that a spreadsheet computes, wide signs too [OWASP, CSV Injection]."""


def guarded(cell: object) -> object:
    """Put an apostrophe before text that a spreadsheet would take for a formula; numbers stay as they are."""
    return f"'{cell}" if isinstance(cell, str) and _FORMULA.match(cell) else cell


def unguarded(text: str) -> str:
    """Take the apostrophe of `guarded` away; any other text stays as it is."""
    return text[1:] if text.startswith("'") and _FORMULA.match(text) else text

"""Messages as HTML, in either language and either direction of reading."""

import re
from collections.abc import Iterable

from gridlib.apps.html import Html, escape
from gridlib.facts.messages import Language, Message, render

_ISOLATE = re.compile("([\u2066\u2068\u2069])")
_TAGS = {"\u2066": '<bdi dir="ltr">', "\u2068": "<bdi>", "\u2069": "</bdi>"}


def message_html(message: Message, language: Language = "en") -> Html:
    """Write a message as HTML.

    Parameters
    ----------
    message : Message
        What is to be said.
    language : {"en", "ar"}
        In which language.

    Returns
    -------
    Html
        Escaped; what is set apart by Unicode isolates is in ``bdi`` elements instead.

    Examples
    --------
    >>> message_html(Message("level.HIGH", {}))
    'HIGH'
    """
    parts = _ISOLATE.split(render(message, language))
    return Html("".join(_TAGS.get(part) or escape(part) for part in parts))


def messages_html(messages: Iterable[Message], language: Language = "en") -> Html:
    """Write messages as a list that reads in the direction of its language."""
    direction = "rtl" if language == "ar" else "ltr"
    items = "".join(f"<li>{message_html(message, language)}</li>" for message in messages)
    return Html(f'<ul lang="{language}" dir="{direction}">{items}</ul>')

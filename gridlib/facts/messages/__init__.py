"""What people read, in their language: messages as an id with named parameters, and one catalogue of words.

What is found is kept as a `Message`, never as a sentence, so that any language can be written from stored
rows at any time. Each subject has a module of templates; a template is written for `str.format`, and an id
has one in every language. Numerals stay Western and units Latin; times are the local hour and day.
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import reduce
from typing import Any, Literal, get_args

from pydantic_core import CoreSchema, core_schema

from gridlib.facts.errors import InputError
from gridlib.facts.messages import (
    board,
    desk,
    flow,
    operations,
    pictures,
    planning,
    risk,
    screens,
    server,
    sheets,
    steps,
    switching,
    words,
)

Language = Literal["en", "ar"]
LANGUAGES: tuple[Language, ...] = get_args(Language)

CATALOGUE: dict[str, dict[str, str]] = {
    **words.TEMPLATES,
    **risk.TEMPLATES,
    **server.TEMPLATES,
    **operations.TEMPLATES,
    **planning.TEMPLATES,
    **flow.TEMPLATES,
    **pictures.TEMPLATES,
    **screens.TEMPLATES,
    **desk.TEMPLATES,
    **board.TEMPLATES,
    **steps.TEMPLATES,
    **switching.TEMPLATES,
    **sheets.TEMPLATES,
}

_JOINED = {"en": "; ", "ar": "؛ "}
_MONTHS = {
    "en": ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"),
    "ar": (
        *("كانون الثاني", "شباط", "آذار", "نيسان", "أيار", "حزيران"),
        *("تموز", "آب", "أيلول", "تشرين الأول", "تشرين الثاني", "كانون الأول"),
    ),
}
_WEEKDAYS = {
    "en": ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"),
    "ar": ("الاثنين", "الثلاثاء", "الأربعاء", "الخميس", "الجمعة", "السبت", "الأحد"),
}
_MOMENT = {
    "": {"en": "{hour} on {day} {month}", "ar": "{hour} يوم {day} {month}"},
    "weekday": {"en": "{weekday} {day} {month} {hour}", "ar": "{hour} يوم {weekday} {day} {month}"},
}
"""A time by how its field is written: {at} or {at:weekday}."""

_ISOLATES = str.maketrans({"[": "\u2066", "]": "\u2069"})
_NO_ISOLATES = dict.fromkeys(range(0x2066, 0x206A))


@dataclass(frozen=True)
class Message:
    """Something to be said: which sentence, and what stands in it.

    Stored records keep it as it is; written with the context ``{"language": "en"}`` they have its sentence.

    Attributes
    ----------
    id : str
        Of a template in `CATALOGUE`.
    parameters : mapping
        What its fields stand for: text, numbers, times with their zone, messages, or several messages.
    """

    id: str
    parameters: Mapping[str, Any]

    @classmethod
    def __get_pydantic_core_schema__(cls, *_: Any) -> CoreSchema:
        """Keep it inside stored records as `to_json` does; a sentence kept before stays as it is."""
        written = core_schema.plain_serializer_function_ser_schema(_stored, info_arg=True)
        return core_schema.no_info_plain_validator_function(_restored, serialization=written)

    def __hash__(self) -> int:
        return hash(self.id)


def verbatim(text: str) -> Message:
    """Take somebody's own words, which no language changes, as a message.

    Examples
    --------
    >>> render(verbatim("Crew 4"))
    'Crew 4'
    """
    return Message("verbatim", {"text": text})


def word(group: str, value: object) -> Message:
    """Name a word of the data, such as a state, in the reader's language; one without a template as it is.

    Examples
    --------
    >>> render(word("level", "HIGH")), render(word("level", "p90"))
    ('HIGH', 'p90')
    """
    message_id = f"{group}.{value}"
    return Message(message_id, {}) if message_id in CATALOGUE else verbatim(str(value))


def listed(parts: Sequence[Message], joined: str = "list.next") -> Message:
    """Write messages one after the other in one sentence, with "list.next" or "list.and" between them.

    Examples
    --------
    >>> render(listed([verbatim("T1"), verbatim("T2")], "list.and"))
    'T1 and T2'
    """
    return reduce(lambda before, then: Message(joined, {"before": before, "then": then}), parts)


def once_each(messages: Iterable[Message]) -> tuple[Message, ...]:
    """Leave out messages that read like an earlier one."""
    found: dict[str, Message] = {}
    for message in messages:
        found.setdefault(render(message), message)
    return tuple(found.values())


def _stored(message: Message, info: core_schema.SerializationInfo) -> Any:
    if info.context and "language" in info.context:
        return render(message, info.context["language"])
    text = json.dumps(message, default=_plain, ensure_ascii=False)
    # A database takes no number that is none: it is kept as a word.
    return json.loads(text, parse_constant=lambda name: {"number": name})


def _restored(value: Any) -> Message:
    if isinstance(value, str):
        return verbatim(value)
    found = value if isinstance(value, Message) else json.loads(json.dumps(value), object_hook=_parsed)
    if not isinstance(found, Message):
        raise ValueError(f"{type(value).__name__} is not a message")
    return found


def render(message: Message, language: Language = "en") -> str:
    """Write a message out.

    Parameters
    ----------
    message : Message
        What is to be said.
    language : {"en", "ar"}
        In which language.

    Returns
    -------
    str
        The sentence. In Arabic, names and quantities are set apart by Unicode isolates, so that "T-14" and
        "1,080 kVA" keep their order in a line that runs from right to left.

    Raises
    ------
    InputError
        An id or a language that the catalogue does not have.

    Examples
    --------
    >>> render(Message("risk.held", {"level": Message("level.HIGH", {}), "runs": 2, "margin": 0.05}))
    'held at HIGH: a level is left only after 2 runs at least 0.05 below it'
    """
    template = CATALOGUE.get(message.id, {}).get(language)
    if template is None:
        raise InputError(
            f"no text for message '{message.id}' in language '{language}'",
            what_to_do=f"Languages are {', '.join(LANGUAGES)}; ids are in gridlib.facts.messages.",
        )
    if language == "ar":
        template = template.translate(_ISOLATES)
    return template.format(**{name: _shown(value, language) for name, value in message.parameters.items()})


def rendered(messages: Iterable[Message], language: Language = "en") -> tuple[str, ...]:
    """Write several messages out, each as `render` does."""
    return tuple(render(message, language) for message in messages)


def _shown(value: Any, language: Language) -> Any:
    if isinstance(value, Message):
        return render(value, language)
    if isinstance(value, str):
        return f"\u2068{value.translate(_NO_ISOLATES)}\u2069" if language == "ar" else value
    if isinstance(value, datetime):
        return _Moment(value, language)
    if isinstance(value, Sequence):
        return _JOINED[language].join(render(part, language) for part in value)
    return value


class _Moment:
    """A time that a field writes in its language, with or without the weekday."""

    def __init__(self, at: datetime, language: Language) -> None:
        self.at, self.language = at, language

    def __format__(self, spec: str) -> str:
        return _MOMENT[spec][self.language].format(
            hour=f"{self.at:%H:%M}",
            day=f"{self.at.day:02d}",
            month=_MONTHS[self.language][self.at.month - 1],
            weekday=_WEEKDAYS[self.language][self.at.weekday()],
        )


def to_json(messages: Sequence[Message]) -> str:
    """Write messages as JSON text, to be kept; `from_json` reads them back.

    Examples
    --------
    >>> to_json([Message("level.LOW", {})])
    '[{"id": "level.LOW", "with": {}}]'
    """
    return json.dumps(list(messages), default=_plain, ensure_ascii=False)


def _plain(value: Any) -> Any:
    if isinstance(value, Message):
        return {"id": value.id, "with": dict(value.parameters)}
    if isinstance(value, datetime):
        return {"time": value.isoformat()}
    raise InputError(f"{type(value).__name__} cannot stand in a message")


def from_json(text: str) -> list[Message]:
    """Read messages that `to_json` wrote.

    Parameters
    ----------
    text : str
        JSON text.

    Returns
    -------
    list of Message
        As they were.
    """
    found: list[Message] = json.loads(text, object_hook=_parsed)
    return found


def _parsed(item: dict[str, Any]) -> Any:
    if item.keys() == {"id", "with"}:
        values = item["with"].items()
        return Message(item["id"], {name: tuple(v) if isinstance(v, list) else v for name, v in values})
    if item.keys() == {"time"}:
        return datetime.fromisoformat(item["time"])
    if item.keys() == {"number"}:
        return float(item["number"])
    return item

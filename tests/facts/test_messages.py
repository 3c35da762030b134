"""Messages: every text in every language, numbers that survive storing, and lines that read both ways."""

import json
import re
import string
import unicodedata
from datetime import datetime, timedelta, timezone

import pytest
from pydantic import TypeAdapter, ValidationError

from gridlib.facts.errors import InputError
from gridlib.facts.messages import CATALOGUE, LANGUAGES, Message, from_json, render, to_json, verbatim

AT = datetime(2026, 8, 12, 20, 0, tzinfo=timezone(timedelta(hours=3)))
LOST = Message(
    "risk.cascading",
    {
        "score": 0.5,
        "loss": (
            Message("loss.carries", {"transformer": "T-14", "at": AT, "load_kva": 1080.4}),
            Message("loss.left", {"left_pct": 78.2, "emergency_pct": 120}),
            Message("loss.busiest", {"neighbour": "T-16", "reach_pct": 91.0}),
        ),
    },
)


def fields(template: str) -> list[tuple[str, str]]:
    return sorted((name, spec or "") for _, name, spec, _ in string.Formatter().parse(template) if name)


def test_the_sentence_of_a_loss() -> None:
    assert render(LOST) == (
        "Cascading 0.50: if lost, T-14 at 20:00 on 12 Aug carries 1,080 kVA; 78 % cannot be picked up within "
        "120 % of its neighbours; busiest neighbour T-16 would reach 91 %"
    )


@pytest.mark.parametrize("message_id", sorted(CATALOGUE))
def test_every_message_says_the_same_in_every_language(message_id: str) -> None:
    texts = CATALOGUE[message_id]
    assert set(texts) == set(LANGUAGES)
    english, arabic = texts["en"], texts["ar"]
    # A field may come twice in one language: the rule's name, for example.
    assert set(fields(arabic)) <= set(fields(english))
    assert {name for name, _ in fields(arabic)} == {name for name, _ in fields(english)}
    assert re.search("[\u0600-\u06ff]", arabic) or arabic == english == "{text}"
    assert not re.search("[\u0660-\u0669\u06f0-\u06f9]", arabic), "numerals are Western"
    assert not re.search("[\u0600-\u06ff]", english)


@pytest.mark.parametrize("message_id", sorted(CATALOGUE))
def test_brackets_of_arabic_are_paired_and_hold_all_that_reads_from_the_left(message_id: str) -> None:
    text = CATALOGUE[message_id]["ar"]
    inside = re.findall(r"\[[^\[\]]*\]", text)
    assert text.count("[") == text.count("]") == len(inside)
    outside = re.sub(r"\[[^\[\]]*\]|\{\w+(:weekday)?\}", "", text)
    assert not any(unicodedata.bidirectional(letter) in ("L", "EN") for letter in outside), outside


def test_a_message_inside_a_record_is_kept_with_its_times_and_parts() -> None:
    adapter = TypeAdapter(tuple[Message, ...])
    kept = json.loads(json.dumps(adapter.dump_python((LOST,), mode="json")))
    (found,) = adapter.validate_python(kept)
    assert [render(found, language) for language in LANGUAGES] == [render(LOST, lang) for lang in LANGUAGES]
    assert (found, hash(found)) == (LOST, hash(LOST))
    assert adapter.dump_python((LOST,), mode="json", context={"language": "ar"}) == [render(LOST, "ar")]
    assert adapter.validate_python(["said by somebody"]) == (verbatim("said by somebody"),)
    with pytest.raises(ValidationError):
        adapter.validate_python([{"id": "level.LOW"}])


def test_a_number_that_is_none_is_kept_in_a_way_that_every_database_takes() -> None:
    adapter = TypeAdapter(Message)
    unknown = Message("loss.busiest", {"neighbour": "T-16", "reach_pct": float("nan")})
    kept = json.loads(json.dumps(adapter.dump_python(unknown, mode="json"), allow_nan=False))
    assert render(adapter.validate_python(kept)) == render(unknown)


def test_a_moment_is_written_with_its_weekday_where_the_sentence_asks_for_it() -> None:
    when = Message("plan.when", {"quantile": "p90", "at": AT, "derating_pct": 5.0})
    assert render(when) == "at p90 on Wed 12 Aug 20:00 (5 % derated)"
    assert "20:00 يوم الأربعاء 12 آب" in render(when, "ar")


def test_a_stored_message_is_the_same_in_both_languages() -> None:
    stored = from_json(to_json([LOST, LOST]))
    for language in LANGUAGES:
        assert [render(message, language) for message in stored] == [render(LOST, language)] * 2


def test_arabic_keeps_names_and_quantities_together() -> None:
    text = render(LOST, "ar")
    assert "\u2068T-14\u2069" in text
    assert "\u20661,080 kVA\u2069" in text
    assert "20:00 يوم 12 آب" in text
    assert text.count("\u2066") + text.count("\u2068") == text.count("\u2069")


def test_a_name_cannot_break_out_of_its_place() -> None:
    odd = Message("loss.busiest", {"neighbour": "T\u2069\u2067", "reach_pct": 1.0})
    assert "\u2068T\u2069" in render(odd, "ar")


@pytest.mark.parametrize(("message_id", "language"), [("risk.nonsense", "en"), ("level.HIGH", "de")])
def test_an_unknown_message_or_language_is_refused(message_id: str, language) -> None:
    with pytest.raises(InputError, match="no text for message"):
        render(Message(message_id, {}), language)


def test_what_cannot_be_stored_is_refused() -> None:
    with pytest.raises(InputError, match="object cannot stand in a message"):
        to_json([Message("level.HIGH", {"what": object()})])

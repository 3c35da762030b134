"""Words that stand inside messages of every subject."""

TEMPLATES: dict[str, dict[str, str]] = {
    "verbatim": {"en": "{text}", "ar": "{text}"},
    "list.next": {"en": "{before}, {then}", "ar": "{before}، {then}"},
    "list.and": {"en": "{before} and {then}", "ar": "{before} و{then}"},
    "level.LOW": {"en": "LOW", "ar": "منخفض"},
    "level.MEDIUM": {"en": "MEDIUM", "ar": "متوسط"},
    "level.HIGH": {"en": "HIGH", "ar": "مرتفع"},
    "level.IMMINENT": {"en": "IMMINENT", "ar": "وشيك"},
}
"""Template by message id and language; in Arabic, [ and ] enclose what reads from left to right."""

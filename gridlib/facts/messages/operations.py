"""How old the data are, what telemetry says of a switch, and what a study assumes."""

TEMPLATES: dict[str, dict[str, str]] = {
    "freshness.readings": {
        "en": "last reading {at}, {age_h:.1f} h ago",
        "ar": "آخر قراءة {at}، قبل [{age_h:.1f} h]",
    },
    "freshness.readings_stale": {
        "en": "READINGS ARE OLD: the last one is of {at}, {age_h:.0f} h ago (limit {limit_h:g} h)",
        "ar": "القراءات قديمة: آخرها {at}، قبل [{age_h:.0f} h] (الحد [{limit_h:g} h])",
    },
    "freshness.no_readings": {"en": "NO READINGS YET", "ar": "لا قراءات بعد"},
    "freshness.forecast": {
        "en": "forecast {run} of {at}, {age_h:.1f} h old",
        "ar": "التوقع {run} صدر {at}، وعمره [{age_h:.1f} h]",
    },
    "freshness.forecast_stale": {
        "en": "THE FORECAST IS OLD: {run} is of {at}, {age_h:.0f} h old (limit {limit_h:g} h); nothing can "
        "be decided on it",
        "ar": "التوقع قديم: {run} صدر {at}، وعمره [{age_h:.0f} h] (الحد [{limit_h:g} h])؛ "
        "لا يُتخذ قرار بناءً عليه",
    },
    "freshness.no_forecast": {"en": "NO FORECAST YET", "ar": "لا توقع بعد"},
    "switch.mismatch": {
        "en": "{switch}: telemetry says {telemetered} since {telemetered_at}, but {by} reported {reported} "
        "at {reported_at}",
        "ar": "{switch}: القياس عن بُعد يفيد {telemetered} منذ {telemetered_at}، لكن {by} أبلغ {reported} "
        "الساعة {reported_at}",
    },
    "switch.OPEN": {"en": "OPEN", "ar": "مفتوح"},
    "switch.CLOSED": {"en": "CLOSED", "ar": "مغلق"},
    "study.mark": {
        "en": "STUDY: nothing of this is stored or decided",
        "ar": "دراسة: لا شيء منها محفوظ أو مقرَّر",
    },
    "study.air": {
        "en": "air {shift_k:+g} K in every hour; it heats the oil and does not change the load",
        "ar": "الهواء [{shift_k:+g} K] في كل ساعة؛ يسخّن الزيت ولا يغيّر الحمل",
    },
    "study.load": {
        "en": "load {shift_pct:+g} % on every transformer in every hour; the chance of an overload is taken "
        "from the spread of the forecast peak",
        "ar": "الحمل [{shift_pct:+g} %] على كل محوّل في كل ساعة؛ واحتمال التحميل الزائد مأخوذ من مدى "
        "ذروة التوقع",
    },
    "study.tie_out": {
        "en": "{switch} cannot be operated; it stays in its position",
        "ar": "{switch} غير قابل للتشغيل؛ ويبقى على وضعه",
    },
    "study.open_plans": {
        "en": "other open plans keep the headroom they were promised: {plans}",
        "ar": "تحتفظ الخطط المفتوحة الأخرى بالسعة الموعودة لها: {plans}",
    },
}
"""Template by message id and language; in Arabic, [ and ] enclose what reads from left to right."""

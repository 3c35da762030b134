"""Words in pictures, and sentences that say what a picture shows to those who do not see it."""

TEMPLATES: dict[str, dict[str, str]] = {
    "picture.day.0": {"en": "Mon {day:02d}", "ar": "الاثنين [{day:02d}]"},
    "picture.day.1": {"en": "Tue {day:02d}", "ar": "الثلاثاء [{day:02d}]"},
    "picture.day.2": {"en": "Wed {day:02d}", "ar": "الأربعاء [{day:02d}]"},
    "picture.day.3": {"en": "Thu {day:02d}", "ar": "الخميس [{day:02d}]"},
    "picture.day.4": {"en": "Fri {day:02d}", "ar": "الجمعة [{day:02d}]"},
    "picture.day.5": {"en": "Sat {day:02d}", "ar": "السبت [{day:02d}]"},
    "picture.day.6": {"en": "Sun {day:02d}", "ar": "الأحد [{day:02d}]"},
    "picture.load": {"en": "{transformer}: load, local time", "ar": "{transformer}: الحمل، بالتوقيت المحلي"},
    "picture.measured": {"en": "measured", "ar": "مقيس"},
    "picture.cases": {"en": "{count:d} of 100 cases", "ar": "[{count:d}] من كل [100] حالة"},
    "picture.median": {"en": "median", "ar": "الوسيط"},
    "picture.nameplate": {
        "en": "nameplate {rating_kva:,.0f} kVA",
        "ar": "القدرة الاسمية [{rating_kva:,.0f} kVA]",
    },
    "picture.day_limit": {"en": "limit of the day: {by}", "ar": "حد اليوم: {by}"},
    "picture.side_limit": {"en": "limit of the day", "ar": "حد اليوم"},
    "picture.side_nameplate": {"en": "nameplate", "ar": "القدرة الاسمية"},
    "picture.by.hot_spot": {"en": "hot spot", "ar": "النقطة الساخنة"},
    "picture.by.ageing": {"en": "ageing", "ar": "التقادم"},
    "picture.by.current": {"en": "current", "ar": "التيار"},
    "picture.by.site": {"en": "site", "ar": "حد الموقع"},
    "picture.by.device": {"en": "device", "ar": "الجهاز"},
    "picture.load.alt": {
        "en": "Load of {transformer} ahead: the median peaks at {peak_kva:,.0f} kVA at {at}, "
        "{share_pct:.0f} % of nameplate; 90 of 100 cases stay between {low_kva:,.0f} and {high_kva:,.0f} kVA",
        "ar": "الحمل القادم للمحوّل {transformer}: ذروة الوسيط [{peak_kva:,.0f} kVA] الساعة {at}، أي "
        "[{share_pct:.0f} %] من القدرة الاسمية؛ وتبقى [90] من كل [100] حالة بين [{low_kva:,.0f}] و "
        "[{high_kva:,.0f} kVA]",
    },
    "picture.heat": {
        "en": "{transformer}: heat ahead, local time",
        "ar": "{transformer}: الحرارة القادمة، بالتوقيت المحلي",
    },
    "picture.hot_spot": {"en": "hot spot", "ar": "النقطة الساخنة"},
    "picture.top_oil": {"en": "top oil", "ar": "أعلى الزيت"},
    "picture.air": {"en": "air at the unit", "ar": "الهواء عند المحوّل"},
    "picture.ages": {"en": "{at_c:g} ages faster", "ar": "[{at_c:g}] يتسارع التقادم"},
    "picture.planned": {"en": "{at_c:g} planned limit", "ar": "[{at_c:g}] حد التخطيط"},
    "picture.p90_limit": {"en": "{at_c:g} limit at p90 load", "ar": "[{at_c:g}] الحد عند [p90]"},
    "picture.hottest": {
        "en": "hottest {at}: {peak_c:.0f} degC, at p90 load {upper_c:.0f} degC",
        "ar": "الأسخن {at}: [{peak_c:.0f} °C]، وعند [p90] تبلغ [{upper_c:.0f} °C]",
    },
    "picture.heat.alt": {
        "en": "Heat of {transformer} ahead: the hot spot peaks at {peak_c:.0f} degC at {at}, at p90 load at "
        "{upper_c:.0f} degC",
        "ar": "الحرارة القادمة للمحوّل {transformer}: ذروة النقطة الساخنة [{peak_c:.0f} °C] الساعة {at}، وعند "
        "[p90] تبلغ [{upper_c:.0f} °C]",
    },
    "picture.before": {"en": "before", "ar": "قبل"},
    "picture.after": {"en": "after", "ar": "بعد"},
    "picture.band": {"en": "{word}: 80 of 100 cases", "ar": "{word}: [80] من كل [100] حالة"},
    "picture.line": {"en": "{word}: median", "ar": "{word}: الوسيط"},
    "picture.over": {"en": "{word}: hour over the limit", "ar": "{word}: ساعة فوق الحد"},
    "picture.needed": {"en": "hours it is needed for", "ar": "الساعات التي تلزم فيها"},
    "picture.local": {"en": "local time, {tz}", "ar": "التوقيت المحلي، {tz}"},
    "picture.limit": {
        "en": "limit {kva} kVA, {pct} % of nameplate ({by})",
        "ar": "الحد [{kva} kVA]، أي [{pct} %] من القدرة الاسمية ({by})",
    },
    "picture.hours_over": {
        "en": "median hours over the limit: {before:d} before, {after:d} after",
        "ar": "ساعات الوسيط فوق الحد: [{before:d}] قبل، [{after:d}] بعد",
    },
    "picture.role.donor": {
        "en": "{transformer} (donor): {limit}",
        "ar": "{transformer} (المانح): {limit}",
    },
    "picture.role.receiver": {
        "en": "{transformer} (receiver): {limit}",
        "ar": "{transformer} (المُستقبِل): {limit}",
    },
    "picture.side.alt": {
        "en": "{transformer} peaks at {before_pct:.0f} % before and {after_pct:.0f} % after",
        "ar": "ذروة {transformer} [{before_pct:.0f} %] قبل و [{after_pct:.0f} %] بعد",
    },
    "picture.sides.alt": {
        "en": "Load on both sides of {plan}, before and after: {sides}",
        "ar": "الحمل على جانبي الخطة {plan}، قبل وبعد: {sides}",
    },
    "picture.around": {
        "en": "Around {transformer}: peak loading ahead, and positions as known",
        "ar": "حول {transformer}: ذروة التحميل القادمة، والأوضاع كما هي معروفة",
    },
    "picture.whole": {"en": "The whole network", "ar": "الشبكة كاملة"},
    "picture.whole.note": {
        "en": "{count:,d} transformers,\n{placed}\nblack: the plan's\ngrey: the {shown:d} drawn beside",
        "ar": "المحوّلات: [{count:,d}]\n{placed}\nبالأسود: محوّلات الخطة\n"
        "بالرمادي: المرسومة جانباً وعددها [{shown:d}]",
    },
    "picture.placed.coordinates": {"en": "by coordinates", "ar": "حسب الإحداثيات"},
    "picture.placed.feeder": {"en": "by feeder, not by place", "ar": "حسب المغذي لا الموقع"},
    "picture.panel.before": {
        "en": "Before: peak loading at median load",
        "ar": "قبل: ذروة التحميل عند الحمل الوسيط",
    },
    "picture.panel.after": {
        "en": "After: peak loading at median load",
        "ar": "بعد: ذروة التحميل عند الحمل الوسيط",
    },
    "picture.no_transfer": {"en": "no transfer to show", "ar": "لا نقل حمل للعرض"},
    "picture.export": {"en": "{share_pct:.0f} % export", "ar": "[{share_pct:.0f} %] تغذية عكسية"},
    "picture.key.switch_closed": {"en": "switch closed", "ar": "مفتاح مغلق"},
    "picture.key.switch_open": {"en": "switch open", "ar": "مفتاح مفتوح"},
    "picture.key.moved": {"en": "section that moves", "ar": "قسم يُنقل"},
    "picture.key.opened": {"en": "opened by the plan", "ar": "تفتحه الخطة"},
    "picture.key.closed_by": {"en": "closed by the plan", "ar": "تغلقه الخطة"},
    "picture.key.fed_by": {"en": "fed by {transformer}", "ar": "يغذيه {transformer}"},
    "picture.path.alt": {
        "en": "The network around {plan} before and after; it operates {moves}",
        "ar": "الشبكة حول {plan} قبل وبعد؛ تُشغّل {moves}",
    },
    "picture.around.alt": {
        "en": "{transformer} and {count:d} neighbours; switches between them: {switches}",
        "ar": "{transformer} و [{count:d}] من المحوّلات المجاورة؛ والمفاتيح بينها: {switches}",
    },
    "picture.switch.alt": {"en": "{switch} {state}, {source}", "ar": "{switch} {state}، {source}"},
    "picture.source.telemetered": {"en": "telemetered {age}", "ar": "قياس عن بُعد {age}"},
    "picture.source.manual": {"en": "manual {age}", "ar": "يدوي {age}"},
    "picture.source.assumed": {"en": "assumed", "ar": "مفترَض"},
    "picture.age.h": {"en": "{age:.0f} h ago", "ar": "قبل [{age:.0f} h]"},
    "picture.age.d": {"en": "{age:.0f} d ago", "ar": "قبل [{age:.0f} d]"},
    "picture.key.telemetered": {"en": "telemetered", "ar": "قياس عن بُعد"},
    "picture.key.manual": {"en": "reported by a person", "ar": "أبلغ عنه شخص"},
    "picture.key.assumed": {"en": "assumed or too old", "ar": "مفترَض أو قديم"},
    "picture.key.mismatch": {"en": "telemetry contradicts", "ar": "القياس عن بُعد يخالف"},
    "picture.key.closed": {"en": "closed", "ar": "مغلق"},
    "picture.key.open": {"en": "open", "ar": "مفتوح"},
    "picture.band.below": {"en": "below {to_pct:g} %", "ar": "أقل من [{to_pct:g} %]"},
    "picture.band.between": {
        "en": "{from_pct:g} to {to_pct:g} %",
        "ar": "من [{from_pct:g}] إلى [{to_pct:g} %]",
    },
    "picture.band.over": {"en": "over {from_pct:g} %", "ar": "أكثر من [{from_pct:g} %]"},
    "picture.band.unknown": {"en": "not known", "ar": "غير معروف"},
}
"""Template by message id and language; in Arabic, [ and ] enclose what reads from left to right."""

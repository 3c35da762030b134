"""What planning says: why a transfer is refused, what was not checked, how likely a plan holds."""

TEMPLATES: dict[str, dict[str, str]] = {
    "switch.health.FAULT": {"en": "FAULT", "ar": "عطل"},
    "switch.health.MAINTENANCE": {"en": "MAINTENANCE", "ar": "صيانة"},
    "switch.tag.EARTHED": {"en": "EARTHED", "ar": "مؤرَّض"},
    "switch.tag.TAGGED": {"en": "TAGGED", "ar": "عليه بطاقة تحذير"},
    "switch.tag.PERMIT": {"en": "PERMIT", "ar": "عليه تصريح عمل"},
    "place.feeder": {"en": "feeder {name}", "ar": "المغذي {name}"},
    "place.substation": {"en": "substation {name}", "ar": "المحطة {name}"},
    "plan.no_moves": {"en": "the plan has no moves", "ar": "لا نقل حمل في الخطة"},
    "plan.no_such_switch": {
        "en": "switch '{switch}' is not in the network; a transfer opens one switch and closes another",
        "ar": "المفتاح {switch} غير موجود في الشبكة؛ ونقل الحمل يفتح مفتاحاً ويغلق آخر",
    },
    "plan.switch_missing": {
        "en": "one switch is missing; a transfer opens one switch and closes another",
        "ar": "ينقص أحد المفتاحين؛ ونقل الحمل يفتح مفتاحاً ويغلق آخر",
    },
    "plan.open_already": {
        "en": "{switch} is open already, it was to be opened",
        "ar": "{switch} مفتوح أصلاً، وكان المطلوب فتحه",
    },
    "plan.closed_already": {
        "en": "{switch} is closed already, it was to be closed",
        "ar": "{switch} مغلق أصلاً، وكان المطلوب إغلاقه",
    },
    "plan.moves_else": {
        "en": "opening {opened} and closing {closed} no longer moves {sections} from {away} to {to}",
        "ar": "فتح {opened} وإغلاق {closed} لم يعد ينقل {sections} من {away} إلى {to}",
    },
    "plan.section_twice": {
        "en": "section {name} is in two moves of one plan",
        "ar": "القسم {name} مذكور في نقلين من خطة واحدة",
    },
    "plan.switch_twice": {
        "en": "switch {name} is in two moves of one plan",
        "ar": "المفتاح {name} مذكور في نقلين من خطة واحدة",
    },
    "plan.reserved": {
        "en": "{names} is needed by another open plan",
        "ar": "{names} تحتاجه خطة مفتوحة أخرى",
    },
    "plan.ill": {"en": "{switch} is reported in {health}", "ar": "{switch} حالته المبلَّغ عنها: {health}"},
    "plan.tagged": {"en": "{switch} on the path is {tags}", "ar": "{switch} على المسار: {tags}"},
    "plan.path_open": {
        "en": "{switch} on the path to the receiver is open",
        "ar": "{switch} على المسار إلى المحوّل المستقبِل مفتوح",
    },
    "plan.phase_rotation": {
        "en": "phase rotation at {switch} was never confirmed",
        "ar": "لم يُؤكَّد تتابع الأطوار عند {switch} قط",
    },
    "plan.capability_unknown": {
        "en": "{column} of {switch} is not known: no use on load",
        "ar": "القيمة {column} للمفتاح {switch} غير معروفة: لا يُشغَّل تحت الحمل",
    },
    "plan.leads_nowhere": {
        "en": "{tie} leads to {end}, not fed by one way",
        "ar": "{tie} يؤدي إلى {end}، وهو غير مغذّى من طريق واحد",
    },
    "plan.in_ring": {
        "en": "{transformer} feeds a ring or is joined with another transformer",
        "ar": "{transformer} يغذي حلقة أو موصول بمحوّل آخر",
    },
    "plan.nothing_to_relieve": {
        "en": "{transformer} stays below {limit_pct:g} % at p10, p50 and p90",
        "ar": "{transformer} يبقى دون [{limit_pct:g} %] عند [p10] و[p50] و[p90]",
    },
    "plan.relieved": {
        "en": "{transformer} is relieved by the plan for {helper}",
        "ar": "تُخفّف الحمل عن {transformer} خطةُ {helper}",
    },
    "plan.no_forecast": {
        "en": "{transformer} has no load forecast or no rating",
        "ar": "لا توقع حمل للمحوّل {transformer} أو لا قدرة اسمية له",
    },
    "plan.no_rating": {"en": "{transformer} has no rating", "ar": "لا قدرة اسمية للمحوّل {transformer}"},
    "plan.hour_unknown": {
        "en": "{transformer} or a section that moves has no forecast in some hour",
        "ar": "لا توقع في بعض الساعات للمحوّل {transformer} أو لقسم يُنقل",
    },
    "plan.not_scored": {
        "en": "air temperature or thermal state of a touched transformer is missing",
        "ar": "تنقص حرارة الهواء أو الحالة الحرارية لأحد المحوّلات المعنية",
    },
    "plan.no_reduction": {
        "en": "net risk would not fall: {before:.3f} before, {after:.3f} after, over {count:d} transformers",
        "ar": "لن ينخفض الخطر الصافي: [{before:.3f}] قبل و[{after:.3f}] بعد، على [{count:d}] من المحوّلات",
    },
    "plan.when": {
        "en": "at {quantile} on {at:weekday} ({derating_pct:g} % derated)",
        "ar": "عند {quantile} الساعة {at:weekday} (مع تخفيض القدرة [{derating_pct:g} %])",
    },
    "plan.when.export": {
        "en": "in export at {quantile} on {at:weekday} ({derating_pct:g} % derated)",
        "ar": "بالتغذية العكسية عند {quantile} الساعة {at:weekday} (مع تخفيض القدرة [{derating_pct:g} %])",
    },
    "plan.by.hot_spot": {"en": "the hot spot of this day", "ar": "النقطة الساخنة لهذا اليوم"},
    "plan.by.ageing": {"en": "ageing of this day", "ar": "التقادم في هذا اليوم"},
    "plan.by.current": {"en": "1.5 times nameplate", "ar": "مرة ونصف القدرة الاسمية"},
    "plan.by.site": {"en": "the site", "ar": "حد الموقع"},
    "plan.by.device": {"en": "a device in series", "ar": "جهاز على التوالي"},
    "plan.overload": {
        "en": "{transformer} would reach {reached_pct:.1f} % {when}, limit {limit_pct:.4g} % by {by}: "
        "{over_kva:.0f} kVA too much",
        "ar": "سيبلغ تحميل {transformer} [{reached_pct:.1f} %] {when}، والحد [{limit_pct:.4g} %] بحكم {by}: "
        "الزيادة [{over_kva:.0f} kVA]",
    },
    "plan.over_carried": {
        "en": "{name} would carry {load_kva:.0f} kVA {when}, limit {limit_kva:.0f} kVA: "
        "{over_kva:.0f} kVA too much",
        "ar": "سيبلغ حمل {name} [{load_kva:.0f} kVA] {when}، والحد [{limit_kva:.0f} kVA]: "
        "الزيادة [{over_kva:.0f} kVA]",
    },
    "plan.load_break": {
        "en": "{switch} would break {load_a:.0f} A at p90, limit {limit_a:.0f} A: {over_a:.0f} A too much",
        "ar": "سيفصل {switch} تياراً قدره [{load_a:.0f} A] عند [p90]، والحد [{limit_a:.0f} A]: "
        "الزيادة [{over_a:.0f} A]",
    },
    "plan.too_hot": {
        "en": "hot spot of {transformer} would reach {reached_c:.1f} degC at {quantile} on {at:weekday}, "
        "limit {limit_c:g} degC: {over_k:.1f} K too much",
        "ar": "ستبلغ النقطة الساخنة في {transformer} [{reached_c:.1f} °C] عند {quantile} الساعة "
        "{at:weekday}، والحد [{limit_c:g} °C]: الزيادة [{over_k:.1f} K]",
    },
    "plan.cold_load": {
        "en": "{transformer} would reach {reached_pct:.0f} % when {sections} come back on {at:weekday} at "
        "gross load x {factor:g}, limit {limit_pct:g} %: {over_kva:.0f} kVA too much",
        "ar": "سيبلغ تحميل {transformer} [{reached_pct:.0f} %] عند عودة {sections} الساعة {at:weekday} "
        "بالحمل الكلي [× {factor:g}]، والحد [{limit_pct:g} %]: الزيادة [{over_kva:.0f} kVA]",
    },
    "plan.after_moves": {
        "en": "after {done:d} of {all:d} moves {reason}",
        "ar": "بعد [{done:d}] من [{all:d}] من عمليات النقل: {reason}",
    },
    "plan.may_not_parallel": {
        "en": "{switch} may not close first: {why}",
        "ar": "لا يجوز إغلاق {switch} أولاً: {why}",
    },
    "plan.opens_first": {"en": "{switch} opens first: {why}", "ar": "{switch} يُفتح أولاً: {why}"},
    "parallel.not_allowed": {
        "en": "the site does not allow {switch} to parallel (phase displacement not confirmed)",
        "ar": "الموقع لا يسمح بالربط على التوازي عند {switch} (إزاحة الطور غير مؤكدة)",
    },
    "parallel.plate": {
        "en": "{columns} of {transformer} is not known",
        "ar": "القيمة {columns} للمحوّل {transformer} غير معروفة",
    },
    "parallel.tap": {
        "en": "the tap of {transformer} is not known",
        "ar": "موضع مأخذ المحوّل {transformer} غير معروف",
    },
    "parallel.fault": {
        "en": "in parallel a fault at {switch} would draw {fault_ka:.1f} kA, it may make {rated_ka:g} kA",
        "ar": "على التوازي يسحب القصر عند {switch} [{fault_ka:.1f} kA]، وقدرته على الوصل [{rated_ka:g} kA]",
    },
    "guard.closes_onto": {
        "en": "{switch} may close onto {fault_ka:.1f} kA, rated {rated_ka:g} kA",
        "ar": "قد يُغلق {switch} على قصر [{fault_ka:.1f} kA]، وقدرته المقننة [{rated_ka:g} kA]",
    },
    "guard.closes_onto_at_most": {
        "en": "{switch} may close onto at most {fault_ka:.1f} kA, rated {rated_ka:g} kA",
        "ar": "قد يُغلق {switch} على قصر لا يزيد على [{fault_ka:.1f} kA]، وقدرته المقننة [{rated_ka:g} kA]",
    },
    "guard.fault_make": {
        "en": "{what}: {over_ka:.1f} kA too much",
        "ar": "{what}: الزيادة [{over_ka:.1f} kA]",
    },
    "guard.not_known": {"en": "{what}; not known: {missing}", "ar": "{what}؛ غير معروف: {missing}"},
    "guard.line_bare": {
        "en": "impedance of the line behind {switch}",
        "ar": "ممانعة الخط خلف {switch}",
    },
    "guard.lines_bare": {
        "en": "impedance of the line behind {switch} and of {count:d} more on the way",
        "ar": "ممانعة الخط خلف {switch} و[{count:d}] غيره على المسار",
    },
    "guard.medium_lines": {
        "en": "medium-voltage lines to {transformer}",
        "ar": "خطوط الجهد المتوسط إلى {transformer}",
    },
    "guard.value": {"en": "{column} of {name}", "ar": "القيمة {column} للعنصر {name}"},
    "guard.reach": {
        "en": "a fault at the far end of {section} draws {least_a:.0f} A (one phase to neutral), {switch} "
        "picks up at {pick_up_a:.0f} A",
        "ar": "القصر في الطرف البعيد من {section} يسحب [{least_a:.0f} A] (طور إلى حيادي)، وتيار التقاط "
        "{switch} هو [{pick_up_a:.0f} A]",
    },
    "guard.no_reach": {
        "en": "{what}: {short_a:.0f} A too little",
        "ar": "{what}: النقص [{short_a:.0f} A]",
    },
    "guard.cold": {
        "en": "{name} would carry {cold_a:.0f} A when {sections} come back at gross load x {factor:g}, "
        "pick-up {pick_up_a:.0f} A: {over_a:.0f} A too much",
        "ar": "سيبلغ حمل {name} [{cold_a:.0f} A] عند عودة {sections} بالحمل الكلي [× {factor:g}]، "
        "وتيار الالتقاط [{pick_up_a:.0f} A]: الزيادة [{over_a:.0f} A]",
    },
    "guard.load": {
        "en": "{name} would carry {load_a:.0f} A at p90, pick-up {pick_up_a:.0f} A / {margin:g}",
        "ar": "سيبلغ حمل {name} [{load_a:.0f} A] عند [p90]، وتيار الالتقاط [{pick_up_a:.0f} A / {margin:g}]",
    },
    "guard.load_over": {"en": "{what}: {over_a:.0f} A too much", "ar": "{what}: الزيادة [{over_a:.0f} A]"},
    "guard.fault_level": {"en": "fault level", "ar": "مستوى القصر"},
    "guard.protection": {"en": "protection", "ar": "الحماية"},
    "guard.lacking": {"en": "{what} ({missing})", "ar": "{what} (السبب: {missing})"},
    "unchecked.voltage": {"en": "voltage", "ar": "الجهد"},
    "unchecked.line_loading": {"en": "line loading", "ar": "تحميل الخطوط"},
    "unchecked.feeder": {"en": "feeder head", "ar": "رأس المغذي"},
    "unchecked.substation": {"en": "substation transformer", "ar": "محوّل المحطة"},
    "unchecked.hot_spot": {"en": "hot spot", "ar": "النقطة الساخنة"},
    "unchecked.hot_spot_of": {"en": "hot spot of {transformer}", "ar": "النقطة الساخنة في {transformer}"},
    "unchecked.state": {"en": "state of {switch} ({why})", "ar": "وضع {switch} ({why})"},
    "unchecked.assumed": {"en": "assumed", "ar": "مفترَض"},
    "unchecked.confirmed": {"en": "last confirmed {day}", "ar": "آخر تأكيد {day}"},
    "unchecked.limit": {"en": "limit of {switch}", "ar": "حد {switch}"},
    "method.additive": {
        "en": "additive kVA, {derating_pct:g} % derated",
        "ar": "جمع الأحمال بوحدة [kVA] مع تخفيض القدرة [{derating_pct:g} %]",
    },
    "method.ac": {
        "en": "additive kVA, {derating_pct:g} % derated, and AC power flow",
        "ar": "جمع الأحمال بوحدة [kVA] مع تخفيض القدرة [{derating_pct:g} %]، وسريان القدرة المتناوب",
    },
    "other.left": {
        "en": "{left_pct:.0f} % of the overload at {quantile} ({left_kvah:.0f} of {all_kvah:.0f} kVAh) "
        "cannot be relieved by switching",
        "ar": "لا يمكن تخفيف [{left_pct:.0f} %] من التحميل الزائد عند {quantile} بالمناورة "
        "([{left_kvah:.0f}] من [{all_kvah:.0f} kVAh])",
    },
    "other.shed": {
        "en": "shed by contract or priority: up to {shed_kva:.0f} kVA in {hours:g} h",
        "ar": "فصل أحمال بموجب العقود أو حسب الأولوية: حتى [{shed_kva:.0f} kVA] في [{hours:g} h]",
    },
    "other.generator": {
        "en": "mobile generator of at least {size_kva:.0f} kVA, or a mobile transformer",
        "ar": "مولّد متنقل لا تقل قدرته عن [{size_kva:.0f} kVA]، أو محوّل متنقل",
    },
    "other.device": {
        "en": "reinforcement: {needed_kva:.0f} kVA in place of {held_kva:.0f} kVA for the device in series",
        "ar": "تعزيز: [{needed_kva:.0f} kVA] بدلاً من [{held_kva:.0f} kVA] للجهاز على التوالي",
    },
    "other.second": {
        "en": "reinforcement: a second transformer beside {rating_kva:g} kVA",
        "ar": "تعزيز: محوّل ثانٍ إلى جانب [{rating_kva:g} kVA]",
    },
    "other.larger": {
        "en": "reinforcement: {larger_kva:d} kVA in place of {rating_kva:g} kVA",
        "ar": "تعزيز: [{larger_kva:d} kVA] بدلاً من [{rating_kva:g} kVA]",
    },
    "chance.over": {"en": "over {pct:.0f} %", "ar": "أكثر من [{pct:.0f} %]"},
    "chance.under": {"en": "under {pct:.0f} %", "ar": "أقل من [{pct:.0f} %]"},
    "chance.unknown": {
        "en": "has a chance to hold that is not known, for want of joint error paths",
        "ar": "احتمال صمودها غير معروف، لعدم توفر مسارات الخطأ المشتركة",
    },
    "chance.plan": {
        "en": "holds on every element in every hour with a chance of {holds}; nothing that it touches goes "
        "over its limit: {without} without it, {with} with it",
        "ar": "احتمال صمودها على كل عنصر في كل ساعة: {holds}؛ واحتمال ألا يتجاوز أي عنصر تمسّه حدَّه: "
        "{without} بدونها و{with} معها",
    },
    "chance.plan_alone": {
        "en": "{chances} (errors of {alone} taken as independent)",
        "ar": "{chances} (أخطاء {alone} مأخوذة على أنها مستقلة)",
    },
}
"""Template by message id and language; in Arabic, [ and ] enclose what reads from left to right."""

"""Why a transformer is at risk, what its limit is today, and how the risk moves with air and load."""

TEMPLATES: dict[str, dict[str, str]] = {
    "risk.overload": {
        "en": "Overload {score:.2f}: at {at} the median is {median_kva:,.0f} kVA, {share_pct:.0f} % of "
        "{rating_kva:,.0f} kVA (p90 {upper_pct:.0f} %), limit {limit_pct:g} %; driven by {cause}",
        "ar": "التحميل الزائد [{score:.2f}]: الساعة {at} يبلغ الوسيط [{median_kva:,.0f} kVA]، أي "
        "[{share_pct:.0f} %] من [{rating_kva:,.0f} kVA] ([p90: {upper_pct:.0f} %])، والحد "
        "[{limit_pct:g} %]؛ السبب: {cause}",
    },
    "risk.cause.spread": {
        "en": "the spread of the forecast, not the likely load",
        "ar": "اتساع مدى التوقع، لا الحمل المرجّح",
    },
    "risk.cause.load_over": {
        "en": "the likely load, {hours:g} h over the limit",
        "ar": "الحمل المرجّح، ومدة تجاوز الحد [{hours:g} h]",
    },
    "risk.cause.load_within": {
        "en": "the likely load, within the limit at the median",
        "ar": "الحمل المرجّح، وهو ضمن الحد عند الوسيط",
    },
    "risk.cause.back_feed_over": {
        "en": "back-feed, {hours:g} h over the limit",
        "ar": "التغذية العكسية، ومدة تجاوز الحد [{hours:g} h]",
    },
    "risk.cause.back_feed_within": {
        "en": "back-feed, within the limit at the median",
        "ar": "التغذية العكسية، وهي ضمن الحد عند الوسيط",
    },
    "risk.thermal": {
        "en": "Thermal {score:.2f}: the hot spot reaches {hot_spot_c:.0f} degC at {at}, limit {limit_c:g} "
        "degC; driven by {share_pct:.0f} % load in air of {air_c:.0f} degC; {life_d:.1f} d of life used in "
        "{horizon_h:g} h",
        "ar": "الحرارة [{score:.2f}]: تبلغ النقطة الساخنة [{hot_spot_c:.0f} °C] الساعة {at}، والحد "
        "[{limit_c:g} °C]؛ السبب: حمل [{share_pct:.0f} %] في هواء حرارته [{air_c:.0f} °C]؛ والعمر المستهلك "
        "[{life_d:.1f} d] خلال [{horizon_h:g} h]",
    },
    "risk.cascading": {
        "en": "Cascading {score:.2f}: if lost, {loss}",
        "ar": "التتابع [{score:.2f}] عند فقدان المحوّل: {loss}",
    },
    "loss.carries": {
        "en": "{transformer} at {at} carries {load_kva:,.0f} kVA",
        "ar": "حمل {transformer} الساعة {at} هو [{load_kva:,.0f} kVA]",
    },
    "loss.no_tie": {
        "en": "{left_pct:.0f} % cannot be picked up: no usable tie to a neighbour",
        "ar": "يتعذّر نقل [{left_pct:.0f} %] من حمله: لا رابط صالحاً إلى محوّل مجاور",
    },
    "loss.left": {
        "en": "{left_pct:.0f} % cannot be picked up within {emergency_pct:.0f} % of its neighbours",
        "ar": "يتعذّر نقل [{left_pct:.0f} %] من حمله ضمن [{emergency_pct:.0f} %] من قدرة المحوّلات المجاورة",
    },
    "loss.busiest": {
        "en": "busiest neighbour {neighbour} would reach {reach_pct:.0f} %",
        "ar": "وأكثر المحوّلات المجاورة تحميلاً {neighbour} سيبلغ [{reach_pct:.0f} %]",
    },
    "loss.no_room": {
        "en": "no neighbour has room for a branch",
        "ar": "ولا متّسع لأي فرع لدى محوّل مجاور",
    },
    "loss.trips": {
        "en": "{count:.0f} neighbour(s) would pass {trip_pct:.0f} % if the load went over unmanaged",
        "ar": "وعدد المحوّلات المجاورة التي ستتجاوز [{trip_pct:.0f} %] إذا انتقل الحمل دون تحكّم: "
        "[{count:.0f}]",
    },
    "risk.rule.raised": {
        "en": "raised to {level} by {rule}: {cause}",
        "ar": "رُفع المستوى إلى {level} بموجب القاعدة {rule}: {cause}",
    },
    "risk.rule.imminent": {
        "en": "IMMINENT by {rule}: {cause}",
        "ar": "وشيك بموجب القاعدة {rule}: {cause}",
    },
    "risk.rule.imminent_raised": {
        "en": "IMMINENT by {rule}, raised to {level} by {rule}: {cause}",
        "ar": "وشيك بموجب القاعدة {rule}، ورُفع المستوى إلى {level} بموجبها: {cause}",
    },
    "risk.chance": {
        "en": "{chance_pct:.0f} % chance of an overload in {hours:g} h (limit {limit_pct:.0f} %)",
        "ar": "احتمال التحميل الزائد خلال [{hours:g} h] هو [{chance_pct:.0f} %] (الحد [{limit_pct:.0f} %])",
    },
    "risk.chance_next": {
        "en": "{chance_pct:.0f} % chance of an overload in the next {hours:g} h (limit {limit_pct:.0f} %)",
        "ar": "احتمال التحميل الزائد خلال الـ [{hours:g} h] القادمة هو [{chance_pct:.0f} %] "
        "(الحد [{limit_pct:.0f} %])",
    },
    "risk.over_now": {
        "en": "measured load {load_kva:,.0f} kVA is over {limit_pct:g} % of {rating_kva:,.0f} kVA now",
        "ar": "الحمل المقيس الآن [{load_kva:,.0f} kVA] يتجاوز [{limit_pct:g} %] من [{rating_kva:,.0f} kVA]",
    },
    "risk.long_run": {
        "en": "median loading at least {limit_pct:g} % for {hours:g} hours",
        "ar": "التحميل الوسيط لا يقل عن [{limit_pct:g} %] طوال [{hours:g} h]",
    },
    "risk.p90_loading": {
        "en": "p90 loading {upper_pct:.0f} % at {at} (limit {limit_pct:g} %)",
        "ar": "تحميل [p90] يبلغ [{upper_pct:.0f} %] الساعة {at} (الحد [{limit_pct:g} %])",
    },
    "risk.p90_hot_spot": {
        "en": "p90 hot spot {hot_spot_c:.0f} degC (limit {limit_c:g} degC)",
        "ar": "النقطة الساخنة عند [p90] تبلغ [{hot_spot_c:.0f} °C] (الحد [{limit_c:g} °C])",
    },
    "risk.no_thermal": {
        "en": "Thermal not computed: no temperatures for this transformer",
        "ar": "لم تُحسب الحرارة: لا درجات حرارة لهذا المحوّل",
    },
    "risk.load_too_low": {
        "en": "Load too low: it carries {sections} of another transformer, load not known",
        "ar": "الحمل المعروض أقل من الفعلي: يغذّي المحوّل {sections} من محوّل آخر، وحملها غير معروف",
    },
    "risk.no_cascading": {
        "en": "Cascading not computed: the load of this transformer is not known in full",
        "ar": "لم يُحسب التتابع: حمل هذا المحوّل غير معروف بالكامل",
    },
    "risk.held": {
        "en": "held at {level}: a level is left only after {runs} runs at least {margin:g} below it",
        "ar": "أُبقي المستوى على {level}: لا يُغادَر المستوى إلا إذا بقيت الدرجة دونه بمقدار [{margin:g}] على "
        "الأقل في عدد من عمليات التشغيل قدره [{runs}]",
    },
    "limit.today": {
        "en": "today's limit {limit_kva:,.0f} kVA, {limit_pct:.0f} % of nameplate {rating_kva:,.0f} kVA: "
        "{by}",
        "ar": "حد اليوم [{limit_kva:,.0f} kVA]، أي [{limit_pct:.0f} %] من القدرة الاسمية "
        "[{rating_kva:,.0f} kVA]: {by}",
    },
    "limit.by.hot_spot": {
        "en": "the hot spot binds",
        "ar": "المقيِّد هو حرارة النقطة الساخنة",
    },
    "limit.by.ageing": {
        "en": "ageing binds, a day of life in a day",
        "ar": "المقيِّد هو التقادم، يوم من العمر في اليوم",
    },
    "limit.by.current": {
        "en": "the current binds, the most IEC 60076-7 allows in normal cyclic loading",
        "ar": "المقيِّد هو التيار، وهو أقصى ما تسمح به [IEC 60076-7] في التحميل الدوري العادي",
    },
    "limit.by.site": {
        "en": "the site's own limit binds",
        "ar": "المقيِّد هو حد الموقع نفسه",
    },
    "limit.by.device": {
        "en": "a device in series binds: bushing, board, fuse or cable",
        "ar": "المقيِّد جهاز على التوالي: عازل العبور أو اللوحة أو المصهر أو الكابل",
    },
    "sensitivity.air": {
        "en": "{shift_k:+g} degC: {before:.2f} -> {after:.2f}",
        "ar": "[{shift_k:+g} °C]: من [{before:.2f}] إلى [{after:.2f}]",
    },
    "sensitivity.load": {
        "en": "{shift_pct:+g} % load: {before:.2f} -> {after:.2f}",
        "ar": "[{shift_pct:+g} %] في الحمل: من [{before:.2f}] إلى [{after:.2f}]",
    },
}
"""Template by message id and language; in Arabic, [ and ] enclose what reads from left to right."""

"""What a switching sheet says around its steps: purpose, checklist, abort triggers, positions and notes."""

TEMPLATES: dict[str, dict[str, str]] = {
    "title.transfer": {"en": "{plan}: transfer {moves}", "ar": "{plan}: نقل {moves}"},
    "title.return": {"en": "{plan}: return {moves}", "ar": "{plan}: إعادة {moves}"},
    "title.move": {
        "en": "{sections} from {donor} to {receivers}",
        "ar": "{sections} من {donor} إلى {receivers}",
    },
    "purpose.relieve": {"en": "Relieve {units}: {parts}", "ar": "تخفيف الحمل عن {units}: {parts}"},
    "purpose.relieve_from": {
        "en": "Relieve {units} from {at}: {parts}",
        "ar": "تخفيف الحمل عن {units} ابتداءً من الساعة {at}: {parts}",
    },
    "purpose.return": {
        "en": "Take {plan} back, so that {sections} hang where they belong: {parts}",
        "ar": "إعادة {plan}، لتعود {sections} إلى مصدرها الطبيعي: {parts}",
    },
    "purpose.falls": {
        "en": "peak of {unit} falls from {before_pct:.0f} % to {after_pct:.0f} % of {rating_kva:,.0f} kVA "
        "(p90 {p90_before_pct:.0f} % to {p90_after_pct:.0f} %)",
        "ar": "تنخفض ذروة {unit} من [{before_pct:.0f} %] إلى [{after_pct:.0f} %] من [{rating_kva:,.0f} kVA] "
        "([p90] من [{p90_before_pct:.0f} %] إلى [{p90_after_pct:.0f} %])",
    },
    "purpose.rises": {
        "en": "peak of {unit} rises from {before_pct:.0f} % to {after_pct:.0f} % of {rating_kva:,.0f} kVA "
        "(p90 {p90_before_pct:.0f} % to {p90_after_pct:.0f} %)",
        "ar": "ترتفع ذروة {unit} من [{before_pct:.0f} %] إلى [{after_pct:.0f} %] من [{rating_kva:,.0f} kVA] "
        "([p90] من [{p90_before_pct:.0f} %] إلى [{p90_after_pct:.0f} %])",
    },
    "purpose.see_plan": {"en": "see the plan", "ar": "انظر الخطة"},
    "purpose.risk": {
        "en": "net risk {before:.2f} to {after:.2f}",
        "ar": "الخطر الصافي من [{before:.2f}] إلى [{after:.2f}]",
    },
    # Checklist
    "check.live": {
        "en": "Live switching only: nobody works on the path, nothing is made dead for work",
        "ar": "مناورة تحت الجهد فقط: لا أحد يعمل على المسار، ولا يُفصل شيء لأجل عمل",
    },
    "check.authorised": {
        "en": "Switching person is authorised for live low-voltage switching and has this sheet in writing",
        "ar": "منفّذ المناورة مخوّل بالمناورة تحت الجهد على الجهد المنخفض وهذه الورقة معه مكتوبة",
    },
    "check.repeated": {
        "en": "Every order is repeated in full by the receiver and confirmed by the sender",
        "ar": "كل أمر يكرره متلقيه كاملاً ويؤكده مُصدره",
    },
    "check.identified": {
        "en": "Every device is identified by its label before it is touched",
        "ar": "كل جهاز يُتعرّف عليه من لوحة تسميته قبل لمسه",
    },
    "check.rated": {
        "en": "Every device is rated for load make and break at the currents of this sheet, interlocks are "
        "in order",
        "ar": "كل جهاز مقنّن للإغلاق والقطع تحت الحمل عند تيارات هذه الورقة، ووسائل التعشيق سليمة",
    },
    "check.clothing": {
        "en": "Arc-flash clothing, face shield and insulated tools are worn; remote operation where there is "
        "any",
        "ar": "ملابس الوقاية من القوس الكهربائي وواقي الوجه والأدوات المعزولة مستعملة؛ والتشغيل عن بُعد "
        "حيثما وُجد",
    },
    "check.path": {
        "en": "No open permit, no crew and no tag on the path",
        "ar": "لا تصريح عمل مفتوحاً ولا فريق ولا بطاقة على المسار",
    },
    "check.rotation": {
        "en": "Phase rotation at each tie is confirmed and dated",
        "ar": "تتابع الأطوار عند كل رابط مؤكد ومؤرخ",
    },
    "check.reclose": {
        "en": "Auto-reclose is off and sensitive earth fault is handled on the affected feeders",
        "ar": "إعادة الإغلاق التلقائي معطّلة وحماية الخطأ الأرضي الحساسة معالجة على المغذّيات المتأثرة",
    },
    "check.taps": {
        "en": "Tap control of the feeding substations is in manual",
        "ar": "تحكم مغيّر المأخذ في المحطات المغذّية على الوضع اليدوي",
    },
    "check.critical": {
        "en": "Critical customers (hospital, pumping, life support) are named and told",
        "ar": "المشتركون الحرجون (مستشفى، ضخ مياه، أجهزة دعم الحياة) مسمّون ومُبلَّغون",
    },
    "check.parallel": {
        "en": "Phase displacement at each tie that closes first is confirmed; both sides have one source "
        "above",
        "ar": "إزاحة الأطوار عند كل رابط يُغلق أولاً مؤكدة؛ وللطرفين مصدر واحد أعلاهما",
    },
    "check.switch_back": {
        "en": "Switch-back hour is planned and known to the control room",
        "ar": "ساعة الإعادة مخططة ومعروفة لغرفة التحكم",
    },
    # Abort triggers
    "trigger.current": {
        "en": "{step}: current at {opening} outside {low_a:.0f}-{high_a:.0f} A",
        "ar": "{step}: التيار عند {opening} خارج [{low_a:.0f}-{high_a:.0f} A]",
    },
    "trigger.together": {
        "en": "{step}: current at {receiver} and at {opening} together above {limit_a:.0f} A",
        "ar": "{step}: مجموع التيار عند {receiver} وعند {opening} فوق [{limit_a:.0f} A]",
    },
    "trigger.room": {
        "en": "{step}: current at {receiver} above {room_a:.0f} A",
        "ar": "{step}: التيار عند {receiver} فوق [{room_a:.0f} A]",
    },
    "trigger.receiver": {
        "en": "{step}: {receiver} above {limit_a:.0f} A on a phase",
        "ar": "{step}: تيار {receiver} فوق [{limit_a:.0f} A] في أحد الأطوار",
    },
    "trigger.voltage": {
        "en": "{before} or {step}: voltage on a phase outside {low_v:.0f}-{high_v:.0f} V",
        "ar": "{before} أو {step}: الجهد في أحد الأطوار خارج [{low_v:.0f}-{high_v:.0f} V]",
    },
    "trigger.across": {
        "en": "{step}: more than {most_v:.0f} V across {closing}",
        "ar": "{step}: فرق الجهد بين طرفي {closing} أكثر من [{most_v:.0f} V]",
    },
    "trigger.parallel": {
        "en": "In parallel: more than {loop_limit_a:.0f} A at {closing}, or longer than {limit_min:g} min: "
        "open it again",
        "ar": "على التوازي: أكثر من [{loop_limit_a:.0f} A] عند {closing}، أو مدة أطول من "
        "[{limit_min:g} min]: افتحه من جديد",
    },
    "trigger.late": {
        "en": "Switching not begun at {at}, when the overload begins: have the plan proved again",
        "ar": "لم تبدأ المناورة حتى الساعة {at}، حين يبدأ التحميل الزائد: اطلب إعادة إثبات الخطة",
    },
    # Positions
    "position.line": {
        "en": "{switch}: normally {normal}, now {state} ({source})",
        "ar": "{switch}: {normal} في الوضع الطبيعي، والآن {state} ({source})",
    },
    "position.line_at": {
        "en": "{switch}: normally {normal}, now {state} ({source} at {at})",
        "ar": "{switch}: {normal} في الوضع الطبيعي، والآن {state} ({source}، الساعة {at})",
    },
    "position.source.telemetered": {"en": "telemetered", "ar": "قياس عن بُعد"},
    "position.source.manual": {"en": "manual", "ar": "أبلغ عنه شخص"},
    "position.source.assumed": {"en": "assumed", "ar": "مفترَض"},
    # Notes
    "note.break_first": {"en": "Break before make: {parts}.", "ar": "الفتح قبل الإغلاق: {parts}."},
    "note.off": {
        "en": "{customers} on {sections} are off between opening {opening} and closing {closing}",
        "ar": "ينقطع {customers} على {sections} بين فتح {opening} وإغلاق {closing}",
    },
    "note.cold": {
        "en": "Sections come back at gross load (solar behind the meter is still off, motors start together) "
        "times {factor:g}: {parts}.",
        "ar": "تعود الأقسام بحملها الكلي (الطاقة الشمسية خلف العداد لا تزال مفصولة، والمحركات تبدأ معاً) "
        "مضروباً في [{factor:g}]: {parts}.",
    },
    "note.cold_section": {
        "en": "{sections} up to {cold_a:.0f} A",
        "ar": "{sections} حتى [{cold_a:.0f} A]",
    },
    "note.make_first": {
        "en": "Make before break: nobody on {sections} is off; {sides} are in parallel for at most "
        "{limit_min:g} min, with about {circulating_a:.0f} A circulating and at most {loop_limit_a:.0f} A at "
        "{closing}.",
        "ar": "الإغلاق قبل الفتح: لا ينقطع أحد على {sections}؛ ويبقى المحوّلان {sides} على التوازي لمدة "
        "لا تتجاوز [{limit_min:g} min]، بتيار دوّار نحو [{circulating_a:.0f} A]، ولا يتجاوز التيار "
        "[{loop_limit_a:.0f} A] عند {closing}.",
    },
    "note.make_first_unknown": {
        "en": "Make before break: nobody on {sections} is off; {sides} are in parallel for at most "
        "{limit_min:g} min, with an unknown current circulating and at most {loop_limit_a:.0f} A at "
        "{closing}.",
        "ar": "الإغلاق قبل الفتح: لا ينقطع أحد على {sections}؛ ويبقى المحوّلان {sides} على التوازي لمدة "
        "لا تتجاوز [{limit_min:g} min]، بتيار دوّار غير معروف، ولا يتجاوز التيار [{loop_limit_a:.0f} A] عند "
        "{closing}.",
    },
    "note.after_abort": {
        "en": "After an abort at any step, auto-reclose, earth-fault protection and tap control are "
        "restored.",
        "ar": "بعد الإيقاف عند أي خطوة تُعاد إعادة الإغلاق التلقائي وحماية الخطأ الأرضي وتحكم مغيّر المأخذ "
        "كما كانت.",
    },
    "note.currents": {
        "en": "Expected currents hold for {at}. At another hour: {devices}",
        "ar": "التيارات المتوقعة صالحة للساعة {at}. وفي ساعة أخرى: {devices}",
    },
    "note.hours": {"en": "{opening}: {hours}", "ar": "عند {opening}: {hours}"},
    "note.hour": {
        "en": "{at} {low_a:.0f}-{high_a:.0f} A",
        "ar": "الساعة {at} [{low_a:.0f}-{high_a:.0f} A]",
    },
    "note.switch_back": {"en": "Switch-back: {hours}.", "ar": "الإعادة: {hours}."},
    "note.switch_back_expected": {
        "en": "Switch-back: {hours}. Expected then: {currents}",
        "ar": "الإعادة: {hours}. والمتوقع حينها: {currents}",
    },
    "note.back_current": {
        "en": "{closing}: {back_low_a:.0f}-{back_high_a:.0f} A",
        "ar": "عند {closing}: [{back_low_a:.0f}-{back_high_a:.0f} A]",
    },
    "switch_back.from_until": {
        "en": "from {after} until {until}, the last of this forecast",
        "ar": "من الساعة {after} حتى الساعة {until}، وهي الأخيرة في هذا التوقع",
    },
    "switch_back.until": {
        "en": "until {until}, the last of this forecast",
        "ar": "حتى الساعة {until}، وهي الأخيرة في هذا التوقع",
    },
    "switch_back.from": {
        "en": "from {after}; none in this forecast is proven",
        "ar": "من الساعة {after}؛ ولا ساعة مثبتة في هذا التوقع",
    },
    "switch_back.unknown": {
        "en": "the hour that the control room names; none in this forecast is proven",
        "ar": "الساعة التي تحددها غرفة التحكم؛ ولا ساعة مثبتة في هذا التوقع",
    },
    "note.proof": {"en": "Proof: {method}.", "ar": "الإثبات: {method}."},
    "note.proof_margin": {
        "en": "Proof: {method}; smallest margin of a receiver {margin_pct:.0f} %.",
        "ar": "الإثبات: {method}؛ وأصغر هامش لمحوّل مستقبِل [{margin_pct:.0f} %].",
    },
    "note.chances": {"en": "The plan {chances}.", "ar": "الخطة: {chances}."},
    "note.fault_level": {"en": "Fault level: {found}.", "ar": "مستوى القصر: {found}."},
    "note.not_checked": {
        "en": "Not checked for want of data: {what}.",
        "ar": "لم يُتحقق منه لنقص البيانات: {what}.",
    },
    "note.unconfirmed": {
        "en": "Positions to be confirmed before the sheet is issued: {switches}.",
        "ar": "أوضاع يجب تأكيدها قبل إصدار الورقة: {switches}.",
    },
    "note.decide_by": {"en": "Last time to decide: {at}.", "ar": "آخر موعد للقرار: الساعة {at}."},
}
"""Template by message id and language; in Arabic, [ and ] enclose what reads from left to right."""

"""What the steps of a switching sheet say: what to do, what to expect, and what to do if it fails."""

TEMPLATES: dict[str, dict[str, str]] = {
    "verb.READ": {"en": "READ", "ar": "اقرأ"},
    "verb.IDENTIFY": {"en": "IDENTIFY", "ar": "تعرّف على"},
    "verb.CHECK": {"en": "CHECK", "ar": "تحقق"},
    "verb.CONFIRM": {"en": "CONFIRM", "ar": "أكّد"},
    "verb.NOTIFY": {"en": "NOTIFY", "ar": "أبلغ"},
    "verb.BLOCK": {"en": "BLOCK", "ar": "عطّل إعادة الإغلاق"},
    "verb.SET MANUAL": {"en": "SET MANUAL", "ar": "حوّل إلى يدوي"},
    "verb.HOLD": {"en": "HOLD", "ar": "توقف"},
    "verb.OPEN": {"en": "OPEN", "ar": "افتح"},
    "verb.TAG": {"en": "TAG", "ar": "علّق بطاقة على"},
    "verb.UNTAG": {"en": "UNTAG", "ar": "انزع البطاقة عن"},
    "verb.CLOSE": {"en": "CLOSE", "ar": "أغلق"},
    "verb.RESTORE": {"en": "RESTORE", "ar": "فعّل إعادة الإغلاق"},
    "verb.SET AUTOMATIC": {"en": "SET AUTOMATIC", "ar": "حوّل إلى آلي"},
    "verb.RECORD": {"en": "RECORD", "ar": "سجّل"},
    "verb.AGREE": {"en": "AGREE", "ar": "اتفق"},
    "phase.prepare": {"en": "Prepare", "ar": "التحضير"},
    "phase.switch": {"en": "Switch", "ar": "المناورة"},
    "phase.confirm": {"en": "Confirm", "ar": "التأكيد"},
    "phase.rollback": {"en": "Switch back", "ar": "الإعادة"},
    # Where
    "place.control_room": {"en": "control room", "ar": "غرفة التحكم"},
    "place.remote": {
        "en": "control room, device between {from_id} and {to_id}",
        "ar": "غرفة التحكم، والجهاز بين {from_id} و{to_id}",
    },
    "place.device": {
        "en": "at the device, between {from_id} and {to_id}",
        "ar": "عند الجهاز، بين {from_id} و{to_id}",
    },
    "place.boards": {"en": "low-voltage boards of {sides}", "ar": "لوحات الجهد المنخفض للمحوّلين {sides}"},
    "place.path": {"en": "path between the transformers {units}", "ar": "المسار بين المحوّلات {units}"},
    # Parts of steps
    "feeders.affected": {"en": "the affected feeders", "ar": "المغذّيات المتأثرة"},
    "customers.known": {"en": "{count:.0f} customers", "ar": "مشتركون عددهم [{count:.0f}]"},
    "customers.at_least": {
        "en": "at least {count:.0f} customers",
        "ar": "مشتركون لا يقل عددهم عن [{count:.0f}]",
    },
    "customers.unknown": {"en": "an unknown number of customers", "ar": "مشتركون غير معروف عددهم"},
    "customers.off": {"en": "{sections}: {customers}", "ar": "على {sections}: {customers}"},
    "critical.known": {"en": "on {sections}: {critical}", "ar": "على {sections}: {critical}"},
    "critical.unknown": {
        "en": "on {sections}: none on record, look them up",
        "ar": "على {sections}: لا أحد في السجلات، ابحث عنهم",
    },
    "rating.load_break": {"en": "rated {rated_a:g} A load break", "ar": "مقنّن لقطع حمل [{rated_a:g} A]"},
    "rating.load_break_unknown": {"en": "load break rating unknown", "ar": "مقنّن قطع الحمل غير معروف"},
    "rating.fault_make": {
        "en": "rated {rated_ka:g} kA fault make",
        "ar": "مقنّن للإغلاق على قصر [{rated_ka:g} kA]",
    },
    "rating.fault_make_unknown": {
        "en": "fault make rating unknown",
        "ar": "مقنّن الإغلاق على قصر غير معروف",
    },
    "step.write_down": {"en": "{text} Write down: {what}.", "ar": "{text} دوّن: {what}."},
    "write_down.current": {"en": "current of each phase in A", "ar": "تيار كل طور بوحدة [A]"},
    "write_down.voltage": {"en": "voltage of each phase in V", "ar": "فرق الجهد في كل طور بوحدة [V]"},
    "write_down.go": {"en": "name of who says go", "ar": "اسم من أذن بالمتابعة"},
    "write_down.rotation": {
        "en": "result of the measurement and name of who says go",
        "ar": "نتيجة القياس واسم من أذن بالمتابعة",
    },
    "write_down.engineer": {"en": "name of the protection engineer", "ar": "اسم مهندس الحماية"},
    "step.abort": {"en": "abort", "ar": "أوقف الأمر"},
    "step.and_back": {
        "en": "{what} and switch back by {steps}",
        "ar": "{what} ثم أعد المفاتيح بالخطوات {steps}",
    },
    # Prepare
    "step.current.do": {
        "en": "Read the current of all three phases at {opening}.",
        "ar": "اقرأ تيار الأطوار الثلاثة عند {opening}.",
    },
    "step.current.expect": {
        "en": "{low_a:.0f}-{high_a:.0f} A on each phase at {at}",
        "ar": "تيار كل طور [{low_a:.0f}-{high_a:.0f} A]، الساعة {at}",
    },
    "step.current.fails": {
        "en": "Outside the range: do not switch; abort, and have the plan proved again with the reading.",
        "ar": "خارج المدى: لا تُجرِ أي مناورة؛ أوقف الأمر، واطلب إعادة إثبات الخطة بهذه القراءة.",
    },
    "step.loads.do": {
        "en": "Read load and voltage of all three phases at {sides} and write them down.",
        "ar": "اقرأ الحمل والجهد في الأطوار الثلاثة عند المحوّلين {sides} ودوّنهما.",
    },
    "step.loads.expect": {
        "en": "{receiver} at most {room_a:.0f} A, so that {added_a:.0f} A fit within {limit_a:.0f} A; "
        "{low_v:.0f}-{high_v:.0f} V on each phase",
        "ar": "تيار {receiver} لا يتجاوز [{room_a:.0f} A]، ليتّسع لـ [{added_a:.0f} A] ضمن [{limit_a:.0f} A]؛ "
        "والجهد [{low_v:.0f}-{high_v:.0f} V] في كل طور",
    },
    "step.loads_once_left.expect": {
        "en": "{receiver} at most {room_a:.0f} A, so that {added_a:.0f} A fit within {limit_a:.0f} A once "
        "{leaving_a:.0f} A have left it; {low_v:.0f}-{high_v:.0f} V on each phase",
        "ar": "تيار {receiver} لا يتجاوز [{room_a:.0f} A]، ليتّسع لـ [{added_a:.0f} A] ضمن [{limit_a:.0f} A] "
        "بعد أن يُنقل عنه [{leaving_a:.0f} A]؛ والجهد [{low_v:.0f}-{high_v:.0f} V] في كل طور",
    },
    "step.loads.fails": {
        "en": "Outside: do not switch; abort, and have the plan proved again with the readings.",
        "ar": "خارج ذلك: لا تُجرِ أي مناورة؛ أوقف الأمر، واطلب إعادة إثبات الخطة بهذه القراءات.",
    },
    "step.identify.do": {
        "en": "Identify {switch} by its label and read its indication.",
        "ar": "تعرّف على {switch} من لوحة تسميته واقرأ مؤشر وضعه.",
    },
    "step.identify.expect": {
        "en": "Label {switch}, indication {position}",
        "ar": "لوحة التسمية {switch}، والمؤشر {position}",
    },
    "step.identify_assumed.expect": {
        "en": "Label {switch}, indication {position} (assumed, never reported: confirm on site)",
        "ar": "لوحة التسمية {switch}، والمؤشر {position} (مفترض ولم يُبلَّغ عنه قط: أكّده في الموقع)",
    },
    "step.identify.fails": {
        "en": "Label or indication differs: do not switch; report the position found and abort.",
        "ar": "اختلاف لوحة التسمية أو المؤشر: لا تُجرِ أي مناورة؛ أبلغ عن الوضع الذي وجدته وأوقف الأمر.",
    },
    "step.log.do": {
        "en": "Check the log for permits, crews and tags on the path and at its transformers.",
        "ar": "راجع السجل بحثاً عن تصاريح عمل وفرق وبطاقات تحذير على المسار وعند محوّلاته.",
    },
    "step.log.expect": {
        "en": "No open permit, no crew, no tag",
        "ar": "لا تصريح عمل مفتوحاً ولا فريق ولا بطاقة",
    },
    "step.log.fails": {
        "en": "Anything open: do not switch; abort until it is cleared.",
        "ar": "وجود أي منها: لا تُجرِ أي مناورة؛ أوقف الأمر إلى أن يزول.",
    },
    "step.rotation.do": {
        "en": "Confirm the record of the phase rotation at {closing}.",
        "ar": "أكّد سجل تتابع الأطوار عند {closing}.",
    },
    "step.rotation.expect": {"en": "Confirmed on {on}", "ar": "مؤكد بتاريخ {on}"},
    "step.rotation_unknown.expect": {
        "en": "NO DATED RECORD: measure and record it",
        "ar": "لا سجل مؤرخاً: قِس تتابع الأطوار وسجّله",
    },
    "step.rotation.fails": {
        "en": "No record, or work at the tie since: measure the rotation; do not switch without it.",
        "ar": "لا سجل، أو جرى عمل على الرابط بعده: قِس تتابع الأطوار؛ ولا تُجرِ أي مناورة دونه.",
    },
    "step.tell.do": {
        "en": "Name the critical customers (hospital, pumping, life support; {named}) and tell them of the "
        "interruption ({off}).",
        "ar": "سمِّ المشتركين الحرجين (مستشفى، ضخ مياه، أجهزة دعم الحياة؛ {named}) وأبلغهم بالانقطاع ({off}).",
    },
    "step.tell_nobody_off.do": {
        "en": "Name the critical customers (hospital, pumping, life support; {named}) and tell them of the "
        "switching; it is planned without interruption.",
        "ar": "سمِّ المشتركين الحرجين (مستشفى، ضخ مياه، أجهزة دعم الحياة؛ {named}) وأبلغهم بالمناورة؛ "
        "وهي مخططة دون انقطاع.",
    },
    "step.tell.expect": {"en": "Each one named, told and ready", "ar": "كل منهم مسمّى ومُبلَّغ ومستعد"},
    "step.tell.fails": {
        "en": "One cannot be told or cannot be off: do not switch; abort.",
        "ar": "تعذّر إبلاغ أحدهم أو لا يحتمل الانقطاع: لا تُجرِ أي مناورة؛ أوقف الأمر.",
    },
    "step.block.do": {
        "en": "Switch auto-reclose off and handle sensitive earth fault on {feeders}.",
        "ar": "عطّل إعادة الإغلاق التلقائي وعالج حماية الخطأ الأرضي الحساسة على {feeders}.",
    },
    "step.block.expect": {
        "en": "Auto-reclose OFF indicated",
        "ar": "المؤشر: إعادة الإغلاق التلقائي معطّلة",
    },
    "step.block.fails": {
        "en": "It stays on: do not switch; abort.",
        "ar": "بقيت مفعّلة: لا تُجرِ أي مناورة؛ أوقف الأمر.",
    },
    "step.manual.do": {
        "en": "Set the tap control of the substations that feed {feeders} to manual.",
        "ar": "حوّل تحكم مغيّر المأخذ في المحطات التي تغذّي {feeders} إلى الوضع اليدوي.",
    },
    "step.manual.expect": {"en": "MANUAL indicated", "ar": "المؤشر: يدوي"},
    "step.manual.fails": {
        "en": "It stays automatic: do not switch; restore auto-reclose and abort.",
        "ar": "بقي آلياً: لا تُجرِ أي مناورة؛ فعّل إعادة الإغلاق التلقائي وأوقف الأمر.",
    },
    "step.protection.do": {
        "en": "Confirm that settings and fuses are those of the proof: {protection}.",
        "ar": "أكّد أن ضبط الحماية والمصاهر كما في الإثبات: {protection}.",
    },
    "step.protection.expect": {
        "en": "Settings and fuses as in the proof",
        "ar": "الضبط والمصاهر كما في الإثبات",
    },
    "step.protection.fails": {
        "en": "Any other: do not switch; restore auto-reclose and tap control, and abort.",
        "ar": "اختلاف أي منها: لا تُجرِ أي مناورة؛ أعد إعادة الإغلاق التلقائي وتحكم مغيّر المأخذ كما كانا، "
        "وأوقف الأمر.",
    },
    "step.engineer.do": {
        "en": "{unknown}: a named protection engineer confirms reach, pick-up and the fault level at the "
        "devices that close, for the new feeding.",
        "ar": "{unknown}: يؤكد مهندس حماية مسمّى مدى الحماية وتيار الالتقاط ومستوى القصر عند الأجهزة التي "
        "تُغلق، للتغذية الجديدة.",
    },
    "unknown.protection": {"en": "PROTECTION NOT CHECKED", "ar": "لم يُتحقق من الحماية"},
    "unknown.fault_level": {"en": "FAULT LEVEL NOT CHECKED", "ar": "لم يُتحقق من مستوى القصر"},
    "step.engineer.expect": {
        "en": "Name of the protection engineer and time of the confirmation",
        "ar": "اسم مهندس الحماية وساعة التأكيد",
    },
    "step.engineer.fails": {
        "en": "Not confirmed: do not switch; restore auto-reclose and tap control, and abort.",
        "ar": "لم يؤكَّد: لا تُجرِ أي مناورة؛ أعد إعادة الإغلاق التلقائي وتحكم مغيّر المأخذ كما كانا، "
        "وأوقف الأمر.",
    },
    # Confirm
    "step.restore.do": {
        "en": "Switch auto-reclose on and restore sensitive earth fault on {feeders}.",
        "ar": "فعّل إعادة الإغلاق التلقائي وأعد حماية الخطأ الأرضي الحساسة كما كانت على {feeders}.",
    },
    "step.restore.expect": {
        "en": "Auto-reclose ON indicated",
        "ar": "المؤشر: إعادة الإغلاق التلقائي مفعّلة",
    },
    "step.restore.fails": {
        "en": "It stays off: report it as a fault; the feeder runs without auto-reclose.",
        "ar": "بقيت معطّلة: أبلغ عنها كعطل؛ فالمغذّي يعمل دون إعادة إغلاق تلقائي.",
    },
    "step.automatic.do": {
        "en": "Set the tap control of the substations that feed {feeders} back to automatic.",
        "ar": "أعد تحكم مغيّر المأخذ في المحطات التي تغذّي {feeders} إلى الوضع الآلي.",
    },
    "step.automatic.expect": {"en": "AUTOMATIC indicated", "ar": "المؤشر: آلي"},
    "step.automatic.fails": {
        "en": "It stays in manual: report it as a fault and watch the voltage by hand.",
        "ar": "بقي يدوياً: أبلغ عنه كعطل وراقب الجهد يدوياً.",
    },
    "step.record.do": {
        "en": "Enter in the log that {plan} is taken back and that its sections are fed normally.",
        "ar": "دوّن في السجل أن {plan} أُعيدت إلى الوضع الطبيعي وأن أقسامها تتغذى كالمعتاد.",
    },
    "step.record.expect": {
        "en": "Entry made, {ties} noted as closed again",
        "ar": "دُوّن القيد، وسُجّل أن {ties} مغلق من جديد",
    },
    "step.record.fails": {
        "en": "A device stands otherwise: report its position before the crew leaves.",
        "ar": "جهاز على وضع آخر: أبلغ عن وضعه قبل مغادرة الفريق.",
    },
    "step.agree.do": {
        "en": "Agree the switch-back hour: {hours}. The switch-back is a plan of its own, with its own "
        "order.",
        "ar": "اتفق على ساعة الإعادة: {hours}. والإعادة خطة قائمة بذاتها لها أمرها.",
    },
    "step.agree.expect": {
        "en": "Hour entered in the log, tie {ties} noted as closed",
        "ar": "دُوّنت الساعة في السجل، وسُجّل أن الرابط {ties} مغلق",
    },
    "step.agree.fails": {
        "en": "No hour agreed: the transfer stays, and the control room owns the question.",
        "ar": "لم يُتفق على ساعة: يبقى نقل الحمل، وتتولى غرفة التحكم الأمر.",
    },
    "step.done.do": {
        "en": "Tell the critical customers that the switching is done and the supply is up.",
        "ar": "أبلغ المشتركين الحرجين أن المناورة انتهت وأن التغذية قائمة.",
    },
    "step.done.expect": {
        "en": "Each one told, supply confirmed by each",
        "ar": "أُبلغ كل منهم، وأكّد كل منهم وجود التغذية",
    },
    "step.done.fails": {
        "en": "One has no supply: send the crew to the section before it leaves.",
        "ar": "أحدهم بلا تغذية: أرسل الفريق إلى قسمه قبل أن يغادر.",
    },
}
"""Template by message id and language; in Arabic, [ and ] enclose what reads from left to right."""

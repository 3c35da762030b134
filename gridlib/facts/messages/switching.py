"""What the switching steps of a sheet say: opening and closing in either order, and the way back."""

TEMPLATES: dict[str, dict[str, str]] = {
    # Open first
    "step.open.do": {
        "en": "Open {opening}. From here until {closing} is closed, {customers} on {sections} are off.",
        "ar": "افتح {opening}. من هنا وحتى إغلاق {closing} ينقطع {customers} على {sections}.",
    },
    "step.not_proven.do": {
        "en": "{text} NOT PROVEN FOR THIS LOAD: not to be operated on load.",
        "ar": "{text} لم يُثبت لهذا الحمل: لا يُشغَّل وهو محمّل.",
    },
    "step.open.expect": {
        "en": "Indication OPEN, no current at {opening}, {sections} without voltage ({rating}; "
        "p90 {high_a:.0f} A)",
        "ar": "المؤشر مفتوح، ولا تيار عند {opening}، ولا جهد على {sections} ({rating}؛ [p90 {high_a:.0f} A])",
    },
    "step.open.fails": {
        "en": "Will not open: leave {closing} open, nothing has changed; {abort}. Opened in part: make no "
        "second attempt, report, {abort}.",
        "ar": "لم يُفتح: اترك {closing} مفتوحاً، فلم يتغير شيء؛ {abort}. فُتح جزئياً: لا تحاول ثانية، وأبلغ، "
        "{abort}.",
    },
    "step.close.do": {
        "en": "Close {closing}. From here {receiver} feeds {sections}.",
        "ar": "أغلق {closing}. من هنا تتغذى {sections} من {receiver}.",
    },
    "step.close.expect": {
        "en": "Indication CLOSED, {low_a:.0f}-{high_a:.0f} A at {closing}, at first up to {cold_a:.0f} A, "
        "voltage on {sections} ({rating})",
        "ar": "المؤشر مغلق، و[{low_a:.0f}-{high_a:.0f} A] عند {closing}، وفي البداية حتى [{cold_a:.0f} A]، "
        "والجهد موجود على {sections} ({rating})",
    },
    "step.close.fails": {
        "en": "Will not close: make sure that it is open, {again}. Trips: no second attempt and no supply to "
        "{sections} before a crew has walked along it; report.",
        "ar": "لم يُغلق: تأكد أنه مفتوح، {again}. فصل بالحماية: لا تحاول ثانية ولا تُعد التغذية إلى "
        "{sections} قبل أن يتفقدها فريق على الأرض؛ وأبلغ.",
    },
    "step.close_again": {
        "en": "close {opening} again at once ({undo})",
        "ar": "وأغلق {opening} من جديد فوراً ({undo})",
    },
    "step.untag_and_close_again": {
        "en": "take the tag off and close {opening} again at once ({undo})",
        "ar": "وانزع البطاقة وأغلق {opening} من جديد فوراً ({undo})",
    },
    # Close first
    "step.across.do": {
        "en": "Measure the voltage across the open {closing}, phase by phase.",
        "ar": "قِس فرق الجهد بين طرفي {closing} وهو مفتوح، طوراً طوراً.",
    },
    "step.across.expect": {
        "en": "At most {most_v:.0f} V on each phase",
        "ar": "فرق الجهد لا يتجاوز [{most_v:.0f} V] في كل طور",
    },
    "step.across.fails": {
        "en": "More: phases are displaced or the voltages differ; do not close; {abort}.",
        "ar": "أكثر من ذلك: الأطوار مزاحة أو الجهود مختلفة؛ لا تغلق؛ {abort}.",
    },
    "step.parallel.do": {
        "en": "Close {closing}. From here {sides} are in parallel, for at most {limit_min:g} min; nobody is "
        "off.",
        "ar": "أغلق {closing}. من هنا المحوّلان {sides} على التوازي، لمدة لا تتجاوز [{limit_min:g} min]؛ "
        "ولا ينقطع أحد.",
    },
    "step.parallel.expect": {
        "en": "Indication CLOSED, at most {loop_limit_a:.0f} A at {closing} ({rating})",
        "ar": "المؤشر مغلق، ولا يتجاوز التيار [{loop_limit_a:.0f} A] عند {closing} ({rating})",
    },
    "step.parallel_circulating.expect": {
        "en": "Indication CLOSED, at most {loop_limit_a:.0f} A at {closing}, of which about "
        "{circulating_a:.0f} A circulate ({rating})",
        "ar": "المؤشر مغلق، ولا يتجاوز التيار [{loop_limit_a:.0f} A] عند {closing}، منه نحو "
        "[{circulating_a:.0f} A] تيار دوّار ({rating})",
    },
    "step.parallel.fails": {
        "en": "Will not close: make sure that it is open, nothing has changed; {abort}. More than "
        "{loop_limit_a:.0f} A: open {closing} again at once ({undo}); {abort}.",
        "ar": "لم يُغلق: تأكد أنه مفتوح، فلم يتغير شيء؛ {abort}. أكثر من [{loop_limit_a:.0f} A]: افتح "
        "{closing} من جديد فوراً ({undo})؛ {abort}.",
    },
    "step.part.do": {
        "en": "Open {opening} within {limit_min:g} min. From here {receiver} feeds {sections}.",
        "ar": "افتح {opening} خلال [{limit_min:g} min]. من هنا تتغذى {sections} من {receiver}.",
    },
    "step.part.expect": {
        "en": "Indication OPEN, no current at {opening}, {low_a:.0f}-{high_a:.0f} A at {closing}, voltage on "
        "{sections} stays ({rating}; p90 {high_a:.0f} A)",
        "ar": "المؤشر مفتوح، ولا تيار عند {opening}، و[{low_a:.0f}-{high_a:.0f} A] عند {closing}، والجهد باقٍ "
        "على {sections} ({rating}؛ [p90 {high_a:.0f} A])",
    },
    "step.part.fails": {
        "en": "Will not open, or the time is over: open {closing} again at once ({undo}); {abort}.",
        "ar": "لم يُفتح، أو انتهت المدة: افتح {closing} من جديد فوراً ({undo})؛ {abort}.",
    },
    # Either order
    "step.tag.do": {
        "en": "Hang a caution tag on {opening}: new normally-open point.",
        "ar": "علّق بطاقة تحذير على {opening}: نقطة فتح طبيعية جديدة.",
    },
    "step.tag.expect": {
        "en": "Caution tag on {opening}, entered in the log",
        "ar": "بطاقة تحذير على {opening}، مدوّنة في السجل",
    },
    "step.tag.fails": {
        "en": "No tag at hand: a person stays at {opening} until there is one; go on.",
        "ar": "لا بطاقة في المتناول: يبقى شخص عند {opening} إلى أن تتوفر؛ وتابع.",
    },
    "step.tag_customers_off.fails": {
        "en": "No tag at hand: a person stays at {opening} until there is one; go on, customers are off.",
        "ar": "لا بطاقة في المتناول: يبقى شخص عند {opening} إلى أن تتوفر؛ وتابع، فالمشتركون منقطعون.",
    },
    "step.untag.do": {
        "en": "Take the caution tag off {closing}: it is normally closed.",
        "ar": "انزع بطاقة التحذير عن {closing}: فهو مغلق في الوضع الطبيعي.",
    },
    "step.untag.expect": {
        "en": "No tag on {closing}, entered in the log",
        "ar": "لا بطاقة على {closing}، ومدوّن في السجل",
    },
    "step.untag.fails": {
        "en": "Another tag or a permit hangs there: do not close {closing}; report and switch back.",
        "ar": "عليه بطاقة أخرى أو تصريح عمل: لا تغلق {closing}؛ أبلغ وأعد المفاتيح.",
    },
    "step.after.do": {
        "en": "Read load and voltage of all three phases at {sides} and compare with before.",
        "ar": "اقرأ الحمل والجهد في الأطوار الثلاثة عند المحوّلين {sides} وقارنهما بما قبل المناورة.",
    },
    "step.after.expect": {
        "en": "{donor} lower by {low_a:.0f}-{high_a:.0f} A, {receiver} higher and at most {limit_a:.0f} A; "
        "{low_v:.0f}-{high_v:.0f} V on each phase",
        "ar": "تيار {donor} أقل بمقدار [{low_a:.0f}-{high_a:.0f} A]، وتيار {receiver} أعلى ولا يتجاوز "
        "[{limit_a:.0f} A]؛ والجهد [{low_v:.0f}-{high_v:.0f} V] في كل طور",
    },
    "step.after.fails": {
        "en": "Outside: switch back by {steps}.",
        "ar": "خارج ذلك: أعد المفاتيح بالخطوات {steps}.",
    },
    # The way back
    "back.close": {"en": "Close {opening}", "ar": "أغلق {opening}"},
    "back.untag_and_close": {
        "en": "Take the caution tag off {opening} and close it",
        "ar": "انزع بطاقة التحذير عن {opening} وأغلقه",
    },
    "back.and_tag.do": {
        "en": "{text} Hang the caution tag on {closing} again.",
        "ar": "{text} علّق بطاقة التحذير على {closing} من جديد.",
    },
    "back.parallel.do": {
        "en": "{reclose}. {sides} are in parallel for at most {limit_min:g} min.",
        "ar": "{reclose}. يبقى المحوّلان {sides} على التوازي لمدة لا تتجاوز [{limit_min:g} min].",
    },
    "back.parallel.expect": {
        "en": "Indication CLOSED, at most {loop_limit_a:.0f} A at {closing}",
        "ar": "المؤشر مغلق، ولا يتجاوز التيار [{loop_limit_a:.0f} A] عند {closing}",
    },
    "back.parallel.fails": {
        "en": "Will not close: leave {closing} closed, the transfer stands; report.",
        "ar": "لم يُغلق: اترك {closing} مغلقاً، فيبقى نقل الحمل؛ وأبلغ.",
    },
    "back.part.do": {
        "en": "Open {closing} within {limit_min:g} min. {donor} feeds {sections} again.",
        "ar": "افتح {closing} خلال [{limit_min:g} min]. تعود {sections} لتتغذى من {donor}.",
    },
    "back.part.expect": {
        "en": "Indication OPEN, no current at {closing}, voltage on {sections} stays",
        "ar": "المؤشر مفتوح، ولا تيار عند {closing}، والجهد باقٍ على {sections}",
    },
    "back.part.fails": {
        "en": "Will not open: open {opening} again at once, so that no loop stays; report.",
        "ar": "لم يُفتح: افتح {opening} من جديد فوراً كي لا تبقى حلقة؛ وأبلغ.",
    },
    "back.open.do": {
        "en": "Open {closing}. {customers} on {sections} are off until {opening} is closed.",
        "ar": "افتح {closing}. ينقطع {customers} على {sections} حتى إغلاق {opening}.",
    },
    "back.open.expect": {
        "en": "Indication OPEN, no current at {closing}",
        "ar": "المؤشر مفتوح، ولا تيار عند {closing}",
    },
    "back.open.fails": {
        "en": "Will not open: leave {opening} open, so that no loop is made; report.",
        "ar": "لم يُفتح: اترك {opening} مفتوحاً كي لا تتكوّن حلقة؛ وأبلغ.",
    },
    "back.close.do": {
        "en": "{reclose}. {donor} feeds {sections} again.",
        "ar": "{reclose}. تعود {sections} لتتغذى من {donor}.",
    },
    "back.close.expect": {
        "en": "Indication CLOSED, voltage on {sections}, at most {cold_a:.0f} A at first",
        "ar": "المؤشر مغلق، والجهد موجود على {sections}، ولا يتجاوز التيار [{cold_a:.0f} A] في البداية",
    },
    "back.close.fails": {
        "en": "Will not close: close {closing} again, the transfer stands; report.",
        "ar": "لم يُغلق: أغلق {closing} من جديد، فيبقى نقل الحمل؛ وأبلغ.",
    },
}
"""Template by message id and language; in Arabic, [ and ] enclose what reads from left to right."""

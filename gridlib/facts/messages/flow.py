"""What AC power flow says: what it refuses, what it lacks, what it leaves out."""

TEMPLATES: dict[str, dict[str, str]] = {
    "scenario.p90, sections low": {"en": "p90, sections low", "ar": "[p90] والأقسام عند أدنى مداها"},
    "scenario.p90, sections high": {"en": "p90, sections high", "ar": "[p90] والأقسام عند أعلى مداها"},
    "scenario.p10, sections low": {"en": "p10, sections low", "ar": "[p10] والأقسام عند أدنى مداها"},
    "scenario.p10, sections high": {"en": "p10, sections high", "ar": "[p10] والأقسام عند أعلى مداها"},
    "scenario.any": {"en": "any", "ar": "أي منها"},
    "element.substation": {"en": "substation", "ar": "محطة"},
    "element.feeder head": {"en": "feeder head", "ar": "رأس مغذٍّ"},
    "element.line": {"en": "line", "ar": "خط"},
    "element.low-voltage line": {"en": "low-voltage line", "ar": "خط جهد منخفض"},
    "element.donor": {"en": "donor", "ar": "مانح"},
    "element.receiver": {"en": "receiver", "ar": "مستقبِل"},
    "element.transformer": {"en": "transformer", "ar": "محوّل"},
    "element.loop": {"en": "loop", "ar": "حلقة"},
    "element.lowest voltage": {"en": "lowest voltage", "ar": "أدنى جهد"},
    "element.highest voltage": {"en": "highest voltage", "ar": "أعلى جهد"},
    "element.losses": {"en": "losses", "ar": "الفواقد"},
    "flow.node.high": {"en": "{name} (high voltage)", "ar": "{name} (جهة الجهد العالي)"},
    "flow.node.medium": {"en": "{name} (medium voltage)", "ar": "{name} (جهة الجهد المتوسط)"},
    "flow.reason": {"en": "AC power flow: {reason}", "ar": "سريان القدرة المتناوب: {reason}"},
    "flow.lacks": {"en": "AC power flow ({missing})", "ar": "سريان القدرة المتناوب (ينقص {missing})"},
    "flow.lacks_more": {
        "en": "AC power flow ({missing}, ...)",
        "ar": "سريان القدرة المتناوب (ينقص {missing}، وغير ذلك)",
    },
    "flow.impossible": {
        "en": "AC power flow is not possible: {missing}",
        "ar": "سريان القدرة المتناوب غير ممكن، ينقص: {missing}",
    },
    "flow.nothing_changes": {"en": "nothing changes", "ar": "لا شيء يتغير"},
    "flow.in_state": {"en": "{state}: {reason}", "ar": "{state}، {reason}"},
    "flow.state.step": {"en": "step {number:d}", "ar": "الخطوة [{number:d}]"},
    "flow.state.off": {"en": "while {sections} is off", "ar": "أثناء انقطاع {sections}"},
    "flow.state.after": {
        "en": "after {done:d} of {all:d} moves",
        "ar": "بعد [{done:d}] من [{all:d}] من عمليات النقل",
    },
    "flow.state.loop": {
        "en": "while {opened} and {closed} are both closed",
        "ar": "أثناء إغلاق {opened} و{closed} معاً",
    },
    "flow.overload": {
        "en": "{name} would reach {reached_pct:.1f} % at {scenario} on {at:weekday}, limit {limit_pct:g} %: "
        "{over_pct:.1f} too much",
        "ar": "سيبلغ تحميل {name} [{reached_pct:.1f} %] عند {scenario} الساعة {at:weekday}، والحد "
        "[{limit_pct:g} %]: الزيادة [{over_pct:.1f}]",
    },
    "flow.voltage": {
        "en": "{name} would have {reached_pu:.4f} pu at {scenario} on {at:weekday}, limit {limit_pu:g} pu",
        "ar": "سيصبح الجهد عند {name} [{reached_pu:.4f} pu] عند {scenario} الساعة {at:weekday}، والحد "
        "[{limit_pu:g} pu]",
    },
    "flow.beyond": {
        "en": "{switch} would make or break {current_a:.0f} A, limit {limit_a:.0f} A",
        "ar": "سيوصل {switch} أو يفصل تياراً قدره [{current_a:.0f} A]، والحد [{limit_a:.0f} A]",
    },
    "flow.paralleled": {
        "en": "{sources} would be paralleled, and what joins them above is not modelled",
        "ar": "سيُربط {sources} على التوازي، وما يصل بينها من أعلى غير ممثَّل في النموذج",
    },
    "flow.ring": {"en": "{name} would stay in a ring", "ar": "سيبقى {name} في حلقة"},
    "flow.dark": {"en": "{names} would stay without supply", "ar": "سيبقى {names} دون تغذية"},
    "flow.ring_before": {
        "en": "{name} lies in a ring or between two transformers before",
        "ar": "{name} يقع في حلقة أو بين محوّلين قبل المناورة",
    },
    "flow.left_out": {"en": "{finding}; left out", "ar": "{finding}؛ تُرك خارج الحساب"},
    "flow.before": {"en": "{finding}, before any switching", "ar": "{finding}، قبل أي مناورة"},
    "flow.found.load_missing": {
        "en": "the load at {name} is not a number",
        "ar": "الحمل عند {name} ليس عدداً",
    },
    "flow.found.not_supplied": {"en": "no source supplies {name}", "ar": "لا مصدر يغذي {name}"},
    "flow.found.ring": {
        "en": "{name} lies in a part with a ring or between two sources",
        "ar": "{name} يقع في جزء فيه حلقة أو بين مصدرين",
    },
    "flow.found.not_converged": {
        "en": "the power flow around {name} has no solution",
        "ar": "لا حل لسريان القدرة حول {name}",
    },
    "flow.found.unknown_end": {
        "en": "{name} does not join two different nodes of the network",
        "ar": "{name} لا يصل بين عقدتين مختلفتين من الشبكة",
    },
    "flow.found.two_voltages": {
        "en": "{name} joins different voltages",
        "ar": "{name} يصل بين جهدين مختلفين",
    },
    "flow.found.no_voltage": {
        "en": "{name} has a side without nominal voltage",
        "ar": "أحد جانبي {name} بلا جهد اسمي",
    },
    "flow.found.impedance": {
        "en": "{name} has an impedance of {r_ohm:g} + j{x_ohm:g} ohm, expected more than 0",
        "ar": "ممانعة {name} هي [{r_ohm:g} + j{x_ohm:g} Ω]، والمتوقع أكثر من [0]",
    },
    "flow.found.short_circuit": {
        "en": "{name} has a short-circuit voltage of {vk_pct:g} % with {vkr_pct:g} % resistive, expected "
        "more than 0 and no more resistive than in all",
        "ar": "جهد القصر للمحوّل {name} هو [{vk_pct:g} %] منها [{vkr_pct:g} %] مقاومة، والمتوقع أكثر من [0] "
        "وألا تزيد المقاومة على المجموع",
    },
    "flow.found.plate": {
        "en": "{name} has {rating_kva:g} kVA, {hv_kv:g}/{lv_kv:g} kV, tap {tap_pct:g} %: expected positive "
        "ratings and a tap within 50 %",
        "ar": "لوحة {name} تذكر [{rating_kva:g} kVA] و[{hv_kv:g}/{lv_kv:g} kV] ومأخذاً [{tap_pct:g} %]: "
        "والمتوقع قيم موجبة ومأخذ ضمن [50 %]",
    },
    "lack.plate": {"en": "{name}: {columns}", "ar": "{name}: القيم {columns}"},
    "lack.line_up": {"en": "{name}: a line to its substation", "ar": "{name}: خط إلى محطته"},
    "lack.ohm": {"en": "{name}: r_ohm and x_ohm", "ar": "{name}: القيمتان [r_ohm] و[x_ohm]"},
    "lack.ohm_behind": {
        "en": "{name}: r_ohm and x_ohm of the line behind it",
        "ar": "{name}: القيمتان [r_ohm] و[x_ohm] للخط خلفه",
    },
    "lack.open_between": {
        "en": "{names}: where the lines between them are open",
        "ar": "{names}: موضع فتح الخطوط بينها",
    },
    "lack.open_in_ring": {
        "en": "{name} and the lines around it: where their ring is open",
        "ar": "{name} والخطوط حوله: موضع فتح حلقتها",
    },
    "lack.load": {"en": "{name}: its load in every hour", "ar": "{name}: حمله في كل ساعة"},
    "omit.medium": {
        "en": "feeder head and medium-voltage lines of {names} ({missing})",
        "ar": "رأس المغذي وخطوط الجهد المتوسط إلى {names} (ينقص {missing})",
    },
    "omit.losses": {
        "en": "losses of {names} on the same feeder",
        "ar": "فواقد {names} على المغذي نفسه",
    },
    "omit.bare": {
        "en": "voltage drop and losses of {count:d} low-voltage lines without impedance",
        "ar": "هبوط الجهد والفواقد في خطوط جهد منخفض لا ممانعة لها، وعددها [{count:d}]",
    },
    "omit.taps": {"en": "taps of {names}, taken for nominal", "ar": "مآخذ {names}، أُخذت على أنها اسمية"},
    "omit.loading": {
        "en": "loading of {count:d} lines without a limit, {first} the first",
        "ar": "تحميل خطوط لا حد لها، وعددها [{count:d}] وأولها {first}",
    },
    "omit.station": {"en": "substation transformer of {names}", "ar": "محوّل المحطة {names}"},
}
"""Template by message id and language; in Arabic, [ and ] enclose what reads from left to right."""

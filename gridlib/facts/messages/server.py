"""Words of the server's own pages: sign-in, choice of screens, and what cannot be shown."""

TEMPLATES: dict[str, dict[str, str]] = {
    "server.sign_in": {"en": "Sign in", "ar": "تسجيل الدخول"},
    "server.sign_out": {"en": "Sign out", "ar": "تسجيل الخروج"},
    "server.signed_out": {"en": "You are signed out.", "ar": "تم تسجيل خروجك."},
    "server.username": {"en": "User name", "ar": "اسم المستخدم"},
    "server.password": {"en": "Password", "ar": "كلمة المرور"},
    "server.not_signed_in": {
        "en": "Not signed in: the name or the password is wrong, or the account is locked. "
        "After {failures} failures an account is locked for {lock_min} minutes.",
        "ar": "لم يتم تسجيل الدخول: الاسم أو كلمة المرور غير صحيحة، أو الحساب مقفل. "
        "يقفل الحساب بعد {failures} محاولات فاشلة لمدة {lock_min} دقيقة.",
    },
    "server.busy": {
        "en": "Many people are signing in; try again in a moment.",
        "ar": "يسجل كثيرون الدخول الآن؛ حاول مجددا بعد لحظة.",
    },
    "server.no_database": {
        "en": "The database does not answer: nothing can be shown or decided now. Call support.",
        "ar": "قاعدة البيانات لا تستجيب: لا يمكن عرض شيء أو اتخاذ قرار الآن. اتصل بالدعم.",
    },
    "server.form_expired": {
        "en": "This page was open too long or came from elsewhere; nothing was done. Open it again.",
        "ar": "بقيت هذه الصفحة مفتوحة طويلا أو جاءت من مكان آخر؛ لم ينفذ شيء. افتحها من جديد.",
    },
    "server.screens": {"en": "Screens", "ar": "الشاشات"},
    "server.no_screens": {
        "en": "No screen is for your roles. Ask a manager.",
        "ar": "لا توجد شاشة لأدوارك. اسأل المدير.",
    },
    "server.signed_in_as": {"en": "Signed in as {username}", "ar": "المستخدم الحالي {username}"},
    "server.for_roles": {
        "en": "This screen is for the roles: {roles}. The attempt was recorded.",
        "ar": "هذه الشاشة مخصصة للأدوار: {roles}. تم تسجيل المحاولة.",
    },
    "server.too_many_screens": {
        "en": "You have {count} screens open in all your browsers together, as many as one person may. "
        "Close one first.",
        "ar": "لديك {count} شاشة مفتوحة في كل متصفحاتك مجتمعة، وهو الحد الأقصى للشخص الواحد. "
        "أغلق إحداها أولا.",
    },
    "server.not_found": {"en": "There is no such page.", "ar": "لا توجد صفحة كهذه."},
    "server.cannot_be_shown": {
        "en": "This page cannot be shown ({status}).",
        "ar": "لا يمكن عرض هذه الصفحة ({status}).",
    },
    "server.sign_out_now": {
        "en": "Signing out ends all screens that you have open in this browser.",
        "ar": "ينهي تسجيل الخروج كل الشاشات المفتوحة لديك في هذا المتصفح.",
    },
    "server.back": {"en": "To the screens", "ar": "إلى الشاشات"},
    "server.change_password": {"en": "Change password", "ar": "تغيير كلمة المرور"},
    "server.current_password": {"en": "Current password", "ar": "كلمة المرور الحالية"},
    "server.new_password": {
        "en": "New password, at least {length} characters",
        "ar": "كلمة المرور الجديدة، {length} حرفا على الأقل",
    },
    "server.new_password_again": {"en": "New password again", "ar": "كلمة المرور الجديدة مرة أخرى"},
    "server.passwords_differ": {
        "en": "Not changed: the two new passwords differ.",
        "ar": "لم تتغير: كلمتا المرور الجديدتان مختلفتان.",
    },
    "server.password_guessable": {
        "en": "Not changed: the new password is too short or easily guessed.",
        "ar": "لم تتغير: كلمة المرور الجديدة قصيرة أو يسهل تخمينها.",
    },
    "server.password_changed": {
        "en": "Your password is changed; you are signed out everywhere else.",
        "ar": "تم تغيير كلمة المرور؛ وتم تسجيل خروجك من كل مكان آخر.",
    },
    "role.analyst": {"en": "analyst", "ar": "محلل"},
    "role.operator": {"en": "operator", "ar": "مشغل"},
    "role.manager": {"en": "manager", "ar": "مدير"},
    "screen.control_room": {"en": "Control room", "ar": "غرفة التحكم"},
    "screen.control_room.about": {
        "en": "Transformers at risk, most urgent first; what drives them, and what if.",
        "ar": "المحولات المعرضة للخطر، الأكثر إلحاحا أولا؛ ما يسببه، وماذا لو.",
    },
    "screen.decision_desk": {"en": "Decision desk", "ar": "مكتب القرار"},
    "screen.decision_desk.about": {
        "en": "Plans that wait for a decision, with both sides before and after.",
        "ar": "الخطط التي تنتظر قرارا، مع الطرفين قبل وبعد.",
    },
    "screen.work_board": {"en": "Work board", "ar": "لوحة الأعمال"},
    "screen.work_board.about": {
        "en": "Work orders step by step, from issue to completion.",
        "ar": "أوامر العمل خطوة بخطوة، من الإصدار حتى الإنجاز.",
    },
    "screen.audit_trail": {"en": "Audit trail", "ar": "سجل التدقيق"},
    "screen.audit_trail.about": {
        "en": "Who did what and when; search, verify, export.",
        "ar": "من فعل ماذا ومتى؛ بحث وتحقق وتصدير.",
    },
}
"""Template by message id and language; in Arabic, [ and ] enclose what reads from left to right.

``screen.<name>`` are the screens, in the order in which they are offered.
"""

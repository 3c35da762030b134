"""Attacks on the running server: a real process, real requests, by strangers and by colleagues."""

import asyncio
import json
import re
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from traitlets.config import LoggingConfigurable

from gridlib.apps.server.identity import SIGN_INS_WAITING, Accounts, SaidError
from gridlib.apps.server.kernels import PER_PERSON
from gridlib.facts.types import Role
from gridlib.workbench import open_workbench
from gridlib.workflow import accounts, audit
from gridlib.workflow.setup import init_workspace

pytestmark = pytest.mark.notebooks

SECRET = "a long sentence to remember"
PEOPLE = {
    "olu": [Role.OPERATOR],
    "pat": [Role.OPERATOR],
    "ana": [Role.ANALYST],
    "mia": [Role.MANAGER],
    "eve": [Role.OPERATOR, Role.ANALYST],
    "leo": [Role.OPERATOR],
    "zoe": [Role.OPERATOR],
}
METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")
NO_KERNEL = "0-0-0-0-0"

ROUTES = """
import json, sys
from pathlib import Path
from gridlib.apps.server.app import Screens, serve
Screens.listen = lambda self: print(json.dumps([route[0] for route in self.init_handlers()]))
serve(Path(sys.argv[1]), port=0, screens=Path(sys.argv[2]))
"""


@pytest.fixture(scope="module")
def folders(tmp_path_factory, write_screen):
    home, screens = tmp_path_factory.mktemp("home"), tmp_path_factory.mktemp("apps")
    workbench, _ = init_workspace(home)
    for name, roles in PEOPLE.items():
        accounts.add_user(workbench, name, roles, password=SECRET)
    write_screen(screens / "decision_desk.ipynb", "1", gridlib={"roles": ["operator"]})
    write_screen(screens / "managers.ipynb", "1", gridlib={"roles": ["manager"]})
    write_screen(screens / "analysts.ipynb", "1", gridlib={"roles": ["analyst", "manager"]})
    write_screen(screens / "nobodys.ipynb", "1")
    write_screen(screens / "audit_trail.ipynb", "1", gridlib={"roles": ["manager"]})
    write_screen(screens.parent / "outside.ipynb", "1", gridlib={"roles": ["operator"]})
    (screens / "plan.png").write_bytes(b"secret plan")
    return home, screens


@pytest.fixture(scope="module")
def workbench(folders):
    return open_workbench(folders[0])


@pytest.fixture(scope="module")
def running(folders, serving):
    with serving(*folders) as (base, process):
        yield base, process


@pytest.fixture(scope="module")
def base(running):
    return running[0]


@pytest.fixture(scope="module")
def olu(signed_in):
    return signed_in("olu")


@pytest.fixture(scope="module")
def pat(signed_in):
    return signed_in("pat")


@pytest.fixture
def stranger(base, visitor):
    return visitor(base)


def open_desk(person):
    """Open a screen; returns the id of its kernel."""
    answer = person.ask("/voila/render/decision_desk.ipynb")
    assert answer.status == 200
    return kernel_in(answer)


def kernel_in(answer):
    return re.search(r'"kernelId": *"([\w-]+)"', answer.text).group(1)


@pytest.fixture(scope="module")
def kernel(olu):
    return open_desk(olu)


@pytest.fixture(scope="module")
def paths(folders, kernel):
    """One address of each route that the server has, the real kernel and real files in them."""
    done = subprocess.run(
        [sys.executable, "-P", "-c", ROUTES, *map(str, folders)], capture_output=True, text=True, check=True
    )
    fillings = [
        kernel,
        "decision_desk",
        "PLAN-2026-0001",
        "1",
        "lab/static/voila.js",
        "voila.js",
        "@jupyter-widgets/jupyterlab-manager/package.json",
    ]
    found = {}
    for pattern in json.loads(done.stdout.splitlines()[-1]):
        for filling in fillings:
            path = re.sub(r"\((?:\?P<\w+>)?[^()]*\)", filling, pattern).replace("\\", "").rstrip("$")
            if re.fullmatch(pattern, path):
                found.setdefault(pattern, set()).add(path)
        assert found.get(pattern), f"no address for {pattern}: add a filling"
    return sorted(path for some in found.values() for path in some)


def events(workbench, action):
    found = audit.last_events(workbench, 1000)
    return found[found["action"] == action].iloc[::-1]


def children(process):
    return Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split()


# ------------------------------------------------------------------ strangers


def test_no_route_answers_a_stranger_but_the_sign_in_page(stranger, paths):
    stranger.ask("/login")
    assert len(paths) > 12
    for path in paths:
        for method in METHODS:
            answer = stranger.ask(path, method, **stranger.xsrf)
            if path == "/login" and method in ("GET", "POST"):
                assert answer.status in (200, 401)
                continue
            told = (path, method, answer.status)
            if answer.status == 302:
                assert answer.headers["Location"].startswith("/login?next="), told
                assert answer.text == "", told
            else:
                assert answer.status in (401, 403, 405), told
                assert len(answer.text) < 5000, told


def test_an_address_of_the_api_that_is_not_there_tells_strangers_to_sign_in(stranger, olu):
    assert stranger.ask("/api/contents").status == 401
    assert stranger.ask("/api/contents", "POST").status == 401
    assert olu.ask("/api/contents").status == 404


@pytest.mark.parametrize(
    "headers",
    [
        {"Authorization": "Bearer known"},
        {"Authorization": "token "},
        {"Authorization": "Basic b2x1OngK"},
        {"X_Grid_User": "olu"},
        {"X_Forwarded_User": "olu"},
        {"X_Forwarded_Preferred_Username": "olu"},
        {"Remote_User": "olu"},
        {"GRIDLIB_ACTING_USER": "olu"},
        {"X_Forwarded_For": "127.0.0.1", "X_Forwarded_Proto": "https"},
        {"Cookie": "username=olu; user=olu; gridlib-00000000=olu"},
    ],
)
def test_nothing_that_a_client_says_of_itself_lets_it_in(stranger, kernel, headers):
    assert stranger.ask("/", **headers).status == 302
    assert stranger.ask(f"/gridlib/alive/{kernel}", **headers).status == 401
    assert stranger.ask(f"/api/kernels/{kernel}", **headers).status == 401
    assert stranger.ask("/?token=known&user=olu", **headers).status == 302


def test_a_foreign_host_name_is_refused_even_to_who_is_signed_in(olu, paths):
    for path in paths:
        for host in ("evil.example", "127.0.0.1.evil.example", "localhost.evil.example:80", "10.0.0.7"):
            assert olu.ask(path, Host=host).status == 403, (path, host)


@pytest.mark.parametrize("path", ["/voila/tree", "/metrics", "/static/style.css", "/a/b"])
def test_an_address_that_is_not_there_says_nothing_to_strangers(stranger, olu, path):
    assert stranger.ask(path).status == 302
    assert stranger.ask(path, "POST").status == 403
    assert olu.ask(path).status == 404


def test_the_sign_in_page_shows_what_it_was_given_as_text(stranger):
    text = stranger.ask('/login?next="><script>alert(1)</script>&lang="><script>&signed_out=<script>').text
    assert "<script" not in text


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/login?lang=%ff&next=%ff", None),
        ("/login", b"username=%ff&password=%ff"),
        ("/login", b"username=\xff%00&next=%ff"),
        ("/login", b'{"username": ["olu"]}'),
    ],
)
def test_what_is_no_form_is_said_to_be_none(stranger, path, body):
    stranger.ask("/login")
    answer = stranger.ask(path, "POST" if body else "GET", body=body, **stranger.xsrf)
    assert answer.status in (400, 401)
    assert "<main>" in answer.text


@pytest.mark.parametrize(
    "target",
    [
        "//evil.example",
        "/\\evil.example",
        "https://evil.example",
        "javascript:alert(1)",
        "/\t/evil.example",
        "/%0d%0aSet-Cookie: x=y",
        "///evil.example/..",
        "evil.example",
        "/:@evil.example",
    ],
)
def test_a_sign_in_leads_to_this_server_only(base, visitor, target):
    answer = visitor(base).sign_in("zoe", SECRET, next=target)
    assert (answer.status, answer.headers["Location"]) == (303, "/")


def test_a_sign_in_leads_to_the_page_that_was_asked_for(base, visitor):
    somebody = visitor(base)
    asked = somebody.ask("/voila/render/decision_desk.ipynb?plan=PLAN-2026-0001")
    assert asked.headers["Location"].startswith("/login?next=")
    target = "/voila/render/decision_desk.ipynb?plan=PLAN-2026-0001"
    assert somebody.sign_in("zoe", SECRET, next=target).headers["Location"] == target


def test_guessing_locks_the_account_and_says_the_same_of_a_name_that_nobody_has(base, visitor, workbench):
    guesser = visitor(base)
    said = {guesser.sign_in("leo", f"guess {n}").text.split("<form")[0] for n in range(6)}
    said |= {guesser.sign_in("leo", SECRET).text.split("<form")[0]}
    said |= {guesser.sign_in("stranger", SECRET).text.split("<form")[0]}
    assert len(said) == 1
    failed = events(workbench, "user.sign_in")
    failed = failed[failed["object"] == "leo"]
    assert failed["outcome"].tolist() == ["refused:not_signed_in"] * 2
    assert failed["payload"].iloc[-1]["address"] == "127.0.0.1"
    accounts.enable_user(workbench, "leo")
    assert guesser.sign_in("leo", SECRET).status == 303


def test_a_stranger_who_locks_an_account_does_not_lock_out_its_person(base, visitor, signed_in, workbench):
    at_work, forger = signed_in("leo"), visitor(base)
    at_work.post("/logout", {})
    forger.ask("/login")
    name = next(cookie.name for cookie in at_work.jar if cookie.name.startswith("known-"))
    for forged in (
        "",
        "0" * 32,
        f"{'0' * 32}.{'0' * 64}",
        f"{at_work.cookie('known-')[:32]}.{'0' * 64}",
        "x.y",
    ):
        kept = f"{forger.cookies}; {name}={forged}"
        assert forger.post("/login", {"username": "leo", "password": "guess"}, Cookie=kept).status == 401
    assert forger.sign_in("leo", SECRET).status == 401
    assert at_work.sign_in("leo", SECRET).status == 303
    last = events(workbench, "user.sign_in").iloc[-1]
    assert (last["actor"], last["payload"]["known_browser"]) == ("leo", True)
    assert forger.sign_in("leo", SECRET).status == 401  # the lock of all other browsers stays


def test_whoever_floods_the_sign_in_page_keeps_no_known_browser_waiting(workbench):
    doors, over = Accounts(parent=LoggingConfigurable()), threading.Event()
    doors.parent.workbench = workbench

    async def attack():
        guesses = [
            asyncio.ensure_future(doors.check_password(lambda _: over.wait(30), known=False))
            for _ in range(SIGN_INS_WAITING)
        ]
        await asyncio.sleep(0)
        with pytest.raises(SaidError) as refused:
            await doors.check_password(lambda _: "in", known=False)
        assert refused.value.status_code == 503
        assert await doors.check_password(lambda _: "in", known=True) == "in"
        over.set()
        await asyncio.gather(*guesses)

    asyncio.run(attack())


def test_the_known_browser_is_shown_to_the_sign_in_page_alone_and_to_no_script(base, visitor):
    answer = visitor(base).sign_in("zoe", SECRET)
    (cookie,) = [c for c in answer.headers.get_all("Set-Cookie") if c.startswith("known-")]
    assert {"HttpOnly", "Path=/login", "SameSite=Strict"} <= set(cookie.split("; "))


def test_a_huge_body_is_turned_away_and_the_server_goes_on(base, visitor):
    flooder = visitor(base)
    try:
        answer = flooder.ask("/login", "POST", body=b"x" * (8 * 1024 * 1024))
        assert answer.status in (400, 413)
    except OSError:
        pass  # the server closed the line while the body was still coming
    assert flooder.ask("/login").status == 200


def test_every_answer_forbids_frames_foreign_content_and_guessed_types(stranger, olu, paths):
    answers = [stranger.ask("/login"), stranger.ask("/"), olu.ask("/"), olu.ask("/nowhere")]
    answers += [olu.ask("/voila/render/managers.ipynb")]
    answers += [olu.ask(p) for p in paths if not p.startswith(("/api/kernels", "/voila/render"))]
    for answer in answers:
        assert answer.headers["X-Frame-Options"] == "DENY"
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        assert "frame-ancestors 'none'" in answer.headers["Content-Security-Policy"]
        assert "*;" not in answer.headers["Content-Security-Policy"].replace(":*;", "")
        assert "Tornado" not in answer.headers["Server"]


def test_no_cache_keeps_what_a_signed_in_person_was_shown(olu, paths):
    for path in [*(path for path in paths if not path.endswith("/channels")), "/nowhere"]:
        kept = olu.ask(path).headers["Cache-Control"]
        files = path.startswith("/voila/") and not path.startswith(("/voila/render/", "/voila/api/shutdown/"))
        assert ("no-store" in kept) is not files, (path, kept)


def test_the_cookie_of_a_session_is_for_no_script_and_no_other_site(base, visitor):
    answer = visitor(base).sign_in("zoe", SECRET)
    (cookie,) = [c for c in answer.headers.get_all("Set-Cookie") if c.startswith("gridlib-")]
    assert "HttpOnly" in cookie
    assert "SameSite=Lax" in cookie


# ------------------------------------------------------------------ colleagues


def test_anothers_kernel_is_out_of_reach_and_the_attempt_is_on_record(olu, pat, kernel, workbench):
    assert pat.ask(f"/gridlib/alive/{kernel}").status == 410
    assert pat.ask(f"/api/kernels/{kernel}").status == 403
    assert pat.ask(f"/api/kernels/{kernel}", "DELETE", **pat.xsrf).status == 403
    assert pat.ask(f"/voila/api/shutdown/{kernel}", "POST", **pat.xsrf).status == 403
    assert pat.refused_socket(kernel) == 403
    assert olu.ask(f"/gridlib/alive/{kernel}").status == 200
    refused = events(workbench, "kernel.attach")
    assert refused[["actor", "object", "outcome"]].to_numpy().tolist() == [
        ["pat", kernel, "refused:not_yours"]
    ]


def test_a_kernel_is_out_of_reach_of_its_own_person_in_another_session(signed_in, kernel):
    elsewhere = signed_in("olu")
    assert elsewhere.ask(f"/api/kernels/{kernel}").status == 403
    assert elsewhere.refused_socket(kernel) == 403


def test_the_socket_of_a_kernel_is_for_its_own_page_only(olu, stranger, kernel):
    assert stranger.refused_socket(kernel) == 403
    assert olu.refused_socket(kernel, origin="https://evil.example") == 403
    assert olu.refused_socket(kernel, host="evil.example") == 403
    olu.socket(kernel).close()


@pytest.mark.parametrize("path", ["", "/interrupt", "/restart"])
def test_no_kernel_is_started_interrupted_or_restarted_by_request(olu, kernel, path):
    assert (
        olu.ask(f"/api/kernels/{kernel}{path}" if path else "/api/kernels", "POST", **olu.xsrf).status == 404
    )


@pytest.mark.parametrize("name", ["decision_desk", "managers", "analysts", "nobodys"])
@pytest.mark.parametrize("username", ["olu", "ana", "mia", "eve"])
def test_a_screen_opens_for_its_roles_alone(signed_in, folders, running, workbench, username, name):
    path = folders[1] / f"{name}.ipynb"
    allowed = json.loads(path.read_text())["metadata"].get("gridlib", {}).get("roles", [])
    person, kernels = signed_in(username), len(children(running[1]))
    card = f"/voila/render/{name}.ipynb"
    assert (card in person.ask("/").text) == bool(set(allowed) & set(PEOPLE[username]))
    if set(allowed) & set(PEOPLE[username]):
        assert person.ask(card).status == 200
    else:
        assert person.ask(card).status == 403
        assert len(children(running[1])) <= kernels
        last = events(workbench, "screen.open").iloc[-1]
        assert (last["actor"], last["object"], last["outcome"]) == (username, name, "refused:wrong_role")


@pytest.mark.parametrize("path", ["events/", "verify/", "export/", "export/?format=jsonl"])
def test_who_may_not_open_the_screen_of_the_trail_gets_no_row_of_it_by_its_address(
    signed_in, workbench, path
):
    answer = signed_in("pat").ask(f"/api/audit/{path}")
    said = json.loads(answer.text)
    assert (answer.status, said["code"], said["needed"]) == (403, "wrong_role", "manager")
    refused = events(workbench, "api.get")[["actor", "object", "outcome"]].to_numpy().tolist()
    assert ["pat", f"/api/audit/{path.partition('?')[0]}", "refused:wrong_role"] in refused
    assert signed_in("mia").ask(f"/api/audit/{path}").status == 200


def test_a_refusal_tried_again_and_again_is_on_record_once_a_minute(signed_in, workbench):
    pat, before = signed_in("pat"), len(events(workbench, "screen.open"))
    for _ in range(20):
        assert pat.ask("/voila/render/managers.ipynb").status == 403
    assert len(events(workbench, "screen.open")) <= before + 1


@pytest.mark.parametrize(
    "path",
    [
        "/voila/render/../outside.ipynb",
        "/voila/render/%2e%2e/outside.ipynb",
        "/voila/render/..%2Foutside.ipynb",
        "/voila/render/%2e%2e%2foutside.ipynb",
        "/voila/render/decision_desk.ipynb/../../outside.ipynb",
        "/voila/render/plan.png",
        "/voila/files/plan.png",
        "/voila/api/contents/decision_desk.ipynb",
        "/voila/static/../../../../../../../../etc/passwd",
        "/voila/static/%2e%2e/%2e%2e/%2e%2e/%2e%2e/%2e%2e/%2e%2e/%2e%2e/%2e%2e/etc/passwd",
        "/voila/static//etc/passwd",
        "/voila/labextensions/..%2f..%2f..%2f..%2f..%2f..%2f..%2fetc/passwd",
        "/voila/templates/lab/../../../../../../../etc/passwd",
        "/voila/templates/lab/static/%2e%2e/%2e%2e/%2e%2e/%2e%2e/%2e%2e/etc/passwd",
        "/voila/api/themes/..%2f..%2f..%2f..%2fetc/passwd",
        "/hijacked/",
    ],
)
def test_no_path_leads_out_of_what_is_served(olu, path):
    answer = olu.ask(path)
    assert answer.status in (400, 403, 404)
    assert "root:" not in answer.text
    assert "secret plan" not in answer.text


@pytest.mark.parametrize(
    ("path", "form"),
    [
        ("/logout", {}),
        ("/language", {"language": "ar"}),
        ("/password", {"current": SECRET, "new": "taken over by mallory", "again": "taken over by mallory"}),
        ("/login", {"username": "zoe", "password": SECRET}),
        ("/voila/api/shutdown/{kernel}", {}),
    ],
)
@pytest.mark.parametrize("forged", [{}, {"_xsrf": "2|00000000|00|0"}, {"_xsrf": "x"}])
def test_a_form_of_another_site_does_nothing(olu, kernel, path, form, forged):
    answer = olu.ask(path.format(kernel=kernel), "POST", {**form, **forged})
    assert answer.status == 403
    assert not [c for c in answer.headers.get_all("Set-Cookie", []) if c.startswith("gridlib-")]
    assert olu.ask(f"/gridlib/alive/{kernel}").status == 200
    assert 'lang="en"' in olu.ask("/").text


def test_even_the_right_form_from_another_site_does_nothing(olu, kernel):
    answer = olu.post("/logout", {}, Origin="https://evil.example")
    assert answer.status in (403, 404)
    assert olu.ask(f"/gridlib/alive/{kernel}").status == 200


def test_following_a_link_signs_nobody_out(signed_in):
    zoe = signed_in("zoe")
    assert zoe.ask("/logout").status == 200
    assert zoe.ask("/").status == 200


@pytest.mark.parametrize("path", ["/", "/voila/render/decision_desk.ipynb", "/api/kernels/{kernel}"])
def test_a_token_opens_no_page_and_no_kernel(stranger, workbench, kernel, path):
    token = accounts.make_token(workbench, "olu", f"t{time.time_ns()}")
    answer = stranger.ask(path.format(kernel=kernel), Authorization=f"Bearer {token}")
    assert answer.status in (302, 401)


# ------------------------------------------------------------------ the end of a session


def eventually(true):
    """Wait until something is so; false where it takes too long."""
    until = time.monotonic() + 15
    while time.monotonic() < until:
        if true():
            return True
        time.sleep(0.2)
    return False


def gone(kernels, process):
    """Wait until as many kernels of the server are left as there were."""
    return eventually(lambda: set(children(process)) <= kernels)


def test_after_sign_out_the_cookie_opens_nothing_and_the_kernel_is_gone(signed_in, running, workbench):
    before = set(children(running[1]))
    zoe = signed_in("zoe")
    kernel = open_desk(zoe)
    stolen = zoe.cookies
    assert set(children(running[1])) - before
    assert zoe.post("/logout", {}).headers["Location"] == "/login?signed_out=1"
    assert gone(before, running[1])
    for path in ("/", f"/gridlib/alive/{kernel}", f"/api/kernels/{kernel}", "/voila/static/voila.js"):
        assert zoe.ask(path, Cookie=stolen).status in (302, 401), path
    last = events(workbench, "user.sign_out").iloc[-1]
    assert (last["actor"], last["outcome"]) == ("zoe", "done")


def test_signing_in_anew_ends_the_session_before(signed_in):
    zoe = signed_in("zoe")
    before = zoe.cookies
    assert zoe.sign_in("zoe", SECRET).status == 303
    assert zoe.ask("/").status == 200
    assert zoe.ask("/", Cookie=before).status == 302


def test_a_disabled_person_is_out_at_once_and_the_kernel_ends(signed_in, running, workbench):
    before = set(children(running[1]))
    zoe = signed_in("zoe")
    kernel = open_desk(zoe)
    channel = zoe.socket(kernel)
    accounts.disable_user(workbench, "zoe")
    assert zoe.ask(f"/gridlib/alive/{kernel}").status == 401
    assert zoe.ask("/").status == 302
    assert gone(before, running[1])
    channel.close()
    assert zoe.sign_in("zoe", SECRET).status == 401
    accounts.enable_user(workbench, "zoe")


def test_a_role_that_is_taken_away_counts_at_the_next_request(signed_in, workbench):
    eve = signed_in("eve")
    assert "analysts" in eve.ask("/").text
    with workbench.store.write() as connection:
        connection.exec_driver_sql(
            """UPDATE user_account SET roles = '["operator"]' WHERE username = 'eve'"""
        )
    assert eve.ask("/voila/render/analysts.ipynb").status == 403
    with workbench.store.write() as connection:
        connection.exec_driver_sql(
            """UPDATE user_account SET roles = '["operator", "analyst"]' WHERE username = 'eve'"""
        )


def test_a_new_password_on_the_page_ends_all_other_sessions(signed_in):
    here, there = signed_in("pat"), signed_in("pat")
    form = {"current": SECRET, "new": "quite another sentence", "again": "quite another sentence"}
    assert "Not changed" in here.post("/password", {**form, "again": "a typing mistake"}).text
    assert "Not signed in" in here.post("/password", {**form, "current": "wrong"}).text
    assert "easily guessed" in here.post("/password", {**form, "new": "short", "again": "short"}).text
    assert there.ask("/").status == 200
    assert "Your password is changed" in here.post("/password", form).text
    assert (here.ask("/").status, there.ask("/").status) == (200, 302)
    back = {"current": "quite another sentence", "new": SECRET, "again": SECRET}
    assert "Your password is changed" in here.post("/password", back).text


def test_the_pages_speak_arabic_to_whom_chose_it(signed_in, stranger):
    assert 'lang="ar" dir="rtl"' in stranger.ask("/login", Accept_Language="ar-JO,ar;q=0.9").text
    mia = signed_in("mia")
    assert mia.post("/language", {"language": "ar"}).status == 303
    assert 'lang="ar" dir="rtl"' in mia.ask("/").text
    assert mia.post("/language", {"language": "<script>"}).status == 400
    assert mia.post("/language", {"language": "en"}).status == 303


def test_without_its_database_the_server_says_so_and_comes_back(signed_in, workbench):
    mia, database = signed_in("mia"), workbench.settings.data_dir / "gridlib.db"
    aside = database.with_suffix(".aside")
    database.rename(aside)
    try:
        answer = mia.ask("/")
        assert (answer.status, "database does not answer" in answer.text) == (503, True)
        assert mia.ask("/voila/static/voila.js").status == 503
    finally:
        aside.rename(database)
    assert mia.ask("/").status == 200


def test_the_choice_of_screens_says_loudly_that_there_are_no_data(signed_in):
    assert re.search(
        r'role="alert">\s*<p>NO READINGS YET</p><p>NO FORECAST YET</p>', signed_in("mia").ask("/").text
    )


def test_one_person_cannot_fill_the_machine_with_kernels_however_often_signed_in(signed_in, running):
    before, screen = set(children(running[1])), "/voila/render/managers.ipynb"
    here, there = signed_in("mia"), signed_in("mia")
    sockets = []
    for n in range(PER_PERSON):
        person = (here, there)[n % 2]
        answer = person.ask(screen)
        assert answer.status == 200
        sockets.append(person.socket(kernel_in(answer)))
    refused = there.ask(screen)
    assert (refused.status, "in all your browsers together" in refused.text) == (429, True)
    sockets[0].close()  # one page is left, and its kernel gives way
    assert eventually(lambda: there.ask(screen).status == 200)
    assert len(set(children(running[1])) - before) <= PER_PERSON
    for socket in sockets[1:]:
        socket.close()
    for person in (here, there):
        person.post("/logout", {})
    assert gone(before, running[1])


def test_nor_by_opening_all_of_them_at_once(base, signed_in, running, visitor):
    before = set(children(running[1]))
    people = [signed_in("mia"), signed_in("mia")]
    with ThreadPoolExecutor(PER_PERSON + 6) as many:
        opened = [
            many.submit(visitor(base).ask, "/voila/render/managers.ipynb", Cookie=people[n % 2].cookies)
            for n in range(PER_PERSON + 6)
        ]
        most = 0
        while not all(page.done() for page in opened):
            most = max(most, len(set(children(running[1])) - before))
            time.sleep(0.05)
    # One that is being ended may still be there while the next starts.
    assert most <= PER_PERSON + 1
    for person in people:
        person.post("/logout", {})
    assert gone(before, running[1])


def test_the_trail_holds_after_all_this(workbench):
    assert audit.verify(workbench).rows > 30
    assert (workbench.settings.data_dir / "gridlib.db").stat().st_mode & 0o077 == 0

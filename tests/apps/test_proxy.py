"""Behind a proxy that signs people in: its word counts, and nobody else's."""

import psutil
import pytest

from gridlib.facts.errors import SettingsError
from gridlib.facts.settings import read_settings
from gridlib.facts.types import Role
from gridlib.workbench import open_workbench
from gridlib.workflow import accounts, audit
from gridlib.workflow.setup import init_workspace

pytestmark = pytest.mark.notebooks

SECRET = "a long sentence to remember"
BEHIND = """
[server]
public_url = "https://grid.example"
proxy_addresses = ["{address}"]
proxy_user_header = "X-Forwarded-User"
proxy_sign_out = "/oauth2/sign_out"
"""


def served(tmp_path_factory, address):
    home = tmp_path_factory.mktemp("home")
    workbench, _ = init_workspace(home)
    accounts.add_user(workbench, "layla", [Role.OPERATOR], password=SECRET)
    accounts.add_user(workbench, "omar", [Role.MANAGER])
    settings = home / "gridlib.toml"
    kept = settings.read_text(encoding="utf-8").partition("[server]")[0]
    settings.write_text(kept + BEHIND.format(address=address), encoding="utf-8")
    return home


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    return served(tmp_path_factory, "127.0.0.1")


@pytest.fixture(scope="module")
def base(home, serving):
    with serving(home) as (said, process):
        assert said == "https://grid.example"
        yield f"http://127.0.0.1:{port_of(process)}"


def port_of(process):
    """Find the port that a process listens on; it prints its public address only."""
    (port,) = [
        at.laddr.port for at in psutil.Process(process.pid).net_connections("tcp4") if at.status == "LISTEN"
    ]
    return port


@pytest.fixture
def through(base, visitor):
    """Come through the proxy, which says who it is; cookies are kept by hand, as they are for TLS only."""

    def make(username=None):
        person, kept = visitor(base), {}

        def ask(path, method="GET", form=None, **headers):
            named = {"Host": "grid.example", "X_Forwarded_For": "6.6.6.6, 10.1.2.3", **headers}
            if username is not None:
                named.setdefault("X_Forwarded_User", username)
            named["Cookie"] = "; ".join(f"{name}={value}" for name, value in kept.items())
            answer = person.ask(path, method, form, **named)
            for line in answer.headers.get_all("Set-Cookie", []):
                name, _, value = line.partition(";")[0].partition("=")
                kept[name] = value.strip('"')
            ask.cookies = answer.headers.get_all("Set-Cookie", [])
            return answer

        ask.kept = kept
        return ask

    return make


def test_whom_the_proxy_vouches_for_has_a_session_and_it_is_on_record(home, through):
    ask = through("layla")
    answer = ask("/")
    assert answer.status == 200
    assert "Signed in as layla" in answer.text
    assert all("Secure" in cookie for cookie in ask.cookies)
    assert answer.headers["Strict-Transport-Security"]
    last = audit.last_events(open_workbench(home), 1).iloc[0]
    assert (last["actor"], last["action"]) == ("layla", "user.sign_in")
    assert last["payload"] == {"via": "proxy", "address": "10.1.2.3"}
    assert ask("/").status == 200
    assert audit.last_events(open_workbench(home), 1).iloc[0]["seq"] == last["seq"]


def test_a_session_by_proxy_is_worth_nothing_without_its_word(through):
    ask = through("layla")
    ask("/")
    for other in ("omar", "", "layla,omar"):
        assert ask("/voila/static/voila.js", X_Forwarded_User=other).status == 401
    assert "Signed in as omar" in ask("/", X_Forwarded_User="omar").text


def test_only_pages_open_a_session(through):
    assert through("layla")("/voila/static/voila.js").status == 401
    assert through("layla")("/gridlib/alive/0-0-0-0-0").status == 401


@pytest.mark.parametrize("name", ["stranger", "layla@grid.example", "layla,omar", "system", "nobody"])
def test_whom_we_do_not_know_gets_the_sign_in_page(through, name):
    answer = through(name)("/")
    assert (answer.status, answer.headers["Location"]) == (302, "/login?next=%2F")


def test_sign_out_goes_on_at_the_proxy(through):
    ask = through("layla")
    ask("/")
    ask("/login")
    form = {"_xsrf": ask.kept["_xsrf"]}
    answer = ask("/logout", "POST", form)
    assert (answer.status, answer.headers["Location"]) == (303, "/oauth2/sign_out")


def test_a_password_still_opens_the_server_to_who_has_one(through):
    ask = through()
    ask("/login")
    form = {"_xsrf": ask.kept["_xsrf"], "username": "layla", "password": SECRET}
    assert ask("/login", "POST", form).status == 303
    assert len(ask.cookies) == 2  # of the session, and of the known browser
    assert all("Secure" in cookie for cookie in ask.cookies)
    assert ask("/").status == 200


def test_the_header_of_anybody_but_the_proxy_is_nothing(tmp_path_factory, serving, visitor):
    with serving(served(tmp_path_factory, "10.9.9.9")) as (_, process):
        person = visitor(f"http://127.0.0.1:{port_of(process)}")
        assert person.ask("/", X_Forwarded_User="layla", X_Forwarded_For="10.9.9.9").status == 302


@pytest.mark.parametrize(
    ("server", "said"),
    [
        ('address = "0.0.0.0"', "needs a proxy"),
        ('address = "0.0.0.0"\npublic_url = "https://grid.example"', "needs a proxy"),
        ('address = "here"', "does not appear to be an IPv4 or IPv6 address"),
        ('public_url = "http://grid.example"', "passwords need TLS"),
        ('proxy_user_header = "X-Forwarded-User"', "name them"),
        ('proxy_sign_out = "//evil.example"', "a path of this server"),
        ("failures = 0", "server.failures"),
    ],
)
def test_settings_that_would_open_a_door_are_refused(tmp_path, server, said):
    (tmp_path / "gridlib.toml").write_text(f"[server]\n{server}\n", encoding="utf-8")
    with pytest.raises(SettingsError, match=said):
        read_settings(tmp_path)

"""Accounts and sign-in: what is kept, who gets in, what locks, what ends, and what the trail says."""

import dataclasses
import hashlib

import pandas as pd
import pytest

from gridlib.adapters import passwords
from gridlib.facts.errors import InputError, NotFoundError, RoleError, SignInError
from gridlib.facts.settings import Settings
from gridlib.facts.types import Role
from gridlib.workbench import Workbench
from gridlib.workflow import accounts, audit, decisions, sessions

SECRET = "a long sentence to remember"
OTHER = "another long sentence to forget"


class Clock:
    """A clock that is set by hand."""

    def __init__(self):
        self.now = pd.Timestamp("2026-08-12T20:00Z")

    def __call__(self):
        return self.now

    def go(self, **time):
        self.now += pd.Timedelta(**time)


@pytest.fixture(autouse=True)
def cheap_passwords(monkeypatch):
    """What a password costs is stored with it, so that a test need not wait for it."""
    passwords._nobodys_password.cache_clear()
    monkeypatch.setattr(passwords, "_LOG2_N", 4)
    yield
    passwords._nobodys_password.cache_clear()


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def workbench(store, telemetry, tmp_path, clock):
    found = Workbench(Settings(home=tmp_path), store, telemetry, clock=clock)
    accounts.add_user(found, "layla", [Role.OPERATOR], password=SECRET)
    accounts.add_user(found, "manar", [Role.MANAGER], password=OTHER)
    return found


def enter(workbench, username="layla", password=SECRET, device=""):
    return sessions.sign_in(workbench, username, password, address="10.0.0.7", device=device)


def fail(workbench, times, username="layla", device=""):
    for _ in range(times):
        with pytest.raises(SignInError):
            enter(workbench, username, "wrong", device)


def trail(workbench, action):
    events = audit.last_events(workbench, 1000)
    return events[events["action"] == action].iloc[::-1]


def test_the_key_of_a_session_opens_it_until_sign_out(workbench):
    key = enter(workbench)
    session = sessions.get_session(workbench, key)
    assert (session.user.username, session.via) == ("layla", "password")
    sessions.sign_out(workbench, key)
    assert sessions.get_session(workbench, key) is None
    sessions.sign_out(workbench, key)
    assert trail(workbench, "user.sign_in")["actor"].tolist() == ["layla"]
    assert trail(workbench, "user.sign_out")["actor"].tolist() == ["layla"]


def test_no_secret_can_be_read_from_the_database(workbench):
    key = enter(workbench)
    token = accounts.make_token(workbench, "layla", "export")
    with workbench.store.read() as connection:
        kept = "\n".join(
            str(row)
            for table in ("user_account", "user_session", "api_token", "audit_event")
            for row in connection.exec_driver_sql(f"SELECT * FROM {table}")
        )
    assert "layla" in kept
    for secret in (SECRET, key, token):
        assert secret not in kept


def test_the_same_password_is_kept_differently_for_each_person():
    assert passwords.hash_password(SECRET) != passwords.hash_password(SECRET)
    assert passwords.matches(SECRET, passwords.hash_password(SECRET))
    assert not passwords.matches(SECRET + " ", passwords.hash_password(SECRET))


def test_a_stored_password_is_scrypt_as_its_standard_defines_it():
    # RFC 7914, section 12, third vector, cut to the 32 bytes that are kept.
    digest = bytes.fromhex("7023bdcb3afd7348461c06cd81fd38ebfda8fbba904f8e3ea9b543f6545da1f2")
    assert passwords._scrypt("pleaseletmein", b"SodiumChloride", 14, 8, 1) == digest


def test_the_same_letters_typed_on_another_keyboard_are_the_same_password():
    assert passwords.matches("ﺳﻼﻡ عليكم يا ليلى", passwords.hash_password("سلام عليكم يا ليلى"))


def test_an_unknown_name_costs_as_much_time_as_a_wrong_password(workbench, monkeypatch):
    worked, scrypt = [], hashlib.scrypt
    passwords._nobodys_password()

    def counted(*arguments, **options):
        worked.append((options["n"], options["r"], options["p"]))
        return scrypt(*arguments, **options)

    monkeypatch.setattr("gridlib.adapters.passwords.hashlib.scrypt", counted)
    said = []
    for name in ("layla", "stranger"):
        with pytest.raises(SignInError) as refused:
            enter(workbench, name, "wrong")
        said.append((str(refused.value), refused.value.what_to_do))
    assert worked[0] == worked[1]
    assert len(worked) == 2
    assert said[0] == said[1]


def test_failures_lock_an_account_for_a_while_and_the_right_password_opens_nothing_meanwhile(
    workbench, clock
):
    fail(workbench, 5)
    with pytest.raises(SignInError):
        enter(workbench)
    assert enter(workbench, "manar", OTHER)
    clock.go(minutes=14)
    with pytest.raises(SignInError):
        enter(workbench)
    clock.go(minutes=1, seconds=1)
    assert sessions.get_session(workbench, enter(workbench))


def test_a_stranger_who_locks_an_account_does_not_lock_out_its_person(workbench):
    enter(workbench)
    home, work = (sessions.sign_device(workbench, "layla") for _ in range(2))
    fail(workbench, 6)
    assert enter(workbench, device=home)
    assert trail(workbench, "user.sign_in")["payload"].iloc[-1]["known_browser"]
    with pytest.raises(SignInError):
        enter(workbench)  # the lock of all other browsers stays
    assert enter(workbench, device=work)


def test_a_known_browser_in_wrong_hands_is_locked_as_others_are(workbench, clock):
    stolen, own = (sessions.sign_device(workbench, "layla") for _ in range(2))
    fail(workbench, 20, device=stolen)
    with pytest.raises(SignInError):
        enter(workbench, device=stolen)
    failed = trail(workbench, "user.sign_in")["payload"]
    assert [(row["known_browser"], row["locked_min"]) for row in failed] == [(True, 0), (True, 15)]
    assert enter(workbench, device=own)
    clock.go(minutes=15, seconds=1)
    assert enter(workbench, device=stolen)


def test_a_forged_browser_is_a_stranger(workbench):
    other = sessions.sign_device(workbench, "manar")
    name, _, signature = sessions.sign_device(workbench, "layla").partition(".")
    forged = [other, f"{name}.", name, f"{'0' * 32}.{signature}", f"{name}.{'0' * 64}", ".", "é.ü"]
    for device in forged:
        assert not sessions.knows_device(workbench, "layla", device)
    for device in forged[:5]:
        fail(workbench, 1, device=device)
    with pytest.raises(SignInError):
        enter(workbench)


def test_a_known_browser_is_known_until_the_password_changes_and_unlocked_with_the_account(workbench):
    before = sessions.sign_device(workbench, "layla")
    accounts.set_password(workbench, "layla", OTHER)
    assert not sessions.knows_device(workbench, "layla", before)
    known = sessions.sign_device(workbench, "layla")
    accounts.add_user(workbench, "layla.b", [Role.OPERATOR], password=SECRET)
    fail(workbench, 5, device=known)
    fail(workbench, 5, "layla.b")
    accounts.enable_user(workbench, "layla")
    assert enter(workbench, password=OTHER, device=known)
    with pytest.raises(SignInError):
        enter(workbench, "layla.b")


def test_four_failures_and_a_success_start_the_count_anew(workbench):
    for _ in range(3):
        fail(workbench, 4)
        assert enter(workbench)


def test_old_failures_are_forgotten(workbench, clock):
    fail(workbench, 4)
    clock.go(minutes=16)
    fail(workbench, 4)
    assert enter(workbench)


def test_whoever_tries_passwords_cannot_flood_the_trail(workbench, clock):
    fail(workbench, 20)
    fail(workbench, 20, "stranger")
    failed = trail(workbench, "user.sign_in")
    assert failed["object"].tolist() == ["layla", "layla", "unknown name"]
    assert set(failed["actor"]) == {"nobody"}
    assert set(failed["outcome"]) == {"refused:not_signed_in"}
    assert [row["locked_min"] for row in failed["payload"]] == [0, 15, 0]
    assert "stranger" not in str(audit.last_events(workbench, 1000).to_dict())
    clock.go(minutes=16)
    enter(workbench)
    assert trail(workbench, "user.sign_in")["payload"].iloc[-1]["failures_before"] == 20
    audit.verify(workbench)


def test_a_session_ends_when_nothing_is_done_for_long(workbench, clock):
    key = enter(workbench)
    for _ in range(3):
        clock.go(minutes=119)
        assert sessions.get_session(workbench, key, acts=True)
    clock.go(minutes=119)
    assert sessions.get_session(workbench, key)
    clock.go(minutes=2)
    assert sessions.get_session(workbench, key, acts=True) is None


def test_a_session_ends_after_its_longest_time_whatever_is_done(workbench, clock):
    key = enter(workbench)
    for _ in range(11):
        clock.go(hours=1)
        assert sessions.get_session(workbench, key, acts=True)
    clock.go(hours=1, seconds=1)
    assert sessions.get_session(workbench, key, acts=True) is None


def test_disabling_a_person_ends_sessions_and_tokens_and_enabling_brings_none_back(workbench):
    key, token = enter(workbench), accounts.make_token(workbench, "layla", "export")
    assert accounts.token_user(workbench, token).username == "layla"
    accounts.disable_user(workbench, "layla", actor="manar")
    assert sessions.get_session(workbench, key) is None
    assert accounts.token_user(workbench, token) is None
    fail(workbench, 1)
    with pytest.raises(NotFoundError):
        accounts.get_user(workbench, "layla")
    accounts.enable_user(workbench, "layla", actor="manar")
    assert sessions.get_session(workbench, key) is None
    assert accounts.token_user(workbench, token) is None
    assert enter(workbench)


def test_a_new_password_ends_the_other_sessions_and_a_lock(workbench):
    here, there = enter(workbench), enter(workbench)
    sessions.change_password(workbench, "layla", SECRET, OTHER, key=here, address="10.0.0.7")
    assert sessions.get_session(workbench, here)
    assert sessions.get_session(workbench, there) is None
    fail(workbench, 5)
    accounts.set_password(workbench, "layla", SECRET)
    assert sessions.get_session(workbench, here) is None
    assert enter(workbench)


def test_guessing_the_current_password_on_the_password_page_locks_too(workbench):
    key = enter(workbench)
    for _ in range(5):
        with pytest.raises(SignInError):
            sessions.change_password(workbench, "layla", "wrong", OTHER, key=key, address="")
    with pytest.raises(SignInError):
        sessions.change_password(workbench, "layla", SECRET, OTHER, key=key, address="")


@pytest.mark.parametrize("password", ["", "short", "layla's own secret", "aaaaaaaaaaaaaaaa", "x" * 257])
def test_an_easy_password_is_refused_and_the_old_one_stays(workbench, password):
    with pytest.raises(InputError):
        accounts.set_password(workbench, "layla", password)
    assert enter(workbench)


def test_who_has_no_password_cannot_sign_in_and_cannot_be_locked(workbench):
    accounts.add_user(workbench, "omar", [Role.ANALYST])
    fail(workbench, 10, "omar")
    accounts.set_password(workbench, "omar", SECRET)
    assert enter(workbench, "omar")


@pytest.mark.parametrize(
    "change",
    [
        lambda w: accounts.add_user(w, "friend", [Role.MANAGER], actor="layla"),
        lambda w: accounts.disable_user(w, "manar", actor="layla"),
        lambda w: accounts.enable_user(w, "manar", actor="layla"),
        lambda w: accounts.set_password(w, "manar", SECRET, actor="layla"),
        lambda w: accounts.make_token(w, "manar", "loot", actor="layla"),
        lambda w: accounts.revoke_token(w, "manar", "export", actor="layla"),
    ],
)
def test_only_a_manager_changes_other_peoples_accounts_and_the_attempt_is_on_record(workbench, change):
    with pytest.raises(RoleError):
        change(workbench)
    last = audit.last_events(workbench, 1).iloc[0]
    assert (last["actor"], last["outcome"]) == ("layla", "refused:wrong_role")


def test_people_make_and_revoke_tokens_of_their_own(workbench):
    token = accounts.make_token(workbench, "layla", "export", actor="layla")
    assert accounts.token_user(workbench, token).roles == (Role.OPERATOR,)
    assert accounts.list_tokens(workbench, "layla")[0].used_at is not None
    with pytest.raises(InputError):
        accounts.make_token(workbench, "layla", "export", actor="layla")
    accounts.revoke_token(workbench, "layla", "export", actor="layla")
    assert accounts.token_user(workbench, token) is None
    assert accounts.token_user(workbench, "") is None
    with pytest.raises(NotFoundError):
        accounts.revoke_token(workbench, "layla", "export", actor="layla")


def test_a_language_that_no_screen_speaks_is_refused(workbench):
    accounts.set_language(workbench, "layla", "ar")
    assert accounts.get_user(workbench, "layla").language == "ar"
    with pytest.raises(InputError):
        accounts.set_language(workbench, "layla", "<b>")
    assert accounts.get_user(workbench, "layla").language == "ar"


@pytest.mark.parametrize("name", ["system", "nobody"])
def test_names_with_a_meaning_in_the_trail_are_nobodys(workbench, name):
    with pytest.raises(InputError):
        accounts.add_user(workbench, name, [Role.OPERATOR])


@pytest.mark.parametrize("name", ["system", "nobody"])
def test_nobody_can_act_under_such_a_name(workbench, name):
    with pytest.raises((NotFoundError, RoleError)):
        decisions.approve(workbench, "PLAN-2026-0001", by=name)
    with pytest.raises(NotFoundError):
        sessions.sign_in_by_proxy(workbench, name, address="")
    with pytest.raises(SignInError):
        enter(workbench, name, "")


def test_the_proxys_word_opens_a_session_for_active_accounts_only(workbench):
    key = sessions.sign_in_by_proxy(workbench, "layla", address="10.0.0.7")
    assert sessions.get_session(workbench, key).via == "proxy"
    accounts.disable_user(workbench, "layla")
    for name in ("layla", "stranger", ""):
        with pytest.raises(NotFoundError):
            sessions.sign_in_by_proxy(workbench, name, address="10.0.0.7")


def test_settings_decide_how_many_failures_lock_and_for_how_long(workbench, clock):
    settings = workbench.settings.model_validate({"server": {"failures": 2, "lock_min": 1}})
    strict = dataclasses.replace(workbench, settings=settings)
    fail(strict, 2)
    with pytest.raises(SignInError) as refused:
        enter(strict)
    assert "After 2 failures" in refused.value.what_to_do
    clock.go(seconds=61)
    assert enter(strict)

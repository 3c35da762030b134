"""The shell as its users meet it: a process, its output, its exit status."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from gridlib.apps.cli import app, main, orders, people
from gridlib.workbench import open_workbench
from gridlib.workflow import accounts, sessions


def gridlib(*words, home=None, cwd=None, typed=None):
    """Run the shell in a process of its own."""
    where = [] if home is None else ["--home", str(home)]
    environment = {k: v for k, v in os.environ.items() if not k.startswith("GRIDLIB_")} | {"COLUMNS": "160"}
    return subprocess.run(
        [Path(sys.executable).parent / "gridlib", *words, *where],
        capture_output=True,
        text=True,
        timeout=180,
        input=typed,
        env=environment,
        cwd=cwd,
    )


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """The demo scenario made and run from the shell, and what the run said."""
    home = tmp_path_factory.mktemp("shell")
    done = gridlib("init", "--demo-seed", home=home)
    assert done.returncode == 0, done.stderr
    done = gridlib("run", "--json", home=home)
    assert done.returncode == 0, done.stderr
    return home, json.loads(done.stdout)


@pytest.fixture
def home(made, tmp_path):
    """A copy of it."""
    shutil.copytree(made[0], tmp_path / "home")
    return tmp_path / "home"


def test_only_an_executed_plan_is_returned(home, made):
    plan_id = made[1]["plans"][0]["plan_id"]
    done = gridlib("plan", "return", plan_id, "--by", "operator", "--json", home=home)
    assert done.returncode == 1
    assert json.loads(done.stdout)["error"]["code"] == "wrong_state"
    assert plan_id in done.stderr


def test_run_reports_as_contracted(made):
    _, said = made
    assert said["readings"] == 1680
    assert (said["forecasts"], said["horizon_h"]) == (10, 72)
    assert set(said["levels"]["HIGH"]) == {"T-04", "T-07"}
    assert {plan["transformer_id"] for plan in said["plans"]} >= {"T-04", "T-07"}
    for plan in said["plans"]:
        assert plan["proof"]["holds"]
        assert set(plan) >= {"plan_id", "transformer_id", "moves", "relief_pct", "risk_before", "risk_after"}
        assert 0.9 <= plan["p_holds"] <= 1
        assert 0 <= plan["p_clear_before"] <= plan["p_clear_after"] <= 1
        assert all(
            s["peak_pct_p90_after"] <= s["limit_pct"] for s in plan["sides"] if s["role"] == "receiver"
        )


def test_from_approval_to_a_verified_trail(home, made):
    plan_id = made[1]["plans"][0]["plan_id"]
    assert gridlib("approve", plan_id, "--by", "operator", home=home).returncode == 0
    done = gridlib(
        "workorder", "issue", plan_id, "--by", "operator2", "--crew", "Crew 4", "--json", home=home
    )
    order = json.loads(done.stdout)
    number = order["work_order_id"]
    assert number.startswith("WO-")
    assert number.endswith("-0001")
    assert gridlib("workorder", "start", number, "--by", "operator2", home=home).returncode == 0
    for step in order["steps"]:
        done = gridlib(
            "workorder",
            "step",
            number,
            str(step["number"]),
            "completed",
            "--by",
            "operator2",
            "--reading",
            "100 A",
            home=home,
        )
        assert done.returncode == 0, done.stderr
    done = gridlib("workorder", "complete", number, "--by", "operator2", "--json", home=home)
    assert json.loads(done.stdout)["state"] == "COMPLETED"
    verdict = json.loads(gridlib("audit", "verify", "--json", home=home).stdout)
    assert verdict["holds"]
    assert verdict["rows"] > 20
    export = home / "trail.csv"
    assert gridlib("audit", "export", str(export), home=home).returncode == 0
    assert "operator2" in export.read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (["approve", "PLAN-1999-0001", "--by", "operator"], "not_found"),
        (["approve", "PLAN-1999-0001", "--by", "nobody"], "not_found"),
        (["reject", "PLAN-1999-0001", "--by", "analyst", "--reason", "x"], "wrong_role"),
        (["ingest", "nowhere.csv"], "bad_file"),
        (["run", "forecast", "--issued-at", "yesterday"], "bad_input"),
        (["run", "forecast", "--issued-at", "2026-08-08T00:00"], "bad_input"),
        (["run", "fortune"], "bad_input"),
        (["report", "weather"], "not_found"),
        (["user", "add", "=cmd", "--role", "operator"], "bad_input"),
    ],
)
def test_a_mistake_ends_in_one_line_status_1_and_a_code(home, words, code):
    done = gridlib(*words, "--json", home=home)
    assert done.returncode == 1
    assert json.loads(done.stdout.splitlines()[-1])["error"]["code"] == code
    assert "Traceback" not in done.stderr
    assert done.stderr.strip().splitlines()[-1].startswith("gridlib: ")


@pytest.mark.parametrize(
    "words", [["run", "--nonsense"], ["workorder", "step", "WO-1", "x", "done"], ["fly"]]
)
def test_wrong_use_ends_with_status_2(home, words):
    done = gridlib(*words, home=home)
    assert done.returncode == 2
    assert "Traceback" not in done.stderr


def test_outside_a_workspace_it_says_how_to_make_one(tmp_path):
    done = gridlib("queue", cwd=tmp_path)
    assert done.returncode == 1
    assert "gridlib init" in done.stderr


def test_init_twice_is_no_harm_and_examples_do_not_mix(home):
    assert gridlib("init", "--demo-seed", home=home).returncode == 0
    done = gridlib("init", "--sample", home=home)
    assert done.returncode == 1
    assert "settings of its own" in done.stderr


def test_a_person_gets_an_account_a_password_and_a_token_and_loses_them(home):
    def users():
        found = json.loads(gridlib("user", "list", "--json", home=home).stdout)["users"]
        return {user["username"]: user for user in found}

    done = gridlib("user", "add", "layla", "--role", "operator", "--role", "manager", home=home)
    assert done.returncode == 0
    assert "cannot sign in" in done.stdout
    done = gridlib("user", "password", "layla", "--password-stdin", home=home, typed="a long sentence\n")
    assert done.returncode == 0, done.stderr
    assert users()["layla"] == {
        "username": "layla",
        "roles": ["operator", "manager"],
        "active": True,
        "language": "en",
        "has_password": True,
    }
    done = gridlib("user", "password", "layla", "--password-stdin", home=home, typed="short\n")
    assert done.returncode == 1
    assert "12 to 256" in done.stderr
    made = gridlib("user", "token", "add", "layla", "export", "--by", "manager", "--json", home=home)
    token = json.loads(made.stdout)["token"]
    assert accounts.token_user(open_workbench(home), token).username == "layla"
    assert gridlib("user", "token", "revoke", "layla", "export", home=home).returncode == 0
    assert "export: revoked" in gridlib("user", "token", "list", "layla", home=home).stdout
    done = gridlib("user", "disable", "layla", "--by", "operator", "--json", home=home)
    assert json.loads(done.stdout)["error"]["code"] == "wrong_role"
    assert gridlib("user", "disable", "layla", "--by", "manager", home=home).returncode == 0
    assert not users()["layla"]["active"]
    assert gridlib("user", "enable", "layla", home=home).returncode == 0
    assert users()["layla"]["active"]


def test_settings_and_data_are_for_the_user_who_made_them_alone(made):
    for name, mode in (("gridlib.toml", 0o600), ("data", 0o700), ("data/gridlib.db", 0o600)):
        assert (made[0] / name).stat().st_mode & 0o777 == mode


def test_the_example_people_have_random_passwords_in_a_private_file(home, tmp_path):
    kept = home / "data" / "first_passwords.txt"
    assert kept.stat().st_mode & 0o777 == 0o600
    lines = [line.split() for line in kept.read_text(encoding="utf-8").splitlines()]
    assert [name for name, _ in lines] == ["analyst", "operator", "operator2", "manager"]
    assert len({password for _, password in lines}) == 4
    workbench = open_workbench(home)
    for name, password in lines:
        assert sessions.sign_in(workbench, name, password, address="")
    assert gridlib("init", "--demo-seed", home=home).returncode == 0
    assert len(kept.read_text(encoding="utf-8").splitlines()) == 4


def test_every_command_says_what_it_does_with_an_example():
    commands = [
        c
        for group in (app, orders.app, people.users, people.tokens, people.audit)
        for c in group.registered_commands
    ]
    assert len(commands) > 15
    for command in commands:
        assert command.callback.__doc__, command.name


def test_people_read_the_ranking_and_how_to_go_on(home):
    done = gridlib("run", home=home)
    assert done.returncode == 0
    assert "T-07" in done.stdout
    assert "gridlib serve" in done.stdout
    assert "first_passwords.txt" in done.stdout
    assert "Demo" in done.stdout


def test_a_shift_in_the_shell(home, monkeypatch, capsys):
    """Alerts, switches, another plan, a study and instructed steps, each by its command."""

    def run(*words, status=0):
        monkeypatch.setattr(sys, "argv", ["gridlib", *words, "--home", str(home)])
        with pytest.raises(SystemExit) as ended:
            main()
        written = capsys.readouterr()
        assert (ended.value.code or 0) == status, written.err
        return written.out

    def said(*words, fails=""):
        record = json.loads(run(*words, "--json", status=1 if fails else 0))
        if fails:
            assert record["error"]["code"] == fails
        return record

    (alert, *_) = said("alerts")["alerts"]
    assert alert["waits"]
    assert said("acknowledge", "T-04", "--by", "operator")["acknowledged_by"] == "operator"
    said("acknowledge", "T-04", "--by", "operator2", fails="changed")
    shelved = said("shelve", "T-07", "--by", "operator", "--reason", "known", "--hours", "2")
    assert shelved["shelved_by"] == "operator"
    assert said("unshelve", "T-07", "--by", "operator")["waits"]
    assert [row["event"] for row in said("alerts", "T-07")["history"]] == ["UNSHELVED", "SHELVED", "RAISED"]
    run("shelve", "T-07", "--by", "operator", "--reason", "no end", status=2)

    assert said("switch", "confirm", "SW-03", "open", "--by", "operator")["mismatch"] == ""
    row = next(r for r in said("switch", "list")["switches"] if r["switch_id"] == "SW-03")
    assert (row["state"], row["source"], row["confirmed"]) == ("OPEN", "manual", True)

    found = said("study", "T-07", "--ambient-k", "3")
    assert found["after"]["hot_spot_c_max"] > found["before"]["hot_spot_c_max"]
    assert "STUDY" in run("study", "T-07")

    plan = next(d for d in said("queue")["drafts"] if d["transformer_id"] == "T-07")["plan_id"]
    said("ask-again", plan, "--by", "operator", "--reason", "tie is hard to reach", fails="refused")
    said("approve", plan, "--by", "operator")
    order = said("workorder", "issue", plan, "--by", "operator2", "--crew", "Crew 4")
    assert order["planned_until"]
    number = order["work_order_id"]
    said("workorder", "start", number, "--by", "operator2")
    said("workorder", "instruct", number, "2", "--by", "operator2", "--to", "R. Haddad", fails="refused")
    order = said("workorder", "instruct", number, "1", "--by", "operator2", "--to", "R. Haddad")
    assert (order["steps"][0]["state"], order["steps"][0]["instructed_to"]) == ("INSTRUCTED", "R. Haddad")
    assert "Haddad" in run("queue")
    assert said("audit", "verify")["holds"]

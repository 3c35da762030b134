"""What a page is answered: the ranking and one transformer, actions and refusals, in both languages."""

import re
from dataclasses import replace
from html.parser import HTMLParser

import pandas as pd
import pytest

from gridlib.apps.screens.answer import answer
from gridlib.apps.screens.control_room import ranking
from gridlib.apps.study.memory import read_memory
from gridlib.apps.study.protocol import ScreenQuestion
from gridlib.domain.planning import describe_chances
from gridlib.facts.messages import rendered, word
from gridlib.facts.settings import Clock
from gridlib.facts.types import PlanState, SwitchState
from gridlib.workflow import accounts, audit, decisions, drafts, queries, switches

SCRIPT = '"><img src=x onerror=alert(1)>'
VOID = {"input", "img", "br", "meta"}
UNITS = {"kVA", "kVAh", "kWh", "kA", "A", "V", "K", "C", "h", "min", "d", "pu", "p10", "p50", "p90"}


@pytest.fixture(scope="module")
def sample(sample_copy):
    return sample_copy()


@pytest.fixture(scope="module")
def memory(sample):
    return read_memory(sample)


@pytest.fixture(scope="module")
def ask(sample, memory):
    """Ask for a screen, the control room unless another is named."""

    def asked(
        user="operator",
        action="",
        later=False,
        fields=None,
        memory=memory,
        screen="control_room",
        **state,
    ):
        written = {name: str(value) for name, value in (fields or {}).items()}
        question = ScreenQuestion(
            screen=screen, user=user, action=action, fields=written, state=state, later=later
        )
        return answer(sample, memory, question)

    return asked


@pytest.fixture
def in_arabic(sample):
    accounts.set_language(sample, "operator", "ar")
    yield
    accounts.set_language(sample, "operator", "en")


def alert_of(workbench, name):
    return next(alert for alert in queries.get_alerts(workbench) if alert.transformer_id == name)


def words(html):
    return re.sub(r"\s+", " ", re.sub(r"<[^>]*>", " ", html))


class Nesting(HTMLParser):
    """Says where elements are not closed in order, and which attributes hold markup."""

    def __init__(self):
        super().__init__()
        self.open, self.faults = [], []

    def handle_starttag(self, tag, attrs):
        if tag not in VOID:
            self.open.append(tag)
        self.faults += [f"{tag} {name}={value}" for name, value in attrs if value and "<" in value]

    def handle_endtag(self, tag):
        if not self.open or self.open.pop() != tag:
            self.faults.append(f"</{tag}> at {self.getpos()}")


def test_the_riskiest_come_first_the_imminent_before_all(ask, sample):
    shown = re.findall(r'id="unit-([^"]+)"', ask()["regions"]["ranking"])
    risk = queries.get_risk(sample)
    assert shown == risk["transformer_id"].head(ranking.SHOWN).tolist()
    assert risk["imminent"].head(risk["imminent"].sum()).all()


@pytest.mark.parametrize(
    ("chosen", "passes"),
    [
        ({"level": "HIGH"}, lambda risk: risk["risk_level"] == "HIGH"),
        ({"level": "IMMINENT"}, lambda risk: risk["imminent"]),
        ({"search": "39-38"}, lambda risk: risk["transformer_id"].str.contains("39-38")),
        ({"substation": "SS-26"}, lambda risk: risk["transformer_id"].str.startswith("26-")),
        ({"level": "HIGH", "search": "39"}, lambda risk: risk["transformer_id"] == "39-378"),
        ({"search": "no such"}, lambda risk: risk["transformer_id"] == ""),
    ],
)
def test_filters_show_those_that_pass(ask, sample, chosen, passes):
    risk = queries.get_risk(sample)
    shown = re.findall(r'id="unit-([^"]+)"', ask(**chosen)["regions"]["ranking"])
    assert shown == risk.loc[passes(risk), "transformer_id"].head(ranking.SHOWN).tolist()


def test_a_transformer_is_shown_with_the_terms_of_its_score(ask, sample):
    row = queries.get_risk(sample).iloc[0]
    text = words(ask(unit=row["transformer_id"])["regions"]["unit"])
    limits = sample.settings.limits
    for term, weight in (("overload", limits.weight_overload), ("thermal", limits.weight_thermal)):
        assert f"{row[term]:.2f} × {weight:g} {weight * row[term]:.2f}" in text
    for reason in row["reasons"]:
        assert reason in text


def test_both_languages_draw_the_same_regions_of_whole_html(ask, in_arabic):
    arabic = ask(unit="34-260")
    assert arabic["language"] == "ar"
    for region, html in {**arabic["regions"], "layout": arabic["layout"]}.items():
        nesting = Nesting()
        nesting.feed(html)
        assert (nesting.faults, nesting.open) == ([], []), region
    english = words("".join(html for name, html in arabic["regions"].items() if name != "freshness"))
    assert re.findall(r"\b(?:acknowledge|level|switch|forecast|search|transformer)\w*", english, re.I) == []


def test_a_fleet_of_twelve_thousand_is_a_small_page(ask, memory):
    copies = [memory.risk.assign(transformer_id=memory.risk["transformer_id"] + f"#{n}") for n in range(240)]
    large = replace(memory, risk=pd.concat(copies, ignore_index=True))
    drawn = ask(search="#239", memory=large)["regions"]["ranking"]
    assert "fleet of 12000" in words(drawn)
    assert len(drawn) < 60_000
    assert drawn.count("data-row ") == ranking.SHOWN


def test_old_data_are_said_before_all_else(sample, memory):
    settings = sample.settings.model_copy(update={"clock": Clock(follow="wall")})
    question = ScreenQuestion(screen="control_room", user="operator", state={"unit": "34-260"})
    drawn = answer(replace(sample, settings=settings), memory, question)["regions"]
    assert 'role="alert" data-stale' in drawn["freshness"]
    assert "STALE DATA" in drawn["freshness"]


def test_before_the_first_run_a_screen_opens_and_says_so(ask):
    drawn = ask(memory=None, unit="34-260")
    assert drawn["kind"] == "done"
    assert "gridlib run" in drawn["regions"]["ranking"]


def test_pictures_come_later_and_say_what_they_show(ask):
    first = ask(unit="34-260")
    assert first["later"] == ["pictures"]
    drawn = ask(unit="34-260", later=True)["regions"]
    assert list(drawn) == ["pictures"]
    assert drawn["pictures"].count("<svg") == 3
    assert len(re.findall(r'role="img"[^>]* aria-label="[^"]*34-260', drawn["pictures"])) == 3


def test_an_acknowledgement_is_kept_under_the_name_of_who_acts(ask, sample):
    alert = alert_of(sample, "39-378")
    fields = {"unit": "39-378", "rev": alert.rev, "note": "crew told", "by": "manager", "user": "manager"}
    done = ask(action="acknowledge", fields=fields, unit="39-378")
    assert done["kind"] == "done"
    assert "39-378 acknowledged by operator" in words(done["said"])
    assert "acknowledged by operator" in words(done["regions"]["ranking"])
    assert audit.last_events(sample, 1).iloc[0][["actor", "action", "object"]].tolist() == [
        "operator",
        "risk.acknowledge",
        "39-378",
    ]
    again = ask(action="acknowledge", fields=fields, unit="39-378")
    assert again["kind"] == "refused"
    second = ask("operator2", action="acknowledge", fields=fields, unit="39-378")
    assert second["kind"] == "refused"
    assert "ACKNOWLEDGED at HIGH by operator" in words(second["said"])


def test_an_alert_is_shelved_with_a_reason_and_comes_back(ask, sample):
    fields = {"unit": "34-254", "rev": alert_of(sample, "34-254").rev, "hours": 2, "reason": ""}
    refused = ask(action="shelve", fields=fields, unit="34-254")
    assert refused["kind"] == "refused"
    assert "reason" in refused["said"]
    done = ask(action="shelve", fields={**fields, "reason": "load moves at 22:00"}, unit="34-254")
    assert "34-254 shelved until" in words(done["said"])
    assert "load moves at 22:00" in done["regions"]["unit"]
    back = ask(action="unshelve", fields={"unit": "34-254", "rev": alert_of(sample, "34-254").rev})
    assert back["kind"] == "done"
    assert alert_of(sample, "34-254").waits


@pytest.mark.parametrize(("field", "typed"), [("hours", "9" * 30), ("reason", "a\0b")])
def test_what_no_record_can_keep_is_refused(ask, sample, field, typed):
    fields = {"unit": "34-254", "rev": alert_of(sample, "34-254").rev, "hours": 2, "reason": "later"}
    assert ask(action="shelve", fields={**fields, field: typed}, unit="34-254")["kind"] == "refused"


def test_no_database_is_asked_for_a_name_that_it_cannot_hold(ask):
    assert ask(unit="T\0-1", text="\0")["state"] == {"unit": "T-1", "text": ""}


def test_a_switch_is_confirmed_as_operated(ask, sample):
    done = ask(action="confirm", fields={"switch": "TIE-047", "state": "OPEN"}, unit="34-260")
    assert "TIE-047 confirmed OPEN" in words(done["said"])
    states = queries.get_switches(sample, ["TIE-047"])
    assert states.iloc[0][["state", "source"]].tolist() == [SwitchState.OPEN, "manual"]
    assert ask(action="confirm", fields={"switch": "TIE-047", "state": "AJAR"})["kind"] == "refused"


def test_a_study_shows_before_and_after_and_leaves_nothing_behind(ask, sample):
    before = audit.last_events(sample, 1)["seq"].iloc[0]
    fields = {"unit": "34-260", "ambient_k": 5, "load_pct": 10, "tie_out": "TIE-047"}
    done = ask(action="study", fields=fields, unit="34-260")
    text = words(done["regions"]["study"])
    assert "STUDY: nothing of this is stored" in text
    score = f"{queries.get_risk(sample).iloc[0]['risk_score']:.2f}"
    assert f"Score {score}" in text
    assert audit.last_events(sample, 1)["seq"].iloc[0] == before
    assert "study" not in ask(unit="34-260")["regions"]


@pytest.mark.parametrize("load_pct", ["", "ten", "nan", "1e9"])
def test_a_study_of_nonsense_is_refused_or_taken_for_zero(ask, load_pct):
    done = ask(action="study", fields={"unit": "34-260", "load_pct": load_pct}, unit="34-260")
    assert done["kind"] == ("refused" if load_pct else "done")


def test_what_is_written_is_kept_until_it_is_sent(ask, sample):
    form = "acknowledge:34-260"
    ask(action="draft", fields={"draft": form, "note": "half a sentence"}, unit="34-260")
    assert 'value="half a sentence"' in ask(unit="34-260")["regions"]["unit"]
    assert "half a sentence" not in ask("operator2", unit="34-260")["regions"]["unit"]
    stale = {"unit": "34-260", "rev": 99, "note": "half a sentence"}
    assert ask(action="acknowledge", fields=stale, unit="34-260")["kind"] == "refused"
    assert drafts.get_draft(sample, "operator", form)["note"] == "half a sentence"
    sent = {**stale, "rev": alert_of(sample, "34-260").rev}
    assert ask(action="acknowledge", fields=sent, unit="34-260")["kind"] == "done"
    assert drafts.get_draft(sample, "operator", form) == {}


@pytest.mark.parametrize("user", ["manager", "analyst"])
def test_who_may_only_look_finds_no_button_and_is_refused_without_one(ask, sample, user):
    shown = "".join(ask(user, unit="34-257")["regions"].values())
    assert not re.search('data-action="(acknowledge|shelve|confirm)"', shown)
    fields = {"unit": "34-257", "rev": alert_of(sample, "34-257").rev}
    refused = ask(user, action="acknowledge", fields=fields)
    assert refused["kind"] == "refused"
    last = audit.last_events(sample, 1).iloc[0]
    assert last[["actor", "outcome"]].tolist() == [user, "refused:wrong_role"]


def test_script_in_what_people_write_or_choose_is_shown_as_text(ask, sample):
    name = "34-257"
    fields = {"unit": name, "rev": alert_of(sample, name).rev, "note": SCRIPT}
    ask(action="draft", fields={"draft": f"shelve:{name}", "reason": SCRIPT}, unit=name)
    ask(action="acknowledge", fields=fields, unit=name)
    shown = ask(unit=name, search=SCRIPT, substation=SCRIPT, level=SCRIPT)
    strange = ask(unit=SCRIPT, action=SCRIPT, fields={"unit": SCRIPT, "rev": "1"})
    html = shown["layout"] + "".join([*shown["regions"].values(), *strange["regions"].values()])
    assert "&lt;img src=x onerror=alert(1)&gt;" in html
    assert "<img src=x" not in html + strange["said"]


def test_a_fault_of_one_region_is_said_there_and_the_rest_is_shown(ask, monkeypatch, caplog):
    def broken(*_):
        raise ZeroDivisionError("secret of the program")

    monkeypatch.setattr(queries, "get_alert_history", broken)
    drawn = ask(unit="34-260")["regions"]
    reference = re.search(r"tell support (\w+)", words(drawn["history"])).group(1)
    assert "secret" not in "".join(drawn.values())
    assert reference in caplog.text
    assert "34-260" in drawn["unit"]


@pytest.mark.parametrize(("screen", "user"), [("nowhere", "operator"), ("control_room", "nobody")])
def test_a_question_for_nothing_or_by_nobody_is_refused(sample, memory, screen, user):
    refused = answer(sample, memory, ScreenQuestion(screen=screen, user=user))
    assert refused["kind"] == "refused"
    assert refused.get("regions") is None


def test_who_is_disabled_gets_no_more_answers(ask, sample):
    accounts.add_user(sample, "leaver", ["operator"])
    assert ask("leaver")["kind"] == "done"
    accounts.disable_user(sample, "leaver")
    assert ask("leaver")["kind"] == "refused"


def latin_left(text, network):
    """Latin words of a text that are neither units nor names and columns of the network."""
    frames = vars(network).values()
    ids = {str(value) for frame in frames for name in frame if name.endswith("_id") for value in frame[name]}
    for name in sorted(ids, key=len, reverse=True):
        text = text.replace(name, " ")
    columns = {column for frame in frames for column in frame}
    return set(re.findall("[A-Za-z][A-Za-z0-9_]*", text)) - columns - UNITS


def test_all_that_planning_says_of_the_sample_is_said_in_arabic(sample):
    network, run = queries.get_network(sample), queries.get_run(sample, stage="planning")
    said = []
    for record in queries.get_plans(sample, states=list(PlanState)):
        proof = record.plan.proof
        said += [proof.method, describe_chances(record.plan)]
        said += [*proof.reasons, *proof.not_checked, *proof.fault_level, *proof.protection, *proof.notes]
        for element in proof.elements:
            said += [word("element", element.role), word("scenario", element.scenario)]
    for name in network.transformers["transformer_id"]:
        case = queries.get_case(sample, run.run_id, name)
        said += [*(why.reason for why in case.why_not), *case.other_measures] if case else []
    assert len({message.id for message in said}) > 20
    assert latin_left(" ".join(rendered(said, "ar")), network) == set()


def test_every_sheet_of_the_sample_is_said_in_arabic(sample):
    sheets = [queries.get_plan(sample, record.plan_id).instruction for record in queries.get_plans(sample)]
    assert sheets
    for sheet in sheets:
        said = [sheet.title, sheet.purpose, *sheet.checklist, *sheet.abort_triggers, *sheet.notes]
        said += sheet.positions
        for step in (*sheet.steps, *sheet.rollback):
            said += [step.place, step.text, step.expected, step.if_it_fails]
            said += [word("verb", step.verb), word("phase", step.phase)]
        text = re.sub("[SR][0-9]{2}", "", " ".join(rendered(said, "ar"))).replace(sheet.plan_id, "")
        assert latin_left(text, queries.get_network(sample)) == set()


def test_the_desk_in_arabic_marks_nothing_as_english(ask, sample, in_arabic):
    plans = queries.get_plans(sample, states=[PlanState.DRAFT])
    shown = [{"plan": record.plan_id} for record in plans]
    relieved = {record.plan.transformer_id for record in plans}
    alone = next(r for r in queries.get_risk(sample)["transformer_id"] if r not in relieved)
    for chosen in (*shown, {"unit": alone}):
        regions = ask(screen="decision_desk", **chosen)["regions"]
        marked = {name for name, html in regions.items() if re.search('lang="?en', html)}
        assert marked <= {"head"}  # where English is offered
        for name in ("case", "evidence"):
            assert latin_left(words(regions[name]), queries.get_network(sample)) == set()


def test_a_study_in_arabic_says_why_not_in_arabic(ask, in_arabic):
    fields = {"unit": "39-378", "ambient_k": "8", "load_pct": "20"}
    html = ask(action="study", fields=fields, unit="39-378")["regions"]["study"]
    assert 'lang="en"' not in html
    assert "لماذا لا غير ذلك" in html


def test_two_transformers_that_a_closed_tie_joins_are_said_and_drawn_in_parallel(ask, sample):
    assert "in parallel" not in words(ask(unit="34-260")["regions"]["switches"])
    switches.confirm_switch(sample, "TIE-047", by="operator", state=SwitchState.CLOSED)
    memory = read_memory(sample)
    shown = words(ask(memory=memory, unit="34-260")["regions"]["switches"])
    assert "34-260 runs in parallel with 34-248: closed switches join them" in shown
    drawn = ask(memory=memory, unit="34-260", later=True)["regions"]["pictures"]
    assert "TIE-047" in drawn
    assert "TIE-030" in drawn
    switches.confirm_switch(sample, "TIE-047", by="operator", state=SwitchState.OPEN)


def test_a_transformer_whose_plan_has_ended_is_not_said_to_be_beyond_help(ask, sample):
    for record in queries.get_plans(sample, transformer_id="34-254", states=[PlanState.DRAFT]):
        decisions.reject(sample, record.plan_id, by="operator", reason="no crew before noon")
        ended = f"{record.plan_id} has ended; the next run plans anew"
    assert ended in words(ask(screen="decision_desk")["regions"]["waiting"])
    assert ended in words(ask(screen="decision_desk", unit="34-254")["regions"]["plan"])
    assert "no transfer helps" in words(ask(screen="decision_desk", unit="34-257")["regions"]["plan"])

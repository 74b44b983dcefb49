"""The house rules on their pages: read in words, changed after the difference was shown, and set back as they were."""

from __future__ import annotations

import re

import httpx2
import pytest

from broker.authority import rule_changes
from broker.ports.approvals import OperatorRole
from broker.rules.book import RULES
from broker.rules.hours import openings_written
from tests.support.staff import Browser, name
from tests.support.watching import Watched
from web.watch.desk import Form
from web.watch.rules.inputs import asked, typed
from web.watch.rules.titles import RULE_WORDS
from web.watch.rules.words import THEMES, said

HIDDEN = re.compile(r'name="(token|version|written)" value="([^"]*)"')


@pytest.fixture
def head(watched: Watched) -> Browser:
    who = name(watched, "Head", OperatorRole.ADMIN)
    browser = Browser(watched)
    browser.post("/watch/sign-in", link=watched.link(who))
    return browser


def another(here: Watched, *roles: OperatorRole, department: str | None = None) -> Browser:
    who = name(here, "Somebody else", *roles, department=department)
    browser = Browser(here)
    browser.post("/watch/sign-in", link=here.link(who))
    return browser


def hidden(page: httpx2.Response) -> dict[str, str]:
    """Of the form that is filled in: the one that sets a rule back stands apart."""
    assert page.status_code == 200, page.text
    found = dict(HIDDEN.findall(page.text))
    return found if "version" in found else {"token": found["token"]}


def current(here: Watched) -> dict[str, str]:
    with here.ledger.look() as tx:
        return dict(tx.rules.current().changed)


def test_every_rule_stands_under_a_theme_with_a_title_and_words_that_name_no_command() -> None:
    assert {one.key for theme in THEMES for one in theme.parameters} == set(RULES) == set(RULE_WORDS)
    for title, about in RULE_WORDS.values():
        assert not re.search(r"carillon |--|`|_", title + about)
        assert about.endswith((".", "No"))


@pytest.mark.runs_on("sqlite")
def test_every_rule_has_a_page_with_a_form(watched: Watched, head: Browser) -> None:
    for key in RULES:
        page = head.get(f"/watch/rules/{key}")
        assert page.status_code == 200, key
        assert RULE_WORDS[key][0] in page.text
        assert "Show me what would change" in page.text


def test_the_rules_are_read_by_anybody_and_changed_by_an_admin_alone(watched: Watched, head: Browser) -> None:
    author = another(watched, OperatorRole.AUTHOR)
    overview = author.get("/watch/rules").text
    assert "Time for second thoughts" in overview
    assert "Monday" in author.get("/watch/rules/windows.open").text or not current(watched).get(
        "windows.open"
    )
    page = author.get("/watch/rules/undo.window")
    assert "Show me what would change" not in page.text
    token = hidden(page)["token"]
    refused = author.post("/watch/rules/undo.window", token=token, value="5", unit="min", why="x", do="look")
    assert refused.status_code == 403
    assert author.get("/watch/rules/no.such").status_code == 404


def test_a_rule_is_changed_once_the_difference_was_looked_at(watched: Watched, head: Browser) -> None:
    page = head.get("/watch/rules/undo.window")
    shown = head.post(
        "/watch/rules/undo.window", **hidden(page), value="5", unit="min", why="two wrong groups", do="look"
    )
    assert "What would change" in shown.text
    assert "5 minutes" in shown.text
    assert current(watched).get("undo.window") != "5 min"
    kept = head.post("/watch/rules/undo.window", **hidden(shown), why="two wrong groups", do="keep")
    assert kept.status_code == 303, kept.text
    assert current(watched)["undo.window"] == "5 min"
    after = head.get("/watch/rules/undo.window?done=rule_changed").text
    assert "The rule is changed" in after
    assert "two wrong groups" in after


def test_a_reason_is_asked_for_and_what_was_typed_stays(watched: Watched, head: Browser) -> None:
    page = head.get("/watch/rules/undo.window")
    shown = head.post("/watch/rules/undo.window", **hidden(page), value="5", unit="min", why="", do="look")
    refused = head.post("/watch/rules/undo.window", **hidden(shown), why="  ", do="keep")
    assert refused.status_code == 422
    assert "Say why" in refused.text
    assert 'value="5 min"' in refused.text


@pytest.mark.parametrize(
    ("key", "fields", "message"),
    [
        ("undo.window", {"value": "9", "unit": "h"}, "must be at most 1 h"),
        ("undo.window", {"value": "soon", "unit": "min"}, "length of time"),
        ("blast.size", {"value": "-4"}, "not negative"),
        ("approval.drift_share", {"value": "a lot"}, "wants a number"),
        ("approval.drift_share", {"value": "300"}, "must be at most 1"),
        (
            "approval.needed",
            {"ways_0": "sms", "audience_0": "over", "over_0": "", "purpose_0": "any"},
            "audience",
        ),
        ("ages.consent", {"value": "thirteen"}, "13"),
    ],
)
def test_what_a_rule_cannot_be_stands_beside_its_field(
    watched: Watched, head: Browser, key: str, fields: dict[str, str], message: str
) -> None:
    before = current(watched)
    page = head.get(f"/watch/rules/{key}")
    refused = head.post(f"/watch/rules/{key}", **hidden(page), **fields, why="a try", do="look")
    assert refused.status_code == 422, refused.text
    assert 'id="wrong-value"' in refused.text
    assert message in refused.text
    assert "carillon " not in re.sub(r"<[^>]+>", "", refused.text)
    assert "a try" in refused.text
    assert current(watched) == before


def test_nothing_is_kept_that_was_not_looked_at_when_somebody_changed_the_rules_meanwhile(
    watched: Watched, head: Browser
) -> None:
    page = head.get("/watch/rules/undo.window")
    shown = head.post("/watch/rules/undo.window", **hidden(page), value="5", unit="min", why="x", do="look")
    rule_changes.change(
        watched.tower.house.ports, "undo.window", "9 min", "y", actor=name(watched, "B", OperatorRole.ADMIN)
    )
    again = head.post("/watch/rules/undo.window", **hidden(shown), why="x", do="keep")
    assert again.status_code == 200
    assert "Somebody has changed the rules meanwhile" in again.text
    assert "9 minutes" in again.text
    assert current(watched)["undo.window"] == "9 min"


def test_hours_are_typed_in_rows_and_drawn_as_a_week(watched: Watched, head: Browser) -> None:
    key = "windows.open"
    rows = {
        "channel_0": "bell", "purpose_0": "*", "people_0": "pupils", "first_0": "mon", "last_0": "fri",
        "begins_0": "07:30", "ends_0": "18:00",
        "channel_1": "*", "purpose_1": "promotional", "people_1": "*", "first_1": "sat", "last_1": "sat",
        "begins_1": "09:00", "ends_1": "00:00",
        "channel_2": "", "purpose_2": "*", "people_2": "*", "first_2": "mon", "last_2": "fri",
        "begins_2": "", "ends_2": "",
    }  # fmt: skip
    shown = head.post(
        f"/watch/rules/{key}", **hidden(head.get(f"/watch/rules/{key}")), **rows, why="x", do="look"
    )
    assert "Bell to pupils: Monday to Friday, 07:30 to 18:00" in shown.text
    assert head.post(f"/watch/rules/{key}", **hidden(shown), why="x", do="keep").status_code == 303
    written = current(watched)[key]
    assert written == "bell/*/pupils mon-fri 07:30-18:00; */promotional sat 09:00-24:00"
    overview = head.get("/watch/rules").text
    assert '<rect class="open" x="450" width="630" height="40"/>' in overview
    assert "not at all" in overview
    # The form gives back what it was given, and a row can be taken away.
    page = head.get(f"/watch/rules/{key}").text
    assert 'name="begins_0" type="time" value="07:30"' in page
    gone = {**rows, "gone_0": "yes"}
    shown = head.post(
        f"/watch/rules/{key}", **hidden(head.get(f"/watch/rules/{key}")), **gone, why="x", do="look"
    )
    assert dict(HIDDEN.findall(shown.text))["written"] == "*/promotional sat 09:00-24:00"


def test_every_form_says_what_its_rule_says_when_nobody_touches_it() -> None:
    for key, parameter in RULES.items():
        value = parameter.read(parameter.default)
        form = asked(parameter, value)
        fields = {"value": [form.value], "unit": [form.unit]}
        for row in form.rows:
            fields |= {
                f"{field}_{row.number}": [getattr(row, field)]
                for field in ("channel", "purpose", "people", "first", "last", "begins", "ends")
            }
        for want in form.wanting:
            fields |= {
                f"{field}_{want.number}": [getattr(want, field)]
                for field in ("ways", "audience", "over", "purpose")
            }
        assert parameter.written(parameter.read(typed(parameter, Form(fields)))) == parameter.written(
            value
        ), key


def test_the_rules_go_back_to_how_they_once_were_and_forward_again(watched: Watched, head: Browser) -> None:
    ports, admin = watched.tower.house.ports, name(watched, "B", OperatorRole.ADMIN)
    first = rule_changes.change(ports, "undo.window", "2 min", "first", actor=admin).version
    rule_changes.change(ports, "undo.window", "9 min", "second", actor=admin)
    rule_changes.change(ports, "blast.size", "77", "third", actor=admin)
    history = head.get("/watch/rules/history").text
    assert history.index("third") < history.index("second") < history.index("first")
    then = head.get(f"/watch/rules/history/{first}")
    assert "9 minutes" in then.text
    assert "2 minutes" in then.text
    refused = head.post(f"/watch/rules/history/{first}", **hidden(then), why="")
    assert refused.status_code == 422
    done = head.post(f"/watch/rules/history/{first}", **hidden(then), why="as it was")
    assert done.status_code == 303
    kept = current(watched)
    assert kept["undo.window"] == "2 min"
    assert kept.get("blast.size") != "77"
    back = head.get(f"/watch/rules/history/{first + 2}")
    assert (
        head.post(f"/watch/rules/history/{first + 2}", **hidden(back), why="no, the newer").status_code == 303
    )
    assert current(watched)["blast.size"] == "77"
    assert head.get("/watch/rules/history/4711").status_code == 404
    assert another(watched, OperatorRole.AUDITOR).post(
        f"/watch/rules/history/{first}", **hidden(back), why="x"
    ).status_code == 403  # fmt: skip


def test_a_value_is_said_in_words() -> None:
    assert said("approval.needed", "sms/over 200/any, public/any/promotional") == [
        "Text messages to more than 200 people",
        "Whatever everybody can read, advertising",
    ]
    assert said("windows.open", "*/*/pupils mon-sun 07:00-24:00") == [
        "Anything to pupils: every day, 07:00 to 24:00"
    ]
    assert said("windows.open", "") == ["always"]
    assert said("sign_in.idle", "0") == ["none"]
    assert said("money.warn_at", "0.8") == ["80 %"]
    assert said("gone.rule", "x") == ["x"]
    assert openings_written(RULES["windows.open"].read("sms mon 07:00-08:00")) == "sms mon 07:00-08:00"  # type: ignore[arg-type]

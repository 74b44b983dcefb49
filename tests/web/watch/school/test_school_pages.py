"""The school's pages: what each shows and never shows, who may open it, and what is stopped and let go on there."""

from __future__ import annotations

import re
import threading
from datetime import timedelta
from html import unescape

import pytest

from broker.actor import SYSTEM
from broker.authority import switching, tokens
from broker.delivery import State
from broker.ports.approvals import OperatorRole
from broker.rules.switches import SwitchKind
from config.as_they_stand import SET, as_they_stand, shown
from config.findings import Finding, Health
from config.looking import Bedside
from config.settings import Settings
from tests.support.staff import Browser, name
from tests.support.watching import Serve, Watched
from web.watch.school.doctor import told

AUTHOR, ADMIN, AUDITOR = OperatorRole.AUTHOR, OperatorRole.ADMIN, OperatorRole.AUDITOR
CANARIES = {
    "CARILLON_ACCOUNTS__TEXTS__CHANNEL": "sms",
    "CARILLON_ACCOUNTS__TEXTS__ACCOUNT_SID": "AC" + "c" * 32,
    "CARILLON_ACCOUNTS__TEXTS__AUTH_TOKEN": "canary-auth-token-of-the-texts",
    "CARILLON_ACCOUNTS__TEXTS__SENDER": "+447400987654",
    "CARILLON_ACCOUNTS__TEXTS__API_BASE_URL": "http://127.0.0.1:9",
    "CARILLON_WEB__METRICS_TOKEN": "canary-of-the-metrics-token",
    "CARILLON_ANSWERS__LEAD__EMAIL": "canary.lead@school.example",
}
WHOLE = ("/watch/school/settings", "/watch/school/keeping", "/watch/doctor")


def by_link(here: Watched, who: str, *roles: OperatorRole, department: str | None = None) -> Browser:
    browser, actor = Browser(here), name(here, who, *roles, department=department)
    browser.post("/watch/sign-in", link=here.link(actor))
    return browser


@pytest.fixture
def head(watched: Watched) -> Browser:
    return by_link(watched, "Head", ADMIN)


def said(html: str) -> str:
    """The words of a page, as one line."""
    return " ".join(unescape(re.sub(r"<[^>]*>", " ", html)).split())


def token(browser: Browser, path: str) -> str:
    found = re.search(r'name="token" value="(\w+)"', browser.get(path).text)
    assert found
    return found[1]


def stopped(here: Watched) -> set[tuple[SwitchKind, str]]:
    return {(one.kind, one.subject) for one in switching.stopped(here.tower.house.ports)}


# --- settings, keeping


def test_settings_stand_there_and_no_secret_does(serve: Serve) -> None:
    here = serve(**CANARIES)
    head = by_link(here, "Head", ADMIN)
    html = head.get("/watch/school/settings").text
    assert "canary" not in html
    assert "a-secret-of-the-tests" not in html
    assert "c" * 32 not in html
    assert "+447400987654" not in html
    told_ = said(html)
    assert "CARILLON_SCHOOL__ZONE Europe/London" in told_
    assert "CARILLON_ACCOUNTS__TEXTS__AUTH_TOKEN set" in told_
    assert "CARILLON_SECRET_KEY set" in told_


@pytest.mark.runs_on("sqlite")
@pytest.mark.parametrize(
    ("field", "value", "shows"),
    [
        (
            "database_url",
            "postgresql://carillon:hush@db.school.example/carillon",
            "postgresql://db.school.example",
        ),
        ("queue_url", "redis://:hush@localhost:6379/0", "redis://localhost"),
        ("anything", "hush-" * 8, SET),
        ("my_password", "x", SET),
        ("holder", object(), SET),
        ("every", timedelta(seconds=60), "60 seconds"),
        ("passwords", True, "yes"),
        ("names", ("Mrs Bell", "Mr Ito"), "Mrs Bell, Mr Ito"),
        ("sender", "office@school.example", "o•••@s•••.example"),
    ],
)
def test_what_is_not_known_to_be_harmless_is_only_told_to_be_set(
    field: str, value: object, shows: str
) -> None:
    assert shown(field, value) == shows
    assert "hush" not in shown(field, value)


@pytest.mark.runs_on("sqlite")
def test_every_setting_has_its_place() -> None:
    names = [one.name for group in as_they_stand(Settings.of()) for one in group.settings]
    assert len(names) == len(set(names))
    assert {"CARILLON_DATA_DIR", "CARILLON_SCHOOL__NAME", "CARILLON_SIGN_IN__PASSWORDS"} <= set(names)


def test_how_long_what_is_kept_stands_in_whole_words_and_leads_to_its_rule(head: Browser) -> None:
    html = head.get("/watch/school/keeping").text
    assert "730 days" in said(html)
    assert "No night has passed yet" in said(html)
    for link in re.findall(r'href="../../(watch/rules/[^"]+)"', html):
        assert head.get(f"/{link}").status_code == 200


def test_the_school_leads_to_everything_that_is_about_it(head: Browser) -> None:
    html = head.get("/watch/school").text
    assert "Europe/London" in said(html)
    for link in set(re.findall(r'href="../(watch/[a-z/]+)"', html.split("<main", 1)[1])):
        assert head.get(f"/{link}").status_code == 200, link


# --- who may


def test_an_auditor_looks_and_an_author_does_not(watched: Watched, head: Browser) -> None:
    auditor, author = by_link(watched, "Auditor", AUDITOR), by_link(watched, "Author", AUTHOR)
    for path in ("/watch/school", "/watch/school/tokens", "/watch/school/webhooks", *WHOLE):
        assert auditor.get(path).status_code == 200, path
        assert author.get(path).status_code == 403, path
    sent = {"token": token(auditor, "/watch/school"), "name": "bells", "scope": "people:read", "lasts": "30"}
    for path in ("/watch/school/tokens", "/watch/school/tokens/revoke", "/watch/school/webhooks"):
        assert auditor.post(path, **sent).status_code == 403
    assert auditor.post("/watch/switches/everything/all", **sent, do="stop", why="x").status_code == 403
    assert stopped(watched) == set()
    assert head.get("/watch/school").status_code == 200


def test_an_admin_of_one_department_sees_nothing_of_the_whole_house(serve: Serve) -> None:
    here = serve(CARILLON_DEPARTMENTS="office,music")
    by_link(here, "Head", ADMIN)
    music = by_link(here, "Music", ADMIN, department="music")
    for path in WHOLE:
        assert music.get(path).status_code == 403, path
    tokens.make(here.tower.house.ports, "secret bells", [*tokens.READING][:1], actor=SYSTEM)
    assert "secret bells" not in music.get("/watch/school/tokens").text
    sent = {"token": token(music, "/watch/school/tokens"), "name": "secret bells"}
    assert music.post("/watch/school/tokens/revoke", **sent).status_code == 404
    refused = music.post("/watch/switches/everything/all", token=sent["token"], do="stop", why="x")
    assert refused.status_code == 422
    assert "you act for music alone" in said(refused.text)
    assert music.get("/watch/switches/department/office").status_code == 404
    done = music.post("/watch/switches/department/music", token=sent["token"], do="stop", why="a wrong list")
    assert done.status_code == 303
    assert stopped(here) == {(SwitchKind.DEPARTMENT, "music")}


# --- switches


def test_a_stop_says_exactly_what_stops_asks_why_and_lasts_until_somebody_lets_it_go_on(
    watched: Watched, head: Browser
) -> None:
    watched.move(watched.plan(watched.announce()), State.SENT, 4)
    path = "/watch/switches/everything/all"
    page = said(head.get(path).text)
    assert "What exactly stops" in page
    assert "2 messages wait" in page
    refused = head.post(path, token=token(head, path), do="stop", why="")
    assert refused.status_code == 422
    assert "Say why" in said(refused.text)
    assert stopped(watched) == set()
    done = head.post(path, token=token(head, path), do="stop", why="a wrong list was imported")
    assert done.status_code == 303
    assert stopped(watched) == {(SwitchKind.EVERYTHING, "")}
    assert "a wrong list was imported" in said(head.get("/watch/switches").text)
    assert "Everything is stopped" in said(head.get("/watch/accounts").text)
    assert "goes out at once" in said(head.get(path).text)
    assert head.post(path, token=token(head, path), do="go", why="").status_code == 303
    assert stopped(watched) == set()


@pytest.mark.parametrize("address", ["channel/bell", "account/tower", "department/office"])
def test_a_channel_an_account_and_a_department_are_stopped_and_let_go_on(
    watched: Watched, head: Browser, address: str
) -> None:
    path = f"/watch/switches/{address}"
    kind, _, subject = address.partition("/")
    assert head.post(path, token=token(head, path), do="stop", why="something is wrong").status_code == 303
    assert stopped(watched) == {(SwitchKind(kind), subject)}
    assert head.post(path, token=token(head, path), do="go", why="put right").status_code == 303
    assert stopped(watched) == set()


def test_whoever_sees_a_fault_stops_it_and_an_admin_lets_it_go_on(watched: Watched, head: Browser) -> None:
    author = by_link(watched, "Author", AUTHOR)
    path = "/watch/switches/channel/bell"
    assert author.post(path, token=token(author, path), do="stop", why="a wrong list").status_code == 303
    refused = author.post(path, token=token(author, path), do="go", why="")
    assert refused.status_code == 422
    assert stopped(watched) == {(SwitchKind.CHANNEL, "bell")}
    assert head.get("/watch/switches").status_code == 200


@pytest.mark.parametrize("address", ["channel/pigeons", "weather/fine", "account/x%0ay", "everything/x"])
def test_what_there_is_not_has_no_switch(head: Browser, address: str) -> None:
    assert head.get(f"/watch/switches/{address}").status_code == 404


# --- keys for programs, programs that are told


def test_a_key_is_shown_once_and_works_no_more_when_it_is_taken_away(watched: Watched, head: Browser) -> None:
    path = "/watch/school/tokens"
    sent = {"token": token(head, path), "name": "bells", "scope": "announcements:read", "lasts": "30"}
    made = head.post(path, **sent)
    assert made.status_code == 200
    secret = re.search(r"carillon_[0-9A-Za-z]{46}", made.text)
    assert secret
    assert secret[0] not in head.get(path).text
    ports = watched.tower.house.ports
    assert tokens.caller_of(ports, secret[0]).token.name == "bells"
    twice = head.post(path, **sent)
    assert twice.status_code == 422
    assert "a token of this name already" in said(twice.text)
    assert 'value="bells"' in twice.text
    assert head.post(f"{path}/revoke", token=sent["token"], name="bells").status_code == 303
    with pytest.raises(tokens.TokenRefused):
        tokens.caller_of(ports, secret[0])


@pytest.mark.parametrize(
    ("changed", "field"),
    [
        ({"name": ""}, "name"),
        ({"scope": "weather:read"}, "scope"),
        ({"lasts": "9999"}, "lasts"),
        ({"scope": ""}, "scope"),
    ],
)
@pytest.mark.runs_on("sqlite")
def test_what_is_wrong_with_a_key_stands_beside_its_field(
    head: Browser, changed: dict[str, str], field: str
) -> None:
    path = "/watch/school/tokens"
    sent = {"token": token(head, path), "name": "bells", "scope": "people:read", "lasts": "30", **changed}
    answer = head.post(path, **sent)
    assert answer.status_code == 422
    assert f'id="wrong-{field}"' in answer.text


def test_a_program_is_told_until_it_is_taken_away_and_its_secret_shown_once(
    watched: Watched, head: Browser
) -> None:
    path = "/watch/school/webhooks"
    refused = head.post(path, token=token(head, path), url="nonsense", states="sent")
    assert refused.status_code == 422
    assert 'id="wrong-url"' in refused.text
    made = head.post(path, token=token(head, path), url="http://127.0.0.1:9/hook", states="sent")
    assert made.status_code == 200, said(made.text)
    secret = re.search(r"whsec_[\w+/=]+", made.text)
    assert secret
    listed = head.get(path).text
    assert secret[0] not in listed
    one = re.search(r"watch/school/webhooks/([0-9a-f-]{36})/remove", listed)
    assert one
    assert head.post(f"{path}/{one[1]}/remove", token=token(head, path)).status_code == 303
    assert "Nobody is." in said(head.get(path).text)


# --- the doctor


def test_the_doctor_looks_when_asked_and_says_what_was_found(watched: Watched, head: Browser) -> None:
    assert "Nobody has looked" in said(head.get("/watch/doctor").text)
    assert head.post("/watch/doctor", token=token(head, "/watch/doctor")).status_code == 303
    page = said(head.get("/watch/doctor").text)
    assert "Looked at" in page
    assert "well Python : 3." in page


def test_a_look_that_takes_its_time_keeps_nobody_waiting_and_is_told_when_it_has_ended(
    watched: Watched, head: Browser
) -> None:
    go_on = threading.Event()

    def slow(_: Settings) -> list[Finding]:
        go_on.wait(20)
        return [Finding("account tower", Health.WRONG, "does not answer", "look at it")]

    bedside = Bedside(watched.tower.settings, slow)
    assert bedside.look(timedelta(milliseconds=50)).since is not None
    watched.app.state.bedside = bedside
    assert "It is still looking" in said(head.get("/watch/doctor").text)
    go_on.set()
    found = bedside.look(timedelta(seconds=20))
    assert [one.subject for one in found.findings] == ["account tower"]
    assert found.since is None
    html = head.get("/watch/doctor").text
    assert "Does not answer" in said(html)
    assert 'href="../watch/accounts/tower"' in html


@pytest.mark.runs_on("sqlite")
def test_a_command_is_for_whoever_runs_the_computer_and_stands_apart() -> None:
    assert told(Finding("ledger", Health.WRONG, "has no tables", "run: carillon db upgrade")).machine
    assert told(Finding("licence sms", Health.DOUBTFUL, "x", "settle it: carillon licence start sms")).page
    assert not told(Finding("disk", Health.DOUBTFUL, "9 MB free", "make room")).machine

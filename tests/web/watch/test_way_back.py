"""Whoever opens a page before they are signed in lands there afterwards; and nowhere else, whatever they are sent."""

from __future__ import annotations

import base64
import string
import time
from urllib.parse import urljoin, urlsplit

import httpx2
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from broker.authority import signin
from broker.ports.approvals import OperatorRole
from tests.support.staff import WORDS, Browser, name, quick, vault
from tests.support.watching import Watched
from web.watch import way_back

AUTHOR, ADMIN = OperatorRole.AUTHOR, OperatorRole.ADMIN
ODD = st.text(string.ascii_letters[:4] + "watch/\\.:@?#%&=25Ff-_~;,\t\n\r\0\x7f é’⁄\u2215\u202e", max_size=60)
SCHOOL = "https://school.example"
WHERE = "carillon-where"


@given(st.one_of(ODD, ODD.map("watch".__add__), ODD.map("watch/".__add__), st.text(max_size=300)))
@example("watch/..//evil.example")
@example("watch//evil.example")
@example("watch/\\evil.example")
@example("watch/a\n//evil.example")
@example("watch/%2e%2e/%2e%2e/f/token")
@example("watch/a?x=//evil.example")
@example("watch/sign-out")
@example("watch/" + "a" * 500)
def test_what_is_taken_for_a_page_leads_below_watch_of_this_school_from_wherever_it_is_followed(
    to: str,
) -> None:
    if not way_back.is_a_page(to):
        return
    assert to.isascii()
    assert to.isprintable()
    assert len(to) <= way_back.MOST
    for at, up in (("/sign-in", ""), ("/sign-in/code", "../"), ("/sign-in/back/google", "../../")):
        led = urlsplit(urljoin(SCHOOL + at, up + to))
        assert (led.scheme, led.netloc, led.fragment) == ("https", "school.example", "")
        first, *parts = led.path.split("/")[1:]
        assert first == "watch"
        assert parts
        assert all(part and not part.startswith(".") for part in parts)
        assert parts[0] not in {"sign-in", "sign-out", "events", "static"}
        assert not set("\\%:@ ") & set(led.path)


@pytest.mark.parametrize(
    "to",
    [
        "",
        "watch",
        "watch/",
        "/watch/calendar",
        "//evil.example/watch/calendar",
        "https://evil.example/watch/calendar",
        "watch/calendar//evil.example",
        "watch/calendar/..",
        "watch/calendar#x",
        "watch/calendar\r\nSet-Cookie: x=y",
        "watch/sign-in",
        "watch/sign-in/" + "x" * 43,
        "watch/sign-out?x=1",
        "watch/events?of=1",
        "watch/static/1/watch.css",
        "account/password",
        "sign-in",
        "watchful/calendar",
        "watch/calendar?day=%zz",
        "watch/a/b/c/d/e/f",
    ],
)
def test_what_is_no_page_below_watch_is_taken_for_none(to: str) -> None:
    assert not way_back.is_a_page(to)


@pytest.mark.parametrize(
    "to",
    [
        "watch/calendar",
        "watch/01900000-0000-7000-8000-000000000000/people",
        "watch/rules/undo.window",
        "watch/announcements?show=failed&before=7",
        "watch/calendar/day?day=2026-05-01&word=caf%C3%A9",
        "watch/sign-ins-of-the-year",
    ],
)
def test_pages_are_taken_for_what_they_are(to: str) -> None:
    assert way_back.is_a_page(to)


def led_to(answer: httpx2.Response) -> str:
    """Where a browser goes on, below the root."""
    assert answer.status_code == 303, answer.text
    return urljoin(str(answer.url), answer.headers["location"]).removeprefix(str(answer.url.join("/")))


@pytest.fixture
def school(watched: Watched) -> Watched:
    quick(watched)
    return watched


def test_a_password_and_a_code_lead_to_the_page_that_was_asked_for_and_only_once(school: Watched) -> None:
    browser = Browser(school).ready(name(school, "Mrs Hart", ADMIN)).forget_device()
    page = f"watch/{school.announce('Coach').public_id}/people?show=untold"
    asked = browser.get(f"/{page}")
    assert asked.status_code == 401
    kept = asked.headers["set-cookie"]
    assert "HttpOnly" in kept
    assert "SameSite=lax" in kept
    assert f"Max-Age={way_back.LASTS}" in kept
    assert "people" not in kept
    assert browser.password("Mrs Hart", "wrong wrong wrong").status_code == 403
    assert led_to(browser.password("Mrs Hart")) == "sign-in/code"
    assert led_to(browser.code()) == page
    assert WHERE not in browser.client.cookies
    browser.client.cookies.delete("carillon")
    browser.password("Mrs Hart")
    assert led_to(browser.code()) == "watch"


def test_a_link_and_a_password_alone_lead_there_as_well(school: Watched) -> None:
    who = name(school, "Mrs Bell", AUTHOR)
    browser = Browser(school).ready(who).forget_device()
    browser.get("/watch/calendar?day=2026-05-01")
    assert led_to(browser.password("Mrs Bell")) == "watch/calendar?day=2026-05-01"
    browser.forget_device().get("/watch/groups?done=group_kept")
    link = signin.make_link(school.tower.house.ports, actor=who)
    assert led_to(browser.post("/watch/sign-in", link=link)) == "watch/groups"  # nothing was done again


def test_whoever_adds_their_telephone_on_the_way_goes_on_from_the_codes(school: Watched) -> None:
    who = name(school, "Mrs Hart", ADMIN)
    browser = Browser(school)
    browser.get("/watch/waiting")
    browser.invited(who)
    assert 'href="../watch/waiting">I have kept them' in browser.enrol().text
    assert WHERE not in browser.client.cookies


@pytest.mark.parametrize(
    ("path", "headers"),
    [
        ("/watch", {}),
        ("/watch/sign-out", {}),  # only a form is sent there
        ("/watch/search/about", {}),
        ("/watch/events", {}),
        ("/watch/calendar", {"HX-Request": "true"}),
        ("/watch/calendar", {"Sec-Fetch-Mode": "cors"}),
        ("/watch/calendar%3Fday=x", {}),
        ("/watch/groups/%2e%2e%2fsign-out", {}),
        ("/watch/groups/%5Cevil.example", {}),
        ("/account", {}),
    ],
)
def test_parts_of_pages_and_what_is_no_page_are_not_led_back_to(
    school: Watched, path: str, headers: dict[str, str]
) -> None:
    school.client.cookies.clear()
    answer = school.client.get(path, headers=headers)
    assert answer.status_code == 401
    assert WHERE not in answer.cookies


def test_a_form_that_came_too_late_is_not_led_back_to(school: Watched) -> None:
    school.client.cookies.clear()
    answer = school.client.post("/watch/calendar/events/new", headers={"Origin": school.url})
    assert (answer.status_code, WHERE in answer.cookies) == (401, False)


def test_a_cookie_that_we_did_not_make_or_that_is_old_leads_to_the_first_page(school: Watched) -> None:
    Browser(school).ready(name(school, "Mrs Bell", AUTHOR))
    ours = vault(school)
    good = way_back.sealed(ours, "watch/calendar")
    elsewhere = ours.seal(way_back.PURPOSE, f"{int(time.time())} //evil.example")
    another = ours.seal("journey", f"{int(time.time())} watch/calendar")
    old = ours.seal(way_back.PURPOSE, f"{int(time.time()) - way_back.LASTS - 1} watch/calendar")
    tomorrow = ours.seal(way_back.PURPOSE, f"{int(time.time()) + 86400} watch/calendar")
    made = [base64.urlsafe_b64encode(one).decode() for one in (elsewhere, another, old, tomorrow)]
    assert way_back.unsealed(ours, good) == "watch/calendar"
    for kept in ("watch/calendar", "//evil.example", "", "x", "=", "A" * 5000, good[:-8] + "AAAAAAA=", *made):
        assert way_back.unsealed(ours, kept) == "", kept
        client = Browser(school).client
        sent = {"name": "Mrs Bell", "password": WORDS}
        answer = client.post("/sign-in", data=sent, headers={"Cookie": f"{WHERE}={kept}"})
        assert led_to(answer) == "watch", kept

"""Whatever goes wrong below a page is told on a page, in plain words: no program's words, and no trace of one."""

from __future__ import annotations

import logging
import re
from collections.abc import Iterator
from contextlib import contextmanager
from http.client import HTTPConnection
from urllib.parse import urlsplit

import httpx2
import pytest
from sqlalchemy import event, text

from broker.ports import Stage
from broker.ports.approvals import OperatorRole
from ledger.authority.sessions import Sessions
from tests.support.staff import Browser, name, quick
from tests.support.watching import Watched

PROGRAMS_WORDS = ("Traceback", "sqlalchemy", "psycopg", "sqlite", '{"code"', "Exception", "None")
SETTINGS = re.compile(r"<meta name=\"htmx-config\" content='[^']*'>")  # of the script that every page has


def is_a_page(answer: httpx2.Response, status: int, says: str) -> None:
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"].startswith("text/html")
    assert answer.headers["cache-control"] == "no-store"
    assert f"<h1>{says}</h1>" in answer.text
    said = SETTINGS.sub("", answer.text, count=1)
    assert not [word for word in PROGRAMS_WORDS if word in said]


@contextmanager
def away(here: Watched, table: str) -> Iterator[None]:
    """The ledger cannot be read as it should be."""
    with here.ledger.begin() as tx:
        tx.hand.connection.execute(text(f"ALTER TABLE {table} RENAME TO {table}_away"))
    try:
        yield
    finally:
        with here.ledger.begin() as tx:
            tx.hand.connection.execute(text(f"ALTER TABLE {table}_away RENAME TO {table}"))


def post(here: Watched, path: str, **fields: str) -> httpx2.Response:
    return here.client.post(path, data=fields, headers={"Origin": here.url})


@pytest.mark.parametrize("table", ["announcement", "session"])
def test_a_ledger_that_is_away_is_told_on_every_page_with_what_to_do(
    watched: Watched, table: str, caplog: pytest.LogCaptureFixture
) -> None:
    said = watched.announce("Coach")
    with away(watched, table), caplog.at_level(logging.CRITICAL):
        for path in ("/watch", f"/watch/{said.public_id}", "/watch/announcements", "/watch/calendar"):
            answer = watched.client.get(path)
            is_a_page(answer, 503, "This cannot be done just now")
            assert "load this page again" in answer.text
            assert answer.headers["retry-after"] == "60"
    assert watched.client.get("/watch").status_code == 200


def test_a_ledger_that_goes_while_a_form_is_on_its_way_keeps_nothing_by_halves(
    watched: Watched, caplog: pytest.LogCaptureFixture
) -> None:
    said = watched.announce("Coach")
    token = re.findall(r'name="token" value="([^"]+)"', watched.get())[0]
    with away(watched, "record_entry"), caplog.at_level(logging.CRITICAL):
        answer = post(watched, f"/watch/{said.public_id}/undo", token=token, do="undo")
    is_a_page(answer, 503, "This cannot be done just now")
    with watched.ledger.look() as tx:
        assert tx.announcements.by_id(said.id).withdrawn_at is None


@pytest.mark.parametrize(
    "path",
    [
        "/watch/nowhere",
        "/watch/announcements/further",
        "/watch/groups/" + "9" * 5000,
        "/watch/groups/%00",
        "/watch/accounts/%00",
        "/watch/%F0%28%8C%28",
        "/watch/00000000-0000-0000-0000-000000000007/deliveries/none",
        "/watch/00000000-0000-0000-0000-000000000007/deliveries/0",
        "/watch/00000000-0000-0000-0000-000000000007/deliveries/" + "9" * 30,
        "/watch/people/%2e%2e%2f%2e%2e%2fetc%2fpasswd",
    ],
)
def test_an_address_that_leads_nowhere_is_told_so_on_a_page(watched: Watched, path: str) -> None:
    is_a_page(watched.client.get(path), 404, "There is no such page")


@pytest.mark.parametrize(
    "path", ["/watch/groups/new", "/sign-in", "/account/password", "/watch/templates/new"]
)
def test_a_form_that_promises_too_much_is_told_so_on_a_page(watched: Watched, path: str) -> None:
    line = HTTPConnection(urlsplit(watched.url).netloc, timeout=10)
    line.putrequest("POST", path)
    line.putheader("Origin", watched.url)
    line.putheader("Content-Length", "90000000")
    line.endheaders()
    answer = line.getresponse()
    assert answer.status == 413
    assert "<h1>This is too large</h1>" in answer.read().decode()
    line.close()


def test_a_form_with_too_much_in_it_is_told_so_on_a_page(watched: Watched) -> None:
    is_a_page(post(watched, "/watch/groups/new", name="x" * 300_000), 413, "This is too large")


def test_a_form_for_what_takes_none_is_told_so_on_a_page(watched: Watched) -> None:
    answer = post(watched, "/watch/announcements", do="all")
    is_a_page(answer, 405, "This cannot be done here")


def test_programs_are_told_in_their_own_shape_as_before(watched: Watched) -> None:
    answer = watched.client.get("/v1/nowhere")
    assert answer.status_code in {401, 404}
    assert set(answer.json()) == {"code", "field", "message", "hint"}


def in_the_menu(answer: httpx2.Response) -> bool:
    """Whether it stands between what every page of somebody signed in has."""
    parts = ['id="menu"', "watch/search", "Sign out", "Your account", "Sandbox: this is a rehearsal"]
    found = [part in answer.text for part in parts]
    assert all(found) or not any(found[:4]), answer.text
    return all(found)


def test_what_is_not_there_or_not_theirs_is_told_within_the_menu_of_who_is_signed_in(here: Watched) -> None:
    here.sign_in(actor=name(here, "Mr Reed", OperatorRole.AUTHOR, department="music"))
    theirs = here.announce("Zyzzyva")
    for path in ("/watch/nowhere", f"/watch/{theirs.public_id}", "/watch/groups/4711", "/watch/answers/x"):
        answer = here.client.get(path)
        is_a_page(answer, 404, "There is no such page")
        assert in_the_menu(answer), path
        assert "watch/staff" not in answer.text  # no more than his other pages lead to
        assert "Zyzzyva" not in answer.text
    answer = here.client.get("/watch/staff")
    is_a_page(answer, 403, "This is for others to do")
    assert in_the_menu(answer)
    policy = "content-security-policy"
    assert answer.headers[policy] == here.client.get("/watch").headers[policy]


def test_a_form_that_is_refused_is_told_within_the_menu_and_another_sites_is_not(watched: Watched) -> None:
    refused = post(watched, "/watch/groups/new", token="0" * 64)
    is_a_page(refused, 403, "This was not done")
    assert in_the_menu(refused)
    theirs = watched.client.post("/watch/groups/new", headers={"Origin": "https://evil.example"})
    is_a_page(theirs, 403, "This was not done")
    assert not in_the_menu(theirs)


def test_whoever_is_half_way_in_or_signed_out_is_shown_no_menu(watched: Watched) -> None:
    quick(watched)
    browser = Browser(watched).ready(name(watched, "Mrs Hart", OperatorRole.ADMIN)).forget_device()
    browser.password("Mrs Hart")
    with watched.ledger.look() as tx:
        assert Stage.SECOND in {one.stage for one in tx.sessions.of_operator("Mrs Hart")}
    answers = [browser.get("/watch/nowhere"), browser.form("/sign-in/code", token="0" * 64, code="1")]
    watched.client.cookies.clear()
    answers.append(watched.client.get("/watch/nowhere"))
    assert [answer.status_code for answer in answers] == [401, 403, 401]
    assert not any(in_the_menu(answer) for answer in answers)


def test_a_page_about_what_is_not_there_asks_the_ledger_for_the_session_alone(watched: Watched) -> None:
    asked: list[str] = []

    def heard(_connection: object, _cursor: object, statement: str, *_more: object) -> None:
        if "FROM" in statement.upper():
            asked.append(statement)

    event.listen(watched.ledger.engine, "before_cursor_execute", heard)
    try:
        assert in_the_menu(watched.client.get("/watch/nowhere"))
        with watched.ledger.reading() as hand:
            told, asked[:] = list(asked), []
            assert Sessions(hand).of(watched.session) is not None
    finally:
        event.remove(watched.ledger.engine, "before_cursor_execute", heard)
    assert told == asked


def test_a_ledger_that_goes_meanwhile_is_told_without_a_menu_that_leads_nowhere(
    watched: Watched, caplog: pytest.LogCaptureFixture
) -> None:
    with away(watched, "people_group"), caplog.at_level(logging.CRITICAL):
        answer = watched.client.get("/watch/groups/4711")
    is_a_page(answer, 503, "This cannot be done just now")
    assert not in_the_menu(answer)


@pytest.mark.parametrize("host", ["", "[::", "[", "a b", "é.example", "x" * 3000, "evil.example:port"])
def test_a_hosts_name_that_is_none_makes_no_second_trouble(watched: Watched, host: str) -> None:
    session = watched.client.cookies["carillon"]
    line = HTTPConnection(urlsplit(watched.url).netloc, timeout=10)
    line.putrequest("GET", "/watch/nowhere?done=%00&q=%zz", skip_host=True)
    line.putheader("Host", host.encode())
    line.putheader("Cookie", f"carillon={session}")
    line.endheaders()
    answer = line.getresponse()
    assert answer.status in {400, 404}
    assert "Traceback" not in answer.read().decode()
    line.close()

"""What a provider proves, whom its groups let go, and a provider that answers badly: on real sockets."""

from __future__ import annotations

import json
import socket
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from datetime import timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx2
import pytest

from broker.actor import SYSTEM
from broker.authority import identities, operators, passwords
from broker.authority.signin import Came, must_be_fresh
from broker.errors import ProofWanted
from broker.ports.approvals import OperatorRole
from config import bounded_calls, identity
from config.identity import Away, Provider
from config.sign_in import ProviderAt
from tests.support.installed import wait_until
from tests.support.staff import Browser, at_provider, name, passed, provider, quick, record_kinds, vault
from tests.support.watching import Serve, Watched

AUTHOR, APPROVER, ADMIN = OperatorRole.AUTHOR, OperatorRole.APPROVER, OperatorRole.ADMIN
OURS: dict[str, Any] = {"email_verified": True, "hd": "school.example"}
BELL: dict[str, Any] = {"email": "m.bell@school.example", **OURS}
HEAD: dict[str, Any] = {"email": "h.head@school.example", "groups": ["heads"], **OURS}


@pytest.fixture(scope="module")
def issuer() -> Iterator[str]:
    with provider([{"sub": "100", **BELL}, {"sub": "101", **HEAD}]) as found:
        yield found


@pytest.fixture
def here(serve: Serve, issuer: str) -> Watched:
    at = "CARILLON_SIGN_IN__PROVIDERS__GOOGLE__"
    found = serve(
        CARILLON_PUBLIC_URL="http://localhost:9",
        CARILLON_SIGN_IN__PROXIES="127.0.0.1",
        **{
            f"{at}KIND": "google",
            f"{at}ISSUER": issuer,
            f"{at}CLIENT_ID": "carillon",
            f"{at}CLIENT_SECRET": "a-secret-that-the-provider-knows",
            f"{at}DOMAINS": '{"school.example": ""}',
            f"{at}GROUPS": json.dumps({"heads": "approver,admin"}),
        },
    )
    quick(found)
    return found


def says(issuer: str, subject: str, **claims: Any) -> None:
    """From now on the provider says this of somebody."""
    answer = httpx2.put(f"{issuer}/users/{subject}", json=claims, timeout=10)
    assert answer.is_success, answer.text


def back(browser: Browser, where: str, subject: str) -> httpx2.Response:
    """At the provider, and back from it."""
    with httpx2.Client(timeout=20) as there:
        answer = there.post(where, data={"sub": subject})
    home = urlsplit(answer.headers["location"])
    return browser.get(f"{home.path}?{home.query}")


def come(browser: Browser, subject: str) -> httpx2.Response:
    home = urlsplit(at_provider(browser, subject))
    return browser.get(f"{home.path}?{home.query}")


def linked(here: Watched) -> Browser:
    name(here, "Another admin", ADMIN)
    who = name(here, "Mrs Bell", AUTHOR)
    identities.link(here.tower.house.ports, vault(here), who.id, "google", BELL["email"], actor=SYSTEM)
    return Browser(here)


@pytest.mark.parametrize("ledger_url", ["sqlite"], indirect=True)
def test_a_provider_proves_somebody_only_by_the_time_that_its_token_tells(here: Watched, issuer: str) -> None:
    says(issuer, "100", **BELL, auth_time=None)  # left out, the provider takes the present
    browser = linked(here)
    assert come(browser, "100").status_code == 303
    assert browser.get("/account/second").headers["location"].endswith("prove?to=account/second")
    page = browser.get("/account/prove?to=account/second").text
    assert "sign-in/with/google?prove=account/second" in page
    for told, where in (
        (None, "account/prove?not=1&to=account/second"),
        (3600, "not=1"),
        (5, "account/second"),
    ):
        says(issuer, "100", **BELL, auth_time=None if told is None else int(time.time()) - told)
        away = browser.get("/sign-in/with/google?prove=account/second").headers["location"]
        asked = parse_qs(urlsplit(away).query)
        assert asked["max_age"] == ["0"]
        assert json.loads(asked["claims"][0])["id_token"]["auth_time"] == {"essential": True}
        location = back(browser, away, "100").headers["location"]
        assert where in location
        if told != 5:
            assert "without being asked again" in browser.get(f"/{location.lstrip('./')}").text
    assert browser.get("/account/second").status_code == 200


@pytest.mark.parametrize("ledger_url", ["sqlite"], indirect=True)
def test_a_telephones_code_proves_whoever_has_no_password(here: Watched, issuer: str) -> None:
    says(issuer, "100", **BELL, auth_time=int(time.time()))
    browser = linked(here)
    come(browser, "100")
    browser.enrol()
    passed(here, 60 * 11)
    page = "/account/prove?to=account/password"
    assert 'name="password"' not in browser.get(page).text
    assert browser.form(page, to="/account/prove", code="000000").status_code == 403
    proved = browser.form(page, to="/account/prove", code=browser.next_code())
    assert proved.headers["location"].endswith("account/password")


@pytest.mark.parametrize("to", ["https://evil.example", "//evil.example", "sign-in", "watch?x=1"])
@pytest.mark.parametrize("ledger_url", ["sqlite"], indirect=True)
def test_a_proof_at_a_provider_leads_to_a_page_of_ours_alone(here: Watched, issuer: str, to: str) -> None:
    says(issuer, "100", **BELL, auth_time=int(time.time()))
    browser = linked(here)
    away = browser.client.get("/sign-in/with/google", params={"prove": to}).headers["location"]
    assert back(browser, away, "100").headers["location"] == "../../account"


def test_whoever_is_in_no_group_any_more_is_out_everywhere(here: Watched, issuer: str) -> None:
    says(issuer, "101", **HEAD)
    name(here, "Another admin", ADMIN)
    one, other = Browser(here), Browser(here)
    assert (come(one, "101").status_code, come(other, "101").status_code) == (303, 303)
    assert one.signed_in()
    says(issuer, "101", **{**HEAD, "groups": []})
    fresh = Browser(here)
    assert come(fresh, "101").status_code == 403
    assert (one.signed_in(), other.signed_in(), fresh.signed_in()) == (False, False, False)
    assert record_kinds(here, "session.all") == ["session.all_ended"]
    says(issuer, "101", **HEAD)
    assert come(fresh, "101").status_code == 303


def test_whom_an_admin_has_taken_away_a_group_does_not_bring_back(here: Watched, issuer: str) -> None:
    says(issuer, "101", **HEAD)
    ports, admin = here.tower.house.ports, name(here, "Another admin", ADMIN)
    one = Browser(here)
    assert come(one, "101").status_code == 303
    operators.remove(ports, "h.head", actor=admin)
    assert not one.signed_in()
    refused = come(one, "101")
    assert refused.status_code == 403
    assert "taken this account" in refused.text
    operators.add(ports, "The head", [AUTHOR], None, actor=admin)
    identities.link(ports, vault(here), "The head", "google", HEAD["email"], actor=admin)
    assert come(one, "101").status_code == 303
    assert "Signed in as</span> The head" in one.get("/watch").text


@pytest.mark.parametrize("ledger_url", ["sqlite"], indirect=True)
def test_another_role_at_the_provider_holds_at_the_next_sign_in(here: Watched, issuer: str) -> None:
    says(issuer, "101", **HEAD)
    ports, admin = here.tower.house.ports, name(here, "Another admin", ADMIN)
    come(Browser(here), "101")
    operators.give(ports, "h.head", [AUTHOR], actor=admin)
    come(Browser(here), "101")
    with here.ledger.begin() as tx:
        found = tx.operators.named("h.head")
    assert found is not None
    assert found.roles == {APPROVER, ADMIN}


@pytest.mark.parametrize("ledger_url", ["sqlite"], indirect=True)
def test_so_many_ways_back_from_one_place_and_then_a_pause(here: Watched, issuer: str) -> None:
    says(issuer, "101", **HEAD)
    came = Came(source="192.0.2.1")
    for _ in range(passwords.SOURCE[1]):
        passwords.pace_of_source(here.tower.house.ports, vault(here), came, "way back")
    assert come(Browser(here), "101").status_code == 429
    assert come(Browser(here, source="192.0.2.2"), "101").status_code == 303


@pytest.mark.parametrize("ledger_url", ["sqlite"], indirect=True)
def test_a_big_announcement_is_not_let_go_by_a_provider_that_asked_nothing(
    here: Watched, issuer: str
) -> None:
    says(issuer, "101", **HEAD, auth_time=None)
    one = Browser(here)
    come(one, "101")
    with here.ledger.begin() as tx:
        session = tx.sessions.of_operator("h.head")[0]
        must_be_fresh(tx, session, 199)
        with pytest.raises(ProofWanted):
            must_be_fresh(tx, session, 200)
        with pytest.raises(ProofWanted):
            must_be_fresh(tx, session, None)  # nobody has counted: it may be everybody


# --- a provider that answers badly


@contextmanager
def answering(*pieces: bytes, every: float = 0.0) -> Iterator[tuple[str, list[bytes]]]:
    """A server that says this to whoever asks, piece by piece; its address, and what it was asked."""
    asked: list[bytes] = []
    over = threading.Event()
    listener = socket.create_server(("127.0.0.1", 0))

    def serve() -> None:
        while True:
            try:
                line, _ = listener.accept()
            except OSError:
                return
            with line:
                asked.append(line.recv(4096))
                try:
                    for piece in pieces:
                        line.sendall(piece)
                        if over.wait(every):
                            break
                except OSError:
                    continue

    thread = threading.Thread(target=serve)
    thread.start()
    try:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}", asked
    finally:
        over.set()
        listener.shutdown(socket.SHUT_RDWR)
        listener.close()
        thread.join(10)


def of(issuer: str) -> Provider:
    said = {
        "kind": "other",
        "issuer": issuer,
        "client_id": "x",
        "client_secret": "x",
        "domains": {"school.example": ""},
    }
    return Provider("work", ProviderAt.model_validate(said), "http://localhost/back")


def said(body: bytes, status: str = "200 OK", *headers: str) -> bytes:
    lines = [f"HTTP/1.1 {status}", f"Content-Length: {len(body)}", "Connection: close", *headers]
    return "\r\n".join([*lines, "", ""]).encode() + body


BAD: dict[str, Callable[[], bytes]] = {
    "another issuer": lambda: said(b'{"issuer": "http://127.0.0.1:1"}'),
    "no JSON": lambda: said(b"<html>"),
    "a list": lambda: said(b"[]"),
    "too deep": lambda: said(b"[" * 100_000),
    "a failure": lambda: said(b"{}", "500 Oops"),
    "another place": lambda: said(b"", "302 Found", "Location: http://127.0.0.1:1/"),
    "too much": lambda: said(b" " * (bounded_calls.MOST_BYTES + 2)),
    "nothing": lambda: b"",
    "rubbish": lambda: b"\x00\x01\x02\r\n\r\n",
}


@pytest.mark.parametrize("what", BAD)
def test_what_is_no_answer_is_told_as_a_provider_that_is_away(what: str) -> None:
    with answering(BAD[what]()) as (issuer, asked):
        work = of(issuer)
        with pytest.raises(Away):
            work.set_out()
        with pytest.raises(Away):
            work.set_out()
        assert len(asked) == 1  # whoever comes next is told so at once


def test_a_provider_that_answers_drop_by_drop_keeps_nobody_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bounded_calls, "WHOLE", timedelta(seconds=0.3))
    head = b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n"
    with answering(head, *[b" "] * 1000, every=0.05) as (issuer, _):
        began = time.monotonic()
        with pytest.raises(Away):
            of(issuer).set_out()
        assert time.monotonic() - began < 20


@contextmanager
def silent() -> Iterator[str]:
    """A provider that takes every connection and never says a word."""
    with socket.create_server(("127.0.0.1", 0), backlog=200) as listener:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"


def test_of_a_provider_that_hangs_few_wait_and_none_for_long(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(identity, "PATIENCE", timedelta(seconds=1))
    with silent() as issuer, ThreadPoolExecutor(60) as threads:
        work = of(issuer)

        def come() -> tuple[float, str]:
            began = time.monotonic()
            with pytest.raises(Away) as told:
                work.set_out()
            return time.monotonic() - began, str(told.value)

        tries = [threads.submit(come) for _ in range(60)]
        found = [each.result(30) for each in tries]
    said = Counter(why for _, why in found)
    assert said["it has not answered yet"] <= identity.MOST_WAITING
    assert said["too many wait for it already"] >= 60 - identity.MOST_WAITING
    assert max(took for took, _ in found) < 4  # and not one behind the other


@pytest.mark.parametrize("ledger_url", ["sqlite"], indirect=True)
def test_while_a_provider_hangs_everybody_else_is_let_in_and_who_wants_it_is_told_of_the_password(
    serve: Serve,
) -> None:
    at = "CARILLON_SIGN_IN__PROVIDERS__WORK__"
    with silent() as issuer, ThreadPoolExecutor(50) as threads:
        here = serve(
            CARILLON_PUBLIC_URL="http://localhost:9",
            **{
                f"{at}KIND": "other",
                f"{at}ISSUER": issuer,
                f"{at}CLIENT_ID": "carillon",
                f"{at}CLIENT_SECRET": "x",
                f"{at}DOMAINS": '{"school.example": "auditor"}',
            },
        )
        wanting = [threads.submit(lambda: Browser(here).get("/sign-in/with/work")) for _ in range(50)]
        began = time.monotonic()
        assert Browser(here).get("/sign-in").status_code == 200
        assert time.monotonic() - began < identity.PATIENCE.total_seconds() + 10
        for each in wanting:
            answer = each.result(30)
            assert (answer.status_code, answer.headers["retry-after"]) == (503, "60")
            assert "try again, or sign in with your name and password" in answer.text


def test_what_a_slow_provider_said_after_all_serves_whoever_comes_again(
    monkeypatch: pytest.MonkeyPatch, issuer: str
) -> None:
    monkeypatch.setattr(identity, "PATIENCE", timedelta(0))
    work = of(issuer)
    with suppress(Away):  # unless it was as quick as that
        work.set_out()
    wait_until(lambda: work._known is not None, within=timedelta(seconds=20), what="the provider answered")
    assert work.set_out()[0].startswith(issuer)

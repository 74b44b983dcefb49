"""The page behind a message's link, and a mail program's button: looking does nothing, acting does, undoing undoes."""

from __future__ import annotations

import base64
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import httpx2
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import select

from broker.actor import SYSTEM
from broker.address import AddressKind
from broker.consent import optouts
from broker.rosters.imports import import_roster
from config.assembly import House, assemble
from config.settings import Settings, load
from ledger import tables as t
from ledger.rosters.people import keyed_hash
from tests.support.school import SmallSchool
from web import optouts as page
from web.app import create_app
from web.throttle import Throttle

MAIL, NUMBER = "mum@example.org", "+447911100001"
PUBLIC_URL = "https://school.example"
ONE_CLICK = {"List-Unsubscribe": "One-Click"}


@pytest.fixture
def configured(sqlite_ledger: str, tmp_path: Path) -> Settings:
    environ = {
        "DATA_DIR": str(tmp_path),
        "DATABASE_URL": sqlite_ledger,
        "SECRET_KEY": "a-secret-of-the-tests-and-of-nobody-else",
        "SANDBOX": "true",
        "PUBLIC_URL": PUBLIC_URL,
        "ACCOUNTS__MAILS__CHANNEL": "email",
        "ACCOUNTS__MAILS__HOST": "127.0.0.1",
        "ACCOUNTS__MAILS__SENDER": "office@school.example",
        "ACCOUNTS__MAILS__REPLY_TO": "office@school.example",
    }
    return load(environ={f"CARILLON_{name}": value for name, value in environ.items()}, env_file=None)


@pytest.fixture
def house(configured: Settings, monkeypatch: pytest.MonkeyPatch) -> Iterator[House]:
    monkeypatch.setattr(page, "_guesses", Throttle(at_once=1000, per_second=100))
    school = SmallSchool()
    school.guardian("Mum", school.pupil("Amy", "Choir"), mobiles=(NUMBER,), emails=(MAIL,))
    with assemble(configured, serves=True) as made:
        import_roster(made.ports, school.roster(), actor=SYSTEM)
        yield made


@pytest.fixture
async def client(house: House) -> AsyncIterator[httpx2.AsyncClient]:
    app = create_app(house.ports, house.settings)
    transport = httpx2.ASGITransport(app, raise_app_exceptions=True)
    async with httpx2.AsyncClient(transport=transport, base_url="http://testserver") as ready:
        yield ready


@pytest.fixture
def hers(house: House) -> bytes:
    return keyed_hash(house.ports.signer, AddressKind.EMAIL, MAIL)


@pytest.fixture
def link(house: House, hers: bytes) -> str:
    return f"/u/{optouts.token_of(house.ports.signer, 'email', hers)}"


def opted_out(house: House) -> list[tuple[bytes, str]]:
    with house.ledger.reading() as hand:
        rows = hand.connection.execute(select(t.suppression.c.hash, t.suppression.c.channel)).all()
    return [(bytes(row.hash), row.channel) for row in rows]


async def test_a_scanner_that_opens_the_link_opts_nobody_out(
    house: House, client: httpx2.AsyncClient, link: str
) -> None:
    for _ in range(3):
        assert (await client.head(link)).status_code == 200
        assert (await client.get(link)).status_code == 200
    answer = await client.get(link)
    assert "Send no more emails" in answer.text
    assert MAIL not in answer.text
    assert "m•••@e•••.org" in answer.text
    assert opted_out(house) == []


async def test_the_button_stops_and_the_same_page_undoes_it(
    house: House, client: httpx2.AsyncClient, link: str, hers: bytes
) -> None:
    stopped = await client.post(link, data={"do": "stop"})
    assert stopped.status_code == 200
    assert "set-cookie" not in stopped.headers
    assert "Done: you will get no more emails" in stopped.text
    assert opted_out(house) == [(hers, "email")]
    assert "Send me emails again" in (await client.get(link)).text
    undone = await client.post(link, data={"do": "start"})
    assert "Done: the school may send you emails again" in undone.text
    assert opted_out(house) == []


async def test_a_mail_programs_one_click_stops_without_cookie_or_page(
    house: House, client: httpx2.AsyncClient, link: str, hers: bytes
) -> None:
    for _ in range(2):
        answer = await client.post(link, data=ONE_CLICK)
        assert (answer.status_code, answer.content) == (204, b"")
    assert opted_out(house) == [(hers, "email")]


async def test_a_mail_program_may_send_its_click_as_multipart(
    house: House, client: httpx2.AsyncClient, link: str
) -> None:
    body = (
        b'--edge\r\nContent-Disposition: form-data; name="List-Unsubscribe"\r\n\r\nOne-Click\r\n--edge--\r\n'
    )
    headers = {"content-type": 'multipart/form-data; boundary="edge"'}
    assert (await client.post(link, content=body, headers=headers)).status_code == 204
    assert len(opted_out(house)) == 1


async def test_a_post_that_says_something_else_does_nothing(
    house: House, client: httpx2.AsyncClient, link: str
) -> None:
    headers = {"content-type": "application/x-www-form-urlencoded"}
    odd = [
        b"",
        b"do=",
        b"do=stop&do=start",
        b"do[]=stop",
        b"do=stop&more=1",
        b"\xff\xfe",
        b"List-Unsubscribe=No",
    ]
    odd += [b"do=STOP", b"&".join(b"a=%d" % n for n in range(50)), b"x" * 4000]
    for body in odd:
        assert (await client.post(link, content=body, headers=headers)).status_code == 400
    assert (await client.post(link, json={"do": ["stop"]})).status_code == 400
    assert opted_out(house) == []


async def test_a_huge_post_is_given_up(house: House, client: httpx2.AsyncClient, link: str) -> None:
    assert (await client.post(link, content=b"x" * 100_000)).status_code == 413
    assert opted_out(house) == []


async def test_a_link_is_good_for_its_own_address_and_channel_alone(
    house: House, client: httpx2.AsyncClient, link: str, hers: bytes
) -> None:
    his = keyed_hash(house.ports.signer, AddressKind.MOBILE, NUMBER)
    begin = base64.urlsafe_b64encode(his[: optouts.PREFIX]).decode()
    crossed = f"/u/{begin}{link[-optouts.MAC :]}"
    for guess in (crossed, link[:-1] + ("A" if link[-1] != "A" else "B"), link[:-1], "/u/", "/u/" + "é" * 28):
        assert (await client.post(guess, data={"do": "stop"})).status_code == 404
    assert opted_out(house) == []
    texts = f"/u/{optouts.token_of(house.ports.signer, 'sms', hers)}"
    assert (await client.post(texts, data={"do": "stop"})).status_code == 200
    assert opted_out(house) == [(hers, "sms")]


async def test_a_link_outlives_the_address_when_it_is_opted_out(
    house: House, client: httpx2.AsyncClient, link: str
) -> None:
    await client.post(link, data=ONE_CLICK)
    with house.ledger.begin() as tx:
        tx.hand.run("DELETE FROM person_address")
        tx.hand.run("DELETE FROM address")
    answer = await client.get(link)
    assert "Send me emails again" in answer.text
    assert "•" not in answer.text
    await client.post(link, data={"do": "start"})
    assert (await client.get(link)).status_code == 404


async def test_a_ledger_that_is_away_is_told_in_a_sentence_and_asks_a_mail_program_to_try_again(
    house: House, client: httpx2.AsyncClient, link: str
) -> None:
    with house.ledger.begin() as tx:
        tx.hand.run("ALTER TABLE suppression RENAME TO elsewhere")
    looked, clicked = await client.get(link), await client.post(link, data=ONE_CLICK)
    assert (looked.status_code, clicked.status_code) == (503, 503)
    assert clicked.headers["retry-after"] == "60"
    assert "open the link again" in looked.text
    with house.ledger.begin() as tx:
        tx.hand.run("ALTER TABLE elsewhere RENAME TO suppression")
    assert (await client.post(link, data=ONE_CLICK)).status_code == 204


async def test_whoever_guesses_waits_and_the_true_link_still_works(
    house: House, client: httpx2.AsyncClient, link: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(page, "_guesses", Throttle(at_once=3, per_second=0.001))
    wrong = "/u/" + "A" * optouts.TOKEN
    assert [(await client.get(wrong)).status_code for _ in range(4)] == [404] * 4
    monkeypatch.setattr(page, "MOST_WAITING", 0)
    busy = await client.get(wrong)
    assert (busy.status_code, busy.headers["retry-after"]) == (429, "60")
    monkeypatch.setattr(page, "MOST_WAITING", 20)
    assert (await client.post(link, data=ONE_CLICK)).status_code == 204
    assert len(opted_out(house)) == 1


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(token=st.text(alphabet=st.characters(codec="ascii", categories=("L", "N")), min_size=1, max_size=40))
async def test_whatever_is_guessed_the_answer_is_calm(client: httpx2.AsyncClient, token: str) -> None:
    assert (await client.get(f"/u/{token}")).status_code == 404


async def test_the_page_has_a_language_a_heading_and_one_button_and_runs_nothing(
    client: httpx2.AsyncClient, link: str
) -> None:
    answer = await client.get(link)
    assert '<html lang="en-GB">' in answer.text
    assert answer.text.count("<h1>") == answer.text.count("<button") == 1
    assert "<script" not in answer.text
    policy = answer.headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "form-action 'self'" in policy
    assert answer.headers["cache-control"] == "no-store"

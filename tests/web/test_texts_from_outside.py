"""Texts from outside at the door: signed ones are kept once, and nothing of anything else is."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import httpx2
import pytest
from sqlalchemy import func, select

from broker import confirm
from broker.actor import SYSTEM
from config.assembly import House, assemble
from config.settings import load
from ledger import tables as t
from sandbox.settings import ACCOUNT_SID, AUTH_TOKEN
from tests.channels.twilio_support import sign
from web import inbox
from web.app import create_app

PUBLIC_URL, PATH = "https://school.example", "/callbacks/texts/inbound"
TEXT = {
    "MessageSid": "SM" + "3" * 32,
    "SmsStatus": "received",
    "From": "+447911123456",
    "To": "+44",
    "Body": "STOP",
}


@pytest.fixture
def house(sqlite_ledger: str, tmp_path: Path) -> Iterator[House]:
    environ = {
        "DATA_DIR": str(tmp_path),
        "DATABASE_URL": sqlite_ledger,
        "SECRET_KEY": "a-secret-of-the-tests-and-of-nobody-else",
        "SANDBOX": "true",
        "PUBLIC_URL": PUBLIC_URL,
        "DEPARTMENTS": "office, music",
        "ACCOUNTS__TEXTS__CHANNEL": "sms",
        "ACCOUNTS__TEXTS__DEPARTMENT": "office",
        "ACCOUNTS__TEXTS__ACCOUNT_SID": ACCOUNT_SID,
        "ACCOUNTS__TEXTS__AUTH_TOKEN": AUTH_TOKEN,
        "ACCOUNTS__TEXTS__SENDER": "+447400123456",
        "ACCOUNTS__TEXTS__API_BASE_URL": "http://127.0.0.1:9",
        "ACCOUNTS__MUSIC__CHANNEL": "sms",
        "ACCOUNTS__MUSIC__DEPARTMENT": "music",
        "ACCOUNTS__MUSIC__ACCOUNT_SID": ACCOUNT_SID,
        "ACCOUNTS__MUSIC__AUTH_TOKEN": AUTH_TOKEN,
        "ACCOUNTS__MUSIC__SENDER": "+447400123457",
        "ACCOUNTS__MUSIC__API_BASE_URL": "http://127.0.0.1:9",
    }
    settings = load(environ={f"CARILLON_{name}": value for name, value in environ.items()}, env_file=None)
    with assemble(settings, serves=True) as made:
        yield made


@pytest.fixture
async def client(house: House) -> AsyncIterator[httpx2.AsyncClient]:
    transport = httpx2.ASGITransport(create_app(house.ports, house.settings), raise_app_exceptions=True)
    async with httpx2.AsyncClient(transport=transport, base_url="http://testserver") as ready:
        yield ready


def counted(house: House, table: Any) -> int:
    with house.ledger.reading() as hand:
        return int(hand.connection.execute(select(func.count()).select_from(table)).scalar_one())


async def post(client: httpx2.AsyncClient, body: bytes, headers: dict[str, str], path: str = PATH) -> int:
    form = {"content-type": "application/x-www-form-urlencoded", **headers}
    return (await client.post(path, content=body, headers=form)).status_code


async def test_what_is_not_the_providers_is_403_and_nothing_is_written(
    house: House, client: httpx2.AsyncClient
) -> None:
    good = sign(PUBLIC_URL + PATH, TEXT)
    elsewhere = sign("https://other.example" + PATH, TEXT)
    listed = sign(PUBLIC_URL + PATH, urlencode(TEXT).encode() + b"&Body=START")
    for body, headers in (
        (good.body, {}),
        (good.body, dict(elsewhere.headers)),
        (good.body.replace(b"STOP", b"START"), dict(good.headers)),
        (listed.body, dict(listed.headers)),
        (b"\xff\xfe", dict(good.headers)),
        (b"x" * 20_000, dict(good.headers)),
    ):
        assert await post(client, body, headers) == 403
    assert await post(client, good.body, dict(good.headers), "/callbacks/texts/another") == 403
    assert await post(client, b"x" * 100_000, dict(good.headers)) == 413
    assert counted(house, t.receipt) == 0


async def test_a_text_that_is_played_again_is_204_and_is_written_once(
    house: House, client: httpx2.AsyncClient
) -> None:
    good = sign(PUBLIC_URL + PATH, TEXT)
    for _ in range(3):
        assert await post(client, good.body, dict(good.headers)) == 204
    assert counted(house, t.receipt) == 1
    confirm.drain_inbox(house.ports, actor=SYSTEM)
    assert await post(client, good.body, dict(good.headers)) == 204
    assert confirm.drain_inbox(house.ports, actor=SYSTEM) == 0
    assert (counted(house, t.suppression), counted(house, t.answer)) == (1, 1)


async def test_the_last_word_counts_whichever_of_a_channels_numbers_heard_it(
    house: House, client: httpx2.AsyncClient
) -> None:
    for n, (account, body) in enumerate([("texts", "hello"), ("music", "START"), ("texts", "STOP")]):
        path = f"/callbacks/{account}/inbound"
        good = sign(PUBLIC_URL + path, {**TEXT, "MessageSid": f"SM{n}" + "3" * 31, "Body": body})
        assert await post(client, good.body, dict(good.headers), path) == 204
    assert confirm.drain_inbox(house.ports, actor=SYSTEM) == 3
    assert counted(house, t.suppression) == 1


async def test_a_ledger_that_makes_callers_wait_asks_them_to_send_again_and_keeps_it_once(
    house: House, client: httpx2.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(inbox, "PATIENCE", timedelta(milliseconds=300))
    good = sign(PUBLIC_URL + PATH, TEXT)
    with house.ledger.begin() as tx:  # somebody writes for a long while
        tx.sweeps.beat("a test")
        for _ in range(2):
            assert await post(client, good.body, dict(good.headers)) == 503
        monkeypatch.setattr(inbox, "MOST_WAITING", 0)
        assert await post(client, good.body, dict(good.headers)) == 503
        monkeypatch.undo()
    assert await post(client, good.body, dict(good.headers)) == 204
    assert counted(house, t.receipt) == 1


@pytest.mark.parametrize(
    "fields", [{"From": "HMRC"}, {"From": "+4420"}, {"Body": ""}, {"Body": "\u202e\x00" * 50}]
)
async def test_an_odd_text_that_is_the_providers_is_taken_and_breaks_nothing(
    house: House, client: httpx2.AsyncClient, fields: dict[str, str]
) -> None:
    odd = sign(PUBLIC_URL + PATH, {**TEXT, **fields})
    plain = sign(PUBLIC_URL + PATH, {**TEXT, "MessageSid": "SM" + "4" * 32})
    assert await post(client, odd.body, dict(odd.headers)) == 204
    assert await post(client, plain.body, dict(plain.headers)) == 204
    assert confirm.drain_inbox(house.ports, actor=SYSTEM) == 2
    assert counted(house, t.suppression) == 1

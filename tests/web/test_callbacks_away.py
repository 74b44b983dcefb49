"""The database goes while providers call back: 503 and when to send again, nothing half kept, and on it goes."""

from __future__ import annotations

import asyncio
import logging
from pathlib import Path

import httpx2
import pytest
from sqlalchemy import func, select

from config.assembly import assemble
from config.settings import load
from ledger import tables as t
from ledger.migrate import upgrade
from sandbox.settings import ACCOUNT_SID, AUTH_TOKEN
from tests.channels.twilio_support import sign
from tests.support.postgres import PostgresServer
from web.app import create_app

PUBLIC_URL, PATH = "https://school.example", "/callbacks/texts/inbound"
FAMILIES = 25


async def test_a_database_that_is_away_is_a_503_for_each_and_one_line_in_the_log(
    postgres_server: PostgresServer, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    environ = {
        "DATA_DIR": str(tmp_path),
        "DATABASE_URL": postgres_server.fresh(),
        "SECRET_KEY": "a-secret-of-the-tests-and-of-nobody-else",
        "SANDBOX": "true",
        "PUBLIC_URL": PUBLIC_URL,
        "ACCOUNTS__TEXTS__CHANNEL": "sms",
        "ACCOUNTS__TEXTS__ACCOUNT_SID": ACCOUNT_SID,
        "ACCOUNTS__TEXTS__AUTH_TOKEN": AUTH_TOKEN,
        "ACCOUNTS__TEXTS__SENDER": "+447400123456",
        "ACCOUNTS__TEXTS__API_BASE_URL": "http://127.0.0.1:9",
    }
    settings = load(environ={f"CARILLON_{name}": value for name, value in environ.items()}, env_file=None)
    upgrade(settings.database_url)
    with assemble(settings, serves=True) as house:
        transport = httpx2.ASGITransport(create_app(house.ports, settings), raise_app_exceptions=True)
        async with httpx2.AsyncClient(transport=transport, base_url="http://testserver") as client:
            postgres_server.kill()
            with caplog.at_level(logging.WARNING):
                away = await asyncio.gather(*(stop(client, n) for n in range(FAMILIES)))
            assert {(one.status_code, one.headers.get("retry-after")) for one in away} == {(503, "60")}
            assert away[0].json()["code"] == "unavailable"
            assert [one.levelname for one in caplog.records if one.name == "web.inbox"] == ["ERROR"]
            postgres_server.restart()
            again = await asyncio.gather(*(stop(client, n) for n in range(FAMILIES)))
            assert {one.status_code for one in again} == {204}
        with house.ledger.reading() as hand:
            kept = hand.connection.execute(select(func.count()).select_from(t.receipt)).scalar_one()
    assert kept == FAMILIES


async def stop(client: httpx2.AsyncClient, number: int) -> httpx2.Response:
    """One family's text, signed; the same one each time."""
    fields = {"MessageSid": f"SM{number:032d}", "SmsStatus": "received", "From": "+447911123456", "To": "+44"}
    signed = sign(PUBLIC_URL + PATH, {**fields, "Body": "STOP"})
    headers = {"content-type": "application/x-www-form-urlencoded", **signed.headers}
    return await client.post(PATH, content=signed.body, headers=headers)

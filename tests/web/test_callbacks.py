"""Providers' callbacks: bounded, signature first, kept for the workers, and never a 500."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from typing import Any
from urllib.parse import quote

import httpx2
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import select

from ledger import tables as t
from tests.support.bell import CRACK, signature
from tests.support.tower import Tower

PUBLIC_URL = "https://bells.school.example/carillon"
PATH = "/callbacks/tower/some-token"
NEWS = json.dumps({"evidence": "delivered", "token": "some-token"}).encode()


def kept(tower: Tower) -> list[Any]:
    with tower.house.ledger.reading() as hand:
        return list(hand.connection.execute(select(t.receipt).order_by(t.receipt.c.id)))


def signed(body: bytes, path: str = PATH) -> dict[str, str]:
    return {"X-Bell-Signature": signature(PUBLIC_URL + path, body), "Content-Type": "application/json"}


async def test_a_signed_callback_is_kept_whole_and_answered_with_nothing(
    tower: Tower, client: httpx2.AsyncClient
) -> None:
    headers = signed(NEWS, f"{PATH}?part=1&of=2")
    answer = await client.post(
        f"{PATH}?part=1&of=2", content=NEWS, headers={**headers, "X-Other": "not kept"}
    )
    assert (answer.status_code, answer.content) == (204, b"")
    [row] = kept(tower)
    assert row.url == f"{PUBLIC_URL}{PATH}?part=1&of=2"
    assert row.body == NEWS
    assert set(json.loads(row.headers)) == {"x-bell-signature", "content-type"}


async def test_the_address_is_our_own_and_never_what_the_caller_calls_us(
    tower: Tower, client: httpx2.AsyncClient
) -> None:
    lies = {"Host": "evil.example", "X-Forwarded-Host": "evil.example", "X-Forwarded-Proto": "http"}
    answer = await client.post(PATH, content=NEWS, headers={**signed(NEWS), **lies})
    assert answer.status_code == 204
    assert kept(tower)[0].url.startswith(PUBLIC_URL)


@pytest.mark.parametrize("headers", [{}, {"X-Bell-Signature": "no"}, {"X-Bell-Signature": "x" * 2000}])
async def test_without_its_signature_nothing_is_kept(
    tower: Tower, client: httpx2.AsyncClient, headers: dict[str, str]
) -> None:
    answer = await client.post(PATH, content=NEWS, headers=headers)
    assert answer.status_code == 403
    assert set(answer.json()) == {"code", "field", "message", "hint"}
    assert not kept(tower)


async def test_a_signature_for_another_address_does_not_hold(client: httpx2.AsyncClient) -> None:
    answer = await client.post("/callbacks/tower/other-token", content=NEWS, headers=signed(NEWS))
    assert answer.status_code == 403


@pytest.mark.parametrize(
    "path", ["/callbacks/nobody/token", "/callbacks/tower/", "/callbacks", "/nothing", "/docs"]
)
async def test_what_is_not_there_is_all_the_same(client: httpx2.AsyncClient, path: str) -> None:
    answer = await client.post(path, content=NEWS, headers=signed(NEWS))
    assert answer.status_code == 404
    assert answer.json()["code"] == "not_found"


async def test_a_get_is_told_that_it_cannot_be_done(client: httpx2.AsyncClient) -> None:
    answer = await client.get(PATH)
    assert answer.status_code == 405
    assert answer.json()["code"] == "method_not_allowed"


async def test_a_body_is_given_up_as_soon_as_it_is_too_long(tower: Tower, client: httpx2.AsyncClient) -> None:
    pulled = 0

    async def endless() -> AsyncIterator[bytes]:
        nonlocal pulled
        for _ in range(1000):
            pulled += 1
            yield b"x" * 16_384

    answer = await client.post(PATH, content=endless(), headers=signed(NEWS))
    assert answer.status_code == 413
    assert pulled <= 6
    assert not kept(tower)


async def test_a_channel_that_breaks_on_a_callback_is_not_believed(
    tower: Tower, client: httpx2.AsyncClient
) -> None:
    answer = await client.post(PATH, content=CRACK, headers=signed(CRACK))
    assert (answer.status_code, answer.json()["code"]) == (400, "not_understood")
    assert not kept(tower)


async def test_a_ledger_that_is_away_is_a_calm_503(tower: Tower, client: httpx2.AsyncClient) -> None:
    with tower.house.ledger.begin() as tx:
        tx.hand.run("ALTER TABLE receipt RENAME TO receipt_elsewhere")
    answer = await client.post(PATH, content=NEWS, headers=signed(NEWS))
    assert answer.status_code == 503
    assert answer.headers["retry-after"] == "60"
    assert answer.json()["code"] == "unavailable"


async def test_every_answer_carries_the_headers_of_a_careful_house(client: httpx2.AsyncClient) -> None:
    for answer in (await client.get("/healthz"), await client.get("/nothing")):
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert answer.headers["cache-control"] == "no-store"


async def test_health_is_the_ledgers(tower: Tower, client: httpx2.AsyncClient) -> None:
    answer = await client.get("/healthz")
    assert (answer.status_code, answer.json()) == (200, {"ok": True})


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(body=st.binary(max_size=300), sign=st.booleans(), token=st.text(min_size=1, max_size=30))
async def test_whatever_is_posted_the_answer_is_calm(
    client: httpx2.AsyncClient, body: bytes, sign: bool, token: str
) -> None:
    url = httpx2.URL(f"http://testserver/callbacks/tower/{quote(token, safe='')}")
    headers = signed(body, url.raw_path.decode()) if sign else {}
    answer = await client.post(url, content=body, headers=headers)
    assert answer.status_code in {204, 403, 404, 405}

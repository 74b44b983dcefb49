"""The page behind "I have seen this": a scanner's look counts nothing, the button does; forged and replayed links."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import httpx2
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import func, select, text

from broker import fanout, intake
from broker.actor import SYSTEM
from broker.announcement import Announcement, Draft, Part, People, Step
from broker.ladders import links
from broker.ladders.ladder import Ladder, Opening
from broker.rosters.imports import import_roster
from config.assembly import House, assemble
from config.settings import load
from ledger import tables as t
from tests.support.school import SmallSchool
from web.app import create_app

pytestmark = pytest.mark.runs_on("sqlite")
PUBLIC_URL = "https://school.example"


@pytest.fixture
def house(sqlite_ledger: str, tmp_path: Path) -> Iterator[House]:
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
    configured = load(environ={f"CARILLON_{name}": value for name, value in environ.items()}, env_file=None)
    school = SmallSchool()
    school.guardian(
        "Mum", school.pupil("Amy", "Choir"), school.pupil("Ben", "Choir"), emails=("mum@example.org",)
    )
    with assemble(configured, serves=True) as made:
        import_roster(made.ports, school.roster(), actor=SYSTEM)
        yield made


@pytest.fixture
def said(house: House) -> Announcement:
    words = {Part.TITLE: "{pupil} and <the> coach", Part.LONG: "It leaves at eight."}
    asked = Ladder((Opening(),), seen=True)
    draft = Draft("office", "Choir", People.GUARDIANS, (Step(("email",)),), words, ladder=asked)
    made = intake.accept(house.ports, draft, actor=SYSTEM).announcement
    fanout.plan(house.ports, made.public_id, actor=SYSTEM)
    return made


@pytest.fixture
def link(house: House, said: Announcement) -> str:
    with house.ledger.reading() as hand:
        delivery = hand.connection.execute(select(t.delivery.c.id)).scalar_one()
    return links.link_of(house.ports.signer, "", delivery)


@pytest.fixture
async def client(house: House) -> AsyncIterator[httpx2.AsyncClient]:
    transport = httpx2.ASGITransport(create_app(house.ports, house.settings), raise_app_exceptions=True)
    async with httpx2.AsyncClient(transport=transport, base_url="http://testserver") as ready:
        yield ready


def counted(house: House) -> tuple[int, int]:
    """(what was said, duties acknowledged)."""
    with house.ledger.reading() as hand:
        said = hand.connection.execute(select(func.count()).select_from(t.acknowledgement)).scalar_one()
        duties = select(func.count()).where(t.duty.c.acknowledged_at.is_not(None))
        return said, hand.connection.execute(duties).scalar_one()


async def test_a_scanner_that_opens_the_link_counts_nothing(
    house: House, client: httpx2.AsyncClient, link: str
) -> None:
    for _ in range(3):
        assert (await client.head(link)).status_code == 200
        assert (await client.get(link)).status_code == 200
    answer = await client.get(link)
    assert "I have seen this</button>" in answer.text
    # No name on a page that a link alone opens.
    assert "your child and &lt;the&gt; coach" in answer.text.lower()
    assert "Amy" not in answer.text
    assert counted(house) == (0, 0)


async def test_the_button_counts_once_for_each_child_however_often_it_is_pressed(
    house: House, client: httpx2.AsyncClient, link: str
) -> None:
    for _ in range(3):
        answer = await client.post(link, data={"do": "seen"})
        assert answer.status_code == 200
        assert 'role="status"' in answer.text
        assert "set-cookie" not in answer.headers
        assert answer.headers["cache-control"] == "no-store"
    assert counted(house) == (2, 2)
    assert "<button" not in (await client.get(link)).text


async def test_a_post_that_says_something_else_counts_nothing(
    house: House, client: httpx2.AsyncClient, link: str
) -> None:
    headers = {"content-type": "application/x-www-form-urlencoded"}
    for body in (b"", b"do=", b"do=stop", b"do=seen&do=seen", b"do=seen&x=1", b"\xff", b"do[]=seen"):
        answer = await client.post(link, content=body, headers=headers)
        assert answer.status_code == 400, body
    assert (await client.post(link, content=b"x" * 5000, headers=headers)).status_code == 413
    assert counted(house) == (0, 0)


async def test_a_forged_link_is_nobodys(house: House, client: httpx2.AsyncClient, link: str) -> None:
    body, _, mac = link.removeprefix("/s/").partition(".")
    for wrong in (
        f"{body}.{mac[:-1]}",
        f"{body}.{mac[::-1]}",
        f"OTk.{mac}",
        mac,
        "1",
        "x" * 300,
        "a.b",
        "%00",
        "%ff",
    ):
        for answer in (
            await client.get(f"/s/{wrong}"),
            await client.post(f"/s/{wrong}", data={"do": "seen"}),
        ):
            assert answer.status_code == 404, wrong
            assert "coach" not in answer.text
    assert counted(house) == (0, 0)


@settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.text(max_size=80))
def test_no_token_made_up_is_taken(token: str) -> None:
    from config.signer import HmacSigner

    assert links.delivery_of(HmacSigner(b"a secret of the tests"), token) is None


async def test_what_is_over_says_so_and_counts_nothing(
    house: House, client: httpx2.AsyncClient, said: Announcement, link: str
) -> None:
    intake.withdraw(house.ports, said.public_id, actor=SYSTEM)
    assert (await client.get(link)).status_code == 410
    assert (await client.post(link, data={"do": "seen"})).status_code == 410
    assert counted(house) == (0, 0)


async def test_who_said_so_in_time_is_thanked_for_ever(
    house: House, client: httpx2.AsyncClient, link: str
) -> None:
    await client.post(link, data={"do": "seen"})
    with house.ledger.begin() as tx:
        tx.hand.connection.execute(text("UPDATE announcement SET expires_at = '2020-01-01 00:00:00'"))
    answer = await client.get(link)
    assert (answer.status_code, "Thank you" in answer.text) == (200, True)

"""One account, three gateways, one door: news finds its own attempt, by its own proof, and no other's."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import httpx2
import pytest
from sqlalchemy import func, select

from broker import confirm, fanout, intake
from broker.actor import SYSTEM
from broker.announcement import Draft, Part, People, Step
from broker.rosters.imports import import_roster
from config.assembly import House, assemble
from config.settings import Settings, load
from ledger import tables as t
from sandbox.settings import ACCOUNT_SID, AUTH_TOKEN
from sandbox.stand_ins import notify, sinch
from tests.channels.sinch_support import called as by_sinch
from tests.channels.twilio_support import sign as by_twilio
from tests.support.school import SmallSchool
from web.app import create_app

PUBLIC_URL = "https://bells.school.example/carillon"
NOWHERE = "http://127.0.0.1:9"
GATEWAYS = ("twilio", "notify", "sinch")
SAME = "5a4db0c5-0000-4000-8000-000000000001"  # an id that all three have given
TEXTS = "CARILLON_ACCOUNTS__TEXTS__"


@dataclass(frozen=True)
class Posted:
    """What a provider posts, to a path of ours."""

    path: str
    body: bytes
    headers: Mapping[str, str]


@dataclass
class ThreeWays:
    """A school with one text uncertain with each gateway: `deliveries` and `tokens` by gateway."""

    settings: Settings
    house: House
    deliveries: dict[str, int]
    tokens: dict[str, str]

    def states(self) -> dict[str, str]:
        """How the delivery stands that each gateway had."""
        query = select(t.delivery.c.id, t.delivery.c.state)
        with self.house.ledger.reading() as hand:
            found = {row.id: row.state for row in hand.connection.execute(query)}
        return {gateway: found[delivery] for gateway, delivery in self.deliveries.items()}

    def kept(self) -> int:
        """How many callbacks the door kept."""
        with self.house.ledger.reading() as hand:
            return int(hand.connection.execute(select(func.count()).select_from(t.receipt)).scalar_one())

    def confirm(self) -> None:
        confirm.drain_inbox(self.house.ports, actor=SYSTEM)


def environ(url: str, folder: Path) -> dict[str, str]:
    blocks = {"NOTIFY": notify.settings(NOWHERE), "SINCH": sinch.settings(NOWHERE)}
    return {
        "CARILLON_DATA_DIR": str(folder / "var"),
        "CARILLON_DATABASE_URL": url,
        "CARILLON_SANDBOX": "true",
        "CARILLON_SECRET_KEY": "a-secret-of-the-tests-and-of-nobody-else",
        "CARILLON_PUBLIC_URL": PUBLIC_URL,
        TEXTS + "CHANNEL": "sms",
        TEXTS + "ACCOUNT_SID": ACCOUNT_SID,
        TEXTS + "AUTH_TOKEN": AUTH_TOKEN,
        TEXTS + "SENDER": "+447400123456",
        TEXTS + "API_BASE_URL": NOWHERE,
        TEXTS + "GATEWAYS": ",".join(GATEWAYS),
        **{
            f"{TEXTS}{block}__{name.upper()}": str(value)
            for block, told in blocks.items()
            for name, value in told.items()
        },
    }


@pytest.fixture
def three(ledger_url: str, tmp_path: Path) -> Iterator[ThreeWays]:
    settings = load(environ=environ(ledger_url, tmp_path), env_file=None)
    with assemble(settings, serves=True) as house:
        school = SmallSchool()
        for n in range(len(GATEWAYS)):
            school.guardian(f"Parent{n}", school.pupil(f"Pupil{n}"), mobiles=(f"+44791112340{n}",))
        import_roster(house.ports, school.roster(), actor=SYSTEM, expect_leaving=None)
        draft = Draft(
            department="office",
            audience="everyone",
            people=People.GUARDIANS,
            ways=(Step(("sms",)),),
            parts={Part.SHORT: "The coach leaves at eight."},
        )
        said = intake.accept(house.ports, draft, actor=SYSTEM).announcement
        fanout.plan(house.ports, said.public_id, actor=SYSTEM)
        deliveries, tokens = in_doubt(house)
        yield ThreeWays(settings, house, deliveries, tokens)


def in_doubt(house: House) -> tuple[dict[str, int], dict[str, str]]:
    """One delivery has been tried at each gateway; nobody heard what came of it, though each gave it the same id."""
    deliveries, tokens = {}, {}
    with house.ledger.begin() as tx:
        run = tx.hand.connection.execute
        found = run(select(t.delivery.c.id, t.delivery.c.account_id).order_by(t.delivery.c.id)).all()
        for gateway, row in zip(GATEWAYS, found, strict=True):
            tried = {
                "delivery_id": row.id, "fence": 1, "account_id": row.account_id, "gateway": gateway,
                "digest": "0" * 64, "started_at": tx.now, "provider_id": SAME,
            }  # fmt: skip
            attempt = run(t.attempt.insert().values(tried).returning(t.attempt.c.id)).scalar_one()
            run(t.delivery.update().where(t.delivery.c.id == row.id).values(state="uncertain", fence=1))
            deliveries[gateway] = row.id
            tokens[gateway] = house.ports.signer.sign("attempt", str(attempt))
    return deliveries, tokens


@pytest.fixture
async def client(three: ThreeWays) -> AsyncIterator[httpx2.AsyncClient]:
    transport = httpx2.ASGITransport(create_app(three.house.ports, three.settings), raise_app_exceptions=True)
    async with httpx2.AsyncClient(transport=transport, base_url="http://testserver") as ready:
        yield ready


def of_twilio(token: str, secret: str = AUTH_TOKEN) -> Posted:
    path = f"/callbacks/texts/{token}"
    told = {"AccountSid": ACCOUNT_SID, "MessageSid": SAME, "MessageStatus": "delivered"}
    made = by_twilio(PUBLIC_URL + path, told, secret)
    return Posted(path, made.body, {**made.headers, "Content-Type": "application/x-www-form-urlencoded"})


def of_notify(token: str, secret: str = notify.CALLBACK_TOKEN) -> Posted:
    told = {
        "id": SAME,
        "reference": f"{token}.{'0' * 12}",
        "to": "+447911123400",
        "status": "delivered",
        "notification_type": "sms",
    }
    headers = {"Authorization": f"Bearer {secret}", "Content-Type": "application/json"}
    return Posted("/callbacks/texts/notify", json.dumps(told).encode(), headers)


def of_sinch(token: str, secret: str = sinch.SECRET) -> Posted:
    told = {
        "type": "recipient_delivery_report_sms",
        "batch_id": SAME,
        "recipient": "447911123400",
        "status": "Delivered",
        "code": 0,
        "client_reference": f"{token}.{'0' * 12}",
    }
    made = by_sinch(told, secret=secret)
    headers = {**made.headers, "Content-Type": "application/json"}
    return Posted(f"/callbacks/texts/{token}", made.body, headers)


News = Callable[..., Posted]
NEWS: Mapping[str, News] = {"twilio": of_twilio, "notify": of_notify, "sinch": of_sinch}
each_gateway = pytest.mark.parametrize("gateway", GATEWAYS)


async def post(client: httpx2.AsyncClient, posted: Posted) -> int:
    answer = await client.post(posted.path, content=posted.body, headers=dict(posted.headers))
    return answer.status_code


async def test_each_providers_receipt_finds_its_own_attempt(
    three: ThreeWays, client: httpx2.AsyncClient
) -> None:
    for place, gateway in enumerate(reversed(GATEWAYS), 1):
        assert await post(client, NEWS[gateway](three.tokens[gateway])) == 204
        three.confirm()
        told = set(list(reversed(GATEWAYS))[:place])
        assert three.states() == {one: "delivered" if one in told else "uncertain" for one in GATEWAYS}


@each_gateway
async def test_an_id_that_all_have_given_confirms_the_attempt_of_the_one_that_calls_and_no_other(
    three: ThreeWays, client: httpx2.AsyncClient, gateway: str
) -> None:
    """Without a token of ours the provider's own id is all there is to go by."""
    assert await post(client, NEWS[gateway]("lost")) == 204
    three.confirm()
    assert three.states() == {one: "delivered" if one == gateway else "uncertain" for one in GATEWAYS}


@each_gateway
async def test_a_forged_receipt_is_refused_and_not_kept(
    three: ThreeWays, client: httpx2.AsyncClient, gateway: str
) -> None:
    forged = NEWS[gateway](three.tokens[gateway], secret="a guess")
    assert await post(client, forged) == 403
    bare = Posted(forged.path, forged.body, {"Content-Type": forged.headers["Content-Type"]})
    assert await post(client, bare) == 403
    assert three.kept() == 0


@each_gateway
@pytest.mark.parametrize(
    "body", [b"[" * 50_000, b"\xff\x00=", b'{"id": '], ids=["deep", "bytes", "cut short"]
)
async def test_a_forged_receipt_is_refused_before_anything_of_it_is_parsed(
    three: ThreeWays, client: httpx2.AsyncClient, gateway: str, body: bytes
) -> None:
    """What would break a parser is refused like any other: 403, never a 400 or a 500."""
    forged = NEWS[gateway](three.tokens[gateway], secret="a guess")
    assert await post(client, Posted(forged.path, body, forged.headers)) == 403
    assert three.kept() == 0


async def test_one_gateways_words_under_anothers_proof_confirm_nothing(
    three: ThreeWays, client: httpx2.AsyncClient
) -> None:
    """Each is read as what its proof says it is."""
    words, proof = of_notify(three.tokens["notify"]), of_sinch(three.tokens["sinch"])
    assert await post(client, Posted(words.path, words.body, proof.headers)) == 403
    under_sinch = by_sinch(words.body)
    assert await post(client, Posted(words.path, under_sinch.body, under_sinch.headers)) in {204, 403}
    under_bearer = Posted(proof.path, proof.body, words.headers)
    assert await post(client, under_bearer) == 403
    three.confirm()
    assert set(three.states().values()) == {"uncertain"}

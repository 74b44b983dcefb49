"""1,000 families, a tenth of numbers dead, a tenth of mails bouncing: met by text, by mail, or on the slip sheet.

The whole school, embedded on SQLite: texts through Twilio's stand-in, which calls back; mails through a real Postfix,
whose reports are read from a Maildir. By its deadline every duty is met or on the sheet, and nobody is told twice by
the same way.
"""

from __future__ import annotations

import socket
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import func, select

from broker import intake
from broker.actor import SYSTEM
from broker.announcement import Announcement, Draft, Part, People, Step
from broker.ladders.ladder import Ladder, Opening
from broker.rosters.imports import import_roster
from config.assembly import House, assemble
from config.settings import load
from ledger import tables as t
from ledger.reads.ladders import Climber, climbers
from ledger.reads.status import status
from sandbox.client import RunningSandbox, start_sandbox
from tests.support.postfix import DOMAIN, LOOPBACK, MAILBOXES, PostfixServer
from tests.support.school import SmallSchool
from tests.support.tower import within
from web.app import create_app
from web.serve import serving
from workers.embedded import EmbeddedWorker

pytestmark = [pytest.mark.slow, pytest.mark.timeout(900), pytest.mark.runs_on("sqlite")]

FAMILIES = 1_000
MAIL_AFTER, SHEET_AFTER = timedelta(seconds=60), timedelta(seconds=100)
LATE = timedelta(seconds=5)  # a turn of the worker, on a busy machine


def number(n: int) -> str:
    return f"+4479{11000000 + n:08d}"


def dead(n: int) -> bool:
    return n % 10 == 0


def bounces(n: int) -> bool:
    return (n // 10) % 10 == 0


def busy(n: int) -> bool:
    """Its provider breaks whenever it is asked: whether it was accepted is not known before the deadline."""
    return n % 200 == 33


def without_number(n: int) -> bool:
    return n % 100 == 15


def without_mail(n: int) -> bool:
    return n in {215, 615}


def on_paper(n: int) -> bool:
    return (dead(n) and bounces(n)) or (without_number(n) and without_mail(n))


def by_mail(n: int) -> bool:
    return (dead(n) or busy(n) or without_number(n)) and not on_paper(n)


@pytest.fixture
def postfix() -> Iterator[PostfixServer]:
    good = {f"p{n}@home.example": "families" for n in range(FAMILIES) if not bounces(n)}
    server = PostfixServer({**MAILBOXES, **good}).start()
    yield server
    server.stop()


@pytest.fixture
def sandbox(tmp_path: Path) -> Iterator[RunningSandbox]:
    """Half of the dead numbers are refused at once, the others found to be dead later, and told by a callback."""
    dead_ones = [number(n) for n in range(FAMILIES) if dead(n)]
    with start_sandbox(tmp_path / "truth.jsonl", flags=["--callbacks", "final"]) as running:
        running.control.order(
            {"service": "twilio", "kind": "error", "code": 21211, "to": dead_ones[::2]},
            {"service": "twilio", "kind": "undelivered", "code": 30005, "to": dead_ones[1::2]},
            {"service": "twilio", "kind": "503", "to": [number(n) for n in range(FAMILIES) if busy(n)]},
        )
        yield running


@pytest.fixture
def house(
    sqlite_ledger: str, tmp_path: Path, sandbox: RunningSandbox, postfix: PostfixServer
) -> Iterator[House]:
    with ExitStack() as held:
        port = _free_port()
        environ = {
            "DATA_DIR": str(tmp_path / "var"),
            "DATABASE_URL": sqlite_ledger,
            "SANDBOX": "true",
            "PUBLIC_URL": f"http://{LOOPBACK}:{port}",
            "ACCOUNTS__TEXTS__CHANNEL": "sms",
            "ACCOUNTS__TEXTS__ACCOUNT_SID": sandbox.account_sid,
            "ACCOUNTS__TEXTS__AUTH_TOKEN": sandbox.auth_token,
            "ACCOUNTS__TEXTS__SENDER": "+447400123456",
            "ACCOUNTS__TEXTS__API_BASE_URL": sandbox.twilio_url,
            "ACCOUNTS__MAILS__CHANNEL": "email",
            "ACCOUNTS__MAILS__HOST": LOOPBACK,
            "ACCOUNTS__MAILS__PORT": str(postfix.port),
            "ACCOUNTS__MAILS__SECURITY": "none",
            "ACCOUNTS__MAILS__SENDER": f"office@{DOMAIN}",
            "ACCOUNTS__MAILS__REPLY_TO": f"office@{DOMAIN}",
            "ACCOUNTS__MAILS__RETURN_PATH": f"bounces@{DOMAIN}",
            "MAILBOXES__BOUNCES__MAILDIR": str(postfix.maildir("bounces")),
            "MAILBOXES__BOUNCES__EVERY": "1",
        }
        configured = load(environ={f"CARILLON_{name}": each for name, each in environ.items()}, env_file=None)
        made = held.enter_context(assemble(configured, serves=True))
        import_roster(made.ports, _thousand().roster(), actor=SYSTEM, expect_leaving=None)
        with made.ledger.begin() as tx:
            changed = {**tx.rules.current().changed, "ladders.least": "5 s"}
            tx.rules.add(changed, by=SYSTEM, why="a test's time is short")
        held.enter_context(serving(create_app(made.ports, made.settings), LOOPBACK, port))
        held.enter_context(EmbeddedWorker(made))
        # Its connections live on the worker's loop, which ends with the worker.
        held.callback(lambda: made.ports.channels.open("texts").close())
        yield made


def test_every_duty_is_met_by_text_by_mail_or_stands_on_the_slip_sheet_by_its_deadline(
    house: House, sandbox: RunningSandbox, postfix: PostfixServer
) -> None:
    ladder = Ladder((Opening(MAIL_AFTER), Opening(SHEET_AFTER)))
    words = {Part.TITLE: "Closed", Part.SHORT: "{pupil}: school closes at noon."}
    ways = (Step(("sms",)), Step(("email",)))
    draft = Draft("office", "Choir", People.GUARDIANS, ways, words, ladder=ladder)
    said = intake.accept(house.ports, draft, actor=SYSTEM).announcement
    wanted = {n for n in range(FAMILIES) if on_paper(n)}
    stands = {"met": FAMILIES - len(wanted), "open": 0, "lapsed": len(wanted)}
    assert within(SHEET_AFTER.total_seconds() + 30, lambda: duties(house, said) == stands), duties(
        house, said
    )
    intake.withdraw(house.ports, said.public_id, actor=SYSTEM)
    told = {int(one.name.split()[0].removeprefix("Pupil")): one for one in everybody(house, said)}
    assert {n for n, one in told.items() if one.rung == 2} == wanted
    assert {n for n, one in told.items() if one.state == "lapsed"} == wanted
    assert {n for n, one in told.items() if one.rungs[1].opened_at} == {
        n for n in range(FAMILIES) if by_mail(n) or on_paper(n)
    }
    late = [
        rung.step
        for one in told.values()
        for rung, after in zip(one.rungs[1:], (MAIL_AFTER, SHEET_AFTER), strict=True)
        if rung.opened_at and rung.opened_at > said.due_at + after + LATE
    ]
    assert late == []
    assert told[15].rungs[0].outcome == "not applicable"
    assert told[10].rungs[0].outcome == "failed"
    assert told[33].rungs[1].why in {"deadline_nearer", "uncertain"}
    nobody_twice(house, said, sandbox, postfix)


def nobody_twice(house: House, said: Announcement, sandbox: RunningSandbox, postfix: PostfixServer) -> None:
    texts = Counter(entry["to"] for entry in sandbox.truth("sms"))
    assert max(texts.values()) == 1
    got = Counter(_delivered_to(file) for file in (postfix.maildir("families") / "new").iterdir())
    assert set(got) == {f"p{n}@home.example" for n in range(FAMILIES) if by_mail(n)}
    assert max(got.values()) == 1
    d = t.delivery.c
    with house.ledger.reading() as hand:
        twice = (
            select(d.channel, d.address_id, func.count().label("n"))
            .where(d.announcement_id == said.id)
            .group_by(d.channel, d.address_id)
            .having(func.count() > 1)
        )
        assert hand.connection.execute(twice).all() == []


def everybody(house: House, said: Announcement) -> list[Climber]:
    with house.ledger.reading() as hand, house.ledger.look() as tx:
        return list(climbers(hand, tx.announcements.by_id(said.id), limit=2 * FAMILIES))


def duties(house: House, said: Announcement) -> dict[str, int]:
    with house.ledger.reading() as hand:
        found = status(hand, said.public_id)
    assert found is not None
    return {state.value: n for state, n in found.duties.items()}


def _thousand() -> SmallSchool:
    school = SmallSchool()
    for n in range(FAMILIES):
        school.guardian(
            f"Parent{n}",
            school.pupil(f"Pupil{n}", "Choir"),
            mobiles=() if without_number(n) else (number(n),),
            emails=() if without_mail(n) else (f"p{n}@home.example",),
        )
    return school


def _delivered_to(file: Path) -> str:
    lines = file.read_text("utf-8", "replace").splitlines()
    return next(line.partition(":")[2].strip() for line in lines if line.startswith("Delivered-To:"))


def _free_port() -> int:
    with socket.socket() as found:
        found.bind((LOOPBACK, 0))
        return int(found.getsockname()[1])

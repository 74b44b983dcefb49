"""A real Postfix sends a mail back: its address is marked, the duty is unmet, and nothing more goes there.

The whole school, embedded on SQLite: the mail leaves by our own gateway under its signed return path, the Postfix finds
that nobody is there, and its report is read from a Maildir, or over IMAP from a real Dovecot.
"""

from __future__ import annotations

import smtplib
from collections.abc import Iterator
from email.message import EmailMessage
from pathlib import Path
from uuid import UUID

import pytest
from sqlalchemy import select

from broker import intake
from broker.actor import SYSTEM, Actor, ActorKind
from broker.address import AddressKind
from broker.announcement import Announcement, Draft, Part, People, Step
from broker.incoming import answers
from broker.office.doubtful import Doubt
from broker.rosters.imports import import_roster
from config.assembly import House, assemble
from config.settings import load
from ledger import tables as t
from ledger.reads.doubtful import doubtful
from ledger.reads.reach import after
from ledger.reads.reached import reached
from tests.support.dovecot import DovecotServer
from tests.support.postfix import DOMAIN, LOOPBACK, PostfixServer
from tests.support.school import SmallSchool
from tests.support.tower import within
from workers.embedded import EmbeddedWorker

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300), pytest.mark.runs_on("sqlite")]


@pytest.fixture(scope="module")
def postfix() -> Iterator[PostfixServer]:
    server = PostfixServer().start()
    yield server
    server.stop()


def school_over(database: str, folder: Path, postfix: PostfixServer, **more: str) -> House:
    environ = {
        "CARILLON_DATA_DIR": str(folder / "var"),
        "CARILLON_DATABASE_URL": database,
        "CARILLON_SANDBOX": "true",
        "CARILLON_ACCOUNTS__MAILS__CHANNEL": "email",
        "CARILLON_ACCOUNTS__MAILS__HOST": LOOPBACK,
        "CARILLON_ACCOUNTS__MAILS__PORT": str(postfix.port),
        "CARILLON_ACCOUNTS__MAILS__SECURITY": "none",
        "CARILLON_ACCOUNTS__MAILS__SENDER": f"office@{DOMAIN}",
        "CARILLON_ACCOUNTS__MAILS__REPLY_TO": f"office@{DOMAIN}",
        "CARILLON_ACCOUNTS__MAILS__RETURN_PATH": f"bounces@{DOMAIN}",
        "CARILLON_MAILBOXES__BOUNCES__EVERY": "1",
        **more,
    }
    return assemble(load(environ=environ, env_file=None), serves=True)


def bring(house: House) -> None:
    school = SmallSchool()
    school.guardian("Mum", school.pupil("Amy", "Choir"), emails=("parent@home.example",))
    school.guardian("Dad", school.pupil("Ben", "Choir"), emails=("gone@home.example",))
    import_roster(house.ports, school.roster(), actor=SYSTEM, expect_leaving=None)


def announce(house: House) -> Announcement:
    words = {Part.TITLE: "The coach", Part.LONG: "The coach leaves at eight."}
    draft = Draft("office", "Choir", People.GUARDIANS, (Step(("email",)),), words)
    return intake.accept(house.ports, draft, actor=SYSTEM).announcement


def states(house: House, said: Announcement) -> list[str]:
    query = select(t.delivery.c.state).where(t.delivery.c.announcement_id == said.id)
    with house.ledger.reading() as hand:
        return sorted(hand.connection.execute(query).scalars())


def test_an_unknown_mailbox_is_marked_and_its_duty_unmet(
    sqlite_ledger: str, tmp_path: Path, postfix: PostfixServer
) -> None:
    inbox = {"CARILLON_MAILBOXES__BOUNCES__MAILDIR": str(postfix.maildir("bounces"))}
    with school_over(sqlite_ledger, tmp_path, postfix, **inbox) as house:
        bring(house)
        with EmbeddedWorker(house):
            said = announce(house)
            assert within(30, lambda: states(house, said) == ["rejected", "sent"])
            with house.ledger.reading() as hand:
                [marked] = doubtful(hand, doubts=[Doubt.BOUNCED])
                [unmet] = reached(hand, said, unmet=True)
                statement = after(hand, said, {"email": AddressKind.EMAIL})
            assert marked.masked.startswith("g")
            assert unmet.name == "Ben Bell"
            assert (statement.people, statement.reached) == (2, 1)
            assert [one.name for one in statement.untold] == ["Ben Bell"]
            again = announce(house)
            assert within(30, lambda: states(house, again) == ["refused", "sent"])


def test_a_reply_read_over_imap_is_kept_and_answered_once(
    sqlite_ledger: str, tmp_path: Path, postfix: PostfixServer
) -> None:
    dovecot = DovecotServer(postfix.maildir("office")).start()
    try:
        imap = {
            "HOST": LOOPBACK,
            "PORT": str(dovecot.port),
            "USERNAME": "office",
            "PASSWORD": dovecot.password,
            "CA_FILE": str(dovecot.certificate),
            "EVERY": "1",
        }
        inbox = {f"CARILLON_MAILBOXES__OFFICE__{name}": value for name, value in imap.items()}
        bounces = {"CARILLON_MAILBOXES__BOUNCES__MAILDIR": str(postfix.maildir("bounces"))}
        with school_over(sqlite_ledger, tmp_path, postfix, **inbox, **bounces) as house:
            bring(house)
            with EmbeddedWorker(house):
                said = announce(house)
                assert within(30, lambda: "sent" in states(house, said))
                assert within(30, lambda: read_once(house, "office"))
                _reply(postfix, "Thank you! See you at eight.")
                assert within(30, lambda: len(kept(house)) == 1)
                [answer] = kept(house)
                shown = answers.show(house.ports, answer, actor=Actor(ActorKind.PERSON, "Mrs Bell"))
                assert "See you at eight" in shown.text
                assert shown.announcement == said.public_id
                assert within(30, lambda: len(_mails(postfix, "parent", "not read live")) == 1)
            [told] = _mails(postfix, "parent", "not read live")
            assert "Auto-Submitted: auto-generated" in told
            assert "999" in told
    finally:
        dovecot.stop()


def read_once(house: House, mailbox: str) -> bool:
    """Whether the mailbox has been read, and so begins where new mails will be."""
    query = select(t.mailbox.c.position).where(t.mailbox.c.name == mailbox)
    with house.ledger.reading() as hand:
        return bool(hand.connection.execute(query).scalar_one_or_none())


def kept(house: House) -> list[UUID]:
    with house.ledger.reading() as hand:
        return list(hand.connection.execute(select(t.answer.c.public_id)).scalars())


def _reply(postfix: PostfixServer, text: str) -> None:
    announced = _mails(postfix, "parent", "The coach leaves")[-1]
    name = next(line for line in announced.splitlines() if line.lower().startswith("message-id:"))
    mail = EmailMessage()
    mail["From"], mail["To"], mail["Subject"] = (
        "Mum <parent@home.example>",
        f"office@{DOMAIN}",
        "Re: The coach",
    )
    mail["In-Reply-To"] = name.partition(":")[2].strip()
    mail.set_content(text)
    with smtplib.SMTP(LOOPBACK, postfix.port) as smtp:
        smtp.send_message(mail)


def _mails(postfix: PostfixServer, mailbox: str, saying: str) -> list[str]:
    """What lies in a mailbox and says so, the oldest first."""
    folder = postfix.maildir(mailbox) / "new"
    files = sorted(folder.iterdir(), key=lambda file: file.stat().st_mtime) if folder.is_dir() else ()
    return [
        text for file in files if saying in (text := file.read_text("utf-8", "replace").replace("=20", " "))
    ]

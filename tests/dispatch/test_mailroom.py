"""The mailroom: each mailbox has one turn in a while, what was read is written with how far, and away is told."""

from __future__ import annotations

import mailbox
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import select
from sqlalchemy.exc import DBAPIError

from broker.actor import SYSTEM
from broker.errors import NotFound
from broker.incoming import mails
from broker.incoming.answering import WordList
from broker.incoming.mails import ALARM_ASIDE, Taken
from config import mailroom
from config.mailroom import Mailroom
from config.settings import Settings
from ledger import tables as t
from tests.support.broker_world import World
from tests.support.imap_server import imap_server

MAIL = b"From: p1@example.org\r\nTo: office@school.example\r\nSubject: Re\r\n\r\nThank you, %d\r\n"


def box_in(folder: Path, mails: int = 0) -> Path:
    for name in ("new", "cur"):
        (folder / "box" / name).mkdir(parents=True, exist_ok=True)
    for n in range(mails):
        (folder / "box" / "new" / f"{n:03d}").write_bytes(MAIL % n)
    return folder / "box"


def alarms(world: World) -> list[str]:
    query = select(t.alarm.c.message).where(t.alarm.c.kind == "mailbox_away", t.alarm.c.cleared_at.is_(None))
    return [row.message for row in world.rows(query)]


def test_two_processes_take_turns_and_a_mail_is_taken_once(world: World, tmp_path: Path) -> None:
    settings = Settings.of(mailboxes={"office": {"maildir": box_in(tmp_path, 3), "every": 60}})
    one, two = Mailroom(world.ports, settings), Mailroom(world.ports, settings)
    assert (one.read_due(), two.read_due()) == ({Taken.ANSWER: 3}, {})
    box_in(tmp_path, 4)
    assert two.read_due() == {}
    world.pass_time(timedelta(seconds=61))
    assert two.read_due() == {Taken.KNOWN: 3, Taken.ANSWER: 1}  # three of them were put there once more


def test_as_much_as_there_is_comes_in_one_turn(world: World, tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setattr(mailroom, "MOST_AT_ONCE", 5)
    monkeypatch.setattr("sources.mailbox.folders.MOST_AT_ONCE", 5)
    settings = Settings.of(mailboxes={"office": {"maildir": box_in(tmp_path, 12), "every": 60}})
    assert Mailroom(world.ports, settings).read_due() == {Taken.ANSWER: 12}


def test_a_mailbox_that_cannot_be_read_raises_an_alarm_until_it_can(world: World, tmp_path: Path) -> None:
    settings = Settings.of(mailboxes={"office": {"maildir": tmp_path / "box", "every": 1}})
    room = Mailroom(world.ports, settings)
    for _ in range(2):
        assert room.read_now() == {}
    assert alarms(world) == ["mailbox office: the folder of the mailbox cannot be read"]
    box_in(tmp_path, 1)
    assert room.read_now() == {Taken.ANSWER: 1}
    assert alarms(world) == []


def test_a_mailbox_over_imap_goes_on_where_it_was(world: World) -> None:
    with imap_server() as (post, port):
        post.deliver(MAIL % 0)
        at = {"host": "127.0.0.1", "port": port, "security": "none", "username": "u", "password": "p"}
        room = Mailroom(world.ports, Settings.of(mailboxes={"office": at}))
        assert room.read_now() == {}
        for n in range(1, 4):
            post.deliver(MAIL % n)
        assert room.read_now() == {Taken.ANSWER: 3}
        assert room.read_now() == {}
        post.validity += 1  # its numbers begin anew: what was taken is known, what is new is not
        assert room.read_now() == {Taken.KNOWN: 3, Taken.ANSWER: 1}


# --- mails that cannot be taken in

POISON = b"From: p1@example.org\r\nTo: office@school.example\r\nSubject: Re\r\n\r\nxyzzy\r\n"


class Stumbling(WordList):
    """A list of words that has a fault of its own, as a library might have."""

    def heard_in(self, *texts: str) -> bool:
        if "xyzzy" in "".join(texts):
            raise KeyError("xyzzy")
        return super().heard_in(*texts)


def stumbling(world: World) -> World:
    world.ports = replace(world.ports, answering=replace(world.ports.answering, words=Stumbling(())))
    return world


def asides(world: World) -> list[str]:
    query = select(t.alarm.c.message).where(t.alarm.c.kind == ALARM_ASIDE, t.alarm.c.cleared_at.is_(None))
    return [row.message for row in world.rows(query)]


def test_a_mail_that_cannot_be_taken_in_is_set_aside_and_the_others_go_on(
    world: World, tmp_path: Path
) -> None:
    box = box_in(tmp_path, 3)
    (box / "new" / "001").write_bytes(POISON)
    settings = Settings.of(mailboxes={"office": {"maildir": box, "every": 1, "delete_read": True}})
    room = Mailroom(stumbling(world).ports, settings)
    assert room.read_now() == {Taken.ANSWER: 2, Taken.ASIDE: 1}
    assert [file.name for file in (box / "cur").iterdir()] == ["001:2,F"]  # flagged, and never deleted
    assert asides(world) == ["1 mail in mailbox office could not be taken in: see carillon bounces aside"]
    with world.ledger.look() as tx:
        [one] = tx.bounces.aside()
    assert (one.mailbox, one.place) == ("office", "001")
    assert one.fault.startswith("KeyError at")
    assert "xyzzy" not in one.fault
    assert room.read_now() == {}
    mails.settle_aside(world.ports, one.id, actor=SYSTEM)
    assert asides(world) == []
    with pytest.raises(NotFound):
        mails.settle_aside(world.ports, one.id, actor=SYSTEM)
    assert {"mail.set_aside", "mail.settled"} <= set(world.record())


def test_what_was_set_aside_in_one_file_stays_there_and_is_taken_in_once_that_is_mended(
    world: World, tmp_path: Path
) -> None:
    path = tmp_path / "office"
    box = mailbox.mbox(path)
    for raw in (POISON, MAIL % 1):
        box.add(raw)
    box.close()
    well, settings = world.ports, Settings.of(mailboxes={"office": {"mbox": path, "every": 1}})
    room = Mailroom(stumbling(world).ports, settings)
    assert room.read_now() == {Taken.ANSWER: 1, Taken.ASIDE: 1}
    assert room.read_now() == {}
    assert b"xyzzy" in path.read_bytes()
    assert b"Thank you" not in path.read_bytes()
    assert Mailroom(well, settings).read_now() == {Taken.ANSWER: 1}
    assert (path.read_bytes(), asides(world)) == (b"", [])


def test_a_mail_that_cannot_be_taken_in_stays_on_its_server_and_the_next_ones_are_read(world: World) -> None:
    with imap_server() as (post, port):
        at = {"host": "127.0.0.1", "port": port, "security": "none", "username": "u", "password": "p"}
        room = Mailroom(stumbling(world).ports, Settings.of(mailboxes={"office": at}))
        assert room.read_now() == {}
        for raw in (MAIL % 1, POISON, MAIL % 2):
            post.deliver(raw)
        assert room.read_now() == {Taken.ANSWER: 2, Taken.ASIDE: 1}
        assert room.read_now() == {}
        with world.ledger.look() as tx:
            assert [one.place for one in tx.bounces.aside()] == [f"{post.validity}:2"]


def test_a_ledger_that_does_not_work_sets_nothing_aside(world: World, tmp_path: Path) -> None:
    room = Mailroom(world.ports, Settings.of(mailboxes={"office": {"maildir": box_in(tmp_path, 2)}}))
    world.sql("ALTER TABLE answer RENAME TO answer_elsewhere")
    with pytest.raises(DBAPIError):
        room.read_now()
    world.sql("ALTER TABLE answer_elsewhere RENAME TO answer")
    assert room.read_now() == {Taken.ANSWER: 2}
    assert asides(world) == []


def test_where_nearly_everything_fails_the_rest_waits(world: World, tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setattr(mailroom, "MOST_ASIDE", 2)
    box = box_in(tmp_path)
    for n in range(4):
        (box / "new" / f"{n}").write_bytes(POISON + b"%d" % n)
    settings = Settings.of(mailboxes={"office": {"maildir": box}})
    Mailroom(stumbling(world).ports, settings).read_now()
    assert len(list((box / "new").iterdir())) == 2
    assert len(asides(world)) == len(alarms(world)) == 1

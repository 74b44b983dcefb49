"""The mailroom: each mailbox has one turn in a while, what was read is written with how far, and away is told."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

from sqlalchemy import select

from broker.incoming.mails import Taken
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

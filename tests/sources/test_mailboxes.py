"""Mailboxes: over IMAP, in a Maildir, in an mbox: what is new, once, bounded, and still there after a crash."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from sources.mailbox import MOST_BYTES, Fetched, Mailbox, MailboxAway, imap
from sources.mailbox.folders import Maildir, Mbox
from sources.mailbox.imap import Imap
from tests.support.imap_server import Post, imap_server


class Taker:
    """What was handed over; it stumbles when it is told to."""

    def __init__(self) -> None:
        self.got: list[Fetched] = []
        self.stumble_at = -1

    def __call__(self, fetched: Fetched) -> bool:
        if len(self.got) == self.stumble_at:
            self.stumble_at = -1
            raise RuntimeError("the ledger is away")
        self.got.append(fetched)
        return True

    @property
    def bodies(self) -> list[bytes]:
        return [one.raw.strip() for one in self.got]


@pytest.fixture
def take() -> Taker:
    return Taker()


@pytest.fixture
def served() -> Iterator[tuple[Post, Imap]]:
    with imap_server() as (post, port):
        yield post, Imap("127.0.0.1", port, "office", "secret", "none", timeout=timedelta(seconds=2))


# --- IMAP


def test_a_mailbox_that_was_never_read_begins_at_its_end(served: tuple[Post, Imap], take: Taker) -> None:
    post, box = served
    post.deliver(b"last year's")
    place = box.read("", take)
    assert (take.got, place) == ([], "17:1")
    post.deliver(b"new")
    place = box.read(place, take)
    assert (take.bodies, place) == ([b"new"], "17:2")
    assert box.read(place, take) == "17:2"
    assert len(take.got) == 1
    assert take.got[0].received_at.isoformat() == "2026-11-30T08:00:00+00:00"


def test_it_is_looked_at_and_never_changed(served: tuple[Post, Imap], take: Taker) -> None:
    post, box = served
    post.deliver(b"one")
    box.read("17:0", take)
    said = " ".join(post.seen).upper()
    assert "EXAMINE" in said
    assert "PEEK" in said
    assert not any(word in said for word in ("SELECT", "STORE", "EXPUNGE"))


def test_what_was_read_is_deleted_where_the_school_says_so(served: tuple[Post, Imap], take: Taker) -> None:
    post, box = served
    post.deliver(b"one")
    assert replace(box, delete_read=True).read("17:0", take) == "17:1"
    assert (post.mails, post.deleted) == ({}, {1})


def test_numbers_that_begin_anew_hand_everything_over_again(served: tuple[Post, Imap], take: Taker) -> None:
    post, box = served
    post.deliver(b"one")
    post.validity = 18
    assert box.read("17:1", take) == "18:1"
    assert take.bodies == [b"one"]


def test_a_taker_that_stumbles_gets_that_mail_again(served: tuple[Post, Imap], take: Taker) -> None:
    post, box = served
    for n in range(3):
        post.deliver(b"mail %d" % n)
    take.stumble_at = 1
    with pytest.raises(RuntimeError):
        box.read("17:0", take)
    box.read(take.got[-1].position, take)
    assert take.bodies == [b"mail 0", b"mail 1", b"mail 2"]


def test_sparse_numbers_are_walked_and_a_turn_has_an_end(
    served: tuple[Post, Imap], take: Taker, monkeypatch: pytest.MonkeyPatch
) -> None:
    post, box = served
    monkeypatch.setattr(imap, "MOST_AT_ONCE", 3)
    for n in range(5):
        post.deliver(b"mail %d" % n)
        post.next_uid += 2_500
    place = box.read("17:0", take)
    assert len(take.got) == 3
    place = box.read(place, take)
    assert len(take.got) == 5
    assert place == f"17:{post.next_uid - 1}"


def test_a_huge_mail_is_cut_off_by_the_server(served: tuple[Post, Imap], take: Taker) -> None:
    post, box = served
    post.deliver(b"x" * (3 * MOST_BYTES))
    box.read("17:0", take)
    assert len(take.got[0].raw) == MOST_BYTES


@pytest.mark.parametrize(
    ("manner", "why"),
    [
        ("refuses", "refused the sign-in"),
        ("boasts", "ended the connection"),
        ("silent", "did not answer in time"),
        ("odd", "cannot be reached or understood"),
    ],
)
def test_a_server_that_misbehaves_is_away_for_now_in_our_own_words(
    served: tuple[Post, Imap], take: Taker, manner: str, why: str
) -> None:
    post, box = served
    post.deliver(b"one")
    post.manner = manner
    with pytest.raises(MailboxAway, match=why) as away:
        box.read("17:0", take)
    assert "Amy" not in str(away.value)
    assert take.got == []


def test_a_server_that_drips_is_given_up(
    served: tuple[Post, Imap], take: Taker, monkeypatch: pytest.MonkeyPatch
) -> None:
    post, box = served
    post.deliver(b"one")
    post.manner = "drips"
    monkeypatch.setattr(imap, "WITHIN", timedelta(milliseconds=500))
    began = time.monotonic()
    with pytest.raises(MailboxAway):
        box.read("17:0", take)
    assert time.monotonic() - began < 4


def test_nobody_there_is_away(take: Taker) -> None:
    with pytest.raises(MailboxAway, match="cannot be reached"):
        Imap("127.0.0.1", 1, "office", "secret", "none").read("", take)


def test_a_server_without_tls_is_told_no_password(served: tuple[Post, Imap], take: Taker) -> None:
    post, box = served
    for security in ("tls", "starttls"):
        with pytest.raises(MailboxAway):
            replace(box, security=security).read("", take)
    assert not any("AUTHENTICATE" in said.upper() or "LOGIN" in said.upper() for said in post.seen)


# --- on this machine


def maildir(folder: Path, *mails: bytes) -> Maildir:
    for name in ("new", "cur", "tmp"):
        (folder / "box" / name).mkdir(parents=True)
    for n, raw in enumerate(mails):
        (folder / "box" / "new" / f"{n}.mx").write_bytes(raw)
    return Maildir(folder / "box")


def mbox(folder: Path, *mails: bytes) -> Mbox:
    path = folder / "bounces"
    path.write_bytes(b"".join(b"From mx Mon Nov 30 08:00:00 2026\n" + raw + b"\n\n" for raw in mails))
    return Mbox(path)


@pytest.mark.parametrize("make", [maildir, mbox])
def test_a_folder_hands_over_what_is_new_once(tmp_path: Path, take: Taker, make) -> None:
    box: Mailbox = make(tmp_path, b"A: 1\n\none", b"A: 2\n\ntwo")
    box.read("", take)
    box.read("read", take)
    assert take.bodies == [b"A: 1\n\none", b"A: 2\n\ntwo"]


@pytest.mark.parametrize("make", [maildir, mbox])
def test_a_folder_keeps_what_was_not_taken(tmp_path: Path, take: Taker, make) -> None:
    box: Mailbox = make(tmp_path, *(b"A: %d\n\nmail" % n for n in range(4)))
    take.stumble_at = 2
    with pytest.raises(RuntimeError):
        box.read("", take)
    box.read("", take)
    assert take.bodies == [b"A: %d\n\nmail" % n for n in range(4)]


def test_a_maildir_moves_what_was_read_as_mail_programs_do(tmp_path: Path, take: Taker) -> None:
    box = maildir(tmp_path, b"one")
    box.read("", take)
    assert [each.name for each in (tmp_path / "box" / "cur").iterdir()] == ["0.mx:2,S"]
    (tmp_path / "box" / "new" / "1.mx").write_bytes(b"two")
    replace(box, delete_read=True).read("", take)
    assert len(list((tmp_path / "box").rglob("*.mx*"))) == 1


def test_a_mail_that_came_into_an_mbox_while_it_was_read_stays(tmp_path: Path) -> None:
    box = mbox(tmp_path, b"A: 1\n\none")

    def late(_: Fetched) -> bool:
        with box.path.open("ab") as file:
            file.write(b"From mx Mon Nov 30 08:01:00 2026\nA: 2\n\ntwo\n\n")
        return True

    with pytest.raises(MailboxAway):
        box.read("", late)
    assert b"two" in box.path.read_bytes()


@pytest.mark.parametrize("box", [Maildir(Path("/nowhere/box")), Mbox(Path("/nowhere/bounces"))])
def test_a_folder_that_is_not_there_is_away(box: Mailbox, take: Taker) -> None:
    with pytest.raises(MailboxAway):
        box.read("", take)


def test_links_and_endless_files_are_not_followed(tmp_path: Path, take: Taker) -> None:
    box = maildir(tmp_path, b"x" * (MOST_BYTES + 1))
    (tmp_path / "box" / "new" / "zero").symlink_to("/dev/zero")
    box.read("", take)
    assert [len(one.raw) for one in take.got] == [MOST_BYTES]


def test_a_locked_mbox_is_away_for_now(tmp_path: Path, take: Taker) -> None:
    box = mbox(tmp_path, b"A: 1\n\none")
    (tmp_path / "bounces.lock").touch()
    with pytest.raises(MailboxAway):
        box.read("", take)
    assert take.got == []

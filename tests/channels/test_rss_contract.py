"""Feeds keep the channel contract. Their truth is the feed as it is fetched over HTTP, its guids counted.

There is no provider: what makes an item public is the dispatcher's write-back. So the bench does that much of the
dispatcher's work, on a real ledger, after each receipt.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Mapping, Sequence
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import update

from broker import fanout
from broker.actor import SYSTEM
from broker.announcement import Attachment, Content, Part
from broker.channel import PUBLIC, Channel, Key, Kit, Message, Receipt, Recipient, Surroundings
from broker.delivery import Evidence, State
from broker.errors import MissingSetting, SetupError
from broker.testing.channel_bench import Accepted, Bench, Callback, Fault, plain
from broker.testing.channel_contract import ChannelContract
from channels.rss import Rss, kit
from channels.rss.settings import Settings
from config.settings import load
from ledger import tables as t
from tests.support.press import Press, a_press

NO_PROVIDER = "publishing is the ledger's own write-back: nobody is asked who could fail so"


class WrittenBack:
    """An rss channel whose receipts are written back as a worker does."""

    def __init__(self, channel: Rss, press: Press) -> None:
        self._channel = channel
        self._press = press

    def __getattr__(self, name: str) -> object:
        return getattr(self._channel, name)

    def __repr__(self) -> str:
        return repr(self._channel)

    def send(self, message: Message, to: Recipient, *, key: Key) -> Receipt:
        receipt = self._channel.send(message, to, key=key)
        public_id = to.links["announcement"]
        with self._press.house.ledger.begin() as tx:
            made = tx.hand.connection.execute(t.announcement.select()).all()
            (announcement,) = (one.id for one in made if str(one.public_id) == public_id)
            tx.hand.connection.execute(
                update(t.delivery)
                .where(t.delivery.c.announcement_id == announcement)
                .values(state=State.SENT.value, changed_at=tx.now)
            )
        return receipt


class FeedBench:
    kit: Kit = kit
    hands = 1
    secrets: Sequence[str] = ()
    unsupported: Mapping[Fault, str] = {
        fault: NO_PROVIDER for fault in Fault if fault is not Fault.REJECTED_CONTENT
    }
    faulty: Sequence[tuple[Content, Sequence[Attachment]]] = (
        (plain("{pupil} is asked to come."), ()),
        (plain(" "), ()),
        (plain("a \x0b b"), ()),
        (Content(1, "", {Part.TITLE: "For {pupil}", Part.LONG: "Come."}), ()),
    )

    def __init__(self, press: Press) -> None:
        self._press = press
        self._ids: dict[int, str] = {}
        self._nameless = False

    def open(self) -> Channel:
        around = Surroundings("school", "GB", self._press.url, sandbox=True, timeout=timedelta(seconds=1))
        return WrittenBack(kit.open("feeds", Settings(), around), self._press)  # type: ignore[return-value]

    def recipient(self, number: int, names: tuple[str, ...] = ()) -> Recipient:
        if self._nameless:
            return PUBLIC
        if number not in self._ids:
            made = self._press.announce(f"Announcement {number}")
            fanout.plan(self._press.house.ports, made.public_id, actor=SYSTEM)
            self._ids[number] = str(made.public_id)
        return Recipient("", names, links={"announcement": self._ids[number]})

    def order(self, fault: Fault, *, address: str = "") -> None:
        self._nameless = fault is Fault.REJECTED_CONTENT

    def cure(self) -> None:
        self._nameless = False

    def truth(self) -> Sequence[Accepted]:
        """The guids of the feed, oldest first."""
        feed = self._press.get("/feeds/st-brides.json").json()
        return [Accepted(item["id"], "") for item in reversed(feed["items"])]

    def callback(self, key: Key, receipt: Receipt, evidence: Evidence) -> Callback:
        raise NotImplementedError("a feed is not called back")

    def signed(self, url: str, body: bytes) -> Callback:
        raise NotImplementedError("a feed is not called back")


class TestRss(ChannelContract):
    @pytest.fixture
    def bench(
        self, sqlite_template: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> Iterator[Bench]:
        monkeypatch.setattr("config.feeds.ASK_EVERY", timedelta(0))
        shutil.copy(sqlite_template, tmp_path / "carillon.sqlite3")
        with a_press(f"sqlite:///{tmp_path / 'carillon.sqlite3'}", tmp_path) as press:
            yield FeedBench(press)


# --- settings ------------------------------------------------------------------------------------------------------


def around(public_url: str | None) -> Surroundings:
    return Surroundings("school", "GB", public_url)


def test_a_feed_needs_to_know_its_own_address():
    with pytest.raises(SetupError) as refused:
        kit.open("feeds", Settings(), around(None))
    (problem,) = refused.value.problems
    assert (problem.code, problem.field) == ("no_public_url", "feeds.public_url")
    assert "CARILLON_PUBLIC_URL" in problem.hint


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("items", "0"),
        ("items", "1001"),
        ("hub", "http://hub.example/"),
        ("hub", "https://user@hub.example/"),
        ("hub", 'https://hub.example/"><x'),
        ("hub", "hub"),
        ("folder", "feeds"),
        ("colour", "blue"),
    ],
)
def test_a_bad_setting_is_told_by_its_name(name: str, value: str):
    environ = {"CARILLON_ACCOUNTS__FEEDS__CHANNEL": "rss", f"CARILLON_ACCOUNTS__FEEDS__{name.upper()}": value}
    with pytest.raises(MissingSetting) as refused:
        load(environ=environ, env_file=None)
    assert [problem.field for problem in refused.value.problems] == [
        f"CARILLON_ACCOUNTS__FEEDS__{name.upper()}"
    ]

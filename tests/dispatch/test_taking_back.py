"""A withdrawn announcement is taken back from the public: at X's stand-in, at a pretended one, on either database."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from typing import Any, TypeVar, cast

import pytest
from sqlalchemy import select, update

from broker import intake, retract
from broker.actor import SYSTEM
from broker.announcement import Announcement, Step
from broker.confirm import apply_news
from broker.delivery import Evidence
from broker.ports import Ledger, Transaction
from broker.testing.channel_bench import Fault
from broker.testing.provider import PretendChannel
from broker.values import News
from cli.follow import as_told, looking, show_status
from ledger import tables as t
from sandbox.client import RunningSandbox
from tests.support.broker_world import World
from tests.support.world_with_x import WithX, world_with_x

T = TypeVar("T")
LONG = timedelta(hours=1)
PUBLIC = ("feed", "x")


@pytest.fixture
def world(ledger_url: str, at_x: RunningSandbox) -> Iterator[World]:
    with world_with_x(ledger_url, at_x) as world:
        yield world


def announced(world: World, *accounts: str) -> Announcement:
    """Planned for a family, the feed and X, and sent by these accounts."""
    said = world.announce(audience="Choir", ways=(Step(("sms", "rss", "twitter")),))
    world.plan(said)
    for account in accounts:
        world.send(account)
    return said


def withdraw(world: World, said: Announcement) -> None:
    intake.withdraw(world.ports, said.public_id, actor=SYSTEM)


def take_back(world: World) -> int:
    return retract.take_back_due(world.ports, actor=SYSTEM)


def states(world: World, said: Announcement) -> dict[str, str]:
    """Channel → state."""
    rows = world.rows(select(t.delivery).where(t.delivery.c.announcement_id == said.id))
    return {row.channel: row.state for row in rows}


def alarms(world: World) -> list[str]:
    found = world.rows(select(t.alarm).where(t.alarm.c.cleared_at.is_(None)))
    return [row.message for row in found if row.kind == "retraction"]


def let_wait_pass(world: World) -> None:
    """Let every wait for another try be over."""
    with world.ledger.begin() as tx:
        tx.hand.connection.execute(update(t.retraction).values(due_at=tx.now - timedelta(seconds=1)))


def deleted(at_x: RunningSandbox) -> int:
    """How many posts have gone at the stand-in since it started."""
    return int(at_x.control.counts()["x"].get("deleted", 0))


def feed_of(world: World) -> Any:
    return cast("WithX", world.channels).feed


def test_what_was_posted_is_deleted_and_what_was_texted_stays(world: World, at_x: RunningSandbox) -> None:
    before = deleted(at_x)
    said = announced(world, "texts", *PUBLIC)
    assert take_back(world) == 0
    withdraw(world, said)
    assert take_back(world) == 2
    assert states(world, said) == {"sms": "sent", "rss": "retracted", "twitter": "retracted"}
    assert world.tallies(said) == {"sent": 1, "retracted": 2}
    assert deleted(at_x) == before + 1
    assert feed_of(world).deleted == [feed_of(world).truth[0].provider_id]
    assert world.record().count("delivery.retracted") == 2
    assert take_back(world) == 0
    assert world.rows(select(t.retraction)) == []


def test_what_never_left_is_withdrawn_and_nothing_is_asked_for(world: World, at_x: RunningSandbox) -> None:
    before = at_x.control.counts()["x"].get("delete", 0)
    said = announced(world)
    withdraw(world, said)
    assert take_back(world) == 0
    assert set(states(world, said).values()) == {"withdrawn"}
    assert at_x.control.counts()["x"].get("delete", 0) == before


@pytest.mark.parametrize("fault", ["503", "429", "401", "reset-before-accept", "bad-json"])
def test_a_provider_that_fails_is_tried_again_and_an_alarm_says_so(
    world: World, at_x: RunningSandbox, fault: str
) -> None:
    before = deleted(at_x)
    said = announced(world, "x")
    withdraw(world, said)
    at_x.control.order(f"x:{fault}:stage=delete")
    for _ in range(retract.ALARM_AFTER):
        assert alarms(world) == []
        assert take_back(world) == 0
        assert take_back(world) == 0  # not before its wait is over
        let_wait_pass(world)
    (told,) = alarms(world)
    assert "its post by x is still there" in told
    assert states(world, said)["twitter"] == "sent"
    at_x.control.clear()
    assert take_back(world) == 1
    assert states(world, said)["twitter"] == "retracted"
    assert alarms(world) == []
    assert deleted(at_x) == before + 1


def test_waits_grow_and_a_provider_that_names_one_is_given_it(world: World, at_x: RunningSandbox) -> None:
    said = announced(world, "x")
    withdraw(world, said)
    waits = []
    for fault in ("503", "503", "429:reset=1800"):
        kind, _, option = fault.partition(":")
        at_x.control.clear()
        at_x.control.order(f"x:{kind}:stage=delete{',' + option if option else ''}")
        take_back(world)
        (row,) = world.rows(select(t.retraction).where(t.retraction.c.failures > 0))
        with world.ledger.look() as tx:
            waits.append((row.due_at - tx.now).total_seconds())
        let_wait_pass(world)
    assert 5 < waits[0] < waits[1] < 30
    assert waits[2] > 1_700


def test_one_provider_that_is_away_does_not_keep_anothers_post_up(world: World, at_x: RunningSandbox) -> None:
    said = announced(world, *PUBLIC)
    feed_of(world).order(Fault.UNREACHABLE)
    withdraw(world, said)
    assert take_back(world) == 1
    assert states(world, said) == {"sms": "withdrawn", "rss": "sent", "twitter": "retracted"}
    feed_of(world).cure()
    let_wait_pass(world)
    assert take_back(world) == 1


class DiesBeforeWriting:
    """A ledger that a worker reaches for the first time and never again: it died in between."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger, self._left = ledger, 1

    def __getattr__(self, name: str) -> Any:
        return getattr(self._ledger, name)

    def transact(self, work: Callable[[Transaction], T], *, ahead: bool = False) -> T:
        if not self._left:
            raise ConnectionError("the worker died")
        self._left -= 1
        return self._ledger.transact(work)


def test_a_worker_that_dies_after_the_deleting_is_followed_by_one_that_deletes_again(
    world: World, at_x: RunningSandbox
) -> None:
    before = deleted(at_x)
    said = announced(world, "x")
    withdraw(world, said)
    dying = replace(world.ports, ledger=cast("Ledger", DiesBeforeWriting(world.ledger)))
    with pytest.raises(ConnectionError):
        retract.take_back_due(dying, actor=SYSTEM)
    assert deleted(at_x) == before + 1
    assert states(world, said)["twitter"] == "sent"
    assert take_back(world) == 0  # it counts as in hand for a while
    let_wait_pass(world)
    assert take_back(world) == 1
    assert states(world, said)["twitter"] == "retracted"
    assert deleted(at_x) == before + 1
    assert alarms(world) == []


def test_workers_at_the_same_time_ask_for_each_deletion_once(world: World, at_x: RunningSandbox) -> None:
    before = at_x.control.counts()["x"].get("delete", 0)
    said = [announced(world, "x") for _ in range(3)]
    for one in said:
        withdraw(world, one)
    with ThreadPoolExecutor(4) as workers:
        assert sum(workers.map(lambda _: take_back(world), range(4))) == 3
    assert at_x.control.counts()["x"]["delete"] == before + 3


def test_a_post_that_is_found_only_after_the_withdrawal_is_taken_back_then(
    world: World, at_x: RunningSandbox
) -> None:
    before = deleted(at_x)
    at_x.control.order("x:reset-after-accept:next=1")
    said = announced(world, "x")
    assert states(world, said)["twitter"] == "uncertain"
    withdraw(world, said)
    assert take_back(world) == 0
    world.pass_time(timedelta(minutes=2))
    world.sweep()  # looks it up, finds it, and takes it back
    assert states(world, said)["twitter"] == "retracted"
    assert deleted(at_x) == before + 1


@pytest.mark.parametrize("evidence", list(Evidence))
def test_later_news_moves_no_post_that_was_taken_back(world: World, evidence: Evidence) -> None:
    said = announced(world, "feed")
    withdraw(world, said)
    take_back(world)
    (attempt,) = world.rows(select(t.attempt))
    with world.ledger.begin() as tx:
        apply_news(tx, [News(evidence, attempt.id)], actor=SYSTEM)
    assert states(world, said)["rss"] == "retracted"
    assert take_back(world) == 0


def test_a_channel_that_cannot_take_back_is_recorded_and_left_as_it_is(world: World) -> None:
    world.channels.opened["feed"] = PretendChannel(world.channels.kits["rss"].traits, feed_of(world))
    said = announced(world, "feed")
    withdraw(world, said)
    assert take_back(world) == 0
    assert states(world, said)["rss"] == "sent"
    assert world.record().count("delivery.cannot_be_retracted") == 1
    assert [row for row in world.rows(select(t.retraction)) if row.failures] == []
    assert alarms(world) == []


def test_an_account_that_the_settings_forgot_raises_an_alarm(world: World) -> None:
    said = announced(world, "feed")
    withdraw(world, said)
    with world.ledger.begin() as tx:
        tx.hand.connection.execute(
            update(t.account).where(t.account.c.name == "feed").values(name="forgotten")
        )
    for _ in range(retract.ALARM_AFTER):
        take_back(world)
        let_wait_pass(world)
    assert len(alarms(world)) == 1


def test_the_status_says_what_is_being_taken_back(
    world: World, at_x: RunningSandbox, capsys: pytest.CaptureFixture[str]
) -> None:
    said = announced(world, "x")
    look = looking(world.ledger, said.public_id)
    assert as_told(look())["retracting"] == 0
    withdraw(world, said)
    assert as_told(look())["retracting"] == 1
    show_status(look())
    assert "being taken back from the public: 1" in capsys.readouterr().out
    take_back(world)
    assert as_told(look())["retracting"] == 0
    show_status(look())
    assert "taken back" in capsys.readouterr().out

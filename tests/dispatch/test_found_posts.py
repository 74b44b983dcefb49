"""What stands on an account that did not come from here: found within minutes, kept, told, and carried (R18)."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

import pytest
from sqlalchemy import select, update

from broker.actor import SYSTEM
from broker.announcement import Announcement, Step
from broker.channel import PUBLIC, Key, Message
from broker.licences import licensing, oversight
from broker.rules import book
from ledger import tables as t
from ledger.setup import ConfiguredAccount, install
from sandbox.client import RunningSandbox
from tests.channels.twitter_support import open_at
from tests.support.broker_world import World
from tests.support.world_with_x import SCHOOL, world_with_x

# Nothing of it is the database's.
ON_SQLITE = pytest.mark.parametrize("ledger_url", ["sqlite"], indirect=True)
SIX = timedelta(minutes=6)


@pytest.fixture
def world(ledger_url: str, at_x: RunningSandbox) -> Iterator[World]:
    with world_with_x(ledger_url, at_x) as world:
        oversight.oversee(world.ports)  # from now on, what stands there is ours or somebody else's
        yield world


def elsewhere(at_x: RunningSandbox, text: str) -> str:
    """Somebody with the login posts by hand."""
    by_hand = open_at(at_x)
    receipt = by_hand.send(Message({"text": text}, ""), PUBLIC, key=Key(0, 0, 0))
    by_hand.close()
    return receipt.provider_id


def overseen(world: World, after: timedelta = SIX) -> int:
    with world.ledger.begin() as tx:
        rows = tx.hand.connection.execute(select(t.account_watch)).all()
        for row in rows:
            tx.hand.connection.execute(update(t.account_watch).values(due_at=row.due_at - after))
    return oversight.oversee(world.ports)


def found(world: World) -> list[tuple[str, str | None, str]]:
    with world.ledger.look() as tx:
        return [(one.text, one.carried, one.why_not) for one in tx.posts.found()]


def alarms(world: World) -> list[str]:
    return [row.kind for row in world.rows(select(t.alarm).where(t.alarm.c.cleared_at.is_(None)))]


def posted(world: World) -> Announcement:
    said = world.announce(audience="Choir", ways=(Step(("sms", "twitter")),))
    world.plan(said)
    world.send("x")
    return said


def rules(world: World, **changed: str) -> None:
    with world.ledger.begin() as tx:
        now = {
            **tx.rules.current().changed,
            **{key.replace("__", "."): value for key, value in changed.items()},
        }
        tx.rules.add(now, by=SYSTEM, why="a test")


def test_a_post_made_by_hand_is_found_within_minutes_kept_and_told_once(
    world: World, at_x: RunningSandbox
) -> None:
    posted(world)
    elsewhere(at_x, "Has anybody seen a trombone? Ask & tell.")
    assert overseen(world) == 1
    assert found(world) == [("Has anybody seen a trombone? Ask & tell.", None, "")]
    assert alarms(world) == ["found_post"]
    assert overseen(world) == 0
    assert world.record().count("post.found") == 1
    oversight.seen(world.ports, "x", actor=SYSTEM)
    assert alarms(world) == []


@ON_SQLITE
def test_our_own_posts_are_never_found(world: World, at_x: RunningSandbox) -> None:
    for _ in range(3):
        posted(world)
    assert overseen(world) == 0
    assert found(world) == []


def test_a_post_of_ours_whose_answer_was_lost_is_not_taken_for_somebody_elses(
    world: World, at_x: RunningSandbox
) -> None:
    at_x.control.order("x:reset-after-accept:next=1")
    said = posted(world)
    assert world.states(said).get("uncertain") == 1
    assert overseen(world) == 0
    assert found(world) == []


@ON_SQLITE
def test_what_stood_there_before_carillon_came_is_nobodys_business(
    ledger_url: str, at_x: RunningSandbox
) -> None:
    elsewhere(at_x, "Long ago.")
    with world_with_x(ledger_url, at_x) as world:
        oversight.oversee(world.ports)
        assert overseen(world) == 0


@ON_SQLITE
def test_an_account_is_read_once_in_five_minutes_and_more_seldom_when_x_does_not_answer(
    world: World, at_x: RunningSandbox
) -> None:
    before = at_x.control.counts()["x"].get("posts", 0)
    for _ in range(3):
        oversight.oversee(world.ports)
    assert at_x.control.counts()["x"].get("posts", 0) == before
    at_x.control.order("x:503:stage=posts")
    overseen(world)
    due = world.rows(select(t.account_watch.c.due_at, t.account_watch.c.failures))[0]
    assert due.failures == 1
    with world.ledger.look() as tx:
        assert due.due_at - tx.now > timedelta(minutes=9)
    at_x.control.clear()
    elsewhere(at_x, "Meanwhile.")
    assert overseen(world, timedelta(hours=1)) == 1
    assert world.rows(select(t.account_watch.c.failures))[0].failures == 0


def in_the_music_department(world: World) -> None:
    accounts = [ConfiguredAccount("texts", "sms"), ConfiguredAccount("feed", "rss")]
    accounts.append(ConfiguredAccount("x", "twitter", department="office"))
    install(world.ledger, SCHOOL, {"office": "School office"}, accounts, sandbox=True)


def test_a_found_post_is_carried_into_the_feeds_if_the_school_says_so(
    world: World, at_x: RunningSandbox
) -> None:
    in_the_music_department(world)
    rules(world, social__carry_found="yes")
    elsewhere(at_x, "The concert is moved to the hall.")
    assert overseen(world) == 1
    ((text, carried, why_not),) = found(world)
    assert (text, why_not) == ("The concert is moved to the hall.", "")
    (announcement,) = world.rows(select(t.announcement))
    assert str(announcement.public_id) == carried
    assert announcement.ways == '[["rss"]]'


@ON_SQLITE
def test_what_a_worker_that_died_had_found_is_carried_by_the_next(world: World, at_x: RunningSandbox) -> None:
    in_the_music_department(world)
    elsewhere(at_x, "The hall, not the gym.")
    assert overseen(world) == 1  # found, and not carried
    rules(world, social__carry_found="yes")
    for _ in range(2):
        overseen(world)
    ((_, carried, _),) = found(world)
    (announcement,) = world.rows(select(t.announcement.c.public_id))
    assert str(announcement.public_id) == carried


@ON_SQLITE
def test_what_cannot_be_carried_says_why(world: World, at_x: RunningSandbox) -> None:
    rules(world, social__carry_found="yes")
    elsewhere(at_x, "Nobody's feed.")
    assert overseen(world) == 1
    ((_, carried, why_not),) = found(world)
    assert carried is None
    assert "no department" in why_not


@ON_SQLITE
def test_an_account_is_looked_at_every_half_hour_though_nothing_waits(
    world: World, at_x: RunningSandbox
) -> None:
    at_x.control.account_at_x(following=2)
    oversight.oversee(world.ports)
    assert alarms(world) == []
    with world.ledger.begin() as tx:
        tx.hand.connection.execute(update(t.account).values(posture_at=tx.now - timedelta(minutes=31)))
    oversight.oversee(world.ports)
    assert alarms(world) == ["posture"]
    with world.ledger.look() as tx:
        account = tx.accounts.named("x")
        assert account is not None
        shown = licensing.show(world.ports, tx, account)
    assert "following: 2, where 0 is wanted" in shown.lacking
    assert shown.until is None


def test_every_parameter_of_posts_has_its_bounds() -> None:
    assert {key for key in book.RULES if key.startswith("social.")} == {
        "social.same_text_for",
        "social.quotable",
        "social.read_every",
        "social.look_every",
        "social.carry_found",
    }

"""An announcement by text and by X, through the real verbs, real tweepy and a ledger on either database."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import select, update

from broker import accounts, intake
from broker.actor import SYSTEM
from broker.announcement import Announcement, Part, Step
from broker.authority import approvals
from broker.errors import InvalidAnnouncement, KeyConflict, UnknownAudience
from broker.licences import licensing
from ledger import tables as t
from ledger.setup import ConfiguredAccount, install
from sandbox.client import RunningSandbox
from tests.support.broker_world import World
from tests.support.world_with_x import SCHOOL, world_with_x


@pytest.fixture
def world(ledger_url: str, at_x: RunningSandbox) -> Iterator[World]:
    with world_with_x(ledger_url, at_x) as world:
        yield world


def announced(world: World, **changes: object) -> Announcement:
    said = world.announce(**{"audience": "Choir", "ways": (Step(("sms", "twitter")),), **changes})
    world.plan(said)
    return said


def post_of(world: World, said: Announcement) -> tuple[str, str]:
    """The state of its post, and why."""
    found = select(t.delivery).where(
        t.delivery.c.announcement_id == said.id, t.delivery.c.channel == "twitter"
    )
    (row,) = world.rows(found)
    return row.state, row.code


def alarms(world: World) -> list[str]:
    return [row.kind for row in world.rows(select(t.alarm).where(t.alarm.c.cleared_at.is_(None)))]


def forget_the_look(world: World) -> None:
    """Let the last look at the account have been long ago."""
    with world.ledger.begin() as tx:
        tx.hand.connection.execute(update(t.account).values(posture_at=tx.now - timedelta(hours=1)))


def test_a_text_to_each_and_one_post_to_all(world: World, at_x: RunningSandbox) -> None:
    before = len(at_x.truth("twitter"))
    said = announced(world)
    world.send("texts")
    world.send("x")
    assert world.states(said) == {"sent": 2}
    (post,) = at_x.truth("twitter")[before:]
    assert post["body"] == f"The coach leaves at eight.\nhttps://news.stcecilias.org.uk/a/{said.public_id}"
    assert "account.inspected" in world.record()


def test_an_account_is_looked_at_once_in_ten_minutes(world: World, at_x: RunningSandbox) -> None:
    before = at_x.control.counts()["x"].get("me", 0)
    for _ in range(3):
        announced(world)
        world.send("x")
    assert at_x.control.counts()["x"]["me"] == before + 1
    forget_the_look(world)
    announced(world)
    world.send("x")
    assert at_x.control.counts()["x"]["me"] == before + 2
    assert world.record().count("account.inspected") == 1


def test_an_account_that_follows_somebody_posts_nothing_until_it_does_not(
    world: World, at_x: RunningSandbox
) -> None:
    before = len(at_x.truth("twitter"))
    at_x.control.account_at_x(following=1)
    said = announced(world)
    world.send("x")
    assert post_of(world, said) == ("queued", "follows")
    assert alarms(world) == ["posture"]
    stops = [row.kind for row in world.rows(select(t.stop.c.kind))]
    assert stops.count("account") == 4  # three licences were given, and this
    at_x.control.account_at_x(following=0)
    forget_the_look(world)
    world.pass_time(timedelta(minutes=6))
    world.send("x")
    assert post_of(world, said)[0] == "sent"
    assert alarms(world) == []
    assert len(at_x.truth("twitter")) == before + 1


@pytest.mark.parametrize("fault", ["503", "429", "bad-json", "reset-before-accept"])
def test_an_account_that_cannot_be_seen_posts_nothing_and_the_texts_go(
    world: World, at_x: RunningSandbox, fault: str
) -> None:
    at_x.control.order(f"x:{fault}:stage=me")
    said = announced(world)
    world.send("x")
    world.send("texts")
    assert post_of(world, said) == ("queued", "posture_unknown")
    assert world.states(said) == {"queued": 1, "sent": 1}


def test_an_account_that_x_has_suspended_is_paused_and_resumed(world: World, at_x: RunningSandbox) -> None:
    at_x.control.account_at_x(suspended=True)
    said = announced(world)
    world.send("x")
    assert post_of(world, said) == ("queued", "account_paused")
    assert alarms(world) == ["account_rejected"]
    at_x.control.account_at_x(suspended=False)
    accounts.resume(world.ports, "x", actor=SYSTEM)
    world.send("x")
    assert post_of(world, said)[0] == "sent"
    assert alarms(world) == []


def test_a_lost_answer_is_looked_up_and_posted_once(world: World, at_x: RunningSandbox) -> None:
    before = len(at_x.truth("twitter"))
    at_x.control.order("x:reset-after-accept:next=1")
    said = announced(world)
    world.send("x")
    assert post_of(world, said)[0] == "uncertain"
    world.pass_time(timedelta(minutes=2))
    world.sweep()
    assert post_of(world, said)[0] == "sent"
    assert len(at_x.truth("twitter")) == before + 1


def test_a_timeline_that_lags_ends_in_one_post_all_the_same(world: World, at_x: RunningSandbox) -> None:
    """Absent twice, posted again, refused as a duplicate: then it is the earlier try, and is found."""
    at_x.control.account_at_x(duplicates=False)
    before = len(at_x.truth("twitter"))
    at_x.control.order("x:reset-after-accept:next=1")
    said = announced(world)
    world.send("x")
    with world.ledger.begin() as tx:  # what two look-ups in a timeline without it come to
        tx.hand.connection.execute(
            update(t.delivery).where(t.delivery.c.state == "uncertain").values(state="queued", due_at=tx.now)
        )
    world.send("x")
    assert post_of(world, said) == ("uncertain", "duplicate")
    world.pass_time(timedelta(minutes=2))
    world.sweep()
    assert post_of(world, said)[0] == "sent"
    assert len(at_x.truth("twitter")) == before + 1


def test_a_quote_is_kept_with_the_wording_and_posted_as_a_link(world: World, at_x: RunningSandbox) -> None:
    said = announced(world, parts={Part.SHORT: "Well done!", Part.QUOTE: "https://x.com/jack/status/20"})
    world.send("x")
    assert post_of(world, said)[0] == "sent"
    assert at_x.truth("twitter")[-1]["body"].startswith("Well done!\nhttps://x.com/i/status/20\nhttps://")


@pytest.mark.parametrize(
    ("changes", "code", "field"),
    [
        ({"ways": (Step(("twitter",)),)}, "never_alone", "via"),
        ({"ways": (Step(("twitter", "rss")),)}, "never_alone", "via"),
        ({"ways": (Step(("twitter",)),), "audience": "everyone"}, "never_alone", "via"),
        ({"parts": {Part.SHORT: "x" * 281}}, "text_too_long", "short"),
        ({"parts": {Part.SHORT: "{pupil} may come."}}, "personal_part", "short"),
        ({"parts": {Part.SHORT: "half a character \ud83d"}}, "lone_surrogate", "short"),
        ({"parts": {Part.SHORT: "Well done!", Part.QUOTE: "jack"}}, "bad_quote", "quote"),
        ({"parts": {Part.LONG: "Well done!", Part.QUOTE: "20"}}, "quote_without_comment", "short"),
        ({"parts": {Part.SHORT: "Well done!", Part.QUOTE: "99"}}, "no_such_post", "quote"),
        ({"parts": {Part.SHORT: "Well done!", Part.QUOTE: "21"}}, "post_not_public", "quote"),
        (
            {"parts": {Part.SHORT: "Well done!", Part.QUOTE: "20"}, "ways": (Step(("sms",)),)},
            "quote_unused",
            "quote",
        ),
    ],
)
@pytest.mark.parametrize("verb", ["accept", "rehearse"])
def test_what_x_may_not_say_is_refused_whole_before_anything_is_kept(
    world: World, at_x: RunningSandbox, changes: dict[str, object], code: str, field: str, verb: str
) -> None:
    draft = world.draft(**{"audience": "Choir", "ways": (Step(("sms", "twitter")),), **changes})
    with pytest.raises(InvalidAnnouncement) as caught:
        intake.accept(world.ports, draft, actor=SYSTEM) if verb == "accept" else intake.rehearse(
            world.ports, draft
        )
    assert (caught.value.problem.code, caught.value.problem.field) == (code, field)
    assert world.rows(select(t.announcement)) == []


def two_at_x(world: World) -> None:
    """A department with an account of its own beside the school's."""
    accounts_ = [ConfiguredAccount("texts", "sms"), ConfiguredAccount("feed", "rss")]
    accounts_ += [ConfiguredAccount("x", "twitter"), ConfiguredAccount("x_music", "twitter", "music")]
    install(world.ledger, SCHOOL, {"office": "School office", "music": "Music"}, accounts_, sandbox=True)
    licensing.give_specimens(world.ports)
    world.channels.opened["x_music"] = world.channels.open("x")


def test_no_two_accounts_of_the_school_post_the_very_same(world: World, at_x: RunningSandbox) -> None:
    """X suspends accounts for it. The first to say it may; the other is told, and says it in other words."""
    two_at_x(world)
    both = {"audience": "Choir", "ways": (Step(("sms", "twitter")),)}
    said = announced(world, parts={Part.SHORT: "The concert is on Friday."}, **both)
    again = world.draft(department="music", parts={Part.SHORT: "The concert is on FRIDAY!"}, **both)
    with pytest.raises(InvalidAnnouncement) as caught:
        intake.accept(world.ports, again, actor=SYSTEM)
    assert caught.value.problem.code == "same_text"
    assert intake.accept(
        world.ports, replace(again, parts={Part.SHORT: "Our concert!"}), actor=SYSTEM
    ).created
    world.send("x")
    assert post_of(world, said)[0] == "sent"
    intake.withdraw(world.ports, said.public_id, actor=SYSTEM)
    assert intake.accept(world.ports, again, actor=SYSTEM).created


def test_of_what_was_reworded_only_the_newest_words_are_another_accounts(
    world: World, at_x: RunningSandbox
) -> None:
    two_at_x(world)
    both = {"audience": "Choir", "ways": (Step(("sms", "twitter")),)}
    first = world.draft(parts={Part.SHORT: "The concert is on Friday."}, **both)
    said = intake.accept(world.ports, first, actor=SYSTEM).announcement
    approvals.reword(world.ports, said.public_id, {Part.LONG: "The concert is on Monday."}, actor=SYSTEM)
    again = world.draft(department="music", parts={Part.SHORT: "The concert is on Monday."}, **both)
    with pytest.raises(InvalidAnnouncement) as caught:
        intake.accept(world.ports, again, actor=SYSTEM)
    assert caught.value.problem.code == "same_text"
    assert intake.accept(world.ports, replace(again, parts=first.parts), actor=SYSTEM).created


@pytest.mark.parametrize("begun", [True, False])
def test_nobody_changes_their_words_to_what_another_account_announced_since(
    world: World, at_x: RunningSandbox, begun: bool
) -> None:
    two_at_x(world)
    both = {"audience": "Choir", "ways": (Step(("sms", "twitter")),)}
    first = world.draft(parts={Part.SHORT: "The concert is on Friday."}, **both)
    said = intake.accept(world.ports, first, actor=SYSTEM).announcement
    monday = {Part.SHORT: "The concert is on Monday."}
    later = world.draft(department="music", parts=monday, **both)
    theirs = intake.accept(world.ports, later, actor=SYSTEM).announcement
    if begun:
        world.plan(theirs)
        world.send("x_music")
        assert post_of(world, theirs)[0] == "sent"
    with pytest.raises(InvalidAnnouncement) as caught:
        approvals.reword(world.ports, said.public_id, monday, actor=SYSTEM)
    assert caught.value.problem.code == "same_text"
    approvals.reword(world.ports, said.public_id, {Part.SHORT: "Ours is on Tuesday."}, actor=SYSTEM)
    for one in (said, theirs):
        world.plan(one)
    world.send("x")
    world.send("x_music")
    assert [post_of(world, one)[0] for one in (said, theirs)] == ["sent", "sent"]


def test_words_that_another_account_has_begun_to_say_are_not_said_again(
    world: World, at_x: RunningSandbox
) -> None:
    """Announced at the same moment as it was reworded, neither saw the other: whoever began first has said it."""
    two_at_x(world)
    both = {"audience": "Choir", "ways": (Step(("sms", "twitter")),)}
    said = announced(world, parts={Part.SHORT: "The concert is on Friday."}, **both)
    monday = {Part.SHORT: "The concert is on Monday."}
    theirs = announced(world, department="music", parts=monday, **both)
    world.send("x_music")
    with world.ledger.begin() as tx:
        tx.hand.connection.execute(
            update(t.content)
            .where(t.content.c.announcement_id == said.id)
            .values(text="The concert is on Monday.")
        )
    world.send("x")
    assert [post_of(world, one)[0] for one in (said, theirs)] == ["refused", "sent"]


QUOTED = {Part.SHORT: "Well done!", Part.QUOTE: "20"}


@pytest.mark.parametrize("verb", ["accept", "rehearse"])
def test_a_quote_that_nobody_can_check_is_refused_and_nothing_is_kept(
    world: World, at_x: RunningSandbox, verb: str
) -> None:
    at_x.control.order("x:503:stage=read")
    draft = world.draft(audience="Choir", ways=(Step(("sms", "twitter")),), parts=QUOTED)
    with pytest.raises(InvalidAnnouncement) as caught:
        intake.accept(world.ports, draft, actor=SYSTEM) if verb == "accept" else intake.rehearse(
            world.ports, draft
        )
    assert caught.value.problem.code == "quote_unchecked"
    assert world.rows(select(t.announcement)) == []


def test_what_is_refused_anyway_or_known_already_asks_x_nothing(world: World, at_x: RunningSandbox) -> None:
    draft = world.draft(audience="Choir", ways=(Step(("sms", "twitter")),), parts=QUOTED, key="one")
    first = intake.accept(world.ports, draft, actor=SYSTEM)
    before = at_x.control.counts()["x"]["read"]
    at_x.control.order("x:503:stage=read")
    assert intake.accept(world.ports, draft, actor=SYSTEM).announcement == first.announcement
    with pytest.raises(UnknownAudience):
        intake.accept(world.ports, world.draft(ways=draft.ways, parts=QUOTED, audience="Coir"), actor=SYSTEM)
    with pytest.raises(KeyConflict):
        intake.accept(world.ports, replace(draft, audience="everyone"), actor=SYSTEM)
    assert at_x.control.counts()["x"]["read"] == before


def test_to_everyone_a_feed_beside_x_will_do(world: World) -> None:
    said = announced(world, audience="everyone", ways=(Step(("twitter", "rss")),))
    world.send("x")
    assert post_of(world, said)[0] == "sent"

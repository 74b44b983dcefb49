"""What else follows up: posts replaced, feeds edited in place, those told who were reached, and saying it once more."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import select

from broker import intake, retract
from broker.actor import SYSTEM, Actor, ActorKind
from broker.announcement import Announcement, Draft, FollowUp, Part, People, Step
from broker.authority import rule_changes
from broker.corrections import verbs
from broker.corrections.law import NotFollowed
from broker.duty import DutyState
from broker.errors import BrokerError
from broker.ladders import climbing
from broker.ladders.ladder import Ladder, Opening
from broker.testing.channel_bench import Fault
from broker.values import Lane
from config.signer import HmacSigner
from ledger import tables as t
from ledger.connect import open_ledger
from ledger.reads import feeds
from ledger.reads.reached import reached
from ledger.reads.status import status
from ledger.setup import ConfiguredAccount, School, install
from tests.support.broker_world import World
from tests.support.every_kind import ACCOUNTS, EveryKind, world_of_every_kind
from tests.support.school import SmallSchool

SCHOOL = School("st-brides", "St Bride's", "Europe/London", "en-GB", "GB")
AUTHOR = Actor(ActorKind.PERSON, "grace", "office")
WRONG, RIGHT = "Concert at six.", "Concert at seven."
GONE = "There is no concert."
ALL_WAYS = (Step(("sms", "email", "rss", "twitter")),)


def number(n: int) -> str:
    return f"+4479111234{n:02d}"


@dataclass
class Known:
    """A world and the roster that it has."""

    world: World
    school: SmallSchool

    @property
    def ways(self) -> EveryKind:
        assert isinstance(self.world.channels, EveryKind)
        return self.world.channels

    def announce(self, text: str = WRONG, **more: Any) -> Announcement:
        said = self.world.announce(audience="Choir", parts={Part.SHORT: text}, **more)
        self.world.plan(said)
        return said

    def follow(self, draft: Draft) -> Announcement:
        said = intake.accept(self.world.ports, draft, actor=AUTHOR).announcement
        self.go(said)
        return said

    def go(self, *said: Announcement) -> None:
        for one in said:
            self.world.plan(one)
        for account in ACCOUNTS.values():
            self.world.send(account)
        retract.take_back_due(self.world.ports, actor=SYSTEM)

    def person(self, name: str) -> UUID:
        found = self.world.rows(select(t.person.c.public_id).where(t.person.c.given_name == name))
        return UUID(str(found[0].public_id))

    def duties(self, said: Announcement) -> dict[DutyState, int]:
        with self.world.ledger.reading() as hand:
            found = status(hand, said.public_id)
        assert found is not None
        return {state: n for state, n in found.duties.items() if n}

    def got(self, channel: str) -> list[tuple[str, str]]:
        """(address, digest) of what a provider truly took."""
        return [(one.address, one.digest) for one in self.ways.provider(channel).truth]


@pytest.fixture
def known(ledger_url: str) -> Iterator[Known]:
    signer = HmacSigner(b"a secret of the tests")
    ledger = open_ledger(ledger_url, signer)
    accounts = [ConfiguredAccount(a, c) for c, a in ACCOUNTS.items()]
    install(ledger, SCHOOL, {"office": "School office"}, accounts)
    world = world_of_every_kind(ledger, signer)
    school = SmallSchool()
    for n in range(4):
        pupil = school.pupil(f"Pupil{n}", "Choir", mobiles=(number(50 + n),))
        school.guardian(f"Parent{n}", pupil, mobiles=(number(n),), emails=(f"p{n}@example.org",))
    school.staff("Head", mobiles=(number(90),))
    world.bring(school)
    yield Known(world, school)
    ledger.close()


def digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def test_a_post_is_replaced_and_a_feed_changes_in_place_under_the_first_ones_name(known: Known):
    said = known.announce(ways=ALL_WAYS)
    known.go()
    again = known.follow(verbs.correction(known.world.ports, said.public_id, {Part.SHORT: RIGHT}))
    post = known.ways.posts.truth
    assert [one.digest for one in post] == [digest(WRONG), digest(RIGHT)]
    assert known.ways.posts.deleted == [post[0].provider_id]
    with known.world.ledger.reading() as hand:
        scope = feeds.pulse(hand).school
        items = feeds.published(hand, scope, limit=9)
    assert [(item.id, item.content[0].short) for item in items] == [(said.public_id, RIGHT)]
    assert [text for _, text in known.got("sms")][4:] == [digest(f"Correction: {RIGHT}")] * 4
    assert again.follow_up is FollowUp.CORRECTION


def test_an_edit_changes_the_feed_and_tells_nobody(known: Known):
    said = known.announce(ways=ALL_WAYS)
    known.go()
    before = known.got("sms"), known.got("email"), known.got("twitter")
    edit = known.follow(verbs.edit(known.world.ports, said.public_id, {Part.SHORT: "Concert at six!"}))
    assert (known.got("sms"), known.got("email"), known.got("twitter")) == before
    with known.world.ledger.reading() as hand:
        items = feeds.published(hand, feeds.pulse(hand).school, limit=9)
    assert [(item.id, item.content[0].short) for item in items] == [(said.public_id, "Concert at six!")]
    assert known.duties(said) == {DutyState.MET: 4}
    assert not known.duties(edit)
    # What it says is corrected all the same, and that stands in one place, too.
    known.follow(verbs.correction(known.world.ports, said.public_id, {Part.SHORT: RIGHT}))
    with known.world.ledger.reading() as hand:
        items = feeds.published(hand, feeds.pulse(hand).school, limit=9)
    assert [(item.id, item.content[0].short) for item in items] == [(said.public_id, RIGHT)]


def test_what_stands_in_no_feed_cannot_be_edited(known: Known):
    said = known.announce()
    with pytest.raises(NotFollowed, match="no feed"):
        verbs.edit(known.world.ports, said.public_id, {Part.SHORT: RIGHT})


def test_those_whom_it_reached_are_told_that_it_is_taken_back_and_nobody_else(known: Known):
    known.ways.texts.order(Fault.REJECTED_ADDRESS, times=1)
    said = known.announce(ways=(Step(("sms", "rss")),))
    known.go()
    draft = verbs.withdrawal(known.world.ports, said.public_id, {Part.SHORT: GONE})
    withdrawn, accepted = verbs.withdraw_and_tell(known.world.ports, draft, actor=AUTHOR)
    known.go(accepted.announcement)
    assert withdrawn == 0
    assert sorted(known.got("sms")[3:]) == sorted((to, digest(GONE)) for to, _ in known.got("sms")[:3])
    assert known.duties(accepted.announcement) == {DutyState.MET: 3}
    with known.world.ledger.reading() as hand:
        assert not feeds.published(hand, feeds.pulse(hand).school, limit=9)


def test_who_may_have_it_is_told_when_that_is_known(known: Known):
    said = known.announce()
    known.ways.texts.order(Fault.LOST_AFTER_ACCEPT, times=1)
    known.ways.texts.order(Fault.TIMEOUT_BEFORE, times=1)
    known.go()
    known.ways.texts.cure()
    draft = verbs.withdrawal(known.world.ports, said.public_id, {Part.SHORT: GONE})
    _, accepted = verbs.withdraw_and_tell(known.world.ports, draft, actor=AUTHOR)
    known.go(accepted.announcement)
    assert known.world.states(accepted.announcement) == {"sent": 2}
    for _ in range(5):
        known.world.pass_time(timedelta(minutes=2))
        known.world.sweep()
        known.go(accepted.announcement)
    assert known.world.states(said) == {"sent": 3, "withdrawn": 1}
    assert known.world.states(accepted.announcement) == {"sent": 3}


def test_that_it_is_taken_back_is_told_once(known: Known):
    said = known.announce()
    known.go()
    draft = verbs.withdrawal(known.world.ports, said.public_id, {Part.SHORT: GONE})
    _, accepted = verbs.withdraw_and_tell(known.world.ports, draft, actor=AUTHOR)
    known.go(accepted.announcement)
    with pytest.raises(NotFollowed, match="already"):
        verbs.withdraw_and_tell(known.world.ports, draft, actor=AUTHOR)
    assert len(known.got("sms")) == 8


def test_what_nobody_has_alone_is_not_told_to_be_taken_back(known: Known):
    rule_changes.change(known.world.ports, "undo.window", "60 s", "a test", actor=SYSTEM)
    said = known.announce()
    known.world.pass_time(timedelta(minutes=2))
    known.world.plan(said)
    known.go()
    resend = verbs.resend(known.world.ports, said.public_id, [known.person("Pupil2")])
    right = verbs.correction(known.world.ports, said.public_id, {Part.SHORT: RIGHT})
    for draft, why in ((resend, "a resend of"), (right, "nobody has")):
        one = intake.accept(known.world.ports, draft, actor=AUTHOR).announcement
        with pytest.raises(NotFollowed, match=why):
            verbs.withdrawal(known.world.ports, one.public_id, {Part.SHORT: GONE})


@pytest.mark.runs_on("sqlite")
def test_it_is_taken_back_when_its_words_are_of_age_and_then_not_sent_again(known: Known):
    said = known.announce()
    known.go()
    known.world.sql("DELETE FROM content")
    with pytest.raises(NotFollowed, match="not kept"):
        verbs.resend(known.world.ports, said.public_id, [known.person("Pupil2")])
    draft = verbs.withdrawal(known.world.ports, said.public_id, {Part.SHORT: GONE})
    _, accepted = verbs.withdraw_and_tell(known.world.ports, draft, actor=AUTHOR)
    known.go(accepted.announcement)
    assert [text for _, text in known.got("sms")[4:]] == [digest(GONE)] * 4


def test_what_a_rule_refuses_to_tell_leaves_the_announcement_as_it_was(known: Known):
    said = known.announce()
    draft = verbs.withdrawal(known.world.ports, said.public_id, {Part.SHORT: "x" * 2_000})
    with pytest.raises(BrokerError):
        verbs.withdraw_and_tell(known.world.ports, draft, actor=AUTHOR)
    known.go()
    assert known.world.states(said) == {"sent": 4}


def test_one_person_is_told_once_more(known: Known):
    said = known.announce()
    known.go()
    again = known.follow(verbs.resend(known.world.ports, said.public_id, [known.person("Pupil2")]))
    assert known.got("sms")[4:] == [(number(2), digest(WRONG))]
    assert known.world.states(again) == {"sent": 1}
    assert known.duties(said) == {DutyState.MET: 4}


def test_a_new_address_gets_it_and_says_which_it_replaces(known: Known):
    known.ways.texts.order(Fault.REJECTED_ADDRESS, address=number(1))
    said = known.announce()
    known.go()
    known.ways.texts.cure()
    assert known.duties(said) == {DutyState.MET: 3, DutyState.LAPSED: 1}
    parent = known.school.people["parent1"]
    known.school.people["parent1"] = replace(parent, mobiles=(number(71),))
    known.world.bring(known.school)
    everybody = [known.person(f"Pupil{n}") for n in range(4)]
    again = known.follow(verbs.resend(known.world.ports, said.public_id, everybody, new_addresses=True))
    assert known.got("sms")[3:] == [(number(71), digest(WRONG))]
    row = known.world.rows(select(t.delivery).where(t.delivery.c.announcement_id == again.id))[0]
    replaced = known.world.rows(select(t.delivery).where(t.delivery.c.id == row.replaces))[0]
    assert (replaced.announcement_id, replaced.state) == (said.id, "rejected")
    assert known.duties(said) == {DutyState.MET: 4}
    with known.world.ledger.reading() as hand:
        first = next(one for one in reached(hand, said) if len(one.ways) > 1)
    assert [way.state for way in first.ways] == ["rejected", "sent"]
    assert (first.state, first.why) == (DutyState.MET, "")


def test_who_joined_since_is_told_and_counts_among_those_it_had_to_tell(known: Known):
    said = known.announce()
    known.go()
    late = known.school.pupil("Late", "Choir")
    known.school.guardian("Latent", late, mobiles=(number(80),))
    known.world.bring(known.school)
    known.follow(verbs.resend(known.world.ports, said.public_id, joined=True))
    assert known.got("sms")[4:] == [(number(80), digest(WRONG))]
    assert known.duties(said) == {DutyState.MET: 5}
    with pytest.raises(NotFollowed, match="nobody joined"):
        known.follow(verbs.resend(known.world.ports, said.public_id, joined=True))
    # A correction goes to whoever has it by then.
    known.follow(verbs.correction(known.world.ports, said.public_id, {Part.SHORT: RIGHT}))
    assert known.got("sms")[5:].count((number(80), digest(f"Correction: {RIGHT}"))) == 1
    assert len(known.got("sms")) == 10


def test_who_joins_before_anybody_was_told_hears_it_with_the_others(known: Known):
    said = known.world.announce(audience="Choir", parts={Part.SHORT: WRONG})
    with pytest.raises(NotFollowed, match="told nobody yet"):
        known.follow(verbs.resend(known.world.ports, said.public_id, joined=True))


def test_who_joined_and_was_not_told_before_a_correction_gets_the_right_text(known: Known):
    said = known.announce()
    known.go()
    late = known.school.pupil("Late", "Choir")
    known.school.guardian("Latent", late, mobiles=(number(80),))
    known.world.bring(known.school)
    drafts = (
        verbs.resend(known.world.ports, said.public_id, joined=True),
        verbs.correction(known.world.ports, said.public_id, {Part.SHORT: RIGHT}),
    )
    again, right = (intake.accept(known.world.ports, draft, actor=AUTHOR).announcement for draft in drafts)
    known.go(again, right)
    assert (number(80), digest(RIGHT)) in known.got("sms")
    assert len(known.got("sms")) == 9
    assert known.duties(right) == {DutyState.MET: 5}


def test_nobody_writes_to_one_pupil_alone_by_sending_it_again(known: Known):
    rule_changes.change(known.world.ports, "adults.smallest", "3", "a test", actor=SYSTEM)
    said = intake.accept(
        known.world.ports,
        known.world.draft(audience="Choir", people=People.PUPILS, parts={Part.SHORT: WRONG}),
        actor=AUTHOR,
    ).announcement
    known.go(said)
    draft = verbs.resend(known.world.ports, said.public_id, [known.person("Pupil2")])
    with pytest.raises(BrokerError, match="fewer than"):
        intake.accept(known.world.ports, draft, actor=AUTHOR)
    with_an_adult = replace(draft, copies=("head",))
    again = known.follow(with_an_adult)
    assert sorted(to for to, _ in known.got("sms")[4:]) == [number(52), number(90)]
    assert known.world.states(again) == {"sent": 2}


@pytest.mark.parametrize("lane", [Lane.ROUTINE])
def test_a_resend_of_what_was_corrected_meanwhile_stops(known: Known, lane: Lane):
    said = known.announce()
    known.go()
    draft = verbs.resend(known.world.ports, said.public_id, [known.person("Pupil2")])
    again = intake.accept(known.world.ports, draft, actor=AUTHOR).announcement
    known.world.plan(again)
    right = intake.accept(
        known.world.ports,
        verbs.correction(known.world.ports, said.public_id, {Part.SHORT: RIGHT}),
        actor=AUTHOR,
    ).announcement
    known.go(right)
    known.go(right)
    assert known.world.states(again) == {"withdrawn": 1}
    assert [text for _, text in known.got("sms")[4:]] == [digest(f"Correction: {RIGHT}")] * 4
    with pytest.raises(NotFollowed, match="corrected"):
        known.follow(verbs.resend(known.world.ports, said.public_id, [known.person("Pupil1")]))


@pytest.mark.parametrize("whom", [[], [UUID(int=7)]])
def test_it_is_not_sent_again_to_nobody_nor_to_strangers(known: Known, whom: list[UUID]):
    said = known.announce()
    with pytest.raises(NotFollowed):
        known.follow(verbs.resend(known.world.ports, said.public_id, whom))


def test_a_correction_of_ways_in_order_goes_the_same_ways_in_order(known: Known):
    known.ways.texts.order(Fault.REJECTED_ADDRESS, address=number(1))
    ladder = Ladder((Opening(), Opening()))
    said = known.announce(ways=(Step(("sms",)), Step(("email",))), ladder=ladder)
    known.go()
    climbing.climb(known.world.ports, actor=SYSTEM)
    known.go()
    assert [to for to, _ in known.got("email")] == ["p1@example.org"]
    known.follow(verbs.correction(known.world.ports, said.public_id, {Part.SHORT: RIGHT}))
    corrected = digest(f"Correction: {RIGHT}")
    assert [text for _, text in known.got("sms")[3:]] == [corrected] * 3
    assert known.got("email")[1:] == [("p1@example.org", corrected)]

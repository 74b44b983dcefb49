"""One school's week, badly treated: announcing, dying, failing, withdrawing, news, in whatever order."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any, cast
from uuid import UUID

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
)
from sqlalchemy import select

from broker import accounts, intake, reconcile, retract
from broker.actor import SYSTEM
from broker.announcement import Announcement, FollowUp, Part, Step, Urgency
from broker.authority import rule_changes, second_thoughts, switching
from broker.authority.second_thoughts import TooLate
from broker.channel import Key, Receipt
from broker.corrections import verbs
from broker.delivery import Evidence, fold_attempt
from broker.errors import KeyConflict, RuleBroken, RuleRefused
from broker.ladders import climbing
from broker.ladders.ladder import Ladder, Opening
from broker.rules.switches import SwitchKind
from broker.testing.channel_bench import Fault
from broker.testing.hints import Mood
from broker.testing.provider import pretend_news
from broker.values import FanOutHint, Lane, StopKind
from ledger import tables as t
from tests.support.broker_world import World
from tests.support.every_kind import ACCOUNTS, EveryKind
from tests.support.invariants import check_always, check_in_the_end, nothing_private, private_values
from tests.support.one_worker import OneWorker
from tests.support.school import SmallSchool
from tests.support.tampering import without_guards

FAMILIES, MOST_SAID, MOST_FOLLOWED, MOST_WORKERS = 5, 4, 3, 3
FOLLOW_UPS = [FollowUp.CORRECTION, FollowUp.CORRECTION, FollowUp.WITHDRAWAL, FollowUp.RESEND]
FAULTS = [
    Fault.TIMEOUT_BEFORE,
    Fault.LOST_AFTER_ACCEPT,
    Fault.GARBLED_ANSWER,
    Fault.BUSY,
    Fault.RATE_LIMITED,
    Fault.UNREACHABLE,
    Fault.REJECTED_ADDRESS,
]
WAYS = [("sms",), ("email",), ("sms", "email"), ("sms", "rss"), ("email", "twitter"), tuple(ACCOUNTS)]
channels = st.sampled_from(sorted(ACCOUNTS))
SWITCHES = [(SwitchKind.EVERYTHING, ""), (SwitchKind.DEPARTMENT, "office")]
RULES = [("undo.window", "2 min"), ("undo.window", "0"), ("blast.size", "3"), ("blast.size", "0")]
KEPT = {"school", "department", "account", "rules"}


class AnyOrder(RuleBasedStateMachine):
    """One school's week, badly treated. `world` is set by the test: Hypothesis makes machines without arguments."""

    world: World
    said: list[Announcement]
    _first: dict[str, Any]
    workers: list[OneWorker]
    log: list[str]
    news: list[tuple[str, Evidence]]  # each with the token of its attempt
    undone: list[Announcement]  # while nothing of it had left

    @property
    def ways(self) -> EveryKind:
        return cast("EveryKind", self.world.channels)

    @initialize()
    def a_school(self) -> None:
        self.said, self.workers, self.news, self.undone = [], [], [], []
        self.log.clear()
        with self.world.ledger.begin() as tx, without_guards(tx.hand.connection):
            for table in reversed(t.metadata.sorted_tables):
                if table.name not in KEPT and not table.name.startswith("licence"):
                    tx.hand.connection.execute(table.delete())
        self.everybody_is_in_order_again()
        for provider in self.ways.providers:
            provider.truth.clear()
            provider.deleted.clear()
            provider.silence = timedelta(0)
        school = SmallSchool()
        for n in range(FAMILIES):
            pupil = school.pupil(f"Pupil{n}")
            school.guardian(f"Parent{n}", pupil, mobiles=(number(n),), emails=(f"p{n}@example.org",))
        school.pupil("Orphan")
        self.world.bring(school)
        self._first = self._wanted(0, tuple(ACCOUNTS), False, timedelta(days=7))
        self.said.append(self.world.announce(**self._first))
        self.a_worker_hears(1)

    # --- what people do ------------------------------------------------------------------------------------------

    @precondition(lambda self: len(self.said) < MOST_SAID)
    @rule(ways=st.sampled_from(WAYS), urgent=st.booleans(), hours=st.sampled_from([1, 24]))
    def announce(self, ways: tuple[str, ...], urgent: bool, hours: int) -> None:
        wanted = self._wanted(len(self.said), ways, urgent, timedelta(hours=hours))
        self.said.append(self.world.announce(**wanted))

    @precondition(lambda self: len(self.said) < MOST_SAID)
    @rule(urgent=st.booleans(), at=st.sampled_from([None, timedelta(minutes=10)]))
    def announce_in_order(self, urgent: bool, at: timedelta | None) -> None:
        """By text, and by mail to whom that does not reach."""
        wanted = self._wanted(len(self.said), ("sms",), urgent, timedelta(hours=24))
        ways = (*wanted["ways"], Step(("email",)))
        ladder = Ladder((Opening(at), Opening()))
        self.said.append(self.world.announce(**{**wanted, "ways": ways, "ladder": ladder}))

    @rule()
    def a_worker_climbs(self) -> None:
        climbing.climb(self.world.ports, actor=SYSTEM)

    @rule()
    def the_key_again(self) -> None:
        """The same words are the same announcement; others are a conflict."""
        assert self.world.announce(**self._first).id == self.said[0].id
        with pytest.raises(KeyConflict):
            self.world.announce(**{**self._first, "parts": {Part.SHORT: "Other words."}})

    @rule(
        what=st.sampled_from(["withdraw", "undo", "opt out", "pause", "stop", "resume", "expire"]),
        which=st.integers(0, MOST_SAID),
        channel=channels,
    )
    def somebody_stops_something(self, what: str, which: int, channel: str) -> None:
        """Never what was said first: it is there to be sent."""
        later = self.said[1:]
        if what == "withdraw" and later:
            self.withdraw(later[which % len(later)])
        elif what == "undo" and later:
            self.undo(later[which % len(later)])
        elif what == "expire" and later:
            self.expire(later[which % len(later)])
        elif what == "opt out":
            self.opt_out(which % FAMILIES, channel)
        elif what == "stop":
            kind, subject = (*SWITCHES, (SwitchKind.CHANNEL, channel))[which % (len(SWITCHES) + 1)]
            switching.stop(self.world.ports, kind, subject, "a person said so", actor=SYSTEM)
        elif what == "pause":
            accounts.pause(self.world.ports, ACCOUNTS[channel], "a person said so", actor=SYSTEM)
        else:
            self.resume()

    def withdraw(self, said: Announcement) -> None:
        intake.withdraw(self.world.ports, said.public_id, actor=SYSTEM)

    def expire(self, said: Announcement) -> None:
        row = self.world.rows(select(t.announcement.c.expires_at).where(t.announcement.c.id == said.id))[0]
        self.world.pass_time(max(row.expires_at - datetime.now(UTC), timedelta(0)))

    def opt_out(self, n: int, channel: str) -> None:
        way, value = ("email", f"p{n}@example.org") if channel == "email" else ("sms", number(n))
        row = self.world.rows(select(t.address.c.hash).where(t.address.c.value == value))[0]
        with self.world.ledger.begin() as tx:
            for address in tx.people.suppress(row.hash, way, source="test"):
                tx.stops.add(StopKind.ADDRESS, address)

    def undo(self, said: Announcement) -> None:
        """Either nothing of it ever leaves, or it says that it is too late."""
        try:
            second_thoughts.undo(self.world.ports, said.public_id, actor=SYSTEM)
        except TooLate:
            return
        self.undone.append(said)

    @precondition(lambda self: len(self.said) < MOST_SAID + MOST_FOLLOWED)
    @rule(which=st.integers(0, MOST_SAID), kind=st.sampled_from(FOLLOW_UPS), urgent=st.booleans())
    def somebody_follows_it_up(self, which: int, kind: FollowUp, urgent: bool) -> None:
        """Correct it, take it back and tell, or say it again: done whole, or refused in one clear sentence."""
        first = self.said[which % len(self.said)].public_id
        ports, wanted = self.world.ports, replace(verbs.PLAIN, urgent=urgent)
        words = {Part.SHORT: f"Notice number {len(self.said)} of them."}
        with suppress(RuleBroken):
            if kind is FollowUp.WITHDRAWAL:
                draft = verbs.withdrawal(ports, first, words, wanted)
                said = verbs.withdraw_and_tell(ports, draft, actor=SYSTEM)[1]
            elif kind is FollowUp.CORRECTION:
                said = intake.accept(ports, verbs.correction(ports, first, words, wanted), actor=SYSTEM)
            else:
                draft = verbs.resend(ports, first, self._a_pupil(which), wanted=wanted)
                said = intake.accept(ports, draft, actor=SYSTEM)
            self.said.append(said.announcement)

    def _a_pupil(self, which: int) -> Sequence[UUID]:
        query = select(t.person.c.public_id).where(t.person.c.given_name == f"Pupil{which % FAMILIES}")
        return [row.public_id for row in self.world.rows(query)]

    @rule(key_and_value=st.sampled_from(RULES))
    def a_rule_is_changed(self, key_and_value: tuple[str, str]) -> None:
        """In force at once: what is in hand is judged again, and what waited too."""
        with suppress(RuleRefused):  # it says so already
            rule_changes.change(self.world.ports, *key_and_value, "a person said so", actor=SYSTEM)

    def resume(self) -> None:
        for account in ACCOUNTS.values():
            accounts.resume(self.world.ports, account, actor=SYSTEM)
        for switch in switching.stopped(self.world.ports):
            switching.go(self.world.ports, switch.kind, switch.subject, "", actor=SYSTEM)

    # --- time, and the queue -----------------------------------------------------------------------------------------

    @rule(by=st.sampled_from([timedelta(seconds=20), timedelta(minutes=2), timedelta(minutes=5)]))
    def time_passes(self, by: timedelta) -> None:
        self.world.pass_time(by)

    @rule(mood=st.sampled_from([*Mood, None]))
    def the_queue_is_in_a_mood(self, mood: Mood | None) -> None:
        """It keeps, drops, doubles or reorders hints, or loses all it has."""
        if mood is None:
            self.world.hints.flush()
        else:
            self.world.hints.mood = mood

    # --- what workers do ---------------------------------------------------------------------------------------------

    @rule(most=st.integers(1, 4))
    def a_worker_hears(self, most: int) -> None:
        """And does what it heard, whole."""
        for _ in range(most):
            hint = self.world.hints.take()
            if hint is None:
                return
            if isinstance(hint, FanOutHint):
                for said in self.said:
                    if said.public_id == hint.announcement:
                        self.world.plan(said)
            else:
                self.world.send(hint.account, hint.lane)

    @rule(channel=channels, lane=st.sampled_from([*Lane, Lane.ROUTINE]), steps=st.integers(1, 3))
    def a_worker_begins(self, channel: str, lane: Lane, steps: int) -> None:
        if len(self.workers) == MOST_WORKERS:
            self.workers.pop(0)
        self.workers.append(OneWorker(self.world, ACCOUNTS[channel], self.ways.provider(channel), lane))
        self.a_worker_goes_on(-1, steps)

    @precondition(lambda self: self.workers)
    @rule(which=st.integers(0, MOST_WORKERS - 1), steps=st.integers(1, 3))
    def a_worker_goes_on(self, which: int, steps: int) -> None:
        """However late: what it held may be somebody else's by now."""
        worker = self.workers[which % len(self.workers)]
        for _ in range(steps):
            if not worker.done:
                worker.step()

    @rule(
        channel=channels,
        steps=st.integers(1, 3),
        meanwhile=st.sampled_from(["lease", "lease", "withdraw", "opt out", "pause", "stop", "expire"]),
        which=st.integers(0, MOST_SAID),
    )
    def a_worker_is_overtaken(self, channel: str, steps: int, meanwhile: str, which: int) -> None:
        """Its lease ends, or somebody stops what it holds, between any two things that it does."""
        self.a_worker_begins(channel, Lane.ROUTINE, steps)
        if meanwhile == "lease":
            self.world.pass_time(timedelta(minutes=2))
            self.sweep()
        else:
            self.somebody_stops_something(meanwhile, which, channel)
        self.world.pass_time(timedelta(seconds=2))
        self.a_worker_goes_on(-1, 3)

    @precondition(lambda self: self.workers)
    @rule(which=st.integers(0, MOST_WORKERS - 1))
    def a_worker_dies(self, which: int) -> None:
        """Wherever it has got to."""
        del self.workers[which % len(self.workers)]

    @rule()
    def sweep(self) -> None:
        assert self.world.sweep().clean

    @rule()
    def reconcile(self) -> None:
        reconcile.look_up_due(self.world.ports, actor=SYSTEM)
        retract.take_back_due(self.world.ports, actor=SYSTEM)

    # --- what providers do -------------------------------------------------------------------------------------------

    @rule(channel=channels, fault=st.sampled_from(FAULTS), times=st.integers(1, 3), sends=st.booleans())
    def the_provider_fails(self, channel: str, fault: Fault, times: int, sends: bool) -> None:
        """Now, or whenever somebody comes."""
        self.ways.provider(channel).order(fault, times=times)
        if sends:
            self.world.send(ACCOUNTS[channel])

    @rule()
    def the_providers_recover(self) -> None:
        for provider in self.ways.providers:
            provider.cure()

    @rule(
        news=st.lists(st.tuples(st.integers(0, 99), st.sampled_from(list(Evidence))), min_size=1, max_size=6),
        confirmed=st.booleans(),
    )
    def news_of_texts(self, news: list[tuple[int, Evidence]], confirmed: bool) -> None:
        """Of what it truly has, in any order, any number of times, whether or not its answer was ever heard."""
        truth = self.ways.texts.truth
        with self.world.ledger.begin() as tx:
            texts = tx.accounts.named("texts")
            assert texts is not None
            for which, evidence in news if truth else ():
                kept = truth[which % len(truth)]
                told = pretend_news(Key(0, 0, 0, kept.token), Receipt(kept.provider_id), evidence)
                tx.receipts.append(texts.id, told.url, told.headers, told.body)
                self.news.append((kept.token, evidence))
        if confirmed:
            self.world.confirm()

    # --- what must hold ----------------------------------------------------------------------------------------------

    @invariant()
    def nothing_is_lost_doubled_or_false(self) -> None:
        check_always(self.ways.seen(self.world.ledger, accepted=[said.public_id for said in self.said]))

    @invariant()
    def nothing_of_what_was_undone_was_ever_planned(self) -> None:
        undone = [said.id for said in self.undone]
        assert not self.world.rows(select(t.delivery.c.id).where(t.delivery.c.announcement_id.in_(undone)))

    def teardown(self) -> None:
        """Faults stop. The queue loses everything once more, and what the sweep finds is enough to settle it all."""
        self.workers.clear()
        self.everybody_is_in_order_again()
        for _ in range(20):
            self.world.pass_time(timedelta(minutes=3))
            assert self.world.sweep().clean
            self.a_worker_hears(99)
            under_way = any(row.lookup_at or row.state in {"queued", "sending"} for row in self._deliveries())
            if not (under_way or self._unplanned()):
                break
        for _ in range(3):  # whom something has failed meanwhile goes on to the next way, and the last
            self.world.pass_time(timedelta(minutes=1))
            self.world.sweep()
            self.a_worker_hears(99)
        self.world.sweep()
        check_in_the_end(self.ways.seen(self.world.ledger, accepted=[said.public_id for said in self.said]))
        self.every_news_was_heard()
        assert self.ways.door is not None
        assert not self.ways.door.broken
        assert not list(nothing_private("\n".join(self.log), private_values(self.world.ledger)))

    def everybody_is_in_order_again(self) -> None:
        self.world.hints.flush()
        self.world.hints.mood = Mood.KEEP
        self.the_providers_recover()
        self.resume()
        for key, _ in RULES:
            self.a_rule_is_changed((key, "0"))

    def _wanted(self, n: int, ways: tuple[str, ...], urgent: bool, lasts: timedelta) -> dict[str, Any]:
        return {
            "ways": (Step(ways),),
            "parts": {Part.SHORT: f"Notice number {n}."},
            "urgency": Urgency.URGENT if urgent else Urgency.ROUTINE,
            "key": f"key {n}",
            "expires_at": datetime.now(UTC) + lasts,
        }

    def every_news_was_heard(self) -> None:
        """What was called back stands on its attempt, or something stronger does."""
        known = {
            row.id: row.evidence for row in self.world.rows(select(t.attempt.c.id, t.attempt.c.evidence))
        }
        for token, evidence in self.news:
            attempt = self.world.ports.signer.verify("attempt", token)
            assert (stands := known[int(attempt or 0)]), f"nobody heard that it was {evidence}"
            assert fold_attempt(Evidence(stands), evidence) == stands

    def _unplanned(self) -> Sequence[Any]:
        a = t.announcement.c
        standing = a.withdrawn_at.is_(None), a.corrected_by.is_(None), a.fanned_out_at.is_(None)
        return self.world.rows(select(a.id).where(*standing))

    def _deliveries(self) -> Sequence[Any]:
        return self.world.rows(select(t.delivery))


def number(n: int) -> str:
    return f"+4479111234{n:02d}"

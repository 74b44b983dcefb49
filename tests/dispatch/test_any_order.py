"""Announcing, dying, failing, withdrawing, news, in whatever order: the same rules on both databases."""

from __future__ import annotations

from datetime import timedelta

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)
from sqlalchemy import select

from broker import intake
from broker.actor import SYSTEM
from broker.announcement import Announcement, Part, Step, Urgency
from broker.channel import Key, Receipt
from broker.claim import claim
from broker.delivery import Evidence
from broker.render import Renderer
from broker.testing.channel_bench import Accepted, Fault
from broker.testing.provider import PretendProvider, pretend_news
from broker.values import Lane, Started, StopKind
from ledger import tables as t
from tests.support.broker_world import World
from tests.support.invariants import check_always, check_in_the_end
from tests.support.school import SmallSchool

FAMILIES = 6
ACCOUNTS = {"sms": "texts", "email": "mails"}
FAULTS = [
    Fault.TIMEOUT_BEFORE,
    Fault.LOST_AFTER_ACCEPT,
    Fault.BUSY,
    Fault.RATE_LIMITED,
    Fault.UNREACHABLE,
    Fault.REJECTED_ADDRESS,
]
channels = st.sampled_from(sorted(ACCOUNTS))
lanes = st.sampled_from(list(Lane))


class AnyOrder(RuleBasedStateMachine):
    """One school's week, badly treated. `world` is set by the test: Hypothesis makes machines without arguments."""

    world: World
    said: list[Announcement]
    wordings: dict[int, str]

    @initialize()
    def a_school(self) -> None:
        self.said, self.wordings = [], {}
        with self.world.ledger.begin() as tx:
            for table in reversed(t.metadata.sorted_tables):
                if table.name not in {"school", "department", "account"}:
                    tx.hand.connection.execute(table.delete())
        for provider in (self.world.channels.texts, self.world.channels.mails):
            provider.truth.clear()
            provider.cure()
            provider.silence = timedelta(0)
        school = SmallSchool()
        for n in range(FAMILIES):
            pupil = school.pupil(f"Pupil{n}")
            school.guardian(
                f"Parent{n}", pupil, mobiles=(f"+4479111234{n:02d}",), emails=(f"p{n}@example.org",)
            )
        self.world.bring(school)
        self.announce(("sms", "email"), False)
        self.plan()

    @precondition(lambda self: len(self.said) < 4)
    @rule(ways=st.sampled_from([("sms",), ("email",), ("sms", "email")]), urgent=st.booleans())
    def announce(self, ways: tuple[str, ...], urgent: bool) -> None:
        words = f"Notice number {len(self.said)}."
        urgency = Urgency.URGENT if urgent else Urgency.ROUTINE
        wanted = {"ways": (Step(ways),), "parts": {Part.SHORT: words}, "urgency": urgency, "key": words}
        said, again = self.world.announce(**wanted), self.world.announce(**wanted)
        assert again.id == said.id
        self.said.append(said)
        self.wordings[said.id] = words

    @rule()
    def plan(self) -> None:
        for said in self.said:
            self.world.plan(said)

    @precondition(lambda self: self.said)
    @rule(which=st.integers(0, 3))
    def withdraw(self, which: int) -> None:
        intake.withdraw(self.world.ports, self.said[which % len(self.said)].public_id, actor=SYSTEM)

    @rule(n=st.integers(0, FAMILIES - 1), channel=channels)
    def opt_out(self, n: int, channel: str) -> None:
        value = f"+4479111234{n:02d}" if channel == "sms" else f"p{n}@example.org"
        row = self.world.rows(select(t.address.c.hash).where(t.address.c.value == value))[0]
        with self.world.ledger.begin() as tx:
            for address in tx.people.suppress(row.hash, channel, source="test"):
                tx.stops.add(StopKind.ADDRESS, address)

    @rule(by=st.sampled_from([timedelta(minutes=1), timedelta(minutes=5), timedelta(hours=2)]))
    def time_passes(self, by: timedelta) -> None:
        self.world.pass_time(by)

    @rule(channel=channels, fault=st.sampled_from(FAULTS), times=st.integers(1, 6))
    def the_provider_fails(self, channel: str, fault: Fault, times: int) -> None:
        self._provider(channel).order(fault, times=times)

    @rule(channel=channels)
    def the_provider_recovers(self, channel: str) -> None:
        self._provider(channel).cure()

    @rule(channel=channels, lane=lanes)
    def send(self, channel: str, lane: Lane) -> None:
        self.world.send(ACCOUNTS[channel], lane)

    @rule(channel=channels, lane=lanes, point=st.sampled_from(["accepted", "started", "claimed"]))
    def a_worker_dies(self, channel: str, lane: Lane, point: str) -> None:
        die(self.world, ACCOUNTS[channel], lane, point)

    @rule()
    def sweep(self) -> None:
        self.world.hints.flush()
        self.world.sweep()

    @rule(evidence=st.sampled_from(list(Evidence)), times=st.integers(1, 2))
    def news_of_texts(self, evidence: Evidence, times: int) -> None:
        rows = self.world.rows(select(t.attempt).where(t.attempt.c.provider_id.like("P%")))
        for row in rows * times:
            token = self.world.ports.signer.sign("attempt", str(row.id))
            news = pretend_news(
                Key(row.delivery_id, row.id, row.fence, token), Receipt(row.provider_id), evidence
            )
            with self.world.ledger.begin() as tx:
                texts = tx.accounts.named("texts")
                assert texts is not None
                if texts.id == row.account_id:
                    tx.receipts.append(texts.id, news.url, news.headers, news.body)
        self.world.confirm()

    @invariant()
    def nothing_twice_and_nothing_false(self) -> None:
        check_always(self.world.ledger, self._truth(), self.wordings)

    def teardown(self) -> None:
        """Faults stop; the sweep and the senders go on until all is settled."""
        for channel in ACCOUNTS:
            self._provider(channel).cure()
        for _ in range(12):
            self.plan()
            self.world.pass_time(timedelta(minutes=5))
            self.world.sweep()
            for account in ACCOUNTS.values():
                for lane in Lane:
                    self.world.send(account, lane)
            if not {"queued", "sending"} & set(self.world.states()):
                self.world.pass_time(timedelta(minutes=1))
                self.world.sweep()
                if ("sms", "uncertain") not in {
                    (r.channel, r.state) for r in self.world.rows(select(t.delivery))
                }:
                    break
        self.world.sweep()
        check_in_the_end(self.world.ledger, self._truth(), self.wordings)

    def _provider(self, channel: str) -> PretendProvider:
        return self.world.channels.texts if channel == "sms" else self.world.channels.mails

    def _truth(self) -> dict[str, list[Accepted]]:
        return {channel: self._provider(channel).truth for channel in ACCOUNTS}


def die(world: World, account: str, lane: Lane, point: str) -> None:
    """A worker that gets so far and is never heard of again: what it held is found by its lease."""
    with world.ledger.begin() as tx:
        row = tx.accounts.named(account)
    assert row is not None
    channel = world.channels.open(account)
    second, minute = timedelta(seconds=1), timedelta(minutes=1)
    taken = claim(world.ports, row, channel, lane, most=3, within=second, lease=minute, actor=SYSTEM).taken
    if point == "claimed" or not taken:
        return
    rendered = {one.delivery: Renderer(world.ports, channel).render(one) for one in taken}
    starts = [
        Started(one.delivery, one.fence, made.message.digest)
        for one in taken
        if (made := rendered[one.delivery])
    ]
    with world.ledger.begin() as tx:
        begun = tx.deliveries.start(row, account, starts, margin=second)
    if point == "accepted":
        provider = world.channels.texts if account == "texts" else world.channels.mails
        for delivery in begun:
            made = rendered[delivery]
            assert made is not None
            provider.accept(made.message, made.to)


@pytest.mark.timeout(600)
def test_in_any_order_nothing_is_lost_and_nothing_sent_twice(
    world: World, request: pytest.FixtureRequest
) -> None:
    machine = type("AnyOrderHere", (AnyOrder,), {"world": world})
    slow = bool(request.config.getoption("--slow"))
    run_state_machine_as_test(
        machine,
        settings=settings(
            max_examples=200 if slow else 15,
            stateful_step_count=30,
            deadline=None,
            suppress_health_check=list(HealthCheck),
            derandomize=not slow,  # the same few on every landing; `make deep` draws others each time
        ),
    )

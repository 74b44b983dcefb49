"""Two gateways, in any order: what is in doubt with one starts at none before that one said twice that it is absent."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test
from sqlalchemy import select

from broker import accounts, reconcile
from broker.actor import SYSTEM
from broker.announcement import Part, Urgency
from broker.capabilities import PastAttempt
from broker.channel import Message, Receipt, Recipient
from broker.errors import RuleBroken
from broker.testing.channel_bench import Accepted, Fault
from broker.testing.provider import AskablePretendChannel, PretendProvider
from broker.values import Lane, Started
from ledger import tables as t
from tests.support.broker_world import World
from tests.support.invariants import Had, Seen, check_always, check_in_the_end
from tests.support.one_worker import MARGIN, OneWorker
from tests.support.school import SmallSchool
from tests.support.tampering import without_guards
from tests.support.two_gateways import FIRST, QUICK, SECOND, TwoGateways, with_two

FAMILIES, MOST_SAID = 4, 8
KEPT = {"school", "department", "account", "rules"}
FAULTS = [
    Fault.TIMEOUT_BEFORE,
    Fault.LOST_AFTER_ACCEPT,
    Fault.SERVER_ERROR,
    Fault.UNREACHABLE,
    Fault.UNREACHABLE,
    Fault.BUSY,
    Fault.REJECTED_ACCOUNT,
]
PROVEN = {"retry", "not-sent"}  # nothing left: the sender itself knows it
gateways = st.sampled_from([FIRST, SECOND])


class OtherIds(PretendProvider):
    """A provider whose ids are its own, so that the truth can be told apart."""

    def accept(self, message: Message, to: Recipient) -> Receipt:
        """Keep it under another name."""
        plain = super().accept(message, to)
        kept = self.truth[-1]
        self.truth[-1] = Accepted(f"Q{plain.provider_id}", kept.address, kept.digest, kept.token, kept.at)
        return Receipt(self.truth[-1].provider_id)


class AtGateway(OneWorker):
    """A worker that goes by one gateway and may die anywhere."""

    def __init__(self, world: World, two: TwoGateways, gateway: str, lane: Lane) -> None:
        super().__init__(world, "texts", two.texts if gateway == FIRST else two.others, lane)
        self._gateway = gateway

    def _start(self) -> None:
        starts = []
        for one in self.taken:
            rendered = self._renderer.render(one)
            assert rendered is not None
            starts.append(Started(one.delivery, one.fence, rendered.message.digest))
        with self._world.ledger.begin() as tx:
            self._attempts = dict(tx.deliveries.start(self._row, self._gateway, starts, margin=MARGIN))


class AnyGateway(RuleBasedStateMachine):
    """`world` and `two` are set by the test: Hypothesis makes machines without arguments."""

    world: World
    two: TwoGateways
    asked: dict[tuple[int, str], list[datetime]]  # attempt and gateway → when it said that it has not got it
    said: int

    @initialize()
    def a_school(self) -> None:
        self.asked, self.said = defaultdict(list), 0
        with self.world.ledger.begin() as tx, without_guards(tx.hand.connection):
            for table in reversed(t.metadata.sorted_tables):
                if table.name not in KEPT and not table.name.startswith("licence"):
                    tx.hand.connection.execute(table.delete())
        accounts.resume(self.world.ports, "texts", actor=SYSTEM)
        self.two.order = (FIRST, SECOND)
        for name in (FIRST, SECOND):
            provider = self.provider(name)
            provider.cure()
            provider.truth.clear()
            provider.silence = timedelta(0)
            channel: Any = self.two.through("texts", name)
            channel.find = self.overheard(name, channel)
        school = SmallSchool()
        for n in range(FAMILIES):
            school.guardian(f"Parent{n}", school.pupil(f"Pupil{n}"), mobiles=(f"+44791112340{n}",))
        self.world.bring(school)
        self.announce(False)

    def provider(self, gateway: str) -> PretendProvider:
        return self.two.texts if gateway == FIRST else self.two.others

    def overheard(self, gateway: str, channel: Any) -> Callable[[PastAttempt], Receipt | None]:
        def find(attempt: PastAttempt) -> Receipt | None:
            found = AskablePretendChannel.find(channel, attempt)
            if found is None:
                at = datetime.now(UTC) + self.world.passed
                self.asked[attempt.key.attempt, gateway].append(at)
            return found

        return find

    @rule(urgent=st.booleans())
    def announce(self, urgent: bool) -> None:
        if self.said == MOST_SAID:
            return
        self.said += 1
        urgency = Urgency.URGENT if urgent else Urgency.ROUTINE
        words = {Part.SHORT: f"Notice number {self.said}."}
        self.world.plan(self.world.announce(parts=words, urgency=urgency))

    @rule(lane=st.sampled_from(Lane))
    def a_worker_sends(self, lane: Lane) -> None:
        self.world.send(lane=lane)

    @rule(
        gateway=gateways, fault=st.sampled_from(FAULTS), times=st.integers(1, 6), lane=st.sampled_from(Lane)
    )
    def a_gateway_fails_in_mid_send(self, gateway: str, fault: Fault, times: int, lane: Lane) -> None:
        self.announce(lane is Lane.URGENT)
        self.provider(gateway).order(fault, times=times)
        self.world.send(lane=lane)

    @rule(gateway=gateways, lane=st.sampled_from(Lane), steps=st.integers(1, 3))
    def a_worker_dies_in_mid_send(self, gateway: str, lane: Lane, steps: int) -> None:
        worker = AtGateway(self.world, self.two, gateway, lane)
        for _ in range(steps):
            if not worker.done:
                worker.step()

    @rule(gateway=gateways)
    def a_gateway_recovers(self, gateway: str) -> None:
        self.provider(gateway).cure()

    @rule(gateway=gateways, out=st.booleans())
    def somebody_decides_about_a_gateway(self, gateway: str, out: bool) -> None:
        with suppress(RuleBroken):
            if out:
                accounts.hold_out(self.world.ports, "texts", gateway, "a person said so", actor=SYSTEM)
            else:
                accounts.take_back(self.world.ports, "texts", gateway, actor=SYSTEM)

    @rule()
    def the_order_is_turned_round(self) -> None:
        self.two.order = (self.two.order[1], self.two.order[0])

    @rule(by=st.sampled_from([timedelta(seconds=2), timedelta(seconds=20), timedelta(minutes=3)]))
    def time_passes(self, by: timedelta) -> None:
        self.world.pass_time(by)

    @rule(cured=st.booleans(), lane=st.sampled_from(Lane))
    def a_while_later_it_is_asked_and_sent(self, cured: bool, lane: Lane) -> None:
        if cured:
            self.two.texts.cure()
            self.two.others.cure()
        self.world.pass_time(timedelta(minutes=2))
        self.sweep()
        self.world.send(lane=lane)

    @rule()
    def sweep(self) -> None:
        assert self.world.sweep().clean

    @rule()
    def look_up(self) -> None:
        reconcile.look_up_due(self.world.ports, actor=SYSTEM)

    @invariant()
    def what_is_in_doubt_with_one_starts_nowhere_before_that_one_said_twice_that_it_is_absent(self) -> None:
        rows = self.world.rows(select(t.attempt).order_by(t.attempt.c.delivery_id, t.attempt.c.fence))
        grace = self.two.through("texts", FIRST).traits.grace
        for one, following in pairwise(rows):
            if one.delivery_id != following.delivery_id or one.outcome in PROVEN:
                continue
            begun, began_anew = one.started_at + self.world.passed, following.started_at + self.world.passed
            told = [at for at in self.asked[one.id, one.gateway] if begun + grace <= at <= began_anew]
            assert len(told) >= reconcile.TIMES, f"{one.gateway} said absent {len(told)} times"
            assert told[-1] - told[0] >= grace - timedelta(milliseconds=100)

    @invariant()
    def nothing_is_lost_doubled_or_false(self) -> None:
        check_always(self.seen())

    def teardown(self) -> None:
        """Faults stop; what is left is asked for and sent, and everybody has each notice once."""
        for name in (FIRST, SECOND):
            self.provider(name).cure()
            accounts.take_back(self.world.ports, "texts", name, actor=SYSTEM)
        accounts.resume(self.world.ports, "texts", actor=SYSTEM)
        for _ in range(12):
            self.world.pass_time(timedelta(minutes=3))
            self.world.sweep()
            for lane in Lane:
                self.world.send(lane=lane)
            if self.world.states().keys() <= {"sent", "exhausted"}:
                break
        check_in_the_end(self.seen())
        got = Counter(
            kept.address + kept.digest for p in (self.two.texts, self.two.others) for kept in p.truth
        )
        assert set(got.values()) <= {1}
        assert len(got) == self.world.states().get("sent", 0)

    def seen(self) -> Seen:
        truth = [Had.by_pretence("sms", kept) for p in (self.two.texts, self.two.others) for kept in p.truth]
        channel = self.two.through("texts", FIRST)
        mails = self.two.open("mails")
        traits = {"sms": channel.traits, "email": mails.traits}
        return Seen.of(
            self.world.ledger, truth, traits=traits, retries={"sms": channel.retry, "email": mails.retry}
        )


@pytest.mark.timeout(600)
def test_in_any_order_what_one_gateway_may_have_never_goes_by_the_other(
    world: World, request: pytest.FixtureRequest
) -> None:
    two = with_two(world, QUICK)
    two.others = OtherIds()
    machine = type("AnyGatewayHere", (AnyGateway,), {"world": world, "two": two})
    slow = bool(request.config.getoption("--slow"))
    run_state_machine_as_test(
        machine,
        settings=settings(
            max_examples=100 if slow else 10,
            stateful_step_count=25,
            deadline=None,
            suppress_health_check=list(HealthCheck),
            derandomize=not slow,
            phases=list(Phase) if slow else [Phase.generate],
        ),
    )

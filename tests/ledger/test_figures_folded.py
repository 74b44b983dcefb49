"""What was sent, counted by the hour: every attempt once, in the hour of the school's clocks in which it ended."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import insert, select, update

from broker import figures
from broker.actor import SYSTEM
from broker.announcement import Draft, Part, People, Step
from broker.fanout import plan
from broker.figures import FAILED, SPANS, at_most, span_of
from broker.ports import Ports
from broker.rosters.imports import import_roster
from ledger import tables as t
from ledger.connect import Ledger
from tests.support.school import family

pytestmark = pytest.mark.usefixtures("sandbox_school")
SUMMER = datetime(2026, 6, 30, 23, 30, tzinfo=UTC)  # half an hour past midnight in London
Try = Callable[..., None]


@pytest.fixture
def tried(ports: Ports, ledger: Ledger) -> Try:
    """Adds an attempt at the deliveries of one announcement: when each was due, how long it took, how it ended."""
    import_roster(ports, family().roster(), actor=SYSTEM)
    draft = Draft("music", "Choir + 7B", People.GUARDIANS, (Step(("sms",)),), {Part.SHORT: "At four."})
    with ledger.begin() as tx:
        made = tx.announcements.add(
            draft, digest="d", actor=SYSTEM, due_at=tx.now, expires_at=tx.now + timedelta(hours=1)
        )
    plan(ports, made.public_id, actor=SYSTEM)
    with ledger.reading() as hand:
        deliveries = hand.connection.execute(select(t.delivery.c.id, t.delivery.c.account_id)).all()

    def add(
        due: datetime, took: float = 1, outcome: str | None = "accept", *, nth: int = 0, fence: int = 1
    ) -> None:
        one = deliveries[nth]
        ended = due + timedelta(seconds=took) if outcome else None
        row = {
            "delivery_id": one.id,
            "fence": fence,
            "account_id": one.account_id,
            "gateway": "",
            "digest": "d",
        }
        with ledger.begin() as tx:
            run = tx.hand.connection.execute
            run(update(t.delivery).where(t.delivery.c.id == one.id).values(due_at=due))
            run(insert(t.attempt).values(**row, started_at=due, ended_at=ended, outcome=outcome))

    return add


def counted(ledger: Ledger) -> dict[tuple[str, int], int]:
    with ledger.reading() as hand:
        rows = hand.connection.execute(select(t.figure)).all()
        departments = hand.connection.execute(select(t.department.c.id, t.department.c.slug)).all()
    slugs = {row.id: row.slug for row in departments}
    assert all((row.channel, slugs[row.department_id]) == ("sms", "music") for row in rows)
    return {(row.hour, row.took): row.n for row in rows}


def test_what_was_sent_is_counted_in_its_hour_by_the_schools_clocks(
    tried: Try, ports: Ports, ledger: Ledger
) -> None:
    tried(SUMMER, 3.5)
    tried(SUMMER + timedelta(minutes=5), 3.5, nth=1)
    tried(SUMMER + timedelta(minutes=40), 70, "reject", nth=2)
    assert figures.count(ports) == 3
    assert counted(ledger) == {("2026-07-01 00", span_of(3.5)): 2, ("2026-07-01 01", FAILED): 1}


def test_every_attempt_is_counted_once_however_often_the_sweep_comes(
    tried: Try, ports: Ports, ledger: Ledger
) -> None:
    tried(SUMMER)
    assert [figures.count(ports), figures.count(ports)] == [1, 0]
    tried(SUMMER, nth=1)
    assert figures.count(ports) == 1
    assert sum(counted(ledger).values()) == 2


def test_two_that_read_the_same_attempts_count_them_once(tried: Try, ports: Ports, ledger: Ledger) -> None:
    tried(SUMMER)
    with ports.ledger.look() as tx:
        read = tx.figures.read(most=10)
    assert read is not None
    assert [ports.ledger.transact(lambda tx: tx.figures.fold(read)) for _ in range(2)] == [1, 0]
    assert sum(counted(ledger).values()) == 1


def test_a_stretch_is_as_long_as_it_may_be_and_the_next_goes_on(
    tried: Try, ports: Ports, ledger: Ledger
) -> None:
    for nth in range(3):
        tried(SUMMER, nth=nth)
    with ports.ledger.look() as tx:
        first = tx.figures.read(most=2)
    assert first is not None
    assert ports.ledger.transact(lambda tx: tx.figures.fold(first)) == 2
    assert figures.count(ports) == 1


def test_an_attempt_that_is_not_over_yet_is_waited_for_and_those_behind_it_too(
    tried: Try, ports: Ports, ledger: Ledger
) -> None:
    now = datetime.now(UTC)
    tried(now - timedelta(minutes=2))
    tried(now - timedelta(minutes=1), outcome=None, nth=1)
    tried(now - timedelta(minutes=1), nth=2)
    assert [figures.count(ports), figures.count(ports)] == [1, 0]
    with ledger.begin() as tx:
        over = update(t.attempt).where(t.attempt.c.ended_at.is_(None))
        tx.hand.connection.execute(over.values(ended_at=tx.now, outcome="accept"))
    assert figures.count(ports) == 2
    assert sum(counted(ledger).values()) == 3


def test_what_began_a_moment_ago_is_left_for_the_next_sweep(tried: Try, ports: Ports) -> None:
    tried(datetime.now(UTC), 0.1)
    assert figures.count(ports) == 0


def test_an_attempt_of_which_nobody_heard_again_holds_nothing_up(
    tried: Try, ports: Ports, ledger: Ledger
) -> None:
    tried(SUMMER, outcome=None)
    tried(SUMMER, nth=1)
    assert figures.count(ports) == 1
    assert sum(counted(ledger).values()) == 1


def test_a_second_try_took_as_long_as_it_is_since_the_first(tried: Try, ports: Ports, ledger: Ledger) -> None:
    tried(SUMMER, 5, "retry")
    tried(SUMMER + timedelta(minutes=9), 3, fence=2)
    assert figures.count(ports) == 1
    assert counted(ledger) == {("2026-07-01 00", span_of(9 * 60 + 3)): 1}


def test_the_median_is_right_to_a_quarter_and_of_nothing_there_is_none() -> None:
    assert at_most({}, 0.5) is None
    assert at_most({FAILED: 5}, 0.5) is None
    for seconds in (0.7, 5, 33, 250, 4000, 90000):
        found = at_most({span_of(seconds): 9, FAILED: 1000}, 0.5)
        assert found is not None
        assert 0.7 < found.total_seconds() / seconds < 1.4
    slow = at_most({span_of(2): 90, span_of(600): 10}, 0.95)
    assert slow is not None
    assert 420 < slow.total_seconds() < 900


def test_spans_follow_on_each_other_without_a_gap() -> None:
    assert list(SPANS) == sorted(set(SPANS))
    assert [span_of(end) for end in SPANS] == list(range(1, len(SPANS) + 1))
    assert span_of(0) == 0

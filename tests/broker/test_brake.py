"""The brake, on a clock that the test moves and a stop-list of its own."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import TYPE_CHECKING, Any, NoReturn, TypeVar, cast

import pytest

from broker.announcement import Purpose, Urgency
from broker.brake import STALE, Brake, InHand, keep_fresh
from broker.channel import Key
from broker.rules import book
from broker.rules.book import rules_of
from broker.rules.case import AnnouncementCase
from broker.testing.clock import PretendClock
from broker.values import Stop, StopKind

if TYPE_CHECKING:
    from broker.ports import Transaction
    from broker.rosters.roster import Roster

T = TypeVar("T")
DELIVERY, OTHER = 1, 2
TRIP = (StopKind.ANNOUNCEMENT, 7)
FENCE, LEASE = 1, 60.0  # seconds


@dataclass
class StopList:
    """A ledger of nothing but stops: it is a transaction and a port of itself, and it can be away."""

    clock: PretendClock
    kept: list[Stop] = field(default_factory=list)
    away: bool = False
    reads: int = 0
    numbers: Iterator[int] = field(default_factory=lambda: count(1))

    @property
    def stops(self) -> StopList:
        return self

    @contextmanager
    def look(self) -> Iterator[Transaction]:
        if self.away:
            raise ConnectionError("the database is away")
        yield cast("Transaction", self)

    def begin(self) -> NoReturn:
        raise NotImplementedError("the brake writes nothing")

    def recent(self) -> tuple[datetime, Sequence[Stop]]:
        self.reads += 1
        return self.clock.now, list(self.kept)

    def stop(self, kind: StopKind, subject: int) -> None:
        self.kept.append(Stop(next(self.numbers), kind, subject))

    def transact(self, work: Callable[[Transaction], T], *, ahead: bool = False) -> T:
        with self.look() as tx:
            return work(tx)

    def begin_import(self, roster: Roster) -> NoReturn:
        raise NotImplementedError

    def exchange(self, *_: object, now: datetime) -> NoReturn:
        raise NotImplementedError


@pytest.fixture
def clock() -> PretendClock:
    return PretendClock(datetime(2026, 11, 30, 8, tzinfo=UTC))


@pytest.fixture
def ledger(clock: PretendClock) -> StopList:
    return StopList(clock)


@pytest.fixture
def brake(ledger: StopList, clock: PretendClock) -> Brake:
    return Brake(ledger, clock=clock.monotonic)


def take(
    brake: Brake, delivery: int = DELIVERY, *subjects: tuple[StopKind, int], began: float | None = None
) -> None:
    """Put a delivery in hand whose claim began now, or earlier; it expires in an hour."""
    expires = brake.database_now() + timedelta(hours=1)
    moment = brake.clock() if began is None else began
    brake.take([(delivery, InHand(moment, moment + LEASE, FENCE, expires, frozenset(subjects or [TRIP])))])


def may(brake: Brake, delivery: int = DELIVERY, fence: int = FENCE) -> bool:
    return brake.may_start(Key(delivery, attempt=delivery, fence=fence))


def test_what_is_in_hand_may_start(brake: Brake) -> None:
    brake.refresh()
    take(brake)
    assert may(brake)


def test_a_delivery_that_nobody_claimed_may_not(brake: Brake) -> None:
    brake.refresh()
    take(brake)
    assert not may(brake, OTHER)


def test_a_brake_that_never_read_says_no(brake: Brake, clock: PretendClock) -> None:
    brake.take([(DELIVERY, InHand(0, LEASE, FENCE, clock.now + timedelta(hours=1), frozenset()))])
    assert not may(brake)
    assert not brake.fresh()


@pytest.mark.parametrize("kind", StopKind)
def test_a_stop_seen_after_the_claim_forbids_what_depends_on_it(
    brake: Brake, ledger: StopList, clock: PretendClock, kind: StopKind
) -> None:
    brake.refresh()
    take(brake, DELIVERY, (kind, 7))
    take(brake, OTHER, (kind, 8))
    clock.advance(timedelta(milliseconds=200))
    ledger.stop(kind, 7)
    assert may(brake), "until it is read, nobody knows"
    brake.refresh()
    assert not may(brake)
    assert may(brake, OTHER)


def test_a_stop_of_another_kind_with_the_same_number_forbids_nothing(brake: Brake, ledger: StopList) -> None:
    brake.refresh()
    take(brake, DELIVERY, (StopKind.ADDRESS, 7))
    ledger.stop(StopKind.PERSON, 7)
    brake.refresh()
    assert may(brake)


def test_a_stop_seen_before_the_claim_does_not_forbid_it(
    brake: Brake, ledger: StopList, clock: PretendClock
) -> None:
    """The claim judged with the fact itself: a resumed account, a new delivery past an opt-out on another channel."""
    ledger.stop(*TRIP)
    brake.refresh()
    clock.advance(timedelta(milliseconds=100))
    take(brake)
    brake.refresh()
    assert may(brake)


def test_a_stop_first_seen_while_the_claim_ran_forbids_it(
    brake: Brake, ledger: StopList, clock: PretendClock
) -> None:
    """The claim may have read before the stop was committed: in doubt, no."""
    brake.refresh()
    began = clock.monotonic()
    clock.advance(timedelta(milliseconds=50))
    ledger.stop(*TRIP)
    brake.refresh()
    clock.advance(timedelta(milliseconds=50))
    take(brake, began=began)
    assert not may(brake)


def test_a_second_stop_on_the_same_subject_forbids_again(
    brake: Brake, ledger: StopList, clock: PretendClock
) -> None:
    ledger.stop(StopKind.ACCOUNT, 3)
    brake.refresh()
    clock.advance(timedelta(milliseconds=100))
    take(brake, DELIVERY, (StopKind.ACCOUNT, 3))
    ledger.stop(StopKind.ACCOUNT, 3)  # paused, resumed, paused again
    clock.advance(timedelta(milliseconds=100))
    brake.refresh()
    assert not may(brake)


def test_what_was_forbidden_and_let_go_may_start_after_a_new_claim(
    brake: Brake, ledger: StopList, clock: PretendClock
) -> None:
    brake.refresh()
    take(brake)
    ledger.stop(*TRIP)
    brake.refresh()
    brake.let_go([DELIVERY])
    assert not may(brake)
    clock.advance(timedelta(milliseconds=100))
    take(brake)
    assert may(brake)


def test_a_stop_that_the_ledger_has_dropped_still_forbids_what_it_met(brake: Brake, ledger: StopList) -> None:
    brake.refresh()
    take(brake)
    ledger.stop(*TRIP)
    brake.refresh()
    ledger.kept.clear()
    brake.refresh()
    assert not may(brake)


def test_a_read_that_is_too_old_forbids_everything_until_the_next(brake: Brake, clock: PretendClock) -> None:
    brake.refresh()
    take(brake)
    clock.advance(STALE)
    assert may(brake)
    assert brake.fresh()
    clock.advance(timedelta(milliseconds=1))
    assert not may(brake)
    assert not brake.fresh()
    brake.refresh()
    assert may(brake)


def test_a_database_that_is_away_lets_the_last_read_go_stale(
    brake: Brake, ledger: StopList, clock: PretendClock
) -> None:
    brake.refresh()
    take(brake)
    ledger.away = True
    with pytest.raises(ConnectionError):
        brake.refresh()
    assert may(brake), "one missed read is no reason to stop"
    clock.advance(STALE + timedelta(milliseconds=1))
    assert not may(brake)


def test_nothing_starts_at_or_after_its_expiry_by_the_databases_clock(
    brake: Brake, clock: PretendClock
) -> None:
    brake.refresh()
    half = timedelta(milliseconds=500)
    now = clock.monotonic()
    brake.take([(DELIVERY, InHand(now, now + LEASE, FENCE, clock.now + half, frozenset()))])
    clock.advance(half - timedelta(milliseconds=1))
    assert may(brake)
    clock.advance(timedelta(milliseconds=1))
    assert not may(brake)


def test_nothing_starts_once_its_lease_might_end_in_mid_call(brake: Brake, clock: PretendClock) -> None:
    brake.refresh()
    take(brake)
    clock.advance(timedelta(seconds=LEASE, milliseconds=-1))
    brake.refresh()
    assert may(brake)
    clock.advance(timedelta(milliseconds=1))
    assert not may(brake), "recovery may soon give it to somebody else"


def test_a_try_under_an_older_claim_may_not_start_on_the_strength_of_a_newer_one(brake: Brake) -> None:
    brake.refresh()
    take(brake)
    assert not may(brake, fence=FENCE - 1)
    assert may(brake)


def test_between_two_reads_the_databases_time_goes_on(brake: Brake, clock: PretendClock) -> None:
    brake.refresh()
    read_at = clock.now
    clock.advance(timedelta(milliseconds=300))
    assert abs(brake.database_now() - read_at - timedelta(milliseconds=300)) < timedelta(milliseconds=1)


def test_the_loop_outlives_a_database_that_comes_and_goes(brake: Brake, ledger: StopList) -> None:
    ledger.away = True
    over, told = threading.Event(), list[Exception]()

    def heard(error: Exception) -> None:
        told.append(error)
        ledger.away = False

    loop = threading.Thread(target=keep_fresh, args=(brake, over, heard))
    loop.start()
    deadline = threading.Event()
    while ledger.reads < 2 and not deadline.wait(0.01):
        pass
    over.set()
    loop.join(timeout=5)
    assert not loop.is_alive()
    assert [type(error) for error in told] == [ConnectionError]


# --- what changes by time alone -------------------------------------------------------------------------------------


def announced(**more: Any) -> AnnouncementCase:
    """As a claim judged it at eight in the morning, when texts may be sent until a minute past."""
    at = datetime(2026, 11, 30, 8, tzinfo=UTC)
    plain = AnnouncementCase(
        now=at,
        rules=rules_of({"windows.open": "sms mon 07:00-08:01", "undo.window": "0"}),
        zone="Europe/London",
        department="office",
        channel="sms",
        account="texts",
        purpose=Purpose.SERVICE,
        urgency=Urgency.ROUTINE,
        due_at=at,
        expires_at=at + timedelta(days=8),
        accepted_at=at,
        announcement=7,
        begun=True,
    )
    return replace(plain, **more)


def take_judged(brake: Brake, case: AnnouncementCase, delivery: int = DELIVERY) -> None:
    now = brake.clock()
    ends = brake.database_now() + timedelta(hours=1)
    brake.take([(delivery, InHand(now, now + 3600, FENCE, ends, frozenset([TRIP]), case))])


@pytest.mark.parametrize(
    ("case", "over"),
    [
        (announced(), True),
        (announced(channel="email"), False),
        (announced(urgency=Urgency.URGENT), False),
        (announced(licence_needed=True, licensed_until=datetime(2026, 11, 30, 8, 1, tzinfo=UTC)), True),
        (
            announced(channel="email", licence_needed=True, licensed_until=datetime(2027, 1, 1, tzinfo=UTC)),
            False,
        ),
    ],
)
def test_the_rules_judge_what_is_in_hand_again_as_time_goes_by(
    brake: Brake, clock: PretendClock, case: AnnouncementCase, over: bool
) -> None:
    brake.refresh()
    take_judged(brake, case)
    take_judged(brake, announced(rules=rules_of({"windows.open": ""}), licence_needed=False), OTHER)
    clock.advance(timedelta(seconds=59))
    brake.refresh()
    assert may(brake)
    clock.advance(timedelta(seconds=2))
    brake.refresh()
    assert may(brake) is not over
    assert may(brake, OTHER)


def test_a_rule_that_raises_lets_nothing_start(
    brake: Brake, clock: PretendClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(case: AnnouncementCase) -> NoReturn:
        raise ZeroDivisionError(case.account)

    brake.refresh()
    take_judged(brake, announced())
    monkeypatch.setattr(book, "EACH_TIME", (*book.EACH_TIME, fails))
    clock.advance(timedelta(milliseconds=250))
    brake.refresh()
    assert brake.fresh()
    assert not may(brake)

"""What one run sees of its gateway: it turns away within seconds, whatever went well before."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from broker.channel import NotStarted, Outcome, Receipt
from broker.errors import AccountRejected, RateLimited, Uncertain, Unreachable
from broker.failover import Watch
from broker.gateways import BREAKER, WELL, Choice, Health, Stand, held_out

NOW = datetime(2026, 11, 23, 9, tzinfo=UTC)
OPENED = Health(Stand.HALF_OPEN, since=NOW - timedelta(minutes=1), until=NOW, openings=1)
GOOD = Receipt("SM1")


class Passing:
    """Time that passes when it is told to."""

    def __init__(self) -> None:
        self.seconds = 0.0

    def clock(self) -> float:
        return self.seconds

    def now(self) -> datetime:
        return NOW + timedelta(seconds=self.seconds)


def watching(time: Passing, choice: Choice | None = None) -> Watch:
    return Watch(choice or Choice("first"), BREAKER, time.now, time.clock)


def tried(watch: Watch, outcome: Outcome, times: int = 1) -> None:
    for attempt in range(times):
        watch.began(attempt)
        watch.heard(attempt, outcome)


def test_a_thousand_quick_answers_do_not_outweigh_a_few_that_hang() -> None:
    time = Passing()
    watch = watching(time)
    tried(watch, GOOD, 1_000)
    for attempt in range(2_000, 2_008):
        watch.began(attempt)
    time.seconds = 5.5
    watch.look()
    assert watch.turned
    assert not watch.may_claim
    told = watch.take()
    assert told is not None
    assert (told.good, told.slow) == (0, 8)
    assert told.why == "no answer within 5 seconds"


def test_what_was_slow_is_not_held_against_it_twice() -> None:
    time = Passing()
    watch = watching(time)
    watch.began(1)
    time.seconds = 6
    watch.look()
    watch.look()
    watch.heard(1, Uncertain("no answer"))
    told = watch.take()
    assert told is not None
    assert (told.slow, told.errors) == (1, 0)
    assert watch.take() is None


def test_of_what_goes_well_the_ledger_hears_nothing() -> None:
    watch = watching(Passing())
    tried(watch, GOOD, 50)
    assert watch.take() is None


def test_errors_one_in_twenty_turn_nothing() -> None:
    watch = watching(Passing())
    for _ in range(100):
        tried(watch, Unreachable("no connection"))
        tried(watch, GOOD, 19)
    assert not watch.turned


def test_a_refused_account_and_a_limit_used_up_turn_it_at_once() -> None:
    for outcome in (
        AccountRejected("no credit"),
        RateLimited("the day's limit is used up", retry_after=timedelta(hours=3)),
    ):
        watch = watching(Passing())
        tried(watch, outcome)
        assert watch.turned
    calm = watching(Passing())
    tried(calm, RateLimited("slowly", retry_after=timedelta(seconds=2)), 50)
    assert not calm.turned


def test_a_trial_turns_at_its_first_fault_and_tells_how_it_went() -> None:
    trial = Choice("first", OPENED, trial=True)
    failed = watching(Passing(), trial)
    tried(failed, GOOD)
    tried(failed, Uncertain("no answer"))
    assert failed.turned
    went_well = watching(Passing(), trial)
    tried(went_well, GOOD, 3)
    told = went_well.take()
    assert told is not None
    assert (told.good, told.opening, told.trial) == (3, OPENED.since, True)


def test_a_trial_for_which_nothing_was_due_tells_so_at_its_end() -> None:
    watch = watching(Passing(), Choice("first", OPENED, trial=True))
    tried(watch, NotStarted())
    assert watch.take() is None
    told = watch.take(ended=True)
    assert told is not None
    assert not told.good
    assert told.trial


def test_it_leaves_when_another_is_better_and_stops_when_its_own_has_opened() -> None:
    watch = watching(Passing())
    watch.see(Choice("first"), WELL)
    assert watch.may_claim
    watch.see(Choice("before", OPENED, trial=True), WELL)
    assert not watch.may_claim
    assert not watch.turned  # what it has started goes on
    watch.see(Choice("second"), held_out("dear", "bell", NOW))
    assert watch.turned

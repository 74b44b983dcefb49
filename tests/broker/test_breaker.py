"""The breaker and the choice: pure, so that whatever happens to a gateway can be tried."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from broker.channel import NotStarted, Outcome, Receipt
from broker.errors import (
    AccountRejected,
    AddressRejected,
    ContentRejected,
    RateLimited,
    Uncertain,
    Unreachable,
)
from broker.gateways import (
    BREAKER,
    WELL,
    Choice,
    Facts,
    Health,
    Stand,
    away_for,
    choose,
    due_for_trial,
    held_out,
    is_error,
    learned,
    tried,
)
from broker.values import Lane

NOW = datetime(2026, 11, 23, 9, tzinfo=UTC)
SECOND = timedelta(seconds=1)
BOTH = ("twilio", "notify")

counts = st.integers(0, 30)
moments = st.integers(-300, 300).map(lambda s: NOW + s * SECOND)
facts = st.builds(
    Facts,
    good=counts,
    errors=counts,
    slow=counts,
    why=st.just("it failed"),
    rejected=st.sampled_from(["", "", "", "no"]),
)


@st.composite
def healths(draw: st.DrawFn) -> Health:
    stand = draw(st.sampled_from(Stand))
    if stand is Stand.CLOSED:
        return draw(st.builds(Health, counted_from=moments, tries=counts, errors=counts, slow=st.just(0)))
    return Health(
        stand, since=draw(moments), until=draw(moments), why="it failed", openings=draw(st.integers(1, 40))
    )


def bound(one: Facts, health: Health, trial: bool) -> Facts:
    """The facts as those of tries that began while the gateway stood so."""
    return replace(one, opening=None if health.stand is Stand.CLOSED else health.since, trial=trial)


def failing(times: int, health: Health = WELL, at: datetime = NOW) -> Health:
    return learned(BREAKER, health, Facts(errors=times, why="it failed"), at)


def test_a_few_errors_in_a_row_open_it_for_half_a_minute() -> None:
    assert failing(2).stand is Stand.CLOSED
    opened = failing(1, failing(2), NOW + SECOND)
    assert (opened.stand, opened.since, opened.openings) == (Stand.OPEN, NOW + SECOND, 1)
    assert opened.until == NOW + 31 * SECOND
    assert opened.why == "it failed"


def test_few_errors_among_many_answers_leave_it_closed() -> None:
    assert learned(BREAKER, WELL, Facts(good=197, errors=3), NOW).stand is Stand.CLOSED
    assert learned(BREAKER, WELL, Facts(good=3, errors=3), NOW).stand is Stand.OPEN


def test_slow_answers_count_as_errors_do() -> None:
    assert learned(BREAKER, WELL, Facts(errors=1, slow=2), NOW).stand is Stand.OPEN


def test_errors_of_long_ago_are_forgotten() -> None:
    assert failing(2, failing(2), NOW + 31 * SECOND).stand is Stand.CLOSED
    assert failing(2, failing(2), NOW + 29 * SECOND).stand is Stand.OPEN


def test_a_rest_is_twice_as_long_after_each_failed_trial_up_to_a_limit() -> None:
    rests = [BREAKER.rest(openings) / SECOND for openings in (1, 2, 3, 4, 5, 6, 7, 99)]
    assert rests == [30, 60, 120, 240, 480, 600, 600, 600]
    assert rests == sorted(rests)


def test_a_trial_that_succeeds_closes_it_and_one_that_fails_lets_it_rest_longer() -> None:
    opened = failing(3)
    later = NOW + 31 * SECOND
    trial = tried(BREAKER, opened, later)
    assert (trial.stand, trial.since) == (Stand.HALF_OPEN, opened.since)
    closed = learned(BREAKER, trial, Facts(good=3, opening=opened.since, trial=True), later)
    assert closed == Health(since=later)
    again = learned(BREAKER, trial, Facts(good=2, slow=1, opening=opened.since, trial=True), later)
    assert (again.stand, again.openings, again.until) == (Stand.OPEN, 2, later + 60 * SECOND)


def test_a_limit_that_is_used_up_for_long_opens_it_at_once_for_as_long() -> None:
    limited = RateLimited("the day's limit is used up", retry_after=timedelta(hours=3))
    assert away_for(BREAKER, limited) == timedelta(hours=3)
    assert away_for(BREAKER, RateLimited("slowly", retry_after=SECOND)) is None
    after = learned(BREAKER, WELL, Facts(away=timedelta(hours=3), why="the day's limit is used up"), NOW)
    assert (after.stand, after.until) == (Stand.OPEN, NOW + timedelta(hours=3))


def test_a_trial_for_which_nothing_was_due_is_made_again_later() -> None:
    trial = tried(BREAKER, failing(3), NOW)
    after = learned(BREAKER, trial, Facts(opening=trial.since, trial=True), NOW + SECOND)
    assert (after.stand, after.openings, after.until) == (Stand.OPEN, 1, NOW + 31 * SECOND)


def test_a_trial_of_which_nobody_reports_is_over_after_half_a_minute() -> None:
    trial = tried(BREAKER, failing(3), NOW)
    assert not due_for_trial(trial, NOW + 29 * SECOND)
    assert due_for_trial(trial, NOW + 30 * SECOND)


@given(healths(), facts, st.booleans())
def test_it_never_closes_without_a_success(health: Health, one: Facts, trial: bool) -> None:
    after = learned(BREAKER, health, bound(replace(one, good=0), health, trial), NOW)
    assert after.stand is not Stand.CLOSED or health.stand is Stand.CLOSED


@given(healths(), facts, st.booleans())
def test_it_closes_by_nothing_that_began_before_it_opened(health: Health, one: Facts, trial: bool) -> None:
    for opening in (None, NOW - timedelta(days=1)):
        after = learned(BREAKER, health, replace(one, opening=opening, trial=trial), NOW)
        assert after.stand is not Stand.CLOSED or health.stand is Stand.CLOSED


@given(healths(), facts, counts, counts, st.booleans())
def test_more_faults_never_leave_it_better(
    health: Health, one: Facts, errors: int, slow: int, trial: bool
) -> None:
    """Closed is better than open, and a shorter rest than a longer."""
    worse = replace(one, errors=one.errors + errors, slow=one.slow + slow)
    ranks = (Stand.CLOSED, Stand.HALF_OPEN, Stand.OPEN, Stand.OUT)
    plain, faulty = (learned(BREAKER, health, bound(each, health, trial), NOW) for each in (one, worse))
    assert ranks.index(faulty.stand) >= ranks.index(plain.stand)
    if plain.stand is faulty.stand is Stand.OPEN and one.bad:
        assert (faulty.openings, faulty.until) >= (plain.openings, plain.until)


@given(healths().filter(lambda health: health.stand is Stand.OUT), facts, st.booleans())
def test_what_is_out_stays_out_whatever_is_learned(health: Health, one: Facts, trial: bool) -> None:
    assert learned(BREAKER, health, bound(one, health, trial), NOW) == health


@given(st.dictionaries(st.sampled_from(BOTH), healths()), moments)
def test_what_is_urgent_never_tries(known: dict[str, Health], now: datetime) -> None:
    choice = choose(BOTH, known, Lane.URGENT, now)
    assert choice is None or not choice.trial


@given(st.dictionaries(st.sampled_from(BOTH), healths()), st.sampled_from(Lane), moments)
def test_what_is_out_is_never_chosen_and_what_is_well_before_what_is_not(
    known: dict[str, Health], lane: Lane, now: datetime
) -> None:
    choice = choose(BOTH, known, lane, now)
    stands = {name: known.get(name, WELL).stand for name in BOTH}
    if choice is None:
        assert Stand.CLOSED not in stands.values()
    else:
        assert stands[choice.gateway] is not Stand.OUT
        if not choice.trial and choice.health is not WELL:
            assert Stand.CLOSED not in stands.values()
            assert lane is Lane.URGENT


def test_the_first_in_order_is_chosen_then_the_next() -> None:
    opened = failing(3)
    for lane in Lane:
        assert choose(BOTH, {}, lane, NOW) == Choice("twilio")
        assert choose(BOTH, {"twilio": opened}, lane, NOW) == Choice("notify")
        assert choose(BOTH, {"twilio": held_out("dear", "bell", NOW)}, lane, NOW) == Choice("notify")
        assert choose(BOTH, {"notify": opened}, lane, NOW) == Choice("twilio")


def test_a_trial_goes_before_the_next_in_order_when_its_time_has_come() -> None:
    opened = failing(3)
    due = NOW + 31 * SECOND
    assert choose(BOTH, {"twilio": opened}, Lane.ROUTINE, due) == Choice("twilio", opened, trial=True)
    assert choose(BOTH, {"twilio": opened}, Lane.URGENT, due) == Choice("notify")
    assert choose(BOTH, {"twilio": tried(BREAKER, opened, due)}, Lane.ROUTINE, due) == Choice("notify")


def test_when_none_is_well_the_urgent_goes_all_the_same_and_the_routine_waits_for_a_trial() -> None:
    earlier, later = failing(3), failing(3, at=NOW + SECOND)
    both = {"twilio": later, "notify": earlier}
    assert choose(BOTH, both, Lane.URGENT, NOW) == Choice("notify", earlier)
    assert choose(BOTH, both, Lane.ROUTINE, NOW) is None
    out = held_out("dear", "bell", NOW)
    assert choose(BOTH, {"twilio": out, "notify": out}, Lane.URGENT, NOW) is None


def test_when_none_is_well_the_first_is_tried_again_soon_however_often_it_failed() -> None:
    often = replace(failing(3), openings=9, until=NOW + timedelta(minutes=10))
    for seconds, tries in ((29, False), (30, True)):
        found = choose(BOTH, dict.fromkeys(BOTH, often), Lane.ROUTINE, NOW + seconds * SECOND)
        assert found == (Choice("twilio", often, trial=True) if tries else None)
    one_is_well = choose(BOTH, {"twilio": often}, Lane.ROUTINE, NOW + 30 * SECOND)
    assert one_is_well == Choice("notify")


@pytest.mark.parametrize(
    ("outcome", "held"),
    [
        (Unreachable("no connection"), True),
        (Uncertain("no answer"), True),
        (Receipt("SM1"), False),
        (NotStarted(), False),
        (RateLimited("slowly"), False),
        (AddressRejected("no such number"), False),
        (ContentRejected("too rude"), False),
        (AccountRejected("no credit"), False),  # not an error: it is out
    ],
)
def test_what_is_held_against_a_gateway(outcome: Outcome, held: bool) -> None:
    assert is_error(outcome) is held

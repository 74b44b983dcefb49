"""When a failed try comes back: a value and a pure function, so a table tests it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from broker.delivery import Event
from broker.errors import (
    AccountRejected,
    AddressRejected,
    ContentRejected,
    DeliveryFailure,
    Permanent,
    RateLimited,
    Transient,
    Uncertain,
    Unreachable,
)
from broker.retry import Decision, RetryPolicy, after_failure

NOW = datetime(2026, 11, 30, 8, tzinfo=UTC)
MIDDLE = 0.5  # of the jitter: the plain wait
POLICY = RetryPolicy(attempts=5, first=timedelta(seconds=30), most=timedelta(minutes=4), jitter=0.2)

spreads = st.floats(0, 1, exclude_max=True)
policies = st.builds(
    RetryPolicy,
    attempts=st.integers(1, 20),
    first=st.timedeltas(timedelta(seconds=1), timedelta(hours=1)),
    most=st.timedeltas(timedelta(hours=1), timedelta(days=1)),
    jitter=st.floats(0, 0.5),
)


def decide(failure: DeliveryFailure, *, burned: int = 0, policy: RetryPolicy = POLICY) -> Decision:
    return after_failure(policy, failure, burned_before=burned, now=NOW, spread=MIDDLE)


@pytest.mark.parametrize(
    ("burned", "seconds"), [(0, 30), (1, 30), (2, 60), (3, 120), (4, 240), (5, 240), (9, 240), (10_000, 240)]
)
def test_the_wait_doubles_up_to_the_most(burned: int, seconds: int) -> None:
    assert POLICY.wait(burned, MIDDLE) == timedelta(seconds=seconds)


@pytest.mark.parametrize(("spread", "seconds"), [(0.0, 24), (0.25, 27), (0.5, 30), (0.75, 33)])
def test_the_spread_places_the_wait_in_the_jitter(spread: float, seconds: int) -> None:
    assert POLICY.wait(1, spread) == timedelta(seconds=seconds)


@given(policies, st.integers(0, 100), spreads)
def test_the_wait_stays_within_the_jitter_of_its_step(
    policy: RetryPolicy, burned: int, spread: float
) -> None:
    plain = policy.wait(burned, MIDDLE)
    grain = timedelta(microseconds=2)
    assert policy.first <= plain + grain
    assert plain <= policy.most + grain
    assert (
        plain * (1 - policy.jitter) - grain
        <= policy.wait(burned, spread)
        <= plain * (1 + policy.jitter) + grain
    )


@given(policies, st.integers(1, 50))
def test_a_later_try_never_waits_less(policy: RetryPolicy, burned: int) -> None:
    assert policy.wait(burned, MIDDLE) <= policy.wait(burned + 1, MIDDLE)


@pytest.mark.parametrize("failure", [Transient("busy"), Unreachable("no route")])
@pytest.mark.parametrize(("burned", "seconds"), [(0, 30), (1, 60), (2, 120), (3, 240)])
def test_a_passing_failure_burns_an_attempt_and_comes_back_later(
    failure: Transient, burned: int, seconds: int
) -> None:
    assert decide(failure, burned=burned) == Decision(Event.RETRY, NOW + timedelta(seconds=seconds))


@pytest.mark.parametrize("burned", [4, 5, 50])
def test_the_last_attempt_that_fails_exhausts_the_delivery(burned: int) -> None:
    assert decide(Transient("busy"), burned=burned) == Decision(Event.EXHAUST)


def test_a_policy_of_one_attempt_gives_up_at_the_first_failure() -> None:
    assert decide(Transient("busy"), policy=RetryPolicy(attempts=1)).event is Event.EXHAUST


@given(policies)
def test_exactly_as_many_tries_fail_as_the_policy_allows(policy: RetryPolicy) -> None:
    burned, tries = 0, 0
    while True:
        tries += 1
        decision = decide(Transient("busy"), burned=burned, policy=policy)
        if decision.event is Event.EXHAUST:
            break
        burned += decision.burned
    assert tries == policy.attempts


@pytest.mark.parametrize("burned", [0, 4, 5, 100])
def test_a_rate_limit_burns_nothing_and_never_exhausts(burned: int) -> None:
    told = decide(RateLimited("slow down", retry_after=timedelta(seconds=17)), burned=burned)
    assert told == Decision(Event.RETRY, NOW + timedelta(seconds=17), burned=False)


@pytest.mark.parametrize("retry_after", [None, timedelta(0)])
def test_a_rate_limit_that_names_no_wait_takes_the_policys(retry_after: timedelta | None) -> None:
    told = decide(RateLimited("slow down", retry_after=retry_after))
    assert told == Decision(Event.RETRY, NOW + POLICY.rate_limit_wait, burned=False)


@pytest.mark.parametrize(
    "failure",
    [
        Permanent("no"),
        AddressRejected("no such number"),
        ContentRejected("not this"),
        AccountRejected("closed"),
    ],
)
@pytest.mark.parametrize("burned", [0, 4, 5])
def test_a_lasting_no_rejects_whatever_was_burned(failure: Permanent, burned: int) -> None:
    assert decide(failure, burned=burned) == Decision(Event.REJECT)


@pytest.mark.parametrize("failure", [Uncertain("no answer"), DeliveryFailure("of a kind nobody foresaw")])
@pytest.mark.parametrize("burned", [0, 4, 5])
def test_what_may_have_left_is_never_tried_again_blindly(failure: DeliveryFailure, burned: int) -> None:
    assert decide(failure, burned=burned) == Decision(Event.LOSE)

"""The one state table, held line for line to what the design says, and the fold of evidence over it."""

from __future__ import annotations

from collections import deque
from datetime import UTC, datetime
from itertools import combinations, permutations, product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from broker.delivery import (
    EVIDENCE_STATE,
    FAILED,
    REACHED,
    REQUEUEABLE,
    STATES,
    TRANSITIONS,
    Event,
    Evidence,
    Phase,
    State,
    describe,
    fold_attempt,
    fold_delivery,
    is_settled,
    step,
)
from broker.errors import IllegalTransition

# Design §5, line for line.
DESIGN = {
    "queued": "hold→queued · refuse→refused · withdraw→withdrawn · claim→sending",
    "sending, not started": "release→queued · withdraw→withdrawn · hold→queued · refuse→refused",
    "sending, started": (
        "accept→sent · retry→queued · reject→rejected · exhaust→exhausted · lose→uncertain"
        " · not-sent→queued · withdraw→withdrawn · refuse→refused"
    ),
    "sent": "retract→retracted",
    "delivered": "retract→retracted",
    "uncertain": "accept→sent · requeue→queued · settle→uncertain",
    "refused": "requeue→queued",
    "rejected": "requeue→queued",
    "exhausted": "requeue→queued",
    "withdrawn": "",
    "retracted": "",
}
PHASES = {"not started": Phase.UNSTARTED, "started": Phase.STARTED}
PLACES = list(product(State, [None, *Phase]))
SOON = datetime(2026, 11, 30, 8, tzinfo=UTC)

ACCEPTED, DELIVERED, BOUNCED = Evidence.ACCEPTED, Evidence.DELIVERED, Evidence.BOUNCED


def designed() -> dict[tuple[State, Phase | None], dict[Event, State]]:
    table: dict[tuple[State, Phase | None], dict[Event, State]] = {}
    for place, line in DESIGN.items():
        state, _, phase = place.partition(", ")
        steps = [each.split("→") for each in line.split(" · ") if each]
        table[(State(state), PHASES.get(phase))] = {Event(event): State(after) for event, after in steps}
    return table


def allowed() -> list[tuple[State, Phase | None, Event, State]]:
    return [(s, p, event, after) for (s, p), steps in designed().items() for event, after in steps.items()]


def test_the_table_is_the_designs_line_for_line() -> None:
    assert designed() == TRANSITIONS


@pytest.mark.parametrize(("state", "phase", "event", "after"), allowed())
def test_a_step_that_the_table_holds_is_made(
    state: State, phase: Phase | None, event: Event, after: State
) -> None:
    assert step(state, event, phase) is after


@pytest.mark.parametrize(("state", "phase"), PLACES)
def test_every_other_step_is_refused(state: State, phase: Phase | None) -> None:
    held = designed().get((state, phase), {})
    for event in set(Event) - set(held):
        with pytest.raises(IllegalTransition) as caught:
            step(state, event, phase)
        assert caught.value.problem.code == "illegal_transition"
        assert state in caught.value.problem.message


def test_every_state_has_a_place_in_the_table_and_a_look() -> None:
    assert {state for state, _ in TRANSITIONS} == set(State) == set(STATES)
    assert len({describe(state) for state in State}) == len(State)


def test_every_state_can_be_reached_from_queued() -> None:
    known, waiting = {State.QUEUED}, deque([State.QUEUED])
    while waiting:
        here = waiting.popleft()
        steps = {
            after for (state, _), held in TRANSITIONS.items() if state is here for after in held.values()
        }
        evidence = set() if here is State.RETRACTED else set(EVIDENCE_STATE.values())
        for after in (steps | evidence) - known:
            known.add(after)
            waiting.append(after)
    assert known == set(State)


def test_nothing_but_evidence_leaves_what_was_withdrawn_and_nothing_at_all_what_was_taken_back() -> None:
    assert TRANSITIONS[(State.WITHDRAWN, None)] == {}
    assert TRANSITIONS[(State.RETRACTED, None)] == {}
    assert fold_delivery(State.WITHDRAWN, [(1, ACCEPTED)]) is State.SENT
    assert fold_delivery(State.RETRACTED, [(1, DELIVERED)]) is State.RETRACTED


def test_what_failed_is_what_a_person_must_look_at() -> None:
    assert {"refused", "rejected", "exhausted", "uncertain"} == FAILED
    assert {"sent", "delivered"} == REACHED
    assert FAILED == REQUEUEABLE
    assert not FAILED & REACHED


@pytest.mark.parametrize("state", State)
def test_settled_is_neither_queued_nor_sending_nor_uncertain_with_a_look_up_due(state: State) -> None:
    assert is_settled(state, None) is (state not in {State.QUEUED, State.SENDING})
    assert is_settled(state, SOON) is (state not in {State.QUEUED, State.SENDING, State.UNCERTAIN})


# --- evidence ---------------------------------------------------------------------------------------------------

news = st.sampled_from(Evidence)
states = st.sampled_from(State)
# (which attempt, what is told of it), as callbacks and look-ups bring it: any order, any number of times.
stories = st.lists(st.tuples(st.integers(1, 4), news), max_size=12)


def after_all(state: State, attempts: int, told: list[tuple[int, Evidence]], requeued: int) -> State:
    """Each piece is folded on arrival, as `broker.confirm` does it: into its attempt, then into the delivery."""
    known: dict[int, Evidence | None] = dict.fromkeys(range(1, attempts + 1))
    for attempt, piece in told:
        known[attempt] = fold_attempt(known[attempt], piece)
        state = fold_delivery(state, known.items(), requeued_fence=requeued)
    return state


def end_alike(ends: set[State], before: State) -> bool:
    """The same end; or nothing decisive is known, and the delivery is as open as it was, or known to have failed."""
    return len(ends) == 1 or ends == {before, State.REJECTED}


@given(
    states, stories, st.integers(0, 4), st.permutations(range(12)), st.lists(st.integers(0, 11), max_size=6)
)
def test_evidence_in_any_order_and_repetition_ends_the_same(
    state: State, told: list[tuple[int, Evidence]], requeued: int, order: list[int], repeated: list[int]
) -> None:
    again = [told[place] for place in [*order, *repeated] if place < len(told)]
    assert end_alike({after_all(state, 4, told, requeued), after_all(state, 4, again, requeued)}, state)


@pytest.mark.parametrize("state", State)
@pytest.mark.parametrize("requeued", [0, 1, 2])
def test_every_order_of_all_news_of_two_attempts_ends_the_same(state: State, requeued: int) -> None:
    everything = list(product((1, 2), Evidence))
    for told in (each for size in range(5) for each in combinations(everything, size)):
        ends = {after_all(state, 2, list(order), requeued) for order in permutations(told)}
        assert end_alike(ends, state), told


@pytest.mark.parametrize("newer", [[], [(2, None)]])
def test_a_try_that_bounces_takes_back_what_it_alone_had_told(newer: list[tuple[int, None]]) -> None:
    """Lost, requeued, then found after all, and then it bounced: nobody must go on calling it sent."""
    found = fold_delivery(State.QUEUED, [(1, ACCEPTED), *newer], requeued_fence=1)
    assert found is State.SENT
    assert fold_delivery(found, [(1, BOUNCED), *newer], requeued_fence=1) is State.REJECTED


@given(news, news, news)
def test_folding_an_attempt_does_not_mind_order_or_repetition(a: Evidence, b: Evidence, c: Evidence) -> None:
    assert fold_attempt(a, a) is a
    assert fold_attempt(a, b) is fold_attempt(b, a)
    assert fold_attempt(fold_attempt(a, b), c) is fold_attempt(a, fold_attempt(b, c))


@pytest.mark.parametrize(
    ("known", "told", "stands"),
    [
        (None, BOUNCED, BOUNCED),
        (ACCEPTED, BOUNCED, BOUNCED),
        (BOUNCED, ACCEPTED, BOUNCED),
        (BOUNCED, DELIVERED, DELIVERED),
        (DELIVERED, BOUNCED, DELIVERED),
        (DELIVERED, ACCEPTED, DELIVERED),
    ],
)
def test_within_an_attempt_delivered_beats_rejected_beats_sent(
    known: Evidence | None, told: Evidence, stands: Evidence
) -> None:
    assert fold_attempt(known, told) is stands


@pytest.mark.parametrize(
    ("first", "second", "after"),
    [
        (DELIVERED, BOUNCED, State.DELIVERED),
        (ACCEPTED, BOUNCED, State.SENT),
        (BOUNCED, ACCEPTED, State.SENT),
        (BOUNCED, DELIVERED, State.DELIVERED),
        (ACCEPTED, DELIVERED, State.DELIVERED),
        (BOUNCED, BOUNCED, State.REJECTED),
    ],
)
def test_across_attempts_delivered_beats_sent_beats_rejected(
    first: Evidence, second: Evidence, after: State
) -> None:
    assert fold_delivery(State.SENT, [(1, first), (2, second)]) is after


@given(st.sampled_from(sorted(set(State) - {State.RETRACTED} - REACHED)), st.integers(2, 9))
def test_an_earlier_attempts_bounce_says_nothing_of_a_newer_attempt(state: State, newest: int) -> None:
    earlier = [(fence, BOUNCED) for fence in range(1, newest)]
    assert fold_delivery(state, [*earlier, (newest, None)]) is state
    assert fold_delivery(state, [*earlier, (newest, ACCEPTED)]) is State.SENT


@pytest.mark.parametrize("requeued", [1, 2, 7])
def test_a_bounce_from_before_a_requeue_does_not_undo_it(requeued: int) -> None:
    assert fold_delivery(State.QUEUED, [(1, BOUNCED)], requeued_fence=requeued) is State.QUEUED
    newer = [(1, BOUNCED), (requeued + 1, BOUNCED)]
    assert fold_delivery(State.SENT, newer, requeued_fence=requeued) is State.REJECTED


def test_a_requeue_does_not_unsay_that_an_earlier_attempt_arrived() -> None:
    assert fold_delivery(State.QUEUED, [(1, DELIVERED)], requeued_fence=1) is State.DELIVERED
    assert fold_delivery(State.QUEUED, [(1, ACCEPTED)], requeued_fence=1) is State.SENT


@given(stories, st.integers(0, 4))
def test_what_was_taken_back_absorbs_all_news(told: list[tuple[int, Evidence]], requeued: int) -> None:
    assert after_all(State.RETRACTED, 4, told, requeued) is State.RETRACTED


@given(states)
def test_attempts_of_which_nothing_is_known_move_nothing(state: State) -> None:
    assert fold_delivery(state, []) is state
    assert fold_delivery(state, [(1, None), (2, None)]) is state

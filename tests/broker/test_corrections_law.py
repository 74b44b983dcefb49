"""What may be corrected, in which words, and what each delivery decides: pure, so tried with many."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from broker.announcement import Announcement, FollowUp, Part, People, Purpose, Step, Urgency
from broker.corrections.law import Decision, NotFollowed, as_correction, decide, lead_of, must_stand
from broker.delivery import State
from broker.house_rules import HOUSE_RULES
from broker.policy import Case, Hold, Withdraw, judge

NOW = datetime(2026, 11, 22, 9, tzinfo=UTC)
SAID = Announcement(
    id=1,
    public_id=UUID(int=1),
    department="office",
    purpose=Purpose.SERVICE,
    urgency=Urgency.ROUTINE,
    audience="Choir",
    people=People.GUARDIANS,
    ways=(Step(("sms",)),),
    accepted_at=NOW,
    approved_at=NOW,
    due_at=NOW,
    expires_at=NOW + timedelta(hours=3),
    fanned_out_at=None,
    withdrawn_at=None,
)
OVER = [State.REFUSED, State.REJECTED, State.EXHAUSTED, State.WITHDRAWN, State.RETRACTED]
LATER = NOW + timedelta(minutes=1)
states = st.tuples(st.sampled_from(State), st.sampled_from([None, LATER]))


@pytest.mark.parametrize("state", OVER)
def test_what_did_not_leave_gets_the_right_text(state: State) -> None:
    assert decide([(state, None)]) is Decision.RIGHT_TEXT


@pytest.mark.parametrize("state", [State.SENT, State.DELIVERED, State.UNCERTAIN])
def test_what_left_or_may_have_is_corrected(state: State) -> None:
    assert decide([(state, None), (State.WITHDRAWN, None)]) is Decision.CORRECT


@pytest.mark.parametrize("waits", [(State.QUEUED, None), (State.SENDING, None), (State.UNCERTAIN, LATER)])
def test_nothing_is_decided_before_it_is_settled(waits: tuple[State, datetime | None]) -> None:
    assert decide([(State.SENT, None), waits]) is Decision.WAIT


@given(st.lists(states, max_size=6), st.randoms())
def test_a_chain_decides_the_same_in_whatever_order_it_is_read(
    before: list[tuple[State, datetime | None]], chance
):
    shuffled = list(before)
    chance.shuffle(shuffled)
    assert decide(shuffled) is decide(before)


def test_nothing_before_it_is_the_right_text() -> None:
    assert decide([]) is Decision.RIGHT_TEXT


def test_each_part_begins_with_the_lead_but_a_quoted_post() -> None:
    parts = {
        Part.TITLE: "Coach",
        Part.LONG: "At nine.",
        Part.QUOTE: "https://x.com/a/status/1",
        Part.SHORT: "",
    }
    assert as_correction(parts, lead_of("Correction:")) == {
        **parts,
        Part.TITLE: "Correction: Coach",
        Part.LONG: "Correction: At nine.",
    }


@pytest.mark.parametrize("typed", ["", "   ", "x" * 61, "a\x00b"])
def test_a_lead_is_one_short_line(typed: str) -> None:
    with pytest.raises(NotFollowed, match="begins with"):
        lead_of(typed)


@pytest.mark.parametrize(
    ("changed", "code"),
    [
        ({"withdrawn_at": NOW}, "withdrawn"),
        ({"expires_at": NOW}, "expired"),
        ({"corrected_by": 2}, "corrected"),
        ({"audience": ""}, "not_followed"),
        ({"follow_up": FollowUp.RESEND}, "follow_up"),
        ({"follow_up": FollowUp.EDIT}, "follow_up"),
    ],
)
@pytest.mark.parametrize("kind", [FollowUp.CORRECTION, FollowUp.EDIT, FollowUp.RESEND, FollowUp.REDIRECT])
def test_what_is_over_or_says_what_another_says_is_not_followed_up(
    changed: dict[str, object], code: str, kind: FollowUp
) -> None:
    said = replace(SAID, **changed)  # type: ignore[arg-type]
    with pytest.raises(NotFollowed) as refused:
        must_stand(said, kind, NOW, corrected_by=UUID(int=2) if said.corrected_by else None)
    assert refused.value.problem.code == code


def test_a_correction_is_corrected_like_any() -> None:
    must_stand(replace(SAID, follow_up=FollowUp.CORRECTION), FollowUp.CORRECTION, NOW, corrected_by=None)


def test_those_reached_are_told_of_a_withdrawal_however_late() -> None:
    gone = replace(SAID, withdrawn_at=NOW, expires_at=NOW)
    must_stand(gone, FollowUp.WITHDRAWAL, NOW, corrected_by=None)


def test_what_waits_for_its_correction_is_held_and_what_is_corrected_never_leaves() -> None:
    case = Case(NOW, "sms", "texts", Purpose.SERVICE, Urgency.URGENT, NOW, LATER, broadcast=True)
    held = judge(replace(case, being_corrected=True), HOUSE_RULES)
    assert isinstance(held, Hold)
    over = judge(replace(case, being_corrected=True, corrected=True), HOUSE_RULES)
    assert isinstance(over, Withdraw)
    assert over.code == "corrected"

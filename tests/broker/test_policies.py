"""The rules of the house, one table each, and how the answers of several combine."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import permutations
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from broker import house_rules as rules
from broker.announcement import Purpose, Urgency
from broker.house_rules import HOUSE_RULES
from broker.policy import ALLOW, Allow, Case, Cover, Hold, Policy, Refuse, Verdict, Withdraw, covered, judge

NOW = datetime(2026, 11, 30, 8, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
AMY = Cover(duty=1, person=11, name="Amy")
BEN = Cover(duty=2, person=12, name="Ben", blocked=True)
CAL = Cover(duty=3, person=13, name="Cal", gone=True)
DEE = Cover(duty=4, person=14, name="Dee", acknowledged=True)


def case(**facts: Any) -> Case:
    """A text to one family that nothing speaks against, but for `facts`."""
    usual: dict[str, Any] = {
        "now": NOW,
        "channel": "sms",
        "account": "texts",
        "purpose": Purpose.SERVICE,
        "urgency": Urgency.ROUTINE,
        "due_at": NOW,
        "expires_at": NOW + MINUTE,
        "covers": (AMY,),
    }
    return Case(**{**usual, **facts})


def code_of(verdict: Verdict) -> str | None:
    return None if isinstance(verdict, Allow) else verdict.code


PROMOTION = Purpose.PROMOTIONAL

TABLE: list[tuple[Policy, dict[str, Any], str | None]] = [
    (rules.not_withdrawn, {}, None),
    (rules.not_withdrawn, {"withdrawn": True}, "withdrawn"),
    (rules.not_corrected, {}, None),
    (rules.not_corrected, {"corrected": True, "being_corrected": True}, "corrected"),
    (rules.not_corrected, {"being_corrected": True}, "being_corrected"),
    (rules.not_expired, {"expires_at": NOW + timedelta(microseconds=1)}, None),
    (rules.not_expired, {"expires_at": NOW}, "expired"),
    (rules.not_expired, {"expires_at": NOW - MINUTE}, "expired"),
    (rules.account_open, {}, None),
    (rules.account_open, {"account_paused": True}, "account_paused"),
    (rules.not_opted_out, {}, None),
    (rules.not_opted_out, {"opted_out": True}, "opted_out"),
    (rules.not_opted_out, {"opted_out": True, "consent": True}, "opted_out"),
    (rules.not_bounced, {}, None),
    (rules.not_bounced, {"bounced": True}, "bounced"),
    (rules.not_bounced, {"bounced": True, "note": True}, "bounced"),
    (rules.somebody_to_tell, {"covers": (AMY, BEN, CAL, DEE)}, None),
    (rules.somebody_to_tell, {"covers": (BEN,)}, "blocked"),
    (rules.somebody_to_tell, {"covers": (CAL, BEN)}, "blocked"),
    (rules.somebody_to_tell, {"covers": (CAL,)}, "nobody_left"),
    (rules.somebody_to_tell, {"covers": (DEE,)}, "nobody_left"),
    (rules.somebody_to_tell, {"covers": ()}, "nobody_left"),
    (rules.somebody_to_tell, {"covers": (), "broadcast": True}, None),
    (rules.somebody_to_tell, {"covers": (), "note": True}, None),
    (rules.still_at_the_school, {}, None),
    (rules.still_at_the_school, {"person_active": False}, "left_school"),
    (rules.still_at_the_school, {"person_active": False, "broadcast": True}, None),
    (rules.still_at_the_school, {"person_active": False, "note": True}, None),
    (rules.still_at_the_school, {"person_active": False, "covers": (), "subscribed": True}, None),
    (rules.still_subscribed, {}, None),
    (rules.still_subscribed, {"subscribed": True}, None),
    (rules.still_subscribed, {"subscribed": False}, "unsubscribed"),
    (rules.somebody_to_tell, {"covers": (), "subscribed": True}, None),
    (rules.promotional_needs_consent, {"purpose": PROMOTION, "subscribed": True}, "no_consent"),
    (rules.not_taken_back, {}, None),
    (rules.not_taken_back, {"consent": True}, None),
    (rules.not_taken_back, {"consent": False}, "taken_back"),
    (rules.not_taken_back, {"consent": False, "broadcast": True}, None),
    (rules.promotional_needs_consent, {"consent": None}, None),
    (rules.promotional_needs_consent, {"consent": False}, None),
    (rules.promotional_needs_consent, {"purpose": PROMOTION, "consent": True}, None),
    (rules.promotional_needs_consent, {"purpose": PROMOTION, "consent": False}, "no_consent"),
    (rules.promotional_needs_consent, {"purpose": PROMOTION, "consent": None}, "no_consent"),
    (rules.promotional_needs_consent, {"purpose": PROMOTION, "consent": None, "broadcast": True}, None),
]


@pytest.mark.parametrize(
    ("rule", "facts", "code"), TABLE, ids=[f"{rule.__name__}-{facts}" for rule, facts, _ in TABLE]
)
def test_each_rule_answers_as_its_table_says(rule: Policy, facts: dict[str, Any], code: str | None) -> None:
    verdict = rule(case(**facts))
    assert code_of(verdict) == code
    assert code_of(judge(case(**facts), [rule])) == code


def test_the_table_has_a_yes_and_a_no_for_every_rule_of_the_house() -> None:
    answers = {rule: {code is None for tried, _, code in TABLE if tried is rule} for rule in HOUSE_RULES}
    assert all(given == {True, False} for given in answers.values())


def test_nothing_speaks_against_a_plain_text_to_a_family() -> None:
    assert judge(case(), HOUSE_RULES) is ALLOW


def test_a_reason_is_a_sentence_that_names_nobody() -> None:
    names = {cover.name.casefold() for cover in (AMY, BEN, CAL, DEE)}
    for rule, facts, code in TABLE:
        verdict = rule(case(**facts))
        if code is not None and not isinstance(verdict, Allow):
            assert len(verdict.why.split()) > 3
            assert not names & set(verdict.why.casefold().split())


@pytest.mark.parametrize(
    ("facts", "code"),
    [
        ({"expires_at": NOW}, "expired"),
        ({"opted_out": True}, "opted_out"),
        ({"covers": (BEN,)}, "blocked"),
        ({"account_paused": True}, "account_paused"),
        ({"withdrawn": True}, "withdrawn"),
        ({"person_active": False}, "left_school"),
    ],
)
def test_urgent_skips_no_expiry_opt_out_block_or_pause(facts: dict[str, Any], code: str) -> None:
    assert code_of(judge(case(urgency=Urgency.URGENT, **facts), HOUSE_RULES)) == code


@given(
    st.fixed_dictionaries(
        {
            "withdrawn": st.booleans(),
            "account_paused": st.booleans(),
            "opted_out": st.booleans(),
            "person_active": st.booleans(),
            "broadcast": st.booleans(),
            "consent": st.sampled_from([True, False, None]),
            "purpose": st.sampled_from(Purpose),
            "expires_at": st.sampled_from([NOW - MINUTE, NOW, NOW + MINUTE]),
            "covers": st.lists(st.sampled_from([AMY, BEN, CAL, DEE]), unique=True).map(tuple),
        }
    )
)
def test_urgency_changes_no_answer_of_the_house(facts: dict[str, Any]) -> None:
    routine, urgent = (judge(case(urgency=each, **facts), HOUSE_RULES) for each in Urgency)
    assert routine == urgent


def test_a_pause_is_looked_at_again_soon() -> None:
    verdict = rules.account_open(case(account_paused=True))
    assert isinstance(verdict, Hold)
    assert verdict.until == NOW + rules.PAUSE_RECHECK


# --- together ---------------------------------------------------------------------------------------------------

HOLD_SHORT, HOLD_LONG = (
    Hold(NOW + MINUTE, "quiet", "it is early"),
    Hold(NOW + 9 * MINUTE, "night", "it is night"),
)
REFUSE, REFUSE_TOO = Refuse("first", "the first no"), Refuse("second", "another no")
WITHDRAW = Withdraw("over", "it is over")


def always(verdict: Verdict) -> Policy:
    return lambda _: verdict


@pytest.mark.parametrize(
    ("verdicts", "together"),
    [
        ([], ALLOW),
        ([ALLOW, ALLOW], ALLOW),
        ([ALLOW, HOLD_SHORT], HOLD_SHORT),
        ([HOLD_SHORT, HOLD_LONG], replace(HOLD_LONG, besides=(HOLD_SHORT,))),
        ([HOLD_LONG, REFUSE], REFUSE),
        ([HOLD_LONG, REFUSE, HOLD_SHORT, ALLOW], REFUSE),
        ([REFUSE, WITHDRAW], WITHDRAW),
        ([HOLD_LONG, REFUSE, WITHDRAW, ALLOW], WITHDRAW),
    ],
)
def test_withdrawn_beats_refused_beats_the_latest_hold_in_any_order(
    verdicts: list[Verdict], together: Verdict
) -> None:
    for order in permutations(verdicts):
        assert judge(case(), [always(verdict) for verdict in order]) == together


def test_of_two_refusals_the_first_is_told() -> None:
    assert judge(case(), map(always, [REFUSE, REFUSE_TOO])) == REFUSE
    assert judge(case(), map(always, [REFUSE_TOO, REFUSE])) == REFUSE_TOO


def test_the_house_tells_a_withdrawal_before_any_other_reason() -> None:
    everything = case(
        withdrawn=True, opted_out=True, account_paused=True, person_active=False, expires_at=NOW, covers=()
    )
    assert code_of(judge(everything, HOUSE_RULES)) == "withdrawn"


def test_only_those_who_may_and_need_be_told_stay_covered() -> None:
    assert list(covered(case(covers=(AMY, BEN, CAL, DEE)))) == [AMY]


def test_a_case_shows_no_name_when_it_is_printed() -> None:
    assert "Amy" not in repr(case())

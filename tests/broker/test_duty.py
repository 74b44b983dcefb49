"""A duty's truth table: every combination of what SQL can tell."""

from __future__ import annotations

from itertools import product

import pytest

from broker.duty import DutyFacts, DutyState, derive

MET, OPEN, LAPSED = DutyState.MET, DutyState.OPEN, DutyState.LAPSED
EVERY = [DutyFacts(*values) for values in product((False, True), repeat=6)]


def by_the_book(facts: DutyFacts) -> DutyState:
    """Design §2 read as a list of sentences, the first that fits wins."""
    sentences = [
        (facts.acknowledged, MET),  # somebody said so
        (facts.reached, MET),  # a direct delivery covering it is sent or delivered
        (facts.alive, OPEN),  # one is under way: it may turn out to have left
        (facts.over, LAPSED),  # expired, withdrawn, corrected
        (not facts.planned, OPEN),  # nobody has come to this person yet
        (facts.doubtful, OPEN),  # uncertain, and nobody has settled it
    ]
    return next((state for fits, state in sentences if fits), LAPSED)  # no way is left


@pytest.mark.parametrize("facts", EVERY)
def test_every_combination_stands_as_the_book_says(facts: DutyFacts) -> None:
    assert derive(facts) is by_the_book(facts)


def facts(**told: bool) -> DutyFacts:
    nothing = dict.fromkeys(("acknowledged", "reached", "alive", "doubtful", "over"), False)
    return DutyFacts(**{**nothing, "planned": True, **told})


@pytest.mark.parametrize(
    ("told", "stands"),
    [
        ({"planned": False}, OPEN),
        ({"planned": False, "over": True}, LAPSED),
        ({}, LAPSED),  # planned, and nothing covers it
        ({"alive": True}, OPEN),
        ({"alive": True, "over": True}, OPEN),
        ({"doubtful": True}, OPEN),
        ({"doubtful": True, "over": True}, LAPSED),
        ({"doubtful": True, "reached": True}, MET),  # the mail is uncertain, the text arrived
        ({"reached": True, "over": True}, MET),
        ({"acknowledged": True, "over": True}, MET),
    ],
)
def test_the_cases_that_people_ask_about(told: dict[str, bool], stands: DutyState) -> None:
    assert derive(facts(**told)) is stands


def test_an_uncertain_delivery_alone_meets_no_duty() -> None:
    uncertain = [f for f in EVERY if f.doubtful and not (f.reached or f.acknowledged)]
    assert MET not in {derive(f) for f in uncertain}

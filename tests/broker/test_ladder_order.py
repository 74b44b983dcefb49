"""What a draft's ways in order must be, as far as no ledger is needed to say so."""

from __future__ import annotations

from datetime import timedelta

import pytest

from broker.announcement import Draft, Part, People, Step
from broker.ladders.in_order import MOST_STEPS, out_of_order, with_ladder
from broker.ladders.ladder import Ladder, Need, Opening
from tests.support.pretend_ports import TraitsOnly

HOUR = timedelta(hours=1)


def draft(*ways: str, ladder: Ladder | None = None) -> Draft:
    steps = tuple(Step((way,)) for way in ways)
    return Draft("office", "Choir", People.GUARDIANS, steps, {Part.SHORT: "At eight."}, ladder=ladder)


def codes(made: Draft) -> list[str]:
    return [problem.code for problem in out_of_order(made, TraitsOnly.KNOWN)]


def test_ways_in_order_without_a_time_open_once_the_one_before_failed() -> None:
    assert with_ladder(draft("sms", "email")).ladder == Ladder((Opening(), Opening()))
    assert with_ladder(draft("sms")).ladder is None
    said = draft("sms", ladder=Ladder((Opening(HOUR),), seen=True))
    assert with_ladder(said) is said


@pytest.mark.parametrize(
    ("made", "wrong"),
    [
        (draft("sms"), []),
        (draft("rss", "email", ladder=Ladder((Opening(), Opening()))), []),
        (draft("sms", "rss", ladder=Ladder((Opening(), Opening()))), ["then_public"]),
        (draft("sms", "email", ladder=Ladder((Opening(),))), ["ladder_ways"]),
        (draft("sms", ladder=Ladder(())), ["ladder_ways"]),
        (draft("sms", ladder=Ladder((Opening(None, Need.SEEN),))), ["no_time"]),
        (draft("sms", ladder=Ladder((Opening(timedelta(0)),))), ["past"]),
        (
            draft(*["sms"] * (MOST_STEPS + 1), ladder=Ladder((Opening(),) * (MOST_STEPS + 1))),
            ["too_many_ways"],
        ),
    ],
)
def test_what_is_wrong_with_an_order_has_one_code(made: Draft, wrong: list[str]) -> None:
    assert codes(made) == wrong

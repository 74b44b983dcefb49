"""What a draft's ways in order must be, as far as no ledger is needed to say so."""

from __future__ import annotations

from datetime import timedelta

import pytest

from broker.announcement import Draft, Part, People, Step
from broker.errors import InvalidAnnouncement
from broker.ladders.in_order import MOST_STEPS, in_turn, out_of_order, with_ladder
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


def test_ways_in_turn_are_steps_with_an_opening_each_and_the_sheet_last() -> None:
    later = [(("email",), Opening(HOUR, Need.DELIVERED)), (("sheet",), Opening(2 * HOUR))]
    ways, ladder = in_turn(("sms",), later, seen=False)
    assert ways == (Step(("sms",)), Step(("email",)))
    assert ladder == Ladder((Opening(HOUR, Need.DELIVERED), Opening(2 * HOUR)))


def test_one_way_alone_is_no_ladder_unless_somebody_is_asked_whether_it_was_seen() -> None:
    assert in_turn(("sms", "email"), [], seen=False) == ((Step(("sms", "email")),), None)
    assert in_turn(("sms",), [], seen=True) == ((Step(("sms",)),), Ladder((Opening(),), seen=True))


def test_nothing_comes_after_the_slip_sheet() -> None:
    with pytest.raises(InvalidAnnouncement) as refused:
        in_turn(("sms",), [(("sheet",), Opening()), (("email",), Opening())], seen=False)
    assert refused.value.problem.code == "sheet_last"

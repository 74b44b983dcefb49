"""What stands in the way of an erasure: a court order, a hold, a disclosure that nobody has dealt with."""

from __future__ import annotations

import pytest
from sqlalchemy import select

from broker.announcement import Part
from broker.errors import NotFound, NotToBeChanged
from broker.incoming import answers
from broker.privacy import erasure
from broker.privacy.erasure import Ground
from ledger import tables as t
from tests.support.broker_world import World
from tests.support.erased import erase, said, wrote
from tests.support.planted import GUARDIAN, OFFICE, OTHER, PUPIL, Planted


def test_what_stands_in_the_way_is_said_before_and_kept_to(planted: Planted) -> None:
    world = planted.world
    with pytest.raises(NotToBeChanged) as refused:
        erasure.erase(world.ports, GUARDIAN, confirmed="yes", ground=Ground.REQUEST, actor=OFFICE)
    assert refused.value.problem.code == "not_confirmed"
    assert hindrance(world, OTHER) == "blocked"  # a court order is not forgotten by erasing whom it is about
    person = erasure.hold(world.ports, who=GUARDIAN, why="a claim", actor=OFFICE)
    announcement = erasure.hold(
        world.ports, announcement=planted.said.public_id, why="a complaint", actor=OFFICE
    )
    assert hindrance(world, GUARDIAN) == "held"
    erasure.lift(world.ports, person, actor=OFFICE)
    assert hindrance(world, GUARDIAN) == "held"  # a message to them is held still
    erasure.lift(world.ports, announcement, actor=OFFICE)
    with pytest.raises(NotFound):
        erasure.lift(world.ports, person, actor=OFFICE)
    world.sql("UPDATE answer SET concern = true, done_at = NULL")
    assert hindrance(world, GUARDIAN) == "open_concern"  # what a child may have disclosed is dealt with first
    world.sql("UPDATE answer SET concern = false")
    world.sql("UPDATE delivery SET state = 'sending'")
    assert hindrance(world, GUARDIAN) == "under_way"
    world.sql("UPDATE delivery SET state = 'sent'")
    assert hindrance(world, GUARDIAN) == ""
    assert planted.everywhere(GUARDIAN)


def test_what_names_them_and_is_held_stays_word_by_word(planted: Planted) -> None:
    """Announced to nobody yet: neither they nor a message of theirs is held, only the wording."""
    world = planted.world
    thanks = world.announce(parts={Part.SHORT: "Thanks to Zephyrine Quillfeather."})
    bravo = world.announce(parts={Part.SHORT: "Bravo Zephyrine!"})
    holds = [
        erasure.hold(world.ports, announcement=one.public_id, why="a claim", actor=OFFICE)
        for one in (thanks, bravo)
    ]
    assert hindrance(world, GUARDIAN) == "held"
    assert wording(world, thanks.id) == "Thanks to Zephyrine Quillfeather."
    erasure.lift(world.ports, holds[0], actor=OFFICE)
    erase(world, GUARDIAN, called=True)
    assert wording(world, thanks.id) == "Thanks to erased person."
    # A word of the language, as far as anybody can tell.
    assert wording(world, bravo.id) == "Bravo Zephyrine!"


def test_what_somebody_who_is_held_wrote_of_them_or_was_told_with_them_stays(planted: Planted) -> None:
    world = planted.world
    heard = wrote(world, "sms", "+447911110000", "Zephyrine Quillfeather drove too fast")
    hold = erasure.hold(world.ports, who="parent0", why="a claim", actor=OFFICE)
    assert hindrance(world, GUARDIAN) == "held"
    erasure.lift(world.ports, hold, actor=OFFICE)
    hold = erasure.hold(world.ports, who=PUPIL, why="a claim", actor=OFFICE)
    assert hindrance(world, GUARDIAN) == "held"
    erasure.lift(world.ports, hold, actor=OFFICE)
    erase(world, GUARDIAN)
    assert said(world, heard) == "erased person drove too fast"


def test_a_disclosure_that_names_them_is_dealt_with_before_the_name_goes(planted: Planted) -> None:
    world = planted.world
    heard = wrote(
        world, "sms", "+447911110000", "Zephyrine Quillfeather hits him. Zephyrine does it every day"
    )
    world.sql("UPDATE answer SET concern = true WHERE text LIKE '%hits%'")
    assert hindrance(world, GUARDIAN) == "open_concern"
    answers.finish(world.ports, heard, actor=OFFICE)
    erase(world, GUARDIAN)
    assert said(world, heard) == "erased person hits him. Zephyrine does it every day"


def wording(world: World, announcement: int) -> str:
    [row] = world.rows(select(t.content.c.text).where(t.content.c.announcement_id == announcement))
    return str(row.text)


def hindrance(world: World, who: str) -> str:
    """Why they cannot be erased; "" where nothing stands in the way. What the preview says is what happens."""
    looked = erasure.look(world.ports, who).hindered
    if looked is None:
        return ""
    with pytest.raises(NotToBeChanged) as refused:
        erase(world, who)
    assert refused.value.problem == looked
    return looked.code

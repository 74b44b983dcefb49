"""A person's copy holds everything of them and nothing of anybody else; that it was made is in the record."""

from __future__ import annotations

import json

from sqlalchemy import select

from broker.consent import optouts
from broker.incoming import answers
from broker.incoming.answering import Inbound
from broker.privacy import erasure
from ledger import tables as t
from ledger.reads import copy as copies
from ledger.reads.copy import Copy, copy
from tests.support.broker_world import World
from tests.support.planted import EMAIL, GUARDIAN, MOBILE, OFFICE, OLD_MOBILE, OTHER, PUPIL, SHARED, Planted
from web import copy_page

FACTS = {"school": "St Bride's", "recipients": ("texts <by> X",), "kept": {"messages": "730 days"}}


def copied(world: World, who: str) -> Copy:
    with world.ledger.begin() as tx:
        _, subject = erasure.subject_of_copy(
            tx, who, why="her letter about Zephyrine Quillfeather", actor=OFFICE
        )
        return copy(tx.hand, subject)


def whole(found: Copy) -> str:
    return json.dumps(copy_page.as_told(found, **FACTS), default=str, ensure_ascii=False)  # type: ignore[arg-type]


def test_everything_of_theirs_is_in_it(planted: Planted) -> None:
    found = whole(copied(planted.world, GUARDIAN))
    for trace in (
        "Zephyrine",
        "Quillfeather",
        "Zeffi",
        MOBILE,
        EMAIL,
        SHARED,
        GUARDIAN,
        "signed by Zephyrine Quillfeather",
        "This is Zephyrine Quillfeather",
        "Zephyrine Quillfeather rang about",
        "Tea with Zeffi Quillfeather",
        "you look after a pupil",
    ):
        assert trace in found
    assert "delivered" in found


def test_where_they_asked_for_no_more_is_in_it(planted: Planted) -> None:
    optouts.add(planted.world.ports, MOBILE, "sms", why="her sister rang", actor=OFFICE)
    [section] = [one for one in copied(planted.world, GUARDIAN).sections if "no more" in one.title]
    assert [(row["to"], row["by"], row["how it came"]) for row in section.rows] == [
        (MOBILE, "sms", "the office")
    ]


def test_what_came_from_an_address_of_several_is_in_the_copy_of_each_without_the_other(
    planted: Planted,
) -> None:
    world = planted.world
    words = "We are away, Zephyrine Quillfeather and Ottoline Marchbanks."
    inbound = Inbound("email", SHARED, words, "away")
    world.ledger.transact(lambda tx: answers.record_inbound(world.ports, tx, inbound, actor=OFFICE))
    for who, kept in (
        (GUARDIAN, "We are away, Zephyrine Quillfeather and another person."),
        (OTHER, "We are away, another person and Ottoline Marchbanks."),
    ):
        [section] = [one for one in copied(world, who).sections if "wrote" in one.title]
        [row] = [one for one in section.rows if one["sender"] == SHARED]
        assert (row["text"], row["from an address that others hold too"]) == (kept, True)


def test_which_addresses_came_back_is_in_it(planted: Planted) -> None:
    world = planted.world
    [row] = world.rows(select(t.address.c.id).where(t.address.c.value == EMAIL))
    world.ledger.transact(lambda tx: tx.bounces.mark(row.id, "email", code="5.1.1"))
    [section] = [one for one in copied(world, GUARDIAN).sections if "came back" in one.title]
    assert [(one["to"], one["by"], one["code"]) for one in section.rows] == [(EMAIL, "email", "5.1.1")]


def test_nobody_else_is_in_it(planted: Planted) -> None:
    found = whole(copied(planted.world, GUARDIAN))
    others = ["Peregrine Quillfeather-Roe", "Marchbanks", PUPIL, "Pupil1 Bell", "+44791111000", "Mrs Bell"]
    assert [one for one in others if one in found] == []
    assert "another person" in found


def test_a_number_that_nobody_holds_any_more_is_in_nobodys_copy(planted: Planted) -> None:
    """Whose it was is not known: a parent whom a court keeps away would read the other's number, and their words."""
    world = planted.world
    inbound = Inbound("sms", OLD_MOBILE, "We moved to 3 Quince Lane.", "moved")
    world.ledger.transact(lambda tx: answers.record_inbound(world.ports, tx, inbound, actor=OFFICE))
    for who in (OTHER, PUPIL, GUARDIAN):
        found = whole(copied(world, who))
        assert [one for one in (OLD_MOBILE, "Quince Lane") if one in found] == []


def test_a_pupils_copy_tells_what_was_said_about_it_and_not_to_whom(planted: Planted) -> None:
    found = whole(copied(planted.world, PUPIL))
    assert "Peregrine Quillfeather-Roe carried" in found
    assert "somebody who looks after you" in found
    for other in (MOBILE, EMAIL, SHARED, "Zephyrine Quillfeather", "07911 777123", "Zephyrine.Q@"):
        assert other not in found
    assert "Choir" in found


def test_the_page_needs_nothing_else_and_obeys_no_name(planted: Planted) -> None:
    world = planted.world
    with world.ledger.begin() as tx:
        tx.hand.connection.execute(
            t.person.update()
            .where(t.person.c.source_id == GUARDIAN)
            .values(preferred_name="<script>alert(1)</script>")
        )
    page = copy_page.page(copied(world, GUARDIAN), **FACTS)  # type: ignore[arg-type]
    assert "<script" not in page
    assert "&lt;script&gt;" in page
    assert "texts &lt;by&gt; X" in page
    assert "http" not in page.replace("https://", "http")
    assert page.startswith("<!doctype html>")


def test_that_it_was_made_is_in_the_record_and_why_beside_it(planted: Planted) -> None:
    world = planted.world
    copied(world, GUARDIAN)
    assert "person.copied" in world.record()
    bodies = b"".join(bytes(row.body) for row in world.rows(select(t.record_entry.c.body)))
    assert b"her letter" not in bodies
    assert "her letter about Zephyrine Quillfeather" in {
        row.words for row in world.rows(select(t.remark.c.words))
    }


def test_others_go_as_telephones_type_them() -> None:
    others = frozenset({copies._folded("Zoë O'Brien-Roe")})
    assert copies._without("Ask Zoe\u0308 O’Brien\u2011Roe’s son", others) == "Ask another person son"

"""Nobody writes to one pupil alone: a guardian or a second adult reads it too."""

from __future__ import annotations

from functools import partial
from typing import Any

import pytest
from sqlalchemy import update

from broker.actor import Actor, ActorKind
from broker.announcement import People, Step
from ledger import tables as t
from tests.support.broker_world import World
from tests.support.school import SmallSchool, family
from tests.support.second_person import HEAD, announced, go, listed, refused


def test_a_machine_may_not_write_to_one_pupil_on_somebodys_behalf(bells: World) -> None:
    few: dict[str, Any] = {"audience": "Choir & 7B", "people": People.PUPILS}
    behalf = Actor(ActorKind.SYSTEM, "carillon", "office", on_behalf_of="Mrs Bell")
    assert refused(lambda: announced(bells, actor=behalf, **few)) == "alone_with_a_child"
    own = Actor(ActorKind.SYSTEM, "carillon")
    assert go(bells, announced(bells, actor=own, **few)) == {"sent": 1}


# --- few pupils, and whose number it goes by ------------------------------------------------------------------------


@pytest.fixture
def bells(world: World) -> World:
    school = family()
    school.people["ann"] = school.people["ann"].__class__(
        **{name: getattr(school.people["ann"], name) for name in school.people["ann"].__slots__}
        | {"mobiles": ("+447911100009",), "emails": ("ann@pupils.example",)}
    )
    world.bring(school)
    return world


def test_nobody_texts_one_pupil_alone(bells: World) -> None:
    few: dict[str, Any] = {"audience": "Choir & 7B", "people": People.PUPILS}
    assert refused(lambda: announced(bells, **few)) == "alone_with_a_child"


def test_a_whole_form_in_which_one_pupil_has_a_number_is_one_pupil_alone(world: World) -> None:
    school = SmallSchool()
    for n in range(30):
        school.pupil(f"Pupil{n}", "7B", mobiles=("+447911100009",) if n == 7 else ())
    world.bring(school)
    form: dict[str, Any] = {"audience": "7B", "people": People.PUPILS}
    assert refused(lambda: announced(world, **form)) == "alone_with_a_child"


def test_a_pupil_may_be_told_with_the_guardians(bells: World) -> None:
    said = announced(bells, audience="Choir & 7B", people=People.BOTH)
    assert go(bells, said) == {"sent": 3}


def test_both_is_not_enough_where_no_guardian_is_reached(world: World) -> None:
    school = SmallSchool()
    school.guardian("Mum", school.pupil("Ann", "7B", mobiles=("+447911100009",)), emails=("mum@example.org",))
    world.bring(school)
    few: dict[str, Any] = {"audience": "7B", "people": People.BOTH}
    assert refused(lambda: announced(world, **few)) == "alone_with_a_child"
    both = announced(world, **few, ways=(Step(("sms", "email")),))
    assert listed(world) == []
    world.plan(both)
    assert world.states(both) == {"queued": 2}


def test_a_second_adult_in_copy_gets_what_the_pupil_gets(bells: World) -> None:
    few: dict[str, Any] = {"audience": "Choir & 7B", "people": People.PUPILS}
    said = announced(bells, HEAD, **few, copies=("teacher",))
    assert go(bells, said) == {"sent": 2}
    to = {kept.address for kept in bells.channels.texts.truth}
    assert to == {"+447911100009", "+447911100004"}


def test_whoever_announces_it_is_no_second_adult(bells: World) -> None:
    """In copy to themselves they would be alone with the pupil all the same."""
    few: dict[str, Any] = {"audience": "Choir & 7B", "people": People.PUPILS, "copies": ("teacher",)}
    with bells.ledger.begin() as tx:
        theirs = {"given_name": "V\u00e9ra", "family_name": "Bell"}
        tx.hand.connection.execute(update(t.person).where(t.person.c.source_id == "teacher").values(theirs))
    for name in ("Mrs Bell", "MRS  BELL", "Vera", "Vera Bell"):
        alone = Actor(ActorKind.PERSON, name)
        assert refused(partial(announced, bells, alone, **few)) == "alone_with_a_child"
        behalf = Actor(ActorKind.SYSTEM, "carillon", on_behalf_of=name)
        assert refused(partial(announced, bells, behalf, **few)) == "alone_with_a_child"
    assert announced(bells, HEAD, **few).audience == few["audience"]


@pytest.mark.parametrize("who", ["mum", "nobody", "ann"])
def test_a_second_adult_is_somebody_on_the_staff(bells: World, who: str) -> None:
    few: dict[str, Any] = {"audience": "Choir & 7B", "people": People.PUPILS}
    assert refused(lambda: announced(bells, **few, copies=(who,))) == "unknown_copy"


def test_a_second_adult_whom_this_way_does_not_reach_is_none(bells: World) -> None:
    few: dict[str, Any] = {"audience": "Choir & 7B", "people": People.PUPILS, "ways": (Step(("email",)),)}
    assert refused(lambda: announced(bells, HEAD, **few, copies=("teacher",))) == "alone_with_a_child"

"""Notices of machines: an approved template is that template's approved words, whatever it is called."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from broker import intake
from broker.actor import SYSTEM, Actor, ActorKind
from broker.announcement import Attachment, Part, People, Step
from broker.authority import rule_changes
from broker.authority.notices import is_approved
from broker.errors import RuleBroken, RuleRefused
from broker.office import templates
from broker.rules.adults import NOTICES, notice
from broker.rules.book import rules_of
from tests.support.broker_world import World
from tests.support.school import SmallSchool

FILE = Attachment("0" * 64, "a.txt", "text/plain", b"a")
MACHINE = Actor(ActorKind.TOKEN, "timetable", on_behalf_of="Mrs Bell")
WORDS = "{pupil}: your lesson is in the hall."


def saved(world: World, text: str, language: str = "") -> None:
    templates.save(world.ports, "office", "Cover", {Part.SHORT: text}, language=language, actor=SYSTEM)


def approved(world: World, word: str = "office/cover") -> str:
    rules = rule_changes.change(world.ports, NOTICES, word, "agreed with the head", actor=SYSTEM)
    return rules.changed[NOTICES]


def told(world: World, text: str, **changes: Any) -> str:
    """Write to one pupil as a machine does; the code of what refuses it."""
    draft = world.draft(audience="7B", people=People.PUPILS, template="Cover", parts={Part.SHORT: text})
    try:
        intake.accept(world.ports, replace(draft, **changes), actor=MACHINE)
    except RuleBroken as broken:
        return broken.problem.code
    return ""


@pytest.fixture
def pupil(world: World) -> World:
    school = SmallSchool()
    school.pupil("Ann", "7B", mobiles=("+447911100009",), emails=("ann@pupils.example",))
    world.bring(school)
    saved(world, WORDS)
    return world


@pytest.mark.parametrize(
    ("text", "changes", "code"),
    [
        (WORDS, {}, ""),
        ("Come and see me alone.", {}, "alone_with_a_child"),
        (WORDS + " Come alone.", {}, "alone_with_a_child"),
        ("Psst. " + WORDS, {}, "alone_with_a_child"),
        ("{pupil}: your lesson.", {}, "alone_with_a_child"),
        (WORDS, {"attachments": (FILE,), "ways": (Step(("email",)),)}, "alone_with_a_child"),
        (WORDS, {"template": ""}, "alone_with_a_child"),
        (WORDS, {"template": "Other"}, "alone_with_a_child"),
        (WORDS, {"department": "music"}, "alone_with_a_child"),
        (WORDS, {"language": "cy"}, "alone_with_a_child"),
    ],
)
def test_a_machine_speaks_to_one_pupil_in_approved_words_alone(
    pupil: World, text: str, changes: dict[str, Any], code: str
) -> None:
    assert told(pupil, WORDS) == "alone_with_a_child"  # saved, and nobody has looked at it
    word = approved(pupil)
    assert word.startswith("office/Cover@")
    assert told(pupil, text, **changes) == code


def test_a_template_worded_anew_is_approved_anew(pupil: World) -> None:
    first = approved(pupil)
    saved(pupil, "{pupil}: come to my room.")
    assert told(pupil, "{pupil}: come to my room.") == "alone_with_a_child"
    assert told(pupil, WORDS) == ""  # what somebody looked at
    second = approved(pupil)
    assert second != first
    assert told(pupil, "{pupil}: come to my room.") == ""
    assert told(pupil, WORDS) == "alone_with_a_child"
    approved(pupil, f"{first}, {second}")
    assert told(pupil, WORDS) == ""


def test_each_language_is_approved_with_it(pupil: World) -> None:
    saved(pupil, "{pupil}: gwers yn y neuadd.", language="cy")
    word = approved(pupil)
    assert len({notice(each.strip()).digest for each in word.split(",")}) == 2
    assert told(pupil, "{pupil}: gwers yn y neuadd.", language="cy") == ""
    assert told(pupil, "{pupil}: gwers yn y neuadd.") == "alone_with_a_child"


@pytest.mark.parametrize("word", ["office/None", "office/Cover@0123456789abcdef", "chess/Cover"])
def test_a_template_that_there_is_not_is_not_approved(pupil: World, word: str) -> None:
    with pytest.raises(RuleRefused) as refused:
        approved(pupil, word)
    assert refused.value.problem.code == "unknown_template"


def test_a_name_without_a_digest_approves_nothing(pupil: World) -> None:
    with pupil.ledger.look() as tx:
        found = tx.templates.newest("office", "cover", "")
    assert found is not None
    assert not is_approved(rules_of({NOTICES: "office/Cover"}), found)


def test_a_template_with_gaps_is_not_approved(pupil: World) -> None:
    saved(pupil, "{pupil}: {words}")
    with pytest.raises(RuleRefused, match="has gaps"):
        approved(pupil)

"""Groups kept by hand: members that somebody added, and expressions over other groups."""

from __future__ import annotations

from dataclasses import replace

import pytest

from broker.actor import SYSTEM
from broker.announcement import People
from broker.audience import parse
from broker.errors import NotFound, NotToBeChanged, RuleBroken, UnknownAudience
from broker.office import expressions, groups
from broker.ports import Ports
from broker.rosters.imports import import_roster
from broker.rosters.roster import Role
from ledger import tables as t
from ledger.connect import Ledger
from tests.ledger.test_audience_sql import bring
from tests.ledger.test_audience_sql import told as told_by_tree
from tests.support.school import family


@pytest.fixture
def school(ports: Ports) -> Ports:
    bring(ports, family())
    return ports


def told(ledger: Ledger, expression: str, people: People = People.GUARDIANS) -> list[str]:
    with ledger.look() as tx:
        tree = expressions.resolve(tx, parse(expression))
    return told_by_tree(ledger, tree, people)


def recorded(ledger: Ledger) -> list[str]:
    with ledger.reading() as hand:
        return list(
            hand.connection.execute(t.record_entry.select().order_by(t.record_entry.c.id))
            .columns("kind")
            .scalars()
        )


def test_a_kept_group_has_whom_somebody_added_by_id_or_by_name(school, ledger):
    groups.keep(school, "Chamber  Choir", department="music", actor=SYSTEM)
    changed = groups.add_members(school, "chamber choir", ["ann", "Ben Bell", "teacher"], actor=SYSTEM)
    assert (changed.name, changed.added) == ("Chamber Choir", 3)
    assert told(ledger, "Chamber Choir") == ["ann", "ben"]
    assert told(ledger, "Chamber Choir", People.STAFF) == ["teacher"]
    again = groups.add_members(school, "Chamber Choir", ["ann", "cat"], actor=SYSTEM)
    assert (again.added, told(ledger, "Chamber Choir")) == (1, ["ann", "ben", "cat"])
    assert groups.remove_members(school, "Chamber Choir", ["ann", "dan"], actor=SYSTEM).removed == 1
    assert told(ledger, "Chamber Choir") == ["ben", "cat"]
    assert recorded(ledger)[-4:] == ["group.kept", *["group.members_changed"] * 3]


def test_one_name_that_nobody_has_adds_nobody(school, ledger):
    groups.keep(school, "Quartet", department=None, actor=SYSTEM)
    with pytest.raises(NotFound) as caught:
        groups.add_members(school, "Quartet", ["ann", "Nobody Known"], actor=SYSTEM)
    assert caught.value.problem.code == "unknown_person"
    assert told(ledger, "Quartet") == []


def test_a_name_that_several_have_asks_for_an_id(school, ledger):
    groups.keep(school, "Quartet", department=None, actor=SYSTEM)
    with pytest.raises(NotFound) as caught:
        groups.add_members(school, "Quartet", ["Bell"], actor=SYSTEM)
    assert caught.value.problem.code == "several_people"
    assert "ann, ben, cat, dad, dan and more" in caught.value.problem.hint


def test_a_guardian_is_in_no_group(school):
    groups.keep(school, "Quartet", department=None, actor=SYSTEM)
    with pytest.raises(NotToBeChanged, match="reached through the child"):
        groups.add_members(school, "Quartet", ["mum"], actor=SYSTEM)


def test_a_list_makes_the_members_equal_to_it(school, ledger):
    groups.keep(school, "Choir trip", department=None, actor=SYSTEM)
    groups.add_members(school, "Choir trip", ["ann", "ben"], actor=SYSTEM)
    changed = groups.set_members(school, "Choir trip", ["ben", "cat", "nobody", "mum"], actor=SYSTEM)
    assert (changed.added, changed.removed) == (1, 1)
    assert told(ledger, "Choir trip") == ["ben", "cat"]
    with pytest.raises(NotToBeChanged):
        groups.set_members(school, "Choir trip", ["nobody"], actor=SYSTEM)
    assert told(ledger, "Choir trip") == ["ben", "cat"]


def test_what_comes_from_the_roster_is_not_changed_by_hand(school):
    for change in (
        lambda: groups.add_members(school, "Choir", ["eve"], actor=SYSTEM),
        lambda: groups.retire(school, "Choir", actor=SYSTEM),
        lambda: groups.define(school, "Choir", "7B", actor=SYSTEM),
    ):
        with pytest.raises(NotToBeChanged) as caught:
            change()
        assert caught.value.problem.code == "from_roster"


def test_a_group_made_of_others_is_worked_out_whenever_it_is_asked_for(school, ledger):
    groups.define(school, "Tour", "Choir + 7B − 8A", department="music", actor=SYSTEM)
    groups.define(school, "Bus", "Tour & 7B", actor=SYSTEM)
    assert told(ledger, "Tour") == ["ann", "ben", "dan", "eve"]
    assert told(ledger, "Bus + 8A") == ["ann", "cat", "eve"]
    changed = family()
    changed.join("dan", "7B", Role.PUPIL)
    import_roster(school, changed.roster(), actor=SYSTEM)
    assert told(ledger, "Bus") == ["ann", "dan", "eve"]
    groups.define(school, "tour", "Choir", actor=SYSTEM)
    assert told(ledger, "Bus") == ["ann", "dan"]


def test_an_import_leaves_what_is_kept_by_hand(school, ledger):
    groups.keep(school, "Quartet", department=None, actor=SYSTEM)
    groups.add_members(school, "Quartet", ["ann"], actor=SYSTEM)
    groups.define(school, "Tour", "Quartet + 7B", actor=SYSTEM)
    import_roster(school, family().roster(), actor=SYSTEM)
    assert told(ledger, "Tour") == ["ann", "eve"]


@pytest.mark.parametrize(
    ("expression", "code"),
    [
        ("Tour", "audience_loop"),
        ("Choir + Coach", "audience_loop"),
        ("Choir + Coir", "unknown_group"),
        ("Choir +", "bad_audience"),
        ("", "bad_audience"),
    ],
)
def test_a_loop_an_unknown_group_or_a_slip_of_the_pen_is_one_clear_error(school, ledger, expression, code):
    groups.define(school, "Tour", "Choir", actor=SYSTEM)
    groups.define(school, "Coach", "Tour - 8A", actor=SYSTEM)
    with pytest.raises(RuleBroken) as caught:
        groups.define(school, "Tour", expression, actor=SYSTEM)
    problem = caught.value.problem
    assert (problem.code, problem.field) == (code, "expression")
    assert problem.hint
    assert told(ledger, "Tour") == ["ann", "ben", "cat", "dan"]


def test_an_unknown_group_gets_the_nearest_name_or_the_missing_spaces(school, ledger):
    for expression, hint in (("Chior", "Choir"), ("Choir+7B", "a space on each side")):
        with pytest.raises(UnknownAudience) as caught:
            told(ledger, expression)
        assert hint in caught.value.problem.hint


def test_a_group_that_others_are_made_of_is_not_given_up(school, ledger):
    groups.keep(school, "Quartet", department=None, actor=SYSTEM)
    groups.define(school, "Tour", "Quartet + 7B", actor=SYSTEM)
    with pytest.raises(NotToBeChanged, match="is made of it"):
        groups.retire(school, "quartet", actor=SYSTEM)
    groups.retire(school, "Tour", actor=SYSTEM)
    groups.retire(school, "Quartet", actor=SYSTEM)
    with pytest.raises(UnknownAudience):
        told(ledger, "Quartet")
    groups.keep(school, "Quartet", department=None, actor=SYSTEM)
    assert told(ledger, "Quartet") == []


@pytest.mark.parametrize("name", ["Choir", " ", "Staff", "everyone", 'The "A" team', "x" * 101, "a\nb\x00"])
def test_a_name_that_is_taken_or_cannot_be_one_is_refused(school, name):
    with pytest.raises(NotToBeChanged):
        groups.keep(school, name, department=None, actor=SYSTEM)


def test_a_role_and_a_group_of_one_name_are_told_apart_by_quotes(ports, ledger):
    school = family()
    school.staff("Cook", "Staff")
    bring(ports, school)
    with pytest.raises(UnknownAudience) as caught:
        told(ledger, "staff", People.STAFF)
    assert caught.value.problem.code == "role_or_group"
    assert told(ledger, '"Staff"', People.STAFF) == ["cook"]


def test_roles_are_what_people_are_to_the_school_as_well(ports, ledger):
    school = family()
    school.people["teacher"] = replace(school.people["teacher"], roles=frozenset({Role.STAFF, Role.GUARDIAN}))
    school.staff("Cook")
    bring(ports, school)
    assert told(ledger, "staff", People.STAFF) == ["cook", "teacher"]
    assert told(ledger, "staff & guardians", People.STAFF) == ["teacher"]
    assert told(ledger, "pupils - Choir") == ["eve"]
    assert told(ledger, "staff") == []


def test_a_group_that_was_given_up_comes_back_with_its_members(school, ledger):
    made = groups.keep(school, "Quartet", department=None, actor=SYSTEM)
    groups.add_members(school, "Quartet", ["ann", "ben"], actor=SYSTEM)
    groups.retire(school, "Quartet", actor=SYSTEM)
    with pytest.raises(UnknownAudience):
        told(ledger, "Quartet")
    assert groups.bring_back(school, made.id, actor=SYSTEM).name == "Quartet"
    assert told(ledger, "Quartet") == ["ann", "ben"]
    with pytest.raises(NotFound):  # it is there
        groups.bring_back(school, made.id, actor=SYSTEM)


def test_a_group_does_not_come_back_under_a_name_that_another_has_taken(school):
    made = groups.keep(school, "Quartet", department=None, actor=SYSTEM)
    groups.retire(school, "Quartet", actor=SYSTEM)
    groups.keep(school, "quartet", department=None, actor=SYSTEM)
    with pytest.raises(RuleBroken) as caught:
        groups.bring_back(school, made.id, actor=SYSTEM)
    assert caught.value.problem.code == "name_taken"


def test_what_is_yet_to_come_keeps_a_group_from_another_name(school, ledger):
    groups.keep(school, "Quartet", department=None, actor=SYSTEM)
    groups.add_members(school, "Quartet", ["ann"], actor=SYSTEM)
    groups.define(school, "Players", "Quartet + Choir", actor=SYSTEM)
    with pytest.raises(NotToBeChanged) as caught:
        groups.rename(school, "Quartet", "Quintet", actor=SYSTEM)
    assert (caught.value.problem.code, caught.value.problem.field) == ("in_use", "name")
    assert (
        groups.rename(school, "Quartet", "QUARTET", actor=SYSTEM).name == "QUARTET"
    )  # the same to every list
    groups.retire(school, "Players", actor=SYSTEM)
    groups.rename(school, "Quartet", "  String   Quintet ", actor=SYSTEM)
    assert told(ledger, "string quintet") == ["ann"]
    assert recorded(ledger)[-1] == "group.renamed"


def test_a_group_kept_by_hand_is_given_to_a_department(school, ledger):
    groups.keep(school, "Quartet", department=None, actor=SYSTEM)
    assert groups.give_to(school, "Quartet", "music", actor=SYSTEM).department == "music"
    with pytest.raises(NotToBeChanged):
        groups.give_to(school, "Quartet", "nobody", actor=SYSTEM)
    with pytest.raises(NotToBeChanged):  # the roster's
        groups.give_to(school, "Choir", "music", actor=SYSTEM)

"""Audience expressions in SQL: whom a duty is about, and which addresses may hear of whom."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import select

from broker.actor import SYSTEM
from broker.announcement import People
from broker.audience import DEEPEST, Audience, Combined, Everyone, Group, parse
from broker.ports import Ports
from broker.rosters.imports import import_roster
from broker.rosters.roster import Role
from ledger import tables as t
from ledger.audience import addresses_for, members
from ledger.connect import Ledger
from tests.support.school import SmallSchool, family

TODAY = date(2026, 3, 2)
MUM, DAD, FAY, TEACHER = (f"+44791110000{n}" for n in (1, 2, 3, 4))


def bring(ports: Ports, school: SmallSchool) -> None:
    import_roster(ports, school.roster(), actor=SYSTEM)


def told(ledger: Ledger, audience: Audience | str, people: People = People.GUARDIANS) -> list[str]:
    tree = parse(audience) if isinstance(audience, str) else audience
    chosen = members(tree, people, TODAY).subquery()
    query = select(t.person.c.source_id).join(chosen, chosen.c.person_id == t.person.c.id)
    with ledger.reading() as hand:
        return sorted(hand.connection.execute(query).scalars())


def reach(ledger: Ledger, people: People, kind: str = "mobile") -> dict[str, set[str]]:
    """Pupil or member of staff → addresses that may hear of them."""
    pairs = addresses_for(people).subquery()
    query = (
        select(t.person.c.source_id, t.address.c.value)
        .select_from(pairs)
        .join(t.person, t.person.c.id == pairs.c.person_id)
        .join(t.address, t.address.c.id == pairs.c.address_id)
        .where(pairs.c.kind == kind)
    )
    found: dict[str, set[str]] = {}
    with ledger.reading() as hand:
        for row in hand.connection.execute(query):
            found.setdefault(row.source_id, set()).add(row.value)
    return found


def test_a_groups_pupils_are_told_of_and_its_staff_only_as_staff(ports, ledger):
    bring(ports, family())
    assert told(ledger, "Choir") == ["ann", "ben", "cat", "dan"]
    assert told(ledger, "choir", People.STAFF) == ["teacher"]
    assert told(ledger, "7B", People.STAFF) == []


def test_groups_combine_as_they_are_written(ports, ledger):
    bring(ports, family())
    assert told(ledger, "Choir + 7B") == ["ann", "ben", "cat", "dan", "eve"]
    assert told(ledger, "Choir & 7B") == ["ann"]
    assert told(ledger, "Choir - 7B") == ["ben", "cat", "dan"]
    assert told(ledger, "(Choir - 7B) + (7B - Choir)") == ["ben", "cat", "dan", "eve"]
    assert told(ledger, "everyone - (Choir & (7B + 8A))") == ["ben", "dan", "eve"]


def test_long_rows_and_deep_brackets_reach_whom_they_mean(ports, ledger):
    """Each level was a SELECT in a SELECT once: SQLite's parser overflowed at the sixth, after intake had accepted."""
    bring(ports, family())
    assert told(ledger, " + ".join(["Choir"] * 60)) == ["ann", "ben", "cat", "dan"]
    changing = "Choir" + " - 7B + 7B" * (DEEPEST // 2)
    assert told(ledger, changing) == ["ann", "ben", "cat", "dan", "eve"]
    assert told(ledger, "7B - (" * DEEPEST + "Choir" + ")" * DEEPEST) == ["ann"]


def test_everyone_is_every_pupil_and_for_staff_every_member_of_staff(ports, ledger):
    bring(ports, family())
    assert told(ledger, "everyone") == ["ann", "ben", "cat", "dan", "eve"]
    assert told(ledger, "everyone", People.STAFF) == ["teacher"]


def test_a_membership_counts_from_its_first_day_to_its_last(ports, ledger):
    school = family()
    school.join("ann", "Trip", Role.PUPIL, ends_on=TODAY)
    school.join("ben", "Trip", Role.PUPIL, begins_on=TODAY)
    school.join("cat", "Trip", Role.PUPIL, ends_on=date(2026, 3, 1))
    school.join("dan", "Trip", Role.PUPIL, begins_on=date(2026, 3, 3))
    bring(ports, school)
    assert told(ledger, "Trip") == ["ann", "ben"]


def test_a_pupil_who_helps_a_class_as_staff_does_not_bring_the_own_guardians_in(ports, ledger):
    school = family()
    school.people["ann"] = replace(school.people["ann"], roles=frozenset({Role.PUPIL, Role.STAFF}))
    school.join("ann", "3C", Role.STAFF)
    bring(ports, school)
    assert told(ledger, "3C") == []
    assert told(ledger, "3C", People.STAFF) == ["ann"]


def test_who_left_is_told_of_no_more(ports, ledger):
    school = family()
    bring(ports, school)
    school.leave("ann")
    import_roster(ports, school.roster(), actor=SYSTEM, expect_leaving=1)
    assert told(ledger, "Choir & 7B") == []
    assert "ann" not in told(ledger, "everyone")


@pytest.mark.parametrize("people", list(People))
def test_each_kind_of_people_is_told_by_their_own_addresses(ports, ledger, people):
    school = family()
    own = "+447911100005"
    school.people["ann"] = replace(school.people["ann"], mobiles=(own,))
    bring(ports, school)
    expected = {
        People.GUARDIANS: {MUM, DAD},
        People.FIRST: {MUM, DAD},
        People.PUPILS: {own},
        People.BOTH: {MUM, DAD, own},
        People.STAFF: {own},
    }
    assert reach(ledger, people).get("ann", set()) == expected[people]


def test_a_court_order_for_one_child_leaves_the_siblings_as_they_were(ports, ledger):
    school = family()
    school.block("dad", "ann")
    bring(ports, school)
    found = reach(ledger, People.GUARDIANS)
    assert found["ann"] == {MUM}
    assert found["ben"] == {MUM, DAD}


def test_an_address_that_a_blocked_guardian_shares_is_left_out_for_that_child(ports, ledger):
    school = family()
    school.block("dad", "ann")
    bring(ports, school)
    mails = reach(ledger, People.GUARDIANS, "email")
    assert "ann" not in mails
    assert mails["ben"] == {"bells@example.org"}


@pytest.mark.parametrize("people", [People.PUPILS, People.BOTH])
def test_a_childs_own_number_that_a_blocked_guardian_holds_too_is_left_out(ports, ledger, people):
    school = family()
    school.people["ann"] = replace(school.people["ann"], mobiles=(DAD,))
    school.block("dad", "ann")
    bring(ports, school)
    assert DAD not in reach(ledger, people).get("ann", set())


def test_a_guardian_who_left_is_not_told_any_more(ports, ledger):
    school = family()
    bring(ports, school)
    school.leave("dad")
    import_roster(ports, school.roster(), actor=SYSTEM, expect_leaving=1)
    assert reach(ledger, People.GUARDIANS)["ann"] == {MUM}


TREES = st.recursive(
    st.sampled_from([Group("Choir"), Group("7B"), Group("8A"), Group("Nobody's"), Everyone()]),
    lambda inner: st.builds(Combined, st.sampled_from("+&-"), inner, inner),
    max_leaves=8,
)


def resolved(tree: Audience, school: dict[str, set[str]]) -> set[str]:
    """The same in plain sets: what SQL must agree with."""
    if isinstance(tree, Everyone):
        return set().union(*school.values())
    if isinstance(tree, Group):
        return school.get(tree.name, set())
    assert isinstance(tree, Combined)
    left, right = resolved(tree.left, school), resolved(tree.right, school)
    return {"+": left | right, "&": left & right, "-": left - right}[tree.operator]


def test_any_expression_means_in_sql_what_it_means_in_sets(ports, ledger):
    bring(ports, family())
    school = {"Choir": {"ann", "ben", "cat", "dan"}, "7B": {"ann", "eve"}, "8A": {"cat"}}

    @settings(max_examples=60, suppress_health_check=[HealthCheck.too_slow])
    @given(TREES)
    def holds(tree: Audience) -> None:
        assert told(ledger, tree) == sorted(resolved(tree, school))

    holds()


def test_the_first_contact_is_the_first_whom_a_way_can_reach(ports, ledger):
    school = family()
    school.guardian("Gran", "eve", mobiles=("+447911100009",), emails=("gran@example.org",))
    asked = {"mum": 1, "dad": 2, "fay": 1, "gran": 2}
    school.guardianships = [replace(held, priority=asked[held.guardian]) for held in school.guardianships]
    school.block("mum", "ann")
    bring(ports, school)
    first = reach(ledger, People.FIRST)
    assert first == {"ann": {DAD}, "ben": {MUM}, "cat": {MUM}, "dan": {MUM}, "eve": {FAY}}
    # Fay has no mail: then Gran is the first by mail. Mum and Dad share theirs, so Ann's must not go there.
    mails = reach(ledger, People.FIRST, "email")
    assert mails == {
        **{child: {"bells@example.org"} for child in ("ben", "cat", "dan")},
        "eve": {"gran@example.org"},
    }

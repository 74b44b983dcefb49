"""Whatever rosters follow each other, the ledger ends as the last one says, and the same again is no change."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Connection, select

from broker.actor import SYSTEM
from broker.rosters.imports import import_roster, look
from broker.rosters.roster import (
    GroupKind,
    Role,
    Roster,
    RosterGroup,
    RosterGuardianship,
    RosterMembership,
    RosterPerson,
)
from ledger import tables as t

IDS = ("p1", "p2", "p3", "p4")
GROUPS = ("g1", "g2", "g3")
NUMBERS = tuple(f"+44791110000{n}" for n in range(3))


@st.composite
def rosters(draw: st.DrawFn) -> Roster:
    people = draw(st.lists(st.sampled_from(IDS), min_size=1, unique=True))
    groups = draw(st.lists(st.sampled_from(GROUPS), unique=True))
    names = draw(st.permutations(GROUPS))
    numbers = st.lists(st.sampled_from(NUMBERS), unique=True).map(tuple)
    pairs = st.lists(st.tuples(st.sampled_from(people), st.sampled_from(people)), unique=True)
    held = st.lists(st.tuples(st.sampled_from(groups or [""]), st.sampled_from(people)), unique=True)
    return Roster(
        "a test's",
        tuple(
            RosterPerson(one, frozenset(Role), draw(st.sampled_from("XY")), "Bell", mobiles=draw(numbers))
            for one in people
        ),
        tuple(
            RosterGroup(one, f"Group {name}", GroupKind.CLASS)
            for one, name in zip(groups, names, strict=False)
        ),
        tuple(RosterMembership(g, p, draw(st.sampled_from(Role))) for g, p in (draw(held) if groups else [])),
        tuple(
            RosterGuardianship(a, b, 1, blocked=draw(st.sampled_from([True, False, None])))
            for a, b in draw(pairs)
            if a != b
        ),
    )


def stored(connection: Connection) -> dict[str, Any]:
    """The school as the ledger has it, among those who are there."""
    run = connection.execute
    people = {row.id: row for row in run(select(t.person).where(t.person.c.active))}
    groups = {row.id: row for row in run(select(t.people_group).where(t.people_group.c.active))}
    numbers = {row.id: row.value for row in run(select(t.address))}
    return {
        "people": {(row.source_id, row.given_name) for row in people.values()},
        "groups": {(row.source_id, row.name) for row in groups.values()},
        "memberships": {
            (groups[row.group_id].source_id, people[row.person_id].source_id, row.role)
            for row in run(select(t.membership))
            if row.group_id in groups and row.person_id in people
        },
        "guardianships": {
            (people[row.guardian_id].source_id, people[row.pupil_id].source_id, row.blocked)
            for row in run(select(t.guardianship))
            if row.guardian_id in people and row.pupil_id in people
        },
        "addresses": {
            (people[row.person_id].source_id, numbers[row.address_id], row.position)
            for row in run(select(t.person_address))
            if row.person_id in people
        },
    }


def standing_blocks(connection: Connection) -> set[tuple[str, str]]:
    ids = {row.id: row.source_id for row in connection.execute(select(t.person))}
    rows = connection.execute(select(t.guardianship).where(t.guardianship.c.blocked))
    return {(ids[row.guardian_id], ids[row.pupil_id]) for row in rows}


def blocks_after(before: set[tuple[str, str]], roster: Roster) -> set[tuple[str, str]]:
    """Court orders in force: only an explicit no lifts one, never a link or a person that an export left out."""
    said = {(one.guardian, one.pupil): one.blocked for one in roster.guardianships}
    lifted = {pair for pair, blocked in said.items() if blocked is False}
    return (before - lifted) | {pair for pair, blocked in said.items() if blocked}


def told(roster: Roster, blocks: set[tuple[str, str]]) -> dict[str, Any]:
    here = {one.source_id for one in roster.people}
    links = {(one.guardian, one.pupil) for one in roster.guardianships}
    links |= {(guardian, pupil) for guardian, pupil in blocks if {guardian, pupil} <= here}
    return {
        "people": {(one.source_id, one.given_name) for one in roster.people},
        "groups": {(one.source_id, one.name) for one in roster.groups},
        "memberships": {(one.group, one.person, one.role.value) for one in roster.memberships},
        "guardianships": {(*pair, pair in blocks) for pair in links},
        "addresses": {
            (one.source_id, number, position)
            for one in roster.people
            for position, number in enumerate(one.mobiles, start=1)
        },
    }


@pytest.mark.timeout(240)  # dozens of rosters, on a machine that may be busy
def test_the_ledger_ends_as_the_last_roster_says(ports, ledger):
    @settings(max_examples=12, suppress_health_check=[HealthCheck.too_slow])
    @given(st.lists(rosters(), min_size=1, max_size=3))
    def holds(following: list[Roster]) -> None:
        with ledger.reading() as hand:
            blocks = standing_blocks(hand.connection)  # earlier examples left theirs in the same ledger
        for roster in following:
            blocks = blocks_after(blocks, roster)
            expected = look(ports, roster)
            leaving = expected.people.leaving
            assert import_roster(ports, roster, actor=SYSTEM, expect_leaving=leaving) == expected
            with ledger.reading() as hand:
                assert stored(hand.connection) == told(roster, blocks)
            assert not look(ports, replace(roster, source="again")).any

    holds()

"""What a report of the school's own comes to in the ledger: guardians without ids, blocks, terms, group by group."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select, update

from broker.actor import SYSTEM, Actor, ActorKind
from broker.ports import Ports
from broker.rosters.difference import Counts, ImportDifference
from broker.rosters.imports import import_roster
from broker.rosters.mapping import make
from broker.rosters.roster import Role, Roster, RosterTerm, TermKind
from ledger import tables as t
from ledger.connect import Ledger
from ledger.reads.terms import terms
from sources.rosters import Report, read_reports
from tests.support.rosters import TODAY
from tests.support.school import family

HEADERS = "Adno,Name,Reg,Contact,Mobile,Court Order"
MAPPING = make(
    "contacts",
    HEADERS.split(","),
    {
        "id": "Adno",
        "name": "Name",
        "form": "Reg",
        "guardian1.name": "Contact",
        "guardian1.mobile": "Mobile",
        "guardian1.blocked": "Court Order",
    },
)
ANN_MUM = "101,Ann Lee,7B,Mary Lee,07911 123456,"
ANN_DAD = "101,Ann Lee,7B,John Lee,07911 123457,"
BOB_MUM = "102,Bob Lee,9A,Mary Lee,07911 123456,"


def report(folder: Path, *rows: str) -> Roster:
    path = folder / "contacts.csv"
    path.write_text("\n".join([HEADERS, *rows, ""]), encoding="utf-8")
    return read_reports([Report(path, MAPPING)], region="GB", today=TODAY)


def bring(ports: Ports, roster: Roster) -> ImportDifference:
    return import_roster(ports, roster, actor=SYSTEM)


def rows(ledger: Ledger, query: Any) -> list[Any]:
    with ledger.reading() as hand:
        return list(hand.connection.execute(query))


def guardians(ledger: Ledger) -> dict[str, int]:
    found = rows(ledger, select(t.person).where(t.person.c.is_guardian, t.person.c.active))
    return {f"{row.given_name} {row.family_name}": row.id for row in found}


def leave_alone(ports: Ports, roster: Roster, leaving: int) -> ImportDifference:
    return import_roster(ports, roster, actor=SYSTEM, expect_leaving=leaving)


def test_the_same_report_again_changes_nothing(ports, tmp_path):
    assert bring(ports, report(tmp_path, ANN_MUM, ANN_DAD, BOB_MUM)).people == Counts(new=4)
    again = bring(ports, report(tmp_path, ANN_MUM, ANN_DAD, BOB_MUM))
    assert not again.any
    assert again.people == Counts(unchanged=4)


def test_a_guardian_without_an_id_stays_the_same_person_with_a_new_number(ports, ledger, tmp_path):
    bring(ports, report(tmp_path, ANN_MUM, ANN_DAD, BOB_MUM))
    before = guardians(ledger)
    moved = (row.replace("123456", "123499") for row in (ANN_MUM, ANN_DAD, BOB_MUM))
    told = bring(ports, report(tmp_path, *moved))
    assert told.people == Counts(unchanged=4)
    assert told.addresses == Counts(new=1, leaving=1, unchanged=1)
    assert guardians(ledger) == before


def test_a_guardian_without_an_id_stays_when_the_eldest_child_leaves(ports, ledger, tmp_path):
    bring(ports, report(tmp_path, ANN_MUM, BOB_MUM))
    before = guardians(ledger)["Mary Lee"]
    leave_alone(ports, report(tmp_path, BOB_MUM), 1)
    assert guardians(ledger) == {"Mary Lee": before}


def test_two_namesakes_who_turn_out_to_be_one_become_one(ports, ledger, tmp_path):
    apart = BOB_MUM.replace("07911 123456", "07911 123498")
    bring(ports, report(tmp_path, ANN_MUM, apart))
    assert rows(ledger, select(t.person).where(t.person.c.is_guardian))
    leave_alone(ports, report(tmp_path, ANN_MUM, BOB_MUM), 1)
    mary = guardians(ledger)["Mary Lee"]
    linked = rows(ledger, select(t.guardianship.c.pupil_id).where(t.guardianship.c.guardian_id == mary))
    assert len(linked) == 2


def test_a_block_holds_on_to_a_guardian_without_an_id(ports, ledger, tmp_path):
    bring(ports, report(tmp_path, ANN_MUM, ANN_DAD + "yes"))
    moved = ANN_DAD.replace("123457", "123488")  # the column is empty now: the report does not say
    bring(ports, report(tmp_path, ANN_MUM, moved))
    blocked = rows(ledger, select(t.guardianship.c.guardian_id).where(t.guardianship.c.blocked))
    assert [row.guardian_id for row in blocked] == [guardians(ledger)["John Lee"]]


def test_a_blocked_guardian_under_another_spelling_is_not_let_back_in(ports, ledger, tmp_path):
    bring(ports, report(tmp_path, ANN_MUM, ANN_DAD + "yes", BOB_MUM))
    spelt = "101,Ann Lee,7B,Jonathan Lee,07911 123488,"
    told = leave_alone(ports, report(tmp_path, ANN_MUM, spelt, BOB_MUM), 1)
    assert [problem.code for problem in told.problems] == ["maybe_blocked"]
    jonathan = guardians(ledger)["Jonathan Lee"]
    assert not rows(ledger, select(t.guardianship).where(t.guardianship.c.guardian_id == jonathan))
    mum = guardians(ledger)["Mary Lee"]
    assert len(rows(ledger, select(t.guardianship).where(t.guardianship.c.guardian_id == mum))) == 2


def test_a_block_made_by_hand_is_lifted_by_no_report(ports, ledger, tmp_path):
    bring(ports, report(tmp_path, ANN_MUM, ANN_DAD))
    dad = guardians(ledger)["John Lee"]
    with ledger.begin() as tx:
        by_hand = update(t.guardianship).where(t.guardianship.c.guardian_id == dad)
        tx.hand.connection.execute(by_hand.values(blocked=True, by_hand=True))
    told = bring(ports, report(tmp_path, ANN_MUM, ANN_DAD + "no"))
    assert not told.any
    assert len(rows(ledger, select(t.guardianship).where(t.guardianship.c.blocked))) == 1


def test_a_number_that_was_refused_is_remembered_with_its_person(ports, ledger, tmp_path):
    bring(ports, report(tmp_path, ANN_MUM.replace("07911 123456", "020 7946 0123"), BOB_MUM))
    refused = rows(ledger, select(t.person.c.mobile_refused).where(t.person.c.is_guardian))
    assert sorted(row.mobile_refused for row in refused) == [False, True]


def test_an_import_that_fails_at_its_very_end_leaves_nothing_behind(ports, ledger, tmp_path):
    unwritable = Actor(ActorKind.PERSON, "\udcff")  # the record cannot be written, and it is written last
    with pytest.raises(UnicodeEncodeError):
        import_roster(ports, report(tmp_path, ANN_MUM, ANN_DAD), actor=unwritable)
    for table in (t.person, t.people_group, t.membership, t.guardianship, t.address, t.record_entry):
        assert rows(ledger, select(table)) == []
    assert bring(ports, report(tmp_path, ANN_MUM, ANN_DAD)).people == Counts(new=3)


# ---- the difference, group by group


def test_the_difference_is_told_for_each_group(ports):
    school = family()
    first = bring(ports, school.roster())
    assert first.by_group["Choir"].new == 5
    school.memberships = [m for m in school.memberships if (m.person, m.group) != ("eve", "g:7B")]
    school.join("eve", "8A", Role.PUPIL)
    school.memberships = [
        replace(m, ends_on=date(2026, 12, 1)) if (m.person, m.group) == ("ann", "g:Choir") else m
        for m in school.memberships
    ]
    told = bring(ports, school.roster())
    assert told.by_group == {
        "7B": Counts(leaving=1, unchanged=1),
        "8A": Counts(new=1, unchanged=1),
        "Choir": Counts(changed=1, unchanged=4),
    }
    assert bring(ports, school.roster()).by_group == {}


# ---- terms


YEAR = RosterTerm("y", "2026/27", TermKind.SCHOOL_YEAR, date(2026, 9, 1), date(2027, 7, 20))
AUTUMN = RosterTerm("a", "Autumn", TermKind.TERM, date(2026, 9, 1), date(2026, 12, 18), "y")
SPRING = RosterTerm("s", "Spring", TermKind.TERM, date(2027, 1, 5), date(2027, 3, 26), "y")


def calendar(ledger: Ledger, on: date | None = None) -> list[RosterTerm]:
    with ledger.reading() as hand:
        return list(terms(hand, on=on))


def test_the_terms_of_a_roster_are_the_schools_calendar(ports, ledger):
    roster = replace(family().roster(), terms=(AUTUMN, YEAR, SPRING))
    assert bring(ports, roster).terms == Counts(new=3)
    assert calendar(ledger) == [YEAR, AUTUMN, SPRING]
    assert calendar(ledger, date(2026, 12, 18)) == [YEAR, AUTUMN]
    assert calendar(ledger, date(2026, 12, 19)) == [YEAR]
    assert not bring(ports, roster).any


def test_a_moved_term_follows_one_that_is_gone_leaves_and_a_roster_without_terms_changes_none(ports, ledger):
    bring(ports, replace(family().roster(), terms=(YEAR, AUTUMN, SPRING)))
    later = replace(AUTUMN, ends_on=date(2026, 12, 19))
    told = bring(ports, replace(family().roster(), terms=(YEAR, later)))
    assert told.terms == Counts(changed=1, leaving=1, unchanged=1)
    assert calendar(ledger) == [YEAR, later]
    assert not bring(ports, family().roster()).any
    assert calendar(ledger) == [YEAR, later]
    assert bring(ports, replace(family().roster(), terms=(YEAR, later, SPRING))).terms.returning == 1


@pytest.mark.parametrize("kind", TermKind)
def test_every_kind_of_term_can_be_kept(ports, ledger, kind):
    bring(ports, replace(family().roster(), terms=(replace(YEAR, kind=kind),)))
    assert [one.kind for one in calendar(ledger)] == [kind]

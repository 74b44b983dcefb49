"""Groups, consent and term dates by page: the same way from a file to what it would change, and in."""

from __future__ import annotations

import pytest
from sqlalchemy import select

from broker.actor import SYSTEM
from broker.consent import consents
from broker.consent.consents import Told
from broker.office import groups
from ledger import tables as t
from tests.support.importing import Office

SCHOOL = (
    "id,role,given_name,family_name,mobile,email,year,form,groups,guardian_of\n"
    "G1,guardian,Mary,Lee,07911 123456,mary@example.org,,,,P1;P2\n"
    "P1,pupil,Ann,Lee,,,7,7B,Choir,\nP2,pupil,Bob,Lee,,,9,9A,,\n"
)
TERMS = "kind,name,begins,ends\nterm,Autumn,2026-09-01,2026-12-18\ninset,INSET,2026-09-01,2026-09-02\n"


@pytest.fixture
def school(office: Office) -> Office:
    office.take(office.choose(SCHOOL))
    groups.keep(office.here.tower.house.ports, "Trip", department=None, actor=SYSTEM)
    return office


def members(office: Office) -> set[str]:
    with office.here.ledger.reading() as hand:
        query = (
            select(t.person.c.given_name)
            .join(t.membership, t.membership.c.person_id == t.person.c.id)
            .join(t.people_group, t.people_group.c.id == t.membership.c.group_id)
            .where(t.people_group.c.name == "Trip")
        )
        return set(hand.connection.execute(query).scalars())


def test_a_list_makes_a_groups_members_and_tells_who_joins_and_leaves(school: Office) -> None:
    school.take(school.choose("id\nP1\n", "trip.csv", kind="group", group="Trip"))
    assert members(school) == {"Ann"}
    address = school.choose("P2\nP9\nG1\n", "trip.csv", kind="group", group="Trip")
    page = school.text(address)
    assert "Leaving the group 1" in page
    assert "Ann Lee" in page
    assert "Bob Lee" in page
    assert "trip.csv 2 id Nobody at the school has this id." in page
    assert members(school) == {"Ann"}
    school.take(address)
    assert members(school) == {"Bob"}


def test_lists_and_sheets_stand_among_what_was_imported_lately_and_changes_by_hand_do_not(
    school: Office,
) -> None:
    ports = school.here.tower.house.ports
    groups.add_members(ports, "Trip", ["P2"], actor=SYSTEM)
    consents.keep(ports, [Told("G1", "email", True, "a call")], actor=SYSTEM)
    lately = school.text("/watch/import").partition("Imported lately")[2]
    assert "Trip" not in lately
    assert "Consent" not in lately
    school.take(school.choose("id\nP1\n", "trip.csv", kind="group", group="Trip"))
    school.take(
        school.choose("person,channel,given,source\nG1,email,no,autumn form\n", "consent.csv", kind="consent")
    )
    lately = school.text("/watch/import").partition("Imported lately")[2]
    assert "Members of Trip Mrs Bell 1 joined, 1 left" in lately
    assert "Consent (autumn form) Mrs Bell 0 yes, 1 no" in lately
    assert lately.index("Consent") < lately.index("Members of Trip") < lately.index("People")


def test_a_list_of_nobody_and_a_group_that_is_not_there_are_refused(school: Office) -> None:
    assert (
        "nobody in this list can be in a group"
        in school.text(school.choose("X1\n", "trip.csv", kind="group", group="Trip")).lower()
    )
    page = school.text(school.choose("P1\n", "trip.csv", kind="group", group="Nowhere"))
    assert "nothing was changed" in page


def test_a_sheet_of_consent_is_told_before_it_is_kept(school: Office) -> None:
    sheet = "person,channel,given,source\nG1,email,yes,form\n"
    address = school.choose(sheet, "consent.csv", kind="consent")
    page = school.text(address)
    assert "Said yes 1" in page
    assert "Mary Lee promotional by email, form" in page
    assert school.count("consent_entry") == 0
    school.take(address)
    assert school.count("consent_entry") == 1


def test_every_fault_of_a_sheet_is_told_with_its_row(school: Office) -> None:
    sheet = "person,channel,given,source\nG1,email,perhaps,form\nNobody,email,yes,form\n,email,no,form\n"
    page = school.text(school.choose(sheet, "consent.csv", kind="consent"))
    assert "row 2.given" in page
    assert "row 4.person" in page
    assert school.count("consent_entry") == 0


def test_term_dates_take_the_place_of_those_before(school: Office) -> None:
    school.take(school.choose(TERMS, "terms.csv", kind="terms"))
    assert school.count("calendar_span") == 2
    address = school.choose(
        TERMS.replace("INSET,2026-09-01,2026-09-02", "INSET,2026-09-03,2026-09-03"), "t.csv", kind="terms"
    )
    page = school.text(address)
    assert "Gone 1" in page
    assert "inset, 1 Sep 2026 to 2 Sep 2026" in page
    school.take(address)
    assert "Term dates" in school.text("/watch/import")


def test_term_dates_with_a_row_that_cannot_be_read_are_not_taken_in(school: Office) -> None:
    address = school.choose(TERMS + "holiday,Odd,yesterday,\n", "terms.csv", kind="terms")
    page = school.text(address)
    assert "row 4" in page
    school.take(address)
    assert "1 of its rows cannot be read" in school.text(address)
    assert school.count("calendar_span") == 0

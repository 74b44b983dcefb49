"""The sample school is a school: its families, its numbers, its slips."""

from __future__ import annotations

from collections import Counter

import pytest

from broker.rosters.roster import GroupKind, Role, Roster
from sandbox.sample_school import SampleSchool, write_sample_school
from tests.support.rosters import reading


@pytest.fixture(scope="module")
def school(tmp_path_factory) -> SampleSchool:
    return write_sample_school(tmp_path_factory.mktemp("school"))


@pytest.fixture(scope="module")
def roster(school) -> Roster:
    return reading(school.folder)


def test_it_has_at_least_five_hundred_people_of_every_role(school, roster):
    assert len(roster.people) == school.people >= 500
    counts = Counter(role for person in roster.people for role in person.roles)
    assert counts == {Role.PUPIL: school.pupils, Role.GUARDIAN: school.guardians, Role.STAFF: school.staff}


def test_it_is_the_same_every_time(school, tmp_path):
    again = write_sample_school(tmp_path)
    other = write_sample_school(tmp_path / "other", seed=2)
    for path in school.folder.iterdir():
        assert (again.folder / path.name).read_bytes() == path.read_bytes()
    assert (other.folder / "users.csv").read_bytes() != (school.folder / "users.csv").read_bytes()


def test_every_number_is_a_mobile_but_for_the_slips_that_are_told(school, roster):
    assert [problem.code for problem in roster.problems] == ["landline", "spreadsheet_damaged", "two_in_cell"]
    by_id = {person.source_id: person for person in roster.people}
    assert all(by_id[guardian].mobiles == () for guardian in school.unreadable)
    numbers = [number for person in roster.people for number in person.mobiles]
    assert len(numbers) > 500
    assert not any(number.startswith("+447700900") for number in numbers)


def test_every_email_ends_where_nobody_lives(roster):
    emails = [email for person in roster.people for email in person.emails]
    assert all(email.endswith(".example.org") for email in emails)
    assert len(set(emails)) == len(emails)


def test_four_children_share_two_guardians_with_one_number_each(school, roster):
    by_id = {person.source_id: person for person in roster.people}
    links = {(link.guardian, link.pupil) for link in roster.guardianships}
    assert len(school.four_children) == 4
    assert {(g, p) for g in school.their_guardians for p in school.four_children} <= links
    assert tuple(by_id[g].mobiles[0] for g in school.their_guardians) == school.their_mobiles
    choir = next(group.source_id for group in roster.groups if group.name == "Choir")
    assert set(school.four_children) <= {m.person for m in roster.memberships if m.group == choir}


def test_some_numbers_are_shared_and_some_people_have_none(school, roster):
    held = Counter(number for person in roster.people for number in person.mobiles)
    assert held[school.shared_by_parents] == 2
    assert held[school.office_mobile] == 3
    guardians = [person for person in roster.people if Role.GUARDIAN in person.roles]
    assert any(not person.mobiles and person.emails for person in guardians)
    assert any(not person.emails and person.mobiles for person in guardians)
    assert any(not person.emails and not person.mobiles for person in guardians)


def test_the_office_number_joins_guardians_who_share_no_child(school, roster):
    holders = {person.source_id for person in roster.people if school.office_mobile in person.mobiles}
    children = [link.pupil for link in roster.guardianships if link.guardian in holders]
    assert len(holders) == 3
    assert len(set(children)) == len(children)


def test_every_pupil_has_a_year_a_form_and_a_guardian(roster):
    looked_after = {link.pupil for link in roster.guardianships}
    for person in roster.people:
        if Role.PUPIL in person.roles:
            assert person.year
            assert person.form
            assert person.source_id in looked_after


def test_the_music_department_has_its_ensembles(roster):
    ensembles = {group.name: group.department for group in roster.groups if group.department == "Music"}
    assert {"Choir", "Orchestra", "Jazz Band"} <= set(ensembles)
    assert sum(group.kind is GroupKind.YEAR for group in roster.groups) == 7


@pytest.mark.parametrize("pupils", [20, 100, 1500])
def test_it_can_be_of_any_size(tmp_path, pupils):
    school = write_sample_school(tmp_path, pupils=pupils)
    assert school.pupils == pupils
    assert len(reading(tmp_path).people) == school.people

"""OneRoster 1.1 and 1.2: what a school's system exports, and what becomes of it."""

from __future__ import annotations

from datetime import date

import pytest

from broker.rosters.roster import GroupKind, Role
from tests.support.rosters import CLASSES, ENROLMENTS, MANIFEST, USERS, oneroster, reading, refused, told

ANN = "p1,active,TRUE,student,Ann,Lee,ann@example.org,,,,07,"
MUM = "g1,active,TRUE,parent,Mary,Lee,mary@example.org,07911 123456,,p1,,"


def users(*rows: str) -> list[str]:
    return [USERS, *rows]


def test_a_family_comes_with_its_year_and_link(tmp_path):
    roster = reading(oneroster(tmp_path, users=users(ANN, MUM)))
    assert roster.source == "oneroster 1.1"
    assert roster.problems == ()
    ann, mary = roster.people
    assert ann.roles == {Role.PUPIL}
    assert ann.year == "7"
    assert mary.roles == {Role.GUARDIAN}
    assert mary.mobiles == ("+447911123456",)
    assert mary.emails == ("mary@example.org",)
    assert [(group.name, group.kind) for group in roster.groups] == [("Year 7", GroupKind.YEAR)]
    assert [(link.guardian, link.pupil) for link in roster.guardianships] == [("g1", "p1")]


def test_only_the_manifest_is_mandatory_and_a_roster_of_nobody_is_refused(tmp_path):
    assert refused(oneroster(tmp_path)) == ("nobody", "oneroster 1.1")


@pytest.mark.parametrize("version", ["", "0.9", "2.0"])
def test_another_version_is_refused(tmp_path, version):
    manifest = f"propertyName,value\noneroster.version,{version}\n"
    assert refused(oneroster(tmp_path, manifest, users=users(ANN))) == ("unknown_version", "manifest.csv")


def test_a_file_that_the_manifest_promises_must_be_there(tmp_path):
    manifest = MANIFEST + "file.users,bulk\nfile.enrollments,bulk\n"
    assert refused(oneroster(tmp_path, manifest, users=users(ANN))) == ("missing_file", "manifest.csv:4")


def test_a_file_that_the_manifest_calls_absent_is_not_read(tmp_path):
    manifest = MANIFEST + "file.classes,absent\n"
    roster = reading(oneroster(tmp_path, manifest, users=users(ANN), classes=["nonsense"]))
    assert len(roster.people) == 1


def test_changes_only_are_read_as_the_whole_school_and_said_so(tmp_path):
    roster = reading(oneroster(tmp_path, MANIFEST + "file.users,delta\n", users=users(ANN, MUM)))
    assert told(roster) == [("manifest.csv", 3, "value", "delta")]


def test_files_that_nobody_reads_are_ignored(tmp_path):
    roster = reading(
        oneroster(tmp_path, users=users(ANN), results=["\0"], userProfiles=["password", "hunter2"])
    )
    assert len(roster.people) == 1


def test_passwords_stay_in_the_file(tmp_path):
    roster = reading(oneroster(tmp_path, users=users("p1,active,TRUE,student,Ann,Lee,,,,,07,hunter2-secret")))
    assert "hunter2" not in repr(roster)


@pytest.mark.parametrize(
    ("code", "second"), [("duplicate_id", ANN), ("missing_id", ANN.replace("p1", "", 1))]
)
def test_ids_must_be_there_and_differ(tmp_path, code, second):
    assert refused(oneroster(tmp_path, users=users(ANN, second))) == (code, "users.csv:3")


def test_an_id_is_taken_even_by_somebody_who_has_left(tmp_path):
    left = ANN.replace("active", "tobedeleted")
    assert refused(oneroster(tmp_path, users=users(left, ANN))) == ("duplicate_id", "users.csv:3")


# ---- who counts


@pytest.mark.parametrize(
    "row",
    [
        "p2,tobedeleted,TRUE,student,Bob,Lee,,,,,,",
        "p2,inactive,TRUE,student,Bob,Lee,,,,,,",
        "p2,active,FALSE,student,Bob,Lee,,,,,,",
        "p2,active,false,student,Bob,Lee,,,,,,",
    ],
)
def test_who_has_left_is_left_out_with_all_links_and_no_fuss(tmp_path, row):
    folder = oneroster(
        tmp_path,
        users=users(ANN, 'g1,active,TRUE,parent,Mary,Lee,,,,"p1,p2",,', row),
        classes=[CLASSES, "c1,active,Maths,,,,,", "c2,tobedeleted,Latin,,,,,"],
        enrollments=[
            ENROLMENTS,
            "e1,active,c1,p2,student,,",
            "e2,active,c2,p1,student,,",
            "e3,tobedeleted,c1,p1,student,,",
        ],
    )
    roster = reading(folder)
    assert [person.source_id for person in roster.people] == ["p1", "g1"]
    assert [(link.guardian, link.pupil) for link in roster.guardianships] == [("g1", "p1")]
    assert [m.group for m in roster.memberships] == ["year:7"]
    assert roster.problems == ()


@pytest.mark.parametrize(
    ("word", "role"),
    [
        ("student", Role.PUPIL),
        ("parent", Role.GUARDIAN),
        ("guardian", Role.GUARDIAN),
        ("relative", Role.GUARDIAN),
        ("teacher", Role.STAFF),
        ("aide", Role.STAFF),
        ("siteAdministrator", Role.STAFF),
        ("Principal", Role.STAFF),
    ],
)
def test_each_role_of_the_standard_is_one_of_ours(tmp_path, word, role):
    roster = reading(oneroster(tmp_path, users=users(f"u1,,,{word},Ann,Lee,,,,,,")))
    assert roster.people[0].roles == {role}


def test_an_unknown_role_keeps_the_person_whom_nobody_reaches(tmp_path):
    roster = reading(oneroster(tmp_path, users=users("u1,,,wizard,Ann,Lee,,,,,,")))
    assert roster.people[0].roles == frozenset()
    assert [code for *_, code in told(roster)] == ["unknown_role", "no_role"]


def test_in_1_2_roles_come_from_their_own_file_and_count_only_on_their_days(tmp_path):
    headers = "sourcedId,status,enabledUser,givenName,familyName,preferredGivenName,password"
    rows = ["u1,,,Mo,Khan,Mohammed,x", "u2,,,Di,Khan,,x", "u3,,,Cy,Khan,,x"]
    folder = oneroster(
        tmp_path,
        MANIFEST.replace("1.1", "1.2"),
        users=[headers, *rows],
        roles=[
            "sourcedId,status,dateLastModified,userSourcedId,roleType,role,beginDate,endDate,orgSourcedId",
            "r1,,,u1,primary,teacher,,,s",
            "r2,,,u1,secondary,parent,2026-09-01,2027-07-31,s",
            "r3,,,u2,primary,student,2020-09-01,2025-07-31,s",
            "r4,,,u2,secondary,teacher,2026-09-01,,s",
            "r5,tobedeleted,,u3,primary,teacher,,,s",
        ],
    )
    roster = reading(folder)
    assert roster.source == "oneroster 1.2"
    assert [person.roles for person in roster.people] == [
        {Role.STAFF, Role.GUARDIAN},
        {Role.STAFF},
        frozenset(),
    ]
    assert roster.people[0].preferred_name == "Mohammed"
    assert told(roster)[0] == ("users.csv", 4, "role", "no_role")


def test_the_birthday_is_all_that_is_taken_from_demographics(tmp_path):
    demographics = ["sourcedId,status,birthDate,sex,asian", "p1,,2015-03-01,female,true", "g1,,2090-01-01,,"]
    roster = reading(oneroster(tmp_path, users=users(ANN, MUM), demographics=demographics))
    assert roster.people[0].born == date(2015, 3, 1)
    assert roster.people[1].born is None
    assert told(roster) == [("demographics.csv", 3, "birthDate", "bad_date")]


# ---- addresses


def test_the_phone_stands_in_where_sms_gives_no_number(tmp_path):
    roster = reading(
        oneroster(
            tmp_path,
            users=users(
                "u1,,,teacher,A,A,,07911 123456,020 7946 0123,,,",
                "u2,,,teacher,B,B,,,07911 123457,,,",
                "u3,,,teacher,C,C,,020 7946 0123,07911 123458,,,",
                "u4,,,teacher,D,D,,,020 7946 0123,,,",
                "u5,,,teacher,E,E,,4.47E+11,4.47E+11,,,",
            ),
        )
    )
    assert [person.mobiles for person in roster.people] == [
        ("+447911123456",),
        ("+447911123457",),
        ("+447911123458",),
        (),
        (),
    ]
    assert told(roster) == [
        ("users.csv", 4, "sms", "landline"),
        ("users.csv", 5, "phone", "landline"),
        ("users.csv", 6, "sms", "spreadsheet_damaged"),
    ]


# ---- guardians


def test_agents_join_from_either_side_and_a_pupils_own_row_tells_the_order(tmp_path):
    folder = oneroster(
        tmp_path,
        users=users(
            "g3,,,relative,Gran,Lee,,,,p1,,",
            "g1,,,parent,Mary,Lee,,,,p1,,",
            "g2,,,guardian,Max,Lee,,,,,,",
            'p1,,,student,Ann,Lee,,,,"g2,g1",07,',
        ),
    )
    roster = reading(folder)
    assert [(link.guardian, link.priority) for link in roster.guardianships] == [
        ("g2", 1),
        ("g1", 2),
        ("g3", 3),
    ]
    assert roster.problems == ()


def test_a_guardian_is_one_by_role_and_never_by_being_somebodys_agent(tmp_path):
    folder = oneroster(
        tmp_path,
        users=users(
            "t1,,,teacher,Tom,Tutor,,,,p1,,",
            "p2,,,student,Bob,Brother,,,,,08,",
            'p1,,,student,Ann,Lee,,,,"t1,p2",07,',
        ),
    )
    roster = reading(folder)
    assert roster.guardianships == ()
    assert told(roster) == [("users.csv", 4, "agentSourcedIds", "not_a_guardian")] * 2


def test_agents_who_are_nobody_are_dropped_and_told(tmp_path):
    folder = oneroster(
        tmp_path,
        users=users(
            "g1,,,parent,Mary,Lee,,,,p9,,", "p1,,,student,Ann,Lee,,,,g9,07,", "g2,,,parent,Max,Lee,,,,g1,,"
        ),
    )
    assert told(reading(folder)) == [
        ("users.csv", 3, "agentSourcedIds", "missing_guardian"),
        ("users.csv", 2, "agentSourcedIds", "guardian_of_nobody"),
        ("users.csv", 4, "agentSourcedIds", "not_a_pupil"),
        ("users.csv", 2, "", "guardian_of_nobody"),
        ("users.csv", 4, "", "guardian_of_nobody"),
    ]


# ---- groups


def school(tmp_path, classes: list[str], enrolments: list[str], **more: list[str]):
    people = users(ANN, "t1,,,teacher,Tom,Tutor,,,,,,")
    classes, enrolments = [CLASSES, *classes], [ENROLMENTS, *enrolments]
    return reading(
        oneroster(tmp_path, MANIFEST, users=people, classes=classes, enrollments=enrolments, **more)
    )


def test_classes_are_groups_and_a_homeroom_is_a_form(tmp_path):
    roster = school(
        tmp_path,
        ["c1,,Maths,,,scheduled,,", "c2,,7B,,,homeroom,,"],
        ["e1,,c1,p1,student,,", "e2,,c2,p1,student,,", "e3,,c2,t1,teacher,,", "e4,,c2,t1,teacher,,"],
    )
    assert {(group.name, group.kind) for group in roster.groups} == {
        ("7B", GroupKind.FORM),
        ("Maths", GroupKind.CLASS),
        ("Year 7", GroupKind.YEAR),
    }
    assert roster.people[0].form == "7B"
    assert roster.people[1].form is None
    assert [(m.group, m.person, m.role) for m in roster.memberships] == [
        ("class:c1", "p1", Role.PUPIL),
        ("class:c2", "p1", Role.PUPIL),
        ("class:c2", "t1", Role.STAFF),
        ("year:7", "p1", Role.PUPIL),
    ]


def test_classes_that_share_a_title_are_told_apart_by_their_code_or_id(tmp_path):
    roster = school(tmp_path, ["c1,,Maths,,7B/Ma,,,", "c2,,maths,,,,,", "c3,,Latin,,,,,"], [])
    names = [group.name for group in roster.groups if group.kind is GroupKind.CLASS]
    assert names == ["Maths (7B/Ma)", "maths (class:c2)", "Latin"]


def test_a_class_without_a_title_takes_its_courses_and_its_department(tmp_path):
    roster = school(
        tmp_path,
        ["c1,,,k1,,,,", "c2,,,,Gr-1,,,", "c3,,Band,,,,dep,"],
        [],
        courses=["sourcedId,status,title,orgSourcedId", "k1,,Singing,dep"],
        orgs=["sourcedId,status,name,type", "s,,School,school", "dep,,Music,department"],
    )
    classes = {group.name: group.department for group in roster.groups if group.kind is GroupKind.CLASS}
    assert classes == {"Singing": "Music", "Gr-1": None, "Band": "Music"}


def test_two_schools_in_one_export_are_told(tmp_path):
    orgs = ["sourcedId,status,name,type", "s1,,A,school", "s2,,B,school", "s3,,C,school"]
    assert told(school(tmp_path, [], [], orgs=orgs)) == [("orgs.csv", 3, "type", "several_schools")]


def test_enrolments_keep_their_days_and_take_missing_ones_from_the_classes_terms(tmp_path):
    roster = school(
        tmp_path,
        ['c1,,Maths,,,,,"a,b"', "c2,,Latin,,,,,", 'c3,,Greek,,,,,"a,zz"'],
        [
            "e1,,c1,p1,student,,",
            "e2,,c1,t1,teacher,2026-10-01T00:00:00.000Z,",
            "e3,,c2,p1,student,2026-10-01,2026-10-31",
            "e4,,c3,p1,student,,",
        ],
        academicSessions=[
            "sourcedId,status,title,type,startDate,endDate",
            "a,,Autumn,term,2026-09-01,2026-12-18",
            "b,,Spring,term,2027-01-05,2027-03-26",
        ],
    )
    days = {(m.group, m.person): (m.begins_on, m.ends_on) for m in roster.memberships}
    assert days[("class:c1", "p1")] == (date(2026, 9, 1), date(2027, 3, 26))
    assert days[("class:c1", "t1")] == (date(2026, 10, 1), date(2027, 3, 26))
    assert days[("class:c2", "p1")] == (date(2026, 10, 1), date(2026, 10, 31))
    assert days[("class:c3", "p1")] == (None, None)


def test_a_form_that_was_left_is_not_the_pupils_form(tmp_path):
    roster = school(
        tmp_path,
        ["c1,,7A,,,homeroom,,", "c2,,7B,,,homeroom,,"],
        ["e1,,c1,p1,student,2026-09-01,2026-10-01", "e2,,c2,p1,student,2026-10-02,"],
    )
    assert roster.people[0].form == "7B"


@pytest.mark.parametrize(
    ("row", "column", "code"),
    [
        ("e1,,c9,p1,student,,", "classSourcedId", "missing_class"),
        ("e1,,c1,p9,student,,", "userSourcedId", "missing_person"),
        ("e1,,c1,p1,wizard,,", "role", "unknown_role"),
        ("e1,,c1,p1,student,2026-12-01,2026-09-01", "endDate", "dates_reversed"),
    ],
)
def test_an_enrolment_that_joins_nothing_is_dropped_and_told(tmp_path, row, column, code):
    roster = school(tmp_path, ["c1,,Maths,,,,,"], [row])
    assert [m.group for m in roster.memberships] == ["year:7"]
    assert told(roster) == [("enrollments.csv", 2, column, code)]


def test_a_day_that_cannot_be_read_is_dropped_and_the_enrolment_kept(tmp_path):
    roster = school(tmp_path, ["c1,,Maths,,,,,"], ["e1,,c1,p1,student,soon,2027-07-01"])
    assert (roster.memberships[0].begins_on, roster.memberships[0].ends_on) == (None, date(2027, 7, 1))
    assert told(roster) == [("enrollments.csv", 2, "beginDate", "bad_date")]


def test_a_pupil_in_two_years_is_in_neither_and_told(tmp_path):
    roster = reading(oneroster(tmp_path, users=users('p1,,,student,Ann,Lee,,,,,"09,10",')))
    assert roster.people[0].year is None
    assert told(roster) == [("users.csv", 2, "grades", "several_years")]


def test_every_link_holds_the_very_string_of_its_person_so_that_large_schools_fit(tmp_path):
    roster = school(tmp_path, ["c1,,Maths,,,,,"], ["e1,,c1,p1,student,,"])
    assert roster.memberships[0].person is roster.people[0].source_id
    assert roster.memberships[0].group is next(g.source_id for g in roster.groups if g.name == "Maths")


def test_the_names_that_somebody_prefers_are_used(tmp_path):
    users = "sourcedId,status,enabledUser,givenName,familyName,preferredGivenName,preferredFamilyName"
    roles = ["userSourcedId,role", "u1,student"]
    path = oneroster(tmp_path, users=[users, "u1,active,true,Zoë,Smith,Zo,Okafor"], roles=roles)
    person = reading(path).people[0]
    assert (person.given_name, person.preferred_name, person.family_name) == ("Zoë", "Zo", "Okafor")

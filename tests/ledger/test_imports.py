"""Rosters swapped in: new, changed, leaving, back again, and whom that takes a way from."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import insert, select, update

from broker.actor import SYSTEM
from broker.address import AddressKind
from broker.moments import day_at
from broker.ports import Ports
from broker.rosters.difference import Counts, ImportDifference
from broker.rosters.imports import ManyLeaving, import_roster, look, must_confirm
from broker.rosters.roster import GroupKind, Role, RosterGroup
from broker.values import StopKind
from ledger import tables as t
from ledger.connect import Ledger
from ledger.reads.twice import twice
from tests.support.school import SmallSchool, family


def rows(ledger: Ledger, query: Any) -> list[Any]:
    with ledger.reading() as hand:
        return list(hand.connection.execute(query))


def ids(ledger: Ledger) -> dict[str, int]:
    return {row.source_id: row.id for row in rows(ledger, select(t.person))}


def number(ledger: Ledger, value: str) -> int:
    return int(rows(ledger, select(t.address.c.id).where(t.address.c.value == value))[0].id)


def active(ledger: Ledger) -> set[str]:
    return {row.source_id for row in rows(ledger, select(t.person).where(t.person.c.active))}


def doubtful(ledger: Ledger) -> set[str]:
    return {row.value for row in rows(ledger, select(t.address).where(t.address.c.doubtful))}


def members_of(ledger: Ledger, group: str) -> dict[str, Any]:
    query = (
        select(t.person.c.source_id, t.membership)
        .join(t.membership, t.membership.c.person_id == t.person.c.id)
        .join(t.people_group, t.people_group.c.id == t.membership.c.group_id)
        .where(t.people_group.c.name == group, t.people_group.c.active)
    )
    return {row.source_id: row for row in rows(ledger, query)}


def stops(ledger: Ledger, kind: StopKind) -> set[int]:
    return {row.subject for row in rows(ledger, select(t.stop).where(t.stop.c.kind == kind.value))}


def bring(ports: Ports, school: SmallSchool, expect_leaving: int | None = None) -> ImportDifference:
    return import_roster(ports, school.roster(), actor=SYSTEM, expect_leaving=expect_leaving)


def test_a_first_import_brings_everybody_with_their_groups_links_and_addresses(ports, ledger):
    told = bring(ports, family())
    assert told.people == Counts(new=9)
    assert told.groups == Counts(new=3)
    assert told.memberships == Counts(new=8)
    assert told.guardianships == Counts(new=9)
    assert told.addresses == Counts(new=6)
    assert set(members_of(ledger, "Choir")) == {"ann", "ben", "cat", "dan", "teacher"}
    assert len(rows(ledger, select(t.guardianship))) == 9


def test_two_spellings_of_one_mail_address_are_one_address(ports, ledger):
    bring(ports, family())
    mails = rows(ledger, select(t.address.c.value).where(t.address.c.kind == "email"))
    assert [mail.value for mail in mails] == ["bells@example.org"]


def test_everybody_gets_a_public_id_and_a_key_for_commitments(ports, ledger):
    bring(ports, family())
    people = rows(ledger, select(t.person))
    assert {row.public_id.version for row in people} == {7}
    assert {len(bytes(row.commitment_key)) for row in people} == {32}
    assert len({bytes(row.commitment_key) for row in people}) == len(people)


def test_which_of_two_periods_counts_is_asked_on_the_schools_day(ports, ledger):
    now = datetime.now(UTC)
    zone = "Pacific/Kiritimati" if now.hour >= 12 else "Etc/GMT+12"  # there it is another day
    with ledger.begin() as tx:
        tx.hand.connection.execute(update(t.school).values(zone=zone))
    here = day_at(now, zone)
    first = min(here, now.date())
    school = SmallSchool()
    ann = school.pupil("Ann")
    school.join(ann, "Choir", Role.PUPIL, ends_on=first)
    school.join(ann, "Choir", Role.PUPIL, begins_on=first + timedelta(days=2))
    bring(ports, school)
    held = members_of(ledger, "Choir")[ann]
    assert (held.ends_on == first) is (here == first)


def test_looking_first_tells_the_same_and_writes_nothing(ports, ledger):
    told = look(ports, family().roster())
    assert told.people == Counts(new=9)
    assert rows(ledger, select(t.person)) == []
    assert bring(ports, family()) == told


def test_the_same_roster_again_changes_nothing_and_tells_nothing(ports, ledger):
    bring(ports, family())
    again = bring(ports, family())
    assert not again.any
    assert again.people == Counts(unchanged=9)
    assert again.memberships == Counts(unchanged=8)
    assert again.addresses == Counts(unchanged=6)
    kinds = [row.kind for row in rows(ledger, select(t.record_entry))]
    assert kinds == ["people.imported"]


def test_a_changed_name_a_moved_pupil_and_a_new_number_are_taken_over(ports, ledger):
    school = family()
    bring(ports, school)
    school.people["ann"] = replace(school.people["ann"], preferred_name="Annie")
    school.people["fay"] = replace(school.people["fay"], mobiles=("+447911100009",))
    school.memberships = [m for m in school.memberships if (m.person, m.group) != ("eve", "g:7B")]
    school.join("eve", "8A", Role.PUPIL)
    told = bring(ports, school)
    assert told.people == Counts(changed=1, unchanged=8)
    assert told.addresses == Counts(new=1, leaving=1, unchanged=5)
    assert told.memberships == Counts(new=1, leaving=1, unchanged=7)
    assert set(members_of(ledger, "8A")) == {"cat", "eve"}
    assert number(ledger, "+447911100003") in stops(ledger, StopKind.ADDRESS)


def test_who_is_missing_leaves_and_comes_back_as_the_same_person(ports, ledger):
    school = family()
    bring(ports, school)
    before = ids(ledger)
    smaller = family()
    smaller.leave("eve")
    told = bring(ports, smaller, expect_leaving=1)
    assert told.people == Counts(leaving=1, unchanged=8)
    assert "eve" not in active(ledger)
    assert stops(ledger, StopKind.PERSON) == {before["eve"]}
    told = bring(ports, school)
    assert told.people == Counts(returning=1, unchanged=8)
    assert "eve" in active(ledger)
    assert ids(ledger) == before
    assert "eve" in members_of(ledger, "7B")


def test_more_than_a_tenth_leaving_wants_the_number_typed(ports, ledger):
    bring(ports, family())
    smaller = family()
    smaller.leave("eve", "fay")
    for typed in (None, 1, 3):
        with pytest.raises(ManyLeaving) as refused:
            bring(ports, smaller, expect_leaving=typed)
        assert refused.value.problem.code == "many_leaving"
        assert "2 of 9" in refused.value.problem.message
    assert len(active(ledger)) == 9
    bring(ports, smaller, expect_leaving=2)
    assert len(active(ledger)) == 7


def test_a_tenth_itself_may_leave_unasked():
    assert not must_confirm(leaving=10, before=100)
    assert must_confirm(leaving=11, before=100)
    assert not must_confirm(leaving=0, before=0)


def test_a_court_order_for_one_child_stops_what_is_in_hand_about_that_child_alone(ports, ledger):
    school = family()
    bring(ports, school)
    school.block("dad", "ann")
    told = bring(ports, school)
    assert told.guardianships == Counts(changed=1, unchanged=8)
    assert stops(ledger, StopKind.PERSON) == {ids(ledger)["ann"]}


def test_a_block_stays_when_the_guardian_is_missing_from_an_export(ports, ledger):
    school = family()
    school.block("dad", "ann")
    bring(ports, school)
    smaller = family()
    smaller.leave("dad")
    bring(ports, smaller, expect_leaving=1)
    blocked = rows(ledger, select(t.guardianship).where(t.guardianship.c.blocked))
    assert [(row.guardian_id, row.pupil_id) for row in blocked] == [(ids(ledger)["dad"], ids(ledger)["ann"])]


def test_a_block_stays_when_the_next_file_cannot_speak_of_blocks_or_leaves_the_link_out(ports, ledger):
    school = family()
    school.block("dad", "ann")
    bring(ports, school)
    bring(ports, family())
    without = family()
    without.guardianships = [
        one for one in without.guardianships if (one.guardian, one.pupil) != ("dad", "ann")
    ]
    bring(ports, without)
    blocked = rows(ledger, select(t.guardianship).where(t.guardianship.c.blocked))
    assert [(row.guardian_id, row.pupil_id) for row in blocked] == [(ids(ledger)["dad"], ids(ledger)["ann"])]


def test_only_an_explicit_no_lifts_a_block(ports, ledger):
    school = family()
    school.block("dad", "ann")
    bring(ports, school)
    lifted = family()
    lifted.guardianships = [replace(one, blocked=False) for one in lifted.guardianships]
    bring(ports, lifted)
    assert rows(ledger, select(t.guardianship).where(t.guardianship.c.blocked)) == []


def test_a_blocked_guardian_who_takes_up_a_number_in_use_stops_what_is_in_hand(ports, ledger):
    school = family()
    school.block("dad", "ann")
    bring(ports, school)
    school.people["dad"] = replace(school.people["dad"], mobiles=("+447911100001",))
    bring(ports, school)
    assert ids(ledger)["ann"] in stops(ledger, StopKind.PERSON)


def test_a_guardian_who_is_gone_from_a_pupil_stops_what_is_in_hand(ports, ledger):
    school = family()
    bring(ports, school)
    school.guardianships = [g for g in school.guardianships if (g.guardian, g.pupil) != ("dad", "ben")]
    bring(ports, school)
    assert stops(ledger, StopKind.PERSON) == {ids(ledger)["ben"]}


def test_a_familys_number_is_not_doubtful_and_an_offices_is(ports, ledger):
    school = family()
    office = "+447911100007"
    school.people["fay"] = replace(school.people["fay"], mobiles=("+447911100003", office))
    school.people["mum"] = replace(school.people["mum"], mobiles=("+447911100001", office))
    bring(ports, school)
    assert doubtful(ledger) == {office}


def test_a_number_that_becomes_an_offices_is_braked_and_one_that_stops_being_one_is_cleared(ports, ledger):
    school = family()
    bring(ports, school)
    own = school.people["fay"]
    school.people["fay"] = replace(own, mobiles=("+447911100001",))
    bring(ports, school)
    assert doubtful(ledger) == {"+447911100001"}
    assert number(ledger, "+447911100001") in stops(ledger, StopKind.ADDRESS)
    school.people["fay"] = own
    bring(ports, school)
    assert doubtful(ledger) == set()


def test_a_teachers_number_is_the_familys_too_where_the_teacher_is_the_parent(ports, ledger):
    school = SmallSchool()
    school.pupil("Ann")
    school.person("Mum", Role.STAFF, Role.GUARDIAN, mobiles=("+447911100001",))
    school.guardianships = [replace(family().guardianships[0], guardian="mum", pupil="ann")]
    bring(ports, school)
    assert doubtful(ledger) == set()


def test_a_teacher_who_comes_as_a_parent_once_more_is_known_by_the_name(ports, ledger):
    school = SmallSchool()
    school.pupil("Ann")
    school.guardian("Mary", "ann", mobiles=("+447911100001",))
    school.people["t1"] = replace(
        school.people["mary"], source_id="t1", roles=frozenset({Role.STAFF}), given_name="MARY"
    )
    bring(ports, school)
    assert doubtful(ledger) == set()
    with ledger.reading() as hand:
        assert [(one.staff, one.guardian, one.shares) for one in twice(hand)] == [("t1", "mary", True)]
    school.people["t1"] = replace(school.people["t1"], given_name="Grace")
    bring(ports, school)
    assert doubtful(ledger) == {"+447911100001"}, "a stranger's"
    with ledger.reading() as hand:
        assert twice(hand) == []


def test_namesakes_who_share_nothing_are_listed_as_that(ports, ledger):
    school = SmallSchool()
    school.pupil("Ann")
    school.guardian("Mary", "ann", mobiles=("+447911100001",))
    school.people["t1"] = replace(
        school.people["mary"], source_id="t1", roles=frozenset({Role.STAFF}), mobiles=()
    )
    bring(ports, school)
    with ledger.reading() as hand:
        assert [one.shares for one in twice(hand)] == [False]


def test_siblings_who_hold_one_number_themselves_are_not_doubtful(ports, ledger):
    school = family()
    for child in ("ann", "ben"):
        school.people[child] = replace(school.people[child], mobiles=("+447911100008",))
    bring(ports, school)
    assert doubtful(ledger) == set()


def test_a_group_kept_by_hand_keeps_its_name_and_its_members(ports, ledger):
    bring(ports, family())
    ann = ids(ledger)["ann"]
    with ledger.begin() as tx:
        kept = {"name": "Tour", "folded_name": "tour", "kind": GroupKind.KEPT.value}
        made = tx.hand.connection.execute(insert(t.people_group).values(kept).returning(t.people_group.c.id))
        held = {"group_id": made.scalar_one(), "person_id": ann, "role": "pupil"}
        tx.hand.connection.execute(insert(t.membership).values(held))
    school = family()
    school.join("ben", "Tour", Role.PUPIL)
    told = bring(ports, school)
    assert [problem.code for problem in told.problems] == ["group_name_taken"]
    assert set(members_of(ledger, "Tour")) == {"ann"}
    assert set(members_of(ledger, "Tour (g:Tour)")) == {"ben"}
    assert not bring(ports, school).any


def test_two_groups_may_swap_their_names(ports, ledger):
    school = family()
    bring(ports, school)
    before = members_of(ledger, "Choir").keys(), members_of(ledger, "7B").keys()
    choir, form = school.groups["Choir"], school.groups["7B"]
    school.groups["Choir"], school.groups["7B"] = replace(choir, name="7B"), replace(form, name="Choir")
    assert bring(ports, school).groups == Counts(changed=2, unchanged=1)
    assert (members_of(ledger, "7B").keys(), members_of(ledger, "Choir").keys()) == before


def test_a_new_years_group_takes_the_name_of_last_years(ports, ledger):
    school = family()
    bring(ports, school)
    school.groups["7B"] = RosterGroup("g:7B-next", "7B", GroupKind.CLASS)
    school.memberships = [
        replace(held, group="g:7B-next") if held.group == "g:7B" else held for held in school.memberships
    ]
    told = bring(ports, school)
    assert told.groups == Counts(new=1, leaving=1, unchanged=2)
    assert set(members_of(ledger, "7B")) == {"ann", "eve"}


def test_enrolments_of_two_terms_are_one_membership_with_the_days_of_both(ports, ledger):
    school = family()
    school.join("eve", "Band", Role.PUPIL, date(2026, 1, 5), date(2026, 3, 31))
    school.join("eve", "Band", Role.PUPIL, date(2026, 4, 1), date(2026, 7, 20))
    bring(ports, school)
    band = members_of(ledger, "Band")["eve"]
    assert (band.begins_on, band.ends_on) == (date(2026, 1, 5), date(2026, 7, 20))
    assert not bring(ports, school).any


def test_an_import_stands_in_the_record_with_its_counts_and_who_was_stopped(ports, ledger):
    school = family()
    bring(ports, school)
    school.block("dad", "ann")
    bring(ports, school)
    newest = rows(ledger, select(t.record_entry).order_by(t.record_entry.c.id.desc()))[0]
    body = bytes(newest.body).decode()
    assert json.loads(body)["facts"]["stopped"]["pupils"] == [ids(ledger)["ann"]]
    assert json.loads(body)["facts"]["guardianships"]["changed"] == 1
    assert "Bell" not in body
    assert "4479" not in body


def test_addresses_are_found_again_when_the_schools_secret_was_changed(ports, ledger, ledger_url):
    from config.signer import HmacSigner
    from ledger.connect import open_ledger

    bring(ports, family())
    known = {row.value: row.id for row in rows(ledger, select(t.address))}
    other = open_ledger(ledger_url, HmacSigner(b"another secret"))
    import_roster(replace(ports, ledger=other), family().roster(), actor=SYSTEM)
    other.close()
    assert {row.value: row.id for row in rows(ledger, select(t.address))} == known


def test_a_stop_holds_when_the_schools_secret_was_changed(ports, ledger, ledger_url):
    """By the old key alone, by the new one alone (said before the import), and by both."""
    from config.signer import HmacSigner
    from ledger.connect import open_ledger

    new = HmacSigner(b"another secret")
    bring(ports, family())
    held = {row.value: (row.hash, new.hash_address(AddressKind(row.kind), row.value)) for row in rows(
        ledger, select(t.address))}  # fmt: skip
    before, after, both, *_ = held.values()
    stopped = [before[0], after[1], *both]
    with ledger.begin() as tx:
        tx.opt_outs.add(stopped, "sms", source="a text that said STOP")
        tx.hand.connection.execute(t.bounced.insert().values(hash=before[0], channel="sms", at=tx.now))
    other = open_ledger(ledger_url, new)
    import_roster(replace(ports, ledger=other), family().roster(), actor=SYSTEM)
    other.close()
    kept = {bytes(row.hash) for row in rows(ledger, select(t.suppression.c.hash))}
    assert {before[1], after[1], both[1]} <= kept
    assert [bytes(row.hash) for row in rows(ledger, select(t.bounced.c.hash))] == [before[1]]


def test_a_department_that_the_ledger_knows_owns_its_groups(ports, ledger):
    school = family()
    school.groups["Choir"] = replace(school.groups["Choir"], department="MUSIC")
    school.groups["7B"] = replace(school.groups["7B"], department="Alchemy")
    bring(ports, school)
    owners = {row.name: row.department_id for row in rows(ledger, select(t.people_group))}
    music = rows(ledger, select(t.department.c.id).where(t.department.c.slug == "music"))[0].id
    assert owners == {"Choir": music, "7B": None, "8A": None}

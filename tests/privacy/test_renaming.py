"""Somebody is struck out of names: what is found by them is found still, and each stays unlike every other."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any
from uuid import uuid4

import pytest
from sqlalchemy import select

from broker import audience, intake, intake_many
from broker.announcement import Attachment, Part
from broker.diary import event_book
from broker.diary.events import ALONE, ToldEvent
from broker.errors import KeyConflict
from broker.office import groups, templates
from broker.privacy import erasure
from broker.privacy.erasure import Ground
from broker.rosters.imports import look
from broker.rosters.roster import GroupKind, Role, RosterGroup, RosterMembership
from ledger import tables as t
from tests.support.broker_world import World
from tests.support.planted import BOTH_WAYS, EMAIL, GUARDIAN, OFFICE, PUPIL, Planted

NAMED = "Zephyrine Quillfeather"
ALSO = "Zeffi Quillfeather"


def erase(planted: Planted, **more: Any) -> None:
    erasure.erase(
        planted.world.ports, GUARDIAN, confirmed=GUARDIAN, ground=Ground.REQUEST, actor=OFFICE, **more
    )


def traces(planted: Planted) -> list[str]:
    return [place for place in planted.everywhere(GUARDIAN) if ": hash " not in place]


def kept(world: World, name: str, *members: str) -> None:
    groups.keep(world.ports, name, department=None, actor=OFFICE)
    groups.add_members(world.ports, name, list(members), actor=OFFICE)


def test_audiences_that_name_a_group_called_after_them_tell_the_same_people(planted: Planted) -> None:
    world = planted.world
    kept(world, f"{NAMED}'s choir", PUPIL)
    kept(world, f"{ALSO} - strings", "pupil0")
    groups.define(world.ports, "Both", f'{NAMED}\'s  CHOIR + "{ALSO} - strings"', actor=OFFICE)
    said = world.announce(audience=f'Both & ({NAMED.upper()}\'s choir + "{ALSO} - strings")')
    world.sql(
        "INSERT INTO reminder_rule (department_id, name, audience, before_seconds, people, ways, made_by, made_at)"
        " SELECT id, 'r', 'Zephyrine Quillfeather''s choir', 60, 'guardians', '[]', 'Bell', CURRENT_TIMESTAMP"
        " FROM department WHERE slug = 'office'"
    )
    erase(planted)
    assert traces(planted) == []
    world.plan(said)
    about = world.rows(
        select(t.person.c.source_id)
        .join(t.duty, t.duty.c.person_id == t.person.c.id)
        .where(t.duty.c.announcement_id == said.id)
    )
    assert {row.source_id for row in about} == {PUPIL, "pupil0"}
    [rule] = world.rows(select(t.reminder_rule.c.audience))
    assert groups_named(rule.audience) <= known(world)


def groups_named(expression: str) -> set[str]:
    return {audience.fold(name) for name in audience.names(audience.parse(expression))}


def known(world: World) -> set[str]:
    return {row.folded_name for row in world.rows(select(t.people_group.c.folded_name))}


def test_what_is_held_keeps_the_groups_that_it_names(planted: Planted) -> None:
    world = planted.world
    kept(world, "Zephyrine", PUPIL)
    said = world.announce(audience="Zephyrine + Choir")
    later = world.announce(audience="Choir + Zephyrine")
    erasure.hold(world.ports, announcement=said.public_id, why="a claim", actor=OFFICE)
    erase(planted, called=True)
    for one in (said, later):
        world.plan(one)
        duties = world.rows(select(t.duty.c.id).where(t.duty.c.announcement_id == one.id))
        assert len(duties) == 4


def test_a_rosters_group_called_after_them_comes_again_under_its_struck_name(planted: Planted) -> None:
    world, school = planted.world, planted.school
    name = f"{NAMED}'s set"
    school.groups[name] = RosterGroup(f"club:{name.casefold()}", name, GroupKind.CLUB)
    school.memberships.append(RosterMembership(f"club:{name.casefold()}", PUPIL, Role.PUPIL))
    world.bring(school)
    said = world.announce(audience=name)
    erase(planted)
    assert traces(planted) == []
    difference = look(world.ports, school.roster())
    assert sorted(problem.code for problem in difference.problems) == ["erased", "group_of_erased"]
    world.bring(school)
    assert traces(planted) == []
    world.plan(said)
    assert len(world.rows(select(t.duty.c.id).where(t.duty.c.announcement_id == said.id))) == 1


def test_names_that_become_the_same_stay_unlike_each_other(planted: Planted) -> None:
    """Every unique key that has words in it, with two that are the same once they are struck."""
    world, now = planted.world, datetime.now(UTC)
    run = world.rows
    [office] = run(select(t.department.c.id).where(t.department.c.slug == "office"))
    files = tuple(_file(f"{who}.pdf") for who in (NAMED, ALSO))
    for who in (NAMED, ALSO):
        kept(world, f"of {who}", PUPIL)
        words = {Part.TITLE: "Tea", Part.SHORT: f"Tea with {who}"}
        templates.save(world.ports, "office", f"Tea of {who}", words, attachments=files, actor=OFFICE)
        intake.accept(
            world.ports,
            world.draft(key=f"{'k' * 170} {who}", ways=BOTH_WAYS, attachments=files),
            actor=OFFICE,
        )
        calendar = {
            "name": f"of {who}",
            "url": "https://example.org",
            "in_term": False,
            "every_seconds": 3600,
        }
        shared = {"department_id": office.id, "audience": "Choir", "made_by": "Mrs Bell", "made_at": now}
        _insert(world, t.calendar_subscription, {**calendar, **shared})
        _insert(world, t.schedule, {**_schedule(f"of {who}", f"TEA of {who}", now), **shared})
        _insert(world, t.event, {**_event(f"of {who}", "u1", now), "department_id": office.id})
        _insert(world, t.alarm, {"kind": "silent", "subject": f"of {who}", "message": who, "raised_at": now})
        _insert(world, t.alarm, {"kind": "odd", "subject": f"for {who}", "message": who, "raised_at": now})
    erase(planted)
    assert traces(planted) == []
    subscribed = {row.name for row in run(select(t.calendar_subscription.c.name))}
    assert len(subscribed) == 2
    assert {row.source for row in run(select(t.event.c.source))} == subscribed
    assert {
        row.subject for row in run(select(t.alarm.c.subject).where(t.alarm.c.kind == "silent"))
    } == subscribed
    for row in run(select(t.schedule.c.template)):
        found = run(select(t.template.c.part).where(t.template.c.folded_name == audience.fold(row.template)))
        assert {each.part for each in found} == {"title", "short"}
    names = [row.name for row in run(select(t.template_attachment.c.name))]
    assert sorted(names) == ["erased person 2.pdf"] * 2 + ["erased person.pdf"] * 2


def _file(name: str) -> Attachment:
    body = hashlib.sha256(name.encode()).hexdigest().encode()
    return Attachment(hashlib.sha256(body).hexdigest(), name, "application/pdf", body)


def _schedule(name: str, template: str, now: datetime) -> Mapping[str, Any]:
    return {
        "public_id": uuid4(), "name": name, "folded_name": audience.fold(name), "purpose": "service",
        "urgency": "routine", "people": "guardians", "ways": "[]", "template": template,
        "starts": "2027-01-01T00:00:00", "zone": "Europe/London", "rule": "", "days": "", "lasts_seconds": 60,
        "changed_at": now, "looked_until": now,
    }  # fmt: skip


def _event(source: str, uid: str, now: datetime) -> Mapping[str, Any]:
    return {
        "public_id": uuid4(), "audience": "Choir", "source": source, "uid": uid,
        "original": "2000-01-01T00:00:00", "title": "x", "place": "", "wall": "2027-01-01T00:00:00",
        "starts_at": now, "ends_at": now, "sequence": 0, "known_at": now, "made_by": "Mrs Bell",
    }  # fmt: skip


def _insert(world: World, table: Any, values: Mapping[str, Any]) -> None:
    with world.ledger.begin() as tx:
        tx.hand.connection.execute(table.insert().values(**values))


def test_an_event_whose_uid_names_them_is_known_again_and_names_nobody(planted: Planted) -> None:
    world = planted.world
    at = (datetime.now(UTC) + timedelta(days=3)).replace(microsecond=0)
    made = partial(
        ToldEvent, original=ALONE, wall=at.replace(tzinfo=None), starts_at=at,
        ends_at=at + timedelta(hours=1), title="Rehearsal",
    )  # fmt: skip
    told = [made(f"{NAMED} 1"), made(f"{EMAIL}/2"), made("3")]
    bring = partial(
        event_book.bring, world.ports, "hall", department="office", audience="Choir", actor=OFFICE
    )
    assert bring(told).new == 3
    erase(planted)
    assert traces(planted) == []
    assert bring(told).unchanged == 3
    assert bring(told[1:]).cancelled == 1
    assert traces(planted) == []


def test_a_title_that_its_calendar_tells_again_stays_struck_and_is_told_to_nobody(planted: Planted) -> None:
    world = planted.world
    at = (datetime.now(UTC) + timedelta(days=3)).replace(microsecond=0)

    def made(uid: str, title: str, place: str, *, days: int = 0, original: datetime = ALONE) -> ToldEvent:
        starts = at + timedelta(days=days)
        wall, ends = starts.replace(tzinfo=None), starts + timedelta(hours=1)
        return ToldEvent(uid, original, wall, starts, ends, title, place)

    whose = f"Recital of {NAMED}"
    first = made("1", whose, f"{ALSO}'s house")
    series = made("2", whose, "Hall", days=1, original=at.replace(tzinfo=None) + timedelta(days=1))
    later = made("2", whose, "Hall", days=8, original=at.replace(tzinfo=None) + timedelta(days=8))
    bring = partial(
        event_book.bring, world.ports, "hall", department="office", audience="Choir", actor=OFFICE
    )
    assert bring([first, series]).new == 2
    erase(planted)
    again = bring([first, series, later])
    assert (again.unchanged, again.moved, again.new) == (2, 0, 1)
    assert traces(planted) == []
    assert bring([made("1", "Tea", f"{ALSO}'s house"), series, later]).moved == 1
    titles = {
        (row.title, row.place)
        for row in world.rows(select(t.event.c.title, t.event.c.place).where(t.event.c.source == "hall"))
    }
    assert titles == {("Tea", "erased person's house"), ("Recital of erased person", "Hall")}
    assert world.rows(select(t.event_notice)) == []


def test_a_request_that_is_tried_again_under_a_struck_key_is_announced_once(planted: Planted) -> None:
    world = planted.world
    words = {Part.SHORT: "The concert begins at seven"}
    draft = world.draft(key=f"tea with {NAMED}", parts=words)
    first = intake.accept(world.ports, draft, actor=OFFICE)
    erase(planted)
    assert traces(planted) == []
    again = intake.accept(world.ports, draft, actor=OFFICE)
    assert (again.created, again.announcement.id) == (False, first.announcement.id)
    with world.ledger.begin() as tx:
        [among] = intake_many.accept_all(world.ports, tx, [intake_many.Wanted(draft, OFFICE)])
    assert isinstance(among, intake.Accepted)
    assert (among.created, among.announcement.id) == (False, first.announcement.id)
    with pytest.raises(KeyConflict):
        intake.accept(world.ports, replace(draft, parts={Part.SHORT: "Something else"}), actor=OFFICE)


@pytest.mark.parametrize("title", ["Mrs", "Mr", "Miss", "Ms", "Dr", "Mx"])
def test_a_title_and_the_family_name_go_where_single_names_do(planted: Planted, title: str) -> None:
    world = planted.world
    if title != "Mrs" and world.ledger.dialect.name != "sqlite":
        pytest.skip("one title is enough for a second database")
    said = world.announce(
        parts={Part.SHORT: f"{title} Quillfeather's class, {title.lower()}. Z. Quillfeather; {title} Quill"}
    )
    assert erasure.look(world.ports, GUARDIAN).footprint.called == 1
    erase(planted, called=True)
    words = world.rows(select(t.content.c.text).where(t.content.c.announcement_id == said.id))
    assert [row.text for row in words] == [f"erased person's class, erased person; {title} Quill"]

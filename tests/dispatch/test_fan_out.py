"""What a fan-out writes: the same whatever its partitions, and a reason for each whom nothing covers."""

from __future__ import annotations

import pytest
from sqlalchemy import select

from broker import fanout
from broker.announcement import Announcement
from ledger import tables as t
from tests.support.broker_world import World
from tests.support.school import SmallSchool


def covered(world: World, announcement: Announcement) -> dict[str, set[str]]:
    """Address → the pupils whom its one delivery covers."""
    query = (
        select(t.delivery.c.id, t.address.c.value, t.person.c.source_id)
        .join(t.delivery_covers, t.delivery_covers.c.delivery_id == t.delivery.c.id)
        .join(t.duty, t.duty.c.id == t.delivery_covers.c.duty_id)
        .join(t.person, t.person.c.id == t.duty.c.person_id)
        .join(t.address, t.address.c.id == t.delivery.c.address_id)
        .where(t.delivery.c.announcement_id == announcement.id)
    )
    rows = world.rows(query)
    assert len({row.id for row in rows}) == len({row.value for row in rows})
    found: dict[str, set[str]] = {}
    for row in rows:
        found.setdefault(row.value, set()).add(row.source_id)
    return found


def unreached(world: World, announcement: Announcement) -> dict[str, str]:
    query = (
        select(t.person.c.source_id, t.duty.c.unreached)
        .join(t.duty, t.duty.c.person_id == t.person.c.id)
        .where(t.duty.c.announcement_id == announcement.id, t.duty.c.unreached.is_not(None))
    )
    return {row.source_id: row.unreached for row in world.rows(query)}


@pytest.mark.parametrize("size", [1, 2, 3, 20_000])
def test_whatever_the_partitions_each_address_has_one_delivery_with_all_its_children(
    world: World, monkeypatch: pytest.MonkeyPatch, size: int
) -> None:
    monkeypatch.setattr(fanout, "PARTITION", size)
    school = SmallSchool()
    ann, ben, cat = (school.pupil(name, "Choir") for name in ("Ann", "Ben", "Cat"))
    school.guardian("Mum", ann, ben, mobiles=("+447911100001",))
    school.guardian("Dad", ann, ben, cat, mobiles=("+447911100002", "+447911100003"))
    school.guardian("Gran", cat, mobiles=("+447911100001",))
    world.bring(school)
    said = world.announce()
    assert world.plan(said) == 3
    assert covered(world, said) == {
        "+447911100001": {"ann", "ben", "cat"},
        "+447911100002": {"ann", "ben", "cat"},
        "+447911100003": {"ann", "ben", "cat"},
    }
    assert unreached(world, said) == {}


def test_one_childs_court_order_is_not_the_reason_for_the_siblings_silence(
    world: World,
) -> None:
    """Dad holds no number. Ann may not be told through him at all; Ben might be, by mail."""
    school = SmallSchool()
    ann, ben = school.pupil("Ann", "Choir"), school.pupil("Ben", "Choir")
    school.guardian("Dad", ann, ben, emails=("dad@example.org",))
    school.block("dad", "ann")
    world.bring(school)
    said = world.announce()
    world.plan(said)
    assert unreached(world, said) == {"ann": "blocked", "ben": "no_address"}

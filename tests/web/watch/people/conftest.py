"""A small school with families, a staff, groups, a court order, and somebody who acts for the whole of it."""

from __future__ import annotations

import re
from collections.abc import Callable
from uuid import UUID

import pytest
from sqlalchemy import select

from broker.actor import SYSTEM, Actor
from broker.rosters.imports import import_roster
from ledger import tables as t
from tests.support.school import SmallSchool, family
from tests.support.watching import Serve, Watched


def school() -> SmallSchool:
    """The family of the tests; a refuge whose number two families share, and a father kept from his daughter."""
    made = family()
    made.pupil("Gwen", "7B")
    made.guardian("Hugo", "gwen", mobiles=("+447911100009",))
    made.guardian("Ines", "eve", mobiles=("+447911100009",))
    made.pupil("Zoe", "8A")
    made.guardian("Rick", "gwen", mobiles=("+447911100010",))
    made.block("rick", "gwen")
    return made


Sign = Callable[[Actor], None]


@pytest.fixture
def here(serve: Serve) -> Watched:
    """That school, and somebody signed in before anybody was named: who may do everything but agree."""
    watched = serve(CARILLON_DEPARTMENTS="office, music")
    import_roster(watched.tower.house.ports, school().roster(), actor=SYSTEM, expect_leaving=None)
    watched.sign_in()
    return watched


def id_of(here: Watched, source_id: str) -> UUID:
    """What our addresses call somebody."""
    with here.ledger.reading() as hand:
        query = select(t.person.c.public_id).where(t.person.c.source_id == source_id)
        found: UUID = hand.connection.execute(query).scalar_one()
        return found


def group_of(here: Watched, name: str) -> int:
    """What our addresses call a group."""
    with here.ledger.reading() as hand:
        query = select(t.people_group.c.id).where(t.people_group.c.name == name)
        return int(hand.connection.execute(query.order_by(t.people_group.c.id.desc())).scalars().first() or 0)


def address_of(here: Watched, value: str) -> int:
    """What our addresses call a number or an email."""
    with here.ledger.reading() as hand:
        query = select(t.address.c.id).where(t.address.c.value == value)
        return int(hand.connection.execute(query).scalar_one())


def said(html: str) -> str:
    """A page's words."""
    return " ".join(re.sub(r"<[^>]+>", " ", html).split())


def recorded(here: Watched) -> list[str]:
    """The kinds of what the record holds, the oldest first."""
    with here.ledger.reading() as hand:
        query = select(t.record_entry.c.kind).order_by(t.record_entry.c.id)
        return list(hand.connection.execute(query).scalars())

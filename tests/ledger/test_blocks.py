"""A court order kept by hand: nothing overrides it, and it leaves the sibling as it was."""

from __future__ import annotations

from dataclasses import replace

import pytest
from sqlalchemy import select

from broker.actor import SYSTEM
from broker.announcement import People
from broker.errors import NotFound, NotToBeChanged
from broker.office import families
from broker.ports import Ports
from broker.rosters.imports import import_roster
from broker.values import StopKind
from ledger import tables as t
from tests.ledger.test_audience_sql import DAD, MUM, bring, reach
from tests.support.school import family


@pytest.fixture
def school(ports: Ports) -> Ports:
    bring(ports, family())
    return ports


def test_a_block_takes_one_guardian_from_one_child(school, ledger):
    done = families.block(school, "dad", "Ann Bell", why="order of the court, 3 March", actor=SYSTEM)
    assert (done.guardian.source_id, done.pupil.source_id, done.changed) == ("dad", "ann", True)
    found = reach(ledger, People.GUARDIANS)
    assert found["ann"] == {MUM}
    assert found["ben"] == {MUM, DAD}
    assert not families.block(school, "dad", "ann", why="again", actor=SYSTEM).changed


def test_a_block_brakes_what_is_in_hand_about_the_child_and_stands_in_the_record(school, ledger):
    done = families.block(school, "dad", "ann", why="order of the court", actor=SYSTEM)
    with ledger.reading() as hand:
        run = hand.connection.execute
        stopped = run(select(t.stop.c.subject).where(t.stop.c.kind == StopKind.PERSON.value)).scalars().all()
        entry = run(
            select(t.record_entry.c.body).where(t.record_entry.c.kind == "guardianship.blocked")
        ).scalar_one()
        words = run(select(t.remark.c.words).where(t.remark.c.person_id == done.pupil.id)).scalars().all()
    assert stopped == [done.pupil.id]
    # Words about people stand beside the record, so that they can go.
    assert b"order of the court" not in entry
    assert words == ["order of the court"]


def test_no_roster_lifts_what_was_blocked_by_hand_and_a_person_does(school, ledger):
    families.block(school, "dad", "ann", why="order of the court", actor=SYSTEM)
    again = family()
    again.guardianships = [replace(held, blocked=False) for held in again.guardianships]
    import_roster(school, again.roster(), actor=SYSTEM)
    assert reach(ledger, People.GUARDIANS)["ann"] == {MUM}
    without = family()
    without.guardianships = [held for held in without.guardianships if held.guardian != "dad"]
    import_roster(school, without.roster(), actor=SYSTEM)
    assert reach(ledger, People.GUARDIANS)["ann"] == {MUM}
    assert families.unblock(school, "dad", "ann", why="order lifted", actor=SYSTEM).changed
    assert reach(ledger, People.GUARDIANS)["ann"] == {MUM, DAD}
    assert not families.unblock(school, "dad", "ann", why="again", actor=SYSTEM).changed


def test_somebody_who_looks_after_nobody_can_be_blocked_too(school, ledger):
    """Fay has a number of her own; were it Mum's as well, Ann must not be told of by it."""
    families.block(school, "fay", "ann", why="order of the court", actor=SYSTEM)
    assert reach(ledger, People.GUARDIANS)["ann"] == {MUM, DAD}
    assert families.unblock(school, "fay", "ann", why="a slip", actor=SYSTEM).changed
    # Nobody has become Ann's guardian by having been blocked.
    assert reach(ledger, People.GUARDIANS)["ann"] == {MUM, DAD}
    assert reach(ledger, People.GUARDIANS)["eve"] == {"+447911100003"}


@pytest.mark.parametrize(
    ("guardian", "pupil", "error"),
    [
        ("nobody", "ann", NotFound),
        ("dad", "nobody", NotFound),
        ("Bell", "ann", NotFound),
        ("ann", "dad", NotToBeChanged),
        ("ann", "ann", NotToBeChanged),
        ("dad\x00", "ann", NotFound),
        ("", "ann", NotFound),
    ],
)
def test_whom_it_is_about_must_be_clear(school, ledger, guardian, pupil, error):
    with pytest.raises(error):
        families.block(school, guardian, pupil, why="order of the court", actor=SYSTEM)
    assert reach(ledger, People.GUARDIANS)["ann"] == {MUM, DAD}

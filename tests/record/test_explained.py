"""A search by delivery or person says of which tries the keys show that it was that text to that address."""

from __future__ import annotations

from sqlalchemy import select, update

from ledger import tables as t
from ledger.reads.search import Sought, announcement_of, deliveries_of, search
from tests.record.conftest import Within


def sought(past: Within, delivery: int) -> Sought:
    return Sought().within(frozenset({delivery}), announcement_of(past.connection, delivery))


def a_sent_one(past: Within) -> int:
    query = select(t.delivery.c.id).where(t.delivery.c.state == "sent").limit(1)
    return int(past.connection.execute(query).scalar_one())


def test_what_was_sent_is_explained_while_its_keys_and_rows_are_as_they_were(past: Within) -> None:
    asked = sought(past, a_sent_one(past))
    [entry] = [e for e in search(past.connection, asked).entries if e.kind == "deliveries.tried"]
    [tried] = entry.facts["tries"]
    assert list(entry.explained) == [tried[1]]


def test_an_address_changed_behind_the_records_back_is_explained_no_more(past: Within) -> None:
    delivery = a_sent_one(past)
    which = select(t.delivery.c.address_id).where(t.delivery.c.id == delivery).scalar_subquery()
    past.connection.execute(update(t.address).where(t.address.c.id == which).values(value="+447999000000"))
    found = search(past.connection, sought(past, delivery)).entries
    assert all(not entry.explained for entry in found)


def test_without_the_key_of_one_of_them_nothing_is_explained(past: Within) -> None:
    delivery = a_sent_one(past)
    past.connection.execute(update(t.person).values(commitment_key=None))
    assert all(not entry.explained for entry in search(past.connection, sought(past, delivery)).entries)


def test_a_pupil_and_their_guardian_are_found_by_the_same_deliveries(past: Within) -> None:
    people = {
        row.source_id: row.id for row in past.connection.execute(select(t.person.c.source_id, t.person.c.id))
    }
    pupil, _ = deliveries_of(past.connection, people["pupil3"])
    guardian, about = deliveries_of(past.connection, people["parent3"])
    assert pupil == guardian
    assert len(about) == 3

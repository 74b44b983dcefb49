"""Whoever changes the record is found, and where: at its seal, or by a head that somebody else holds."""

from __future__ import annotations

import pytest
from sqlalchemy import Connection, delete, func, insert, select

from broker.actor import SYSTEM
from broker.record import GENESIS, StoredEntry, seal_over
from broker.scrutiny.heads import Head, read_heads, written
from ledger import tables as t
from ledger.reads.record import entries_between, head, seals_from
from tests.record.conftest import PEOPLE, Within
from tests.support.tampered import E, S, Tamper, audited, change, entry_of, tampered, told


def newest_head(ledger: Within) -> Head:
    found = head(ledger.connection)
    assert found is not None
    return Head(found.hash, found.number)


def under(connection: Connection, number: int) -> list[StoredEntry]:
    seal = next(each for each in seals_from(connection, number) if each.number == number)
    return list(entries_between(connection, seal.first_mark, seal.next_mark))


# --- the chain ------------------------------------------------------------------------------------------------------


def an_entry_deleted(c: Connection) -> None:
    c.execute(delete(E).where(E.c.id == entry_of(c, "deliveries.tried").id))


def entries_cut_off(c: Connection) -> None:
    last = head(c)
    assert last is not None
    c.execute(delete(E).where(E.c.mark >= last.first_mark))


def an_entry_edited(c: Connection) -> None:
    entry = entry_of(c, "announcement.accepted")
    change(c, E, E.c.id == entry.id, body=entry.body.replace(b"Mrs Bell", b"Mr Hook "))


def entries_reordered(c: Connection) -> None:
    one, other = under(c, 2)[:2]
    change(c, E, E.c.id == one.id, id=999_999)
    change(c, E, E.c.id == other.id, id=one.id)
    change(c, E, E.c.id == 999_999, id=other.id)


def bodies_swapped(c: Connection) -> None:
    one, other = under(c, 2)[:2]
    change(c, E, E.c.id == one.id, body=other.body)
    change(c, E, E.c.id == other.id, body=one.body)


def a_mark_moved_to_another_seal(c: Connection) -> None:
    change(c, E, E.c.id == under(c, 2)[0].id, mark=under(c, 1)[0].mark)


def a_mark_moved_behind_the_seals(c: Connection) -> None:
    last = head(c)
    assert last is not None
    change(c, E, E.c.id == under(c, 2)[0].id, mark=last.next_mark)


def a_mark_moved_before_the_seals(c: Connection) -> None:
    last = head(c)
    assert last is not None
    entry = under(c, 2)[0]
    row = c.execute(select(E).where(E.c.id == entry.id)).one()
    c.execute(insert(E).values(mark=-5, at=row.at, kind=row.kind, announcement_id=None, body=row.body))


def an_entry_doubled(c: Connection) -> None:
    row = c.execute(select(E).where(E.c.id == under(c, 2)[0].id)).one()
    values = {name: row._mapping[name] for name in ("mark", "at", "kind", "announcement_id", "body")}
    c.execute(insert(E).values(**values))


def an_entry_given_another_number(c: Connection) -> None:
    change(c, E, E.c.id == under(c, 2)[-1].id, id=888_888)


def a_seal_removed(c: Connection) -> None:
    c.execute(delete(S).where(S.c.number == 2))


def a_count_edited(c: Connection) -> None:
    change(c, S, S.c.number == 2, count=1)


def a_root_edited(c: Connection) -> None:
    change(c, S, S.c.number == 2, root=b"r" * 32)


def a_hash_edited(c: Connection) -> None:
    change(c, S, S.c.number == 2, hash=b"h" * 32)


def a_range_edited(c: Connection) -> None:
    second = next(seals_from(c, 2))
    change(c, S, S.c.number == 2, next_mark=second.next_mark + 1)


def seals_swapped(c: Connection) -> None:
    for before, after in ((2, 99), (3, 2), (99, 3)):
        change(c, S, S.c.number == before, number=after)


def an_entry_edited_and_its_seal_made_anew(c: Connection) -> None:
    second = next(seals_from(c, 2))
    entry = under(c, 2)[0]
    change(c, E, E.c.id == entry.id, body=entry.body.replace(b"2", b"3"))
    anew = seal_over(
        under(c, 2),
        number=2,
        first_mark=second.first_mark,
        next_mark=second.next_mark,
        previous=second.previous,
    )
    change(c, S, S.c.number == 2, root=anew.root, hash=anew.hash)


@pytest.mark.parametrize(
    ("tamper", "where"),
    [
        (an_entry_deleted, "seal 2: seal 2 covers"),
        (entries_cut_off, "0 are there"),
        (an_entry_edited, "seal 2: an entry under seal 2 was changed (entries "),
        (entries_reordered, "seal 2: an entry under seal 2 was changed"),
        (bodies_swapped, "seal 2: an entry under seal 2 was changed"),
        (a_mark_moved_to_another_seal, "seal 1: seal 1 covers"),
        (a_mark_moved_behind_the_seals, "seal 2: seal 2 covers"),
        (a_mark_moved_before_the_seals, "1 entries have a mark that no transaction has"),
        (an_entry_doubled, "seal 2: seal 2 covers"),
        (an_entry_given_another_number, "seal 2: an entry under seal 2 was changed"),
        (a_seal_removed, "seal 2: seal 2 is missing"),
        (a_count_edited, "seal 2: seal 2 covers 1 entries"),
        (a_root_edited, "seal 2: an entry under seal 2 was changed"),
        (a_hash_edited, "seal 2: seal 2 itself was changed"),
        (a_range_edited, "seal 2: seal 2 "),
        (seals_swapped, "seal 2: seal 2 does not follow the one before it"),
        (an_entry_edited_and_its_seal_made_anew, "seal 3: seal 3 does not follow the one before it"),
    ],
    ids=lambda value: value.__name__ if callable(value) else "",
)
def test_whoever_changes_the_chain_is_found_at_its_seal(past: Within, tamper: Tamper, where: str) -> None:
    found = tampered(past, tamper)
    assert not found.ok
    assert any(where in line for line in told(found)), told(found)


# --- what the chain alone cannot show: an end cut off, all of it made anew -------------------------------------------


def the_last_seal_removed(c: Connection) -> None:
    c.execute(delete(S).where(S.c.number == c.execute(select(func.max(S.c.number))).scalar_one()))


def the_end_cut_off_with_its_seals(c: Connection) -> None:
    fourth = next(seals_from(c, 4))
    c.execute(delete(E).where(E.c.mark >= fourth.first_mark))
    c.execute(delete(S).where(S.c.number >= 4))


def all_of_it_deleted(c: Connection) -> None:
    c.execute(delete(E))
    c.execute(delete(S))


def the_whole_chain_made_anew(c: Connection) -> None:
    """What a thief of the database would do: change the past and seal everything again, without a fault."""
    entry = entry_of(c, "announcement.accepted")
    change(c, E, E.c.id == entry.id, body=entry.body.replace(b"Mrs Bell", b"Mr Hook"))
    change(c, t.announcement, t.announcement.c.actor_id == "Mrs Bell", actor_id="Mr Hook")
    previous = GENESIS
    for old in list(seals_from(c, 1)):
        covered = under(c, old.number)
        anew = seal_over(
            covered, number=old.number, first_mark=old.first_mark, next_mark=old.next_mark, previous=previous
        )
        change(c, S, S.c.number == old.number, root=anew.root, previous=anew.previous, hash=anew.hash)
        previous = anew.hash


@pytest.mark.parametrize(
    ("tamper", "where"),
    [
        (the_last_seal_removed, "1 were cut off"),
        (the_end_cut_off_with_its_seals, "were cut off"),
        (all_of_it_deleted, "the record ends at seal 0"),
        (the_whole_chain_made_anew, "the record was written anew at or before it"),
    ],
    ids=lambda value: value.__name__ if callable(value) else "",
)
def test_what_the_chain_cannot_show_is_found_by_a_head_that_somebody_else_holds(
    past: Within, tamper: Tamper, where: str
) -> None:
    held = newest_head(past)
    found = tampered(past, tamper, [held])
    assert any(line.startswith("head: ") and where in line for line in told(found)), told(found)
    bare = audited(past, [Head(held.hash)])
    assert any("cut off before it, or written anew" in line for line in told(bare))


def test_a_chain_made_anew_and_nobody_outside_holds_a_head_is_taken_for_true(past: Within) -> None:
    """Why heads are mailed and printed: without one this cannot be found by anybody."""
    assert tampered(past, the_whole_chain_made_anew).seals.ok


# --- and what is honest --------------------------------------------------------------------------------------------


def test_an_honest_ledger_agrees_with_its_record(past: Within) -> None:
    found = audited(past, [newest_head(past)])
    assert told(found) == []
    assert found.ok
    assert found.seals.unsealed == 0
    assert found.rows.deliveries >= 2 * PEOPLE
    assert found.rows.transitions >= 2 * PEOPLE


def test_a_head_written_on_paper_is_read_again(past: Within) -> None:
    newest = head(past.connection)
    assert newest is not None
    line = written(newest, "st-brides", past.hand.now)
    assert read_heads(f"Dear governors,\n{line}\n") == [Head(newest.hash, newest.number)]
    assert read_heads(newest.hash.hex()) == [Head(newest.hash)]
    wrapped = f"> {line[:70]}\n> {line[70:]}\n\n{newest.hash.hex()}\n{newest.hash.hex()}"
    assert read_heads(wrapped) == [Head(newest.hash, newest.number), Head(newest.hash), Head(newest.hash)]
    assert audited(past, read_heads(line)).ok


def test_pruned_ranges_are_told_and_the_rest_still_verifies(past: Within) -> None:
    held = newest_head(past)
    before = past.connection.execute(select(S.c.sealed_at).where(S.c.number == 4)).scalar_one()
    gone = past.transaction.record.prune(before, actor=SYSTEM, why="kept for as long as the policy says")
    found = audited(past, [held])
    assert told(found) == []
    assert gone == found.seals.pruned > 0


def test_pruning_that_the_record_does_not_tell_of_is_tampering(past: Within) -> None:
    def without_a_word(c: Connection) -> None:
        third = next(seals_from(c, 3))
        c.execute(delete(E).where(E.c.mark < third.first_mark))

    assert "seal 1" in told(tampered(past, without_a_word))[0]

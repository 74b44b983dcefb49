"""Somebody who owns the database changes it in every way we could think of: each is found, and the place is named."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import UTC, datetime

import pytest
from sqlalchemy import Connection, delete, func, insert, select, update

from broker.actor import SYSTEM
from broker.record import GENESIS, StoredEntry, seal_over
from broker.scrutiny.heads import Head, read_heads, written
from ledger import tables as t
from ledger.reads.record import entries_between, head, seals_from
from ledger.scrutiny.audit import Audit, audit
from tests.record.conftest import PEOPLE, Within
from tests.support.tampering import without_guards

E, S = t.record_entry, t.record_seal
Tamper = Callable[[Connection], object]


def newest_head(ledger: Within) -> Head:
    found = head(ledger.connection)
    assert found is not None
    return Head(found.hash, found.number)


def tampered(ledger: Within, tamper: Tamper, heads: Sequence[Head] = ()) -> Audit:
    with without_guards(ledger.connection):
        tamper(ledger.connection)
    return audited(ledger, heads)


def audited(ledger: Within, heads: Sequence[Head] = ()) -> Audit:
    return audit(ledger.as_ledger, heads)


def told(found: Audit) -> list[str]:
    return [f"{fault.where}: {fault.what}" for fault in found.faults]


def under(connection: Connection, number: int) -> list[StoredEntry]:
    seal = next(each for each in seals_from(connection, number) if each.number == number)
    return list(entries_between(connection, seal.first_mark, seal.next_mark))


def entry_of(connection: Connection, kind: str) -> StoredEntry:
    row = connection.execute(select(E).where(E.c.kind == kind).order_by(E.c.id).limit(1)).one()
    return StoredEntry(row.id, row.mark, bytes(row.body))


def change(connection: Connection, table: object, where: object, **values: object) -> None:
    changed = connection.execute(update(table).where(where).values(**values))  # type: ignore[arg-type]
    assert changed.rowcount, "the tampering itself must have worked"


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


# --- rows changed behind the record's back ---------------------------------------------------------------------------


def a_text_said_to_have_arrived(c: Connection) -> None:
    change(c, t.delivery, t.delivery.c.state == "rejected", state="delivered")


def a_reason_changed(c: Connection) -> None:
    change(c, t.delivery, t.delivery.c.state == "rejected", code="opted_out")


def a_delivery_deleted(c: Connection) -> None:
    one = c.execute(select(t.delivery.c.id).where(t.delivery.c.state == "rejected")).scalar_one()
    c.execute(delete(t.delivery).where(t.delivery.c.id == one))


def a_delivery_made_up(c: Connection) -> None:
    row = c.execute(select(t.delivery).where(t.delivery.c.state == "sent").limit(1)).one()
    c.execute(insert(t.delivery).values(**{**row._mapping, "id": 7_777, "channel": "pigeon"}))


def a_wording_changed(c: Connection) -> None:
    change(c, t.content, t.content.c.announcement_id == 1, text="The coach leaves at nine.")


def an_audience_changed(c: Connection) -> None:
    change(c, t.announcement, t.announcement.c.id == 1, audience="Choir")


def an_author_changed(c: Connection) -> None:
    change(c, t.announcement, t.announcement.c.id == 1, actor_id="Mr Hook")


def a_withdrawal_undone(c: Connection) -> None:
    change(c, t.announcement, t.announcement.c.withdrawn_at.is_not(None), withdrawn_at=None)


def an_announcement_to_be_planned_again(c: Connection) -> None:
    change(c, t.announcement, t.announcement.c.id == 1, fanned_out_at=None)


def an_announcement_deleted(c: Connection) -> None:
    newest = c.execute(select(func.max(t.announcement.c.id))).scalar_one()
    for table in (t.content, t.content_attachment):
        c.execute(delete(table).where(table.c.announcement_id == newest))
    c.execute(delete(t.announcement).where(t.announcement.c.id == newest))


def an_outcome_changed(c: Connection) -> None:
    change(c, t.attempt, t.attempt.c.outcome == "reject", outcome="accept")


def an_attempt_deleted(c: Connection) -> None:
    c.execute(delete(t.attempt).where(t.attempt.c.outcome == "reject"))


def an_account_let_go_on(c: Connection) -> None:
    change(c, t.account, t.account.c.paused_at.is_not(None), paused_at=None)


def a_wording_slipped_in(c: Connection) -> None:
    row = c.execute(select(t.content).where(t.content.c.announcement_id == 1)).first()
    assert row is not None
    c.execute(insert(t.content).values(**{**row._mapping, "version": 2, "text": "Nine o'clock."}))


def an_accepted_one_called_a_note(c: Connection) -> None:
    c.execute(insert(t.note).values(announcement_id=1))
    change(c, t.announcement, t.announcement.c.id == 1, audience="Choir")


def a_yes_made_up(c: Connection) -> None:
    row = c.execute(select(t.approval).where(t.approval.c.void_at.is_(None))).one()
    c.execute(insert(t.approval).values(**{**row._mapping, "id": 99, "announcement_id": 1}))


def a_yes_taken_away(c: Connection) -> None:
    change(c, t.approval, t.approval.c.void_at.is_(None), by="Mr Hook")


def a_yes_to_other_words(c: Connection) -> None:
    change(c, t.approval, t.approval.c.void_at.is_(None), bound="0" * 64)


def a_verdict_changed(c: Connection) -> None:
    change(c, t.verdict, t.verdict.c.answer == "hold", answer="allow", code="")


def a_verdict_deleted(c: Connection) -> None:
    c.execute(delete(t.verdict).where(t.verdict.c.answer == "hold"))


def a_verdict_made_up(c: Connection) -> None:
    row = c.execute(select(t.verdict).order_by(t.verdict.c.id).limit(1)).one()
    c.execute(insert(t.verdict).values(**{**row._mapping, "id": 9_999, "rules_version": 77}))


def a_yes_to_a_schedule_made_up(c: Connection) -> None:
    change(c, t.schedule, t.schedule.c.name == "Tuesdays", approved_by="Mr Hook")


def a_yes_to_a_schedule_taken_away(c: Connection) -> None:
    change(c, t.schedule, t.schedule.c.name == "Tuesdays", approved_at=None)


def a_schedule_that_says_something_else(c: Connection) -> None:
    change(c, t.schedule, t.schedule.c.name == "Tuesdays", short="Bring money.", long="Bring money.")


def a_schedule_that_goes_on(c: Connection) -> None:
    change(c, t.schedule, t.schedule.c.name == "Over", ended_at=None, name="Overs", folded_name="overs")


def a_yes_to_a_reminder_made_up(c: Connection) -> None:
    change(c, t.reminder_rule, t.reminder_rule.c.name == "Tuesdays", approved_by="Mr Hook")


def a_reminder_that_says_something_else(c: Connection) -> None:
    change(c, t.reminder_rule, t.reminder_rule.c.name == "Tuesdays", short="{title}: bring money")


def a_reminder_that_reminds_again(c: Connection) -> None:
    change(c, t.reminder_rule, t.reminder_rule.c.name == "Over", retired_at=None)


def a_rule_changed(c: Connection) -> None:
    newest = select(func.max(t.rules.c.version)).scalar_subquery()
    change(c, t.rules, t.rules.c.version == newest, body='{"approval.needed": ""}')


def rules_made_up(c: Connection) -> None:
    row = c.execute(select(t.rules).order_by(t.rules.c.version.desc()).limit(1)).one()
    c.execute(insert(t.rules).values(**{**row._mapping, "version": 99}))


def a_role_given(c: Connection) -> None:
    hook = select(t.operator.c.id).where(t.operator.c.name == "Mr Hook").scalar_subquery()
    c.execute(insert(t.operator_role).values(operator_id=hook, role="approver"))


def an_operator_made_up(c: Connection) -> None:
    row = c.execute(select(t.operator).where(t.operator.c.name == "The Head")).one()
    mine = {**row._mapping, "id": 99, "name": "Mr Thief", "folded_name": "mr thief"}
    c.execute(insert(t.operator).values(mine))
    c.execute(insert(t.operator_role).values(operator_id=99, role="approver"))


def an_operator_who_answers_to_another_name(c: Connection) -> None:
    change(c, t.operator, t.operator.c.name == "The Head", folded_name="mr hook the younger")


def a_licence_rewritten(c: Connection) -> None:
    row = c.execute(select(t.licence_version).order_by(t.licence_version.c.id.desc()).limit(1)).one()
    body = row.body.replace("a wrong number", "no risk at all")
    change(c, t.licence_version, t.licence_version.c.id == row.id, body=body)


def a_sandbox_licence_let_out(c: Connection) -> None:
    newest = select(func.max(t.licence_version.c.id)).scalar_subquery()
    change(c, t.licence_version, t.licence_version.c.id == newest, specimen=True)


def a_licence_that_lasts_for_ever(c: Connection) -> None:
    change(c, t.licence, t.licence.c.account_id > 0, stands_until=datetime(2099, 1, 1, tzinfo=UTC))


def an_older_licence_put_back(c: Connection) -> None:
    change(c, t.licence, t.licence.c.version == 3, version=2)


def a_kill_switch_lifted(c: Connection) -> None:
    change(c, t.switch, t.switch.c.on_at.is_(None), on_at=datetime(2026, 1, 1, tzinfo=UTC))


def a_budget_raised(c: Connection) -> None:
    change(c, t.budget, t.budget.c.amount > 0, amount=10**12)


def a_governor_taken_off_the_list(c: Connection) -> None:
    c.execute(delete(t.head_holder).where(t.head_holder.c.name == "Dr Okafor"))


def a_time_changed(c: Connection) -> None:
    entry = entry_of(c, "announcement.withdrawn")
    row = c.execute(select(E.c.at).where(E.c.id == entry.id)).one()
    change(c, E, E.c.id == entry.id, at=row.at.replace(year=row.at.year - 1))


def a_kind_changed(c: Connection) -> None:
    change(c, E, E.c.id == entry_of(c, "account.paused").id, kind="account.resumed")


def an_entry_moved_to_another_announcement(c: Connection) -> None:
    change(c, E, E.c.id == entry_of(c, "announcement.withdrawn").id, announcement_id=1)


def nonsense_put_in(c: Connection) -> None:
    """Not sealed yet, so that the chain has nothing against it."""
    entry, last = entry_of(c, "deliveries.tried"), head(c)
    assert last is not None
    row = c.execute(select(E).where(E.c.id == entry.id)).one()
    body = b'{"kind":"deliveries.tried","at":"%s","announcement":1,"actor":{"id":"x"},"facts":{"tries":[7]}}'
    stamped = body % row.at.isoformat().encode()
    values = {"mark": last.next_mark, "at": row.at, "kind": row.kind, "announcement_id": 1, "body": stamped}
    c.execute(insert(E).values(values))


def the_record_left_open(c: Connection) -> None:
    c.execute(insert(t.record_opening).values(why="somebody was careless"))


@pytest.mark.parametrize(
    ("tamper", "where"),
    [
        (a_text_said_to_have_arrived, "it is delivered, and the record says rejected"),
        (a_reason_changed, "its reason is opted_out, and the record says "),
        (a_delivery_deleted, "the record tells of it, and it is not there"),
        (a_delivery_made_up, "delivery 7777: it is sent, and the record says nothing yet"),
        (a_wording_changed, "its wording or its files are not what was accepted"),
        (an_audience_changed, "its audience, ways, purpose, urgency or expiry is not what was accepted"),
        (an_author_changed, "it was announced by somebody else"),
        (a_withdrawal_undone, "it is not withdrawn any more"),
        (an_announcement_to_be_planned_again, "it is to be planned again"),
        (an_announcement_deleted, "announcements that are not there"),
        (an_outcome_changed, "it ended with accept, and the record says reject"),
        (an_attempt_deleted, "attempt "),
        (a_wording_slipped_in, "version 2 of its wording is not what was written"),
        (an_accepted_one_called_a_note, "is not what was accepted"),
        (a_yes_made_up, "a second person's yes or no"),
        (a_yes_taken_away, "a second person's yes or no"),
        (a_yes_to_other_words, "a second person's yes or no"),
        (a_verdict_changed, "it has a verdict that the record does not tell of: "),
        (a_verdict_deleted, "the record tells of a verdict that is not there: "),
        (a_verdict_made_up, "version 77 of the rules, allow"),
        (a_yes_to_a_schedule_made_up, "it is Mr Hook, and the record says The Head"),
        (a_yes_to_a_schedule_taken_away, "it is not there, and the record says The Head"),
        (a_schedule_that_says_something_else, "schedule "),
        (a_schedule_that_goes_on, "and the record says that it is not"),
        (a_yes_to_a_reminder_made_up, "it is Mr Hook, and the record says The Head"),
        (a_reminder_that_says_something_else, "reminder 1: it is "),
        (a_reminder_that_reminds_again, "reminder 2: it is "),
        (a_rule_changed, "rule approval.needed: it is not there, and the record says any/any/any"),
        (rules_made_up, "rules in force: it is version 99, and the record says version "),
        (a_role_given, "operator Mr Hook: it is approver, author, and the record says author"),
        (an_operator_made_up, "operator Mr Thief: it is approver, and the record says that it is not"),
        (an_operator_who_answers_to_another_name, "operator The Head: it is admin by another name"),
        (a_licence_rewritten, "licence of texts, version 3: it is "),
        (a_sandbox_licence_let_out, "(of the sandbox), and the record says "),
        (a_licence_that_lasts_for_ever, "licence of texts: it is version 3, for longer than it lasts"),
        (an_older_licence_put_back, "licence of texts: it is version 2, and the record says version 3"),
        (a_kill_switch_lifted, "switch of channel email: it is not there, and the record says off"),
        (a_budget_raised, "budget of music: it is 1000000000000, and the record says 50000000"),
        (a_governor_taken_off_the_list, "governor Dr Okafor: it is not there, and the record says named"),
        (an_account_let_go_on, "pause of mails: it is not there, and the record says in force"),
        (a_time_changed, "what stands beside its sealed bytes"),
        (a_kind_changed, "what stands beside its sealed bytes"),
        (an_entry_moved_to_another_announcement, "what stands beside its sealed bytes"),
        (nonsense_put_in, "it is not what Carillon wrote"),
        (the_record_left_open, "the record stands open"),
    ],
    ids=lambda value: value.__name__ if callable(value) else "",
)
def test_a_row_changed_behind_the_records_back_is_found(past: Within, tamper: Tamper, where: str) -> None:
    found = tampered(past, tamper)
    assert found.seals.ok, "the chain itself is whole"
    assert any(where in line for line in told(found)), told(found)


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

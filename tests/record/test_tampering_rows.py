"""A row that was changed behind the record's back no longer agrees with what the record tells of it."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from sqlalchemy import Connection, delete, func, insert, select

from ledger import tables as t
from ledger.reads.record import head
from tests.record.conftest import Within
from tests.support.tampered import E, Tamper, change, entry_of, tampered, told

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

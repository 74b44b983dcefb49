"""The term calendar as it stands; and the office's own, put in the place of the one before, whole."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta

from broker.actor import Actor
from broker.authority import operators
from broker.diary.calendar import Day, Span, TermCalendar, calendar_of, check_spans, has_own_terms
from broker.diary.schedule_times import look_again
from broker.ports import Ports, Transaction
from broker.ports.approvals import OperatorRole
from broker.record import Entry, digest_of
from broker.rules.calendar import BANK_HOLIDAYS


def calendar_now(tx: Transaction) -> TermCalendar:
    """The term calendar as it stands."""
    regions, spans = tx.rules.current().words(BANK_HOLIDAYS), tx.calendars.spans()
    told = () if has_own_terms(spans) else tx.calendars.terms()
    return calendar_of(spans, told, region=regions[0] if regions else "")


def bring(ports: Ports, spans: Sequence[Span], *, actor: Actor) -> tuple[int, int]:
    """Keep these terms, half-terms, INSET days and closures instead of those before: (how many new, how many gone).

    Raises CalendarRefused, NotAllowed; then the ones before stay. Every schedule is looked at anew.
    """
    check_spans(spans)

    def work(tx: Transaction) -> tuple[int, int]:
        operators.must(tx, actor, OperatorRole.ADMIN)
        before, after = set(tx.calendars.spans()), set(spans)
        tx.calendars.replace(sorted(after, key=lambda span: (span.begins_on, span.ends_on)), by=actor.id)
        look_again(tx, calendar_now(tx))
        facts = {"spans": len(after), "digest": digest_of("\n".join(sorted(map(repr, after))))}
        tx.record.add([Entry("terms.brought", actor, facts)])
        return len(after - before), len(before - after)

    return ports.ledger.transact(work)


def days_from(tx: Transaction, begins: date, count: int) -> list[Day]:
    """What kind of day each is, from one on."""
    calendar = calendar_now(tx)
    return [calendar.day(begins + timedelta(days=n)) for n in range(count)]

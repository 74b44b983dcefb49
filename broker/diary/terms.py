"""The term calendar as it stands; and the office's own, put in the place of the one before, whole."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from datetime import date, timedelta

from broker.actor import Actor
from broker.authority import operators
from broker.diary.calendar import (
    CalendarRefused,
    Day,
    Span,
    TermCalendar,
    calendar_of,
    check_spans,
    has_own_terms,
)
from broker.diary.schedule_times import look_again
from broker.errors import NotFound, Problem
from broker.ports import Ports, Transaction
from broker.ports.approvals import OperatorRole
from broker.record import Entry, digest_of
from broker.rules.calendar import BANK_HOLIDAYS


def calendar_now(tx: Transaction) -> TermCalendar:
    """The term calendar as it stands."""
    regions, spans = tx.rules.current().words(BANK_HOLIDAYS), tx.calendars.spans()
    told = () if has_own_terms(spans) else tx.calendars.terms()
    return calendar_of(spans, told, region=regions[0] if regions else "")


def bring(
    ports: Ports,
    spans: Sequence[Span],
    *,
    actor: Actor,
    also: Callable[[Transaction], None] = lambda _: None,
) -> tuple[int, int]:
    """Keep these terms, half-terms, INSET days and closures instead of those before: (how many new, how many gone).

    Raises CalendarRefused, NotAllowed; then the ones before stay. Every schedule is looked at anew. `also` is done in
    the same transaction.
    """
    check_spans(spans)

    def work(tx: Transaction) -> tuple[int, int]:
        counts = _kept(tx, set(spans), actor)
        also(tx)
        return counts

    return ports.ledger.transact(work)


def add(ports: Ports, span: Span, *, actor: Actor) -> None:
    """Keep one more of the office's own. Raises CalendarRefused, NotAllowed; then those before stay."""

    def work(tx: Transaction) -> None:
        before = tx.calendars.spans()
        if span in before:
            raise CalendarRefused(Problem("known", "name", "it stands there already", "look at the list"))
        _kept(tx, {*before, span}, actor)

    ports.ledger.transact(work)


def change(ports: Ports, was: Span, to: Span | None, *, actor: Actor) -> None:
    """One of the office's own becomes another, or None for none. Raises CalendarRefused, NotFound, NotAllowed."""

    def work(tx: Transaction) -> None:
        before = set(tx.calendars.spans())
        if was not in before:
            hint = "somebody has changed it meanwhile: look at the list"
            raise NotFound(Problem("not_found", "name", "it does not stand there any more", hint))
        _kept(tx, (before - {was}) | ({to} if to is not None else set()), actor)

    ports.ledger.transact(work)


def difference(tx: Transaction, spans: Sequence[Span]) -> tuple[Sequence[Span], Sequence[Span]]:
    """What bringing these would add, and what it would take away. Raises CalendarRefused."""
    check_spans(spans)
    before, after = set(tx.calendars.spans()), set(spans)
    return in_order(after - before), in_order(before - after)


def in_order(spans: Collection[Span]) -> Sequence[Span]:
    """As a calendar lists them."""
    return sorted(spans, key=lambda span: (span.begins_on, span.ends_on))


def _kept(tx: Transaction, after: set[Span], actor: Actor) -> tuple[int, int]:
    check_spans(list(after))
    operators.must(tx, actor, OperatorRole.ADMIN)
    before = set(tx.calendars.spans())
    tx.calendars.replace(in_order(after), by=actor.id)
    look_again(tx, calendar_now(tx))
    facts = {"spans": len(after), "digest": digest_of("\n".join(sorted(map(repr, after))))}
    tx.record.add([Entry("terms.brought", actor, facts)])
    return len(after - before), len(before - after)


def days_from(tx: Transaction, begins: date, count: int) -> list[Day]:
    """What kind of day each is, from one on."""
    calendar = calendar_now(tx)
    return [calendar.day(begins + timedelta(days=n)) for n in range(count)]

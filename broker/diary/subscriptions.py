"""Subscribed calendars: read by a worker in turn, compared with last time, and an alarm for one that is silent.

Fetching is no business of the law: whoever reads hands over what was there. A calendar that cannot be read changes
nothing; one that says the same again costs nothing.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from urllib.parse import urlsplit

from broker import audience as audiences
from broker.actor import Actor
from broker.authority import operators
from broker.diary import event_book
from broker.diary.event_book import Brought
from broker.diary.events import ToldCalendar
from broker.errors import NotFound, NotToBeChanged, Problem, RuleBroken
from broker.office.expressions import resolve
from broker.ports import Ports, Transaction
from broker.ports.approvals import OperatorRole
from broker.ports.calendar import SubscriptionRow
from broker.record import Entry, digest_of

SOONEST, LATEST = timedelta(minutes=5), timedelta(days=7)
SILENT_AFTER = timedelta(days=1)  # beside how often it is read
MOST = 200  # of a school
UNREADABLE, SILENT = "calendar_unreadable", "calendar_silent"


@dataclass(frozen=True, slots=True)
class Answer:
    """What an address held: the calendar as read, None where it is as last time; and by what to ask the next time."""

    told: ToldCalendar | None = field(repr=False)
    etag: str = ""
    modified: str = ""
    digest: str = ""


def subscribe(ports: Ports, row: SubscriptionRow, *, actor: Actor) -> SubscriptionRow:
    """Read a calendar again and again from now on. Raises NotToBeChanged, UnknownAudience, NotAllowed."""

    def work(tx: Transaction) -> SubscriptionRow:
        operators.must(tx, actor, OperatorRole.AUTHOR, row.department)
        if not tx.announcements.department_exists(row.department):
            raise _refused(
                "unknown_department", "department", "this department is not known", "`carillon doctor`"
            )
        if not SOONEST <= row.every <= LATEST:
            raise _refused("bad_length", "every", "it is read every 5 minutes to 7 days", "such as 1 h")
        known = tx.subscriptions.all()
        if any(one.name == row.name for one in known):
            raise _refused("known", "source", "there is a calendar of this name", "choose another")
        if len(known) >= MOST:
            raise _refused("too_many", "source", f"there are {MOST} calendars already", "take one away")
        resolve(tx, audiences.parse(row.audience))
        made = replace(row, made_by=actor.id, made_at=tx.now)
        made = replace(made, id=tx.subscriptions.add(made))
        facts = {"calendar": made.id, "department": made.department, "address": digest_of(made.url)}
        tx.record.add([Entry("calendar.subscribed", actor, facts)])
        return made

    return ports.ledger.transact(work)


def unsubscribe(ports: Ports, name: str, *, actor: Actor) -> None:
    """Read it no more; its events stay as they are. Raises NotFound, NotAllowed."""

    def work(tx: Transaction) -> None:
        row = next((one for one in tx.subscriptions.all() if one.name == name), None)
        if row is None:
            hint = "list them with: carillon events calendars"
            raise NotFound(Problem("not_found", "source", "there is no such calendar", hint))
        operators.must(tx, actor, OperatorRole.AUTHOR, row.department)
        tx.subscriptions.retire(row.id)
        tx.sweeps.clear_alarm(UNREADABLE, row.name)
        tx.sweeps.clear_alarm(SILENT, row.name)
        tx.record.add([Entry("calendar.unsubscribed", actor, {"calendar": row.id})])

    ports.ledger.transact(work)


def take_turn(ports: Ports) -> SubscriptionRow | None:
    """The next that is to be read now, by us; None where none is. Nothing is written while none is there."""
    with ports.ledger.look() as tx:
        if not tx.subscriptions.all():
            return None
    return ports.ledger.transact(lambda tx: tx.subscriptions.take_due())


def answered(ports: Ports, row: SubscriptionRow, answer: Answer, *, actor: Actor) -> Brought:
    """What was read is brought. Raises RuleBroken, with nothing changed, for what cannot be believed."""
    brought = Brought()
    if answer.told is not None and answer.digest != row.digest:
        brought = event_book.bring(
            ports,
            row.name,
            answer.told.events,
            department=row.department,
            audience=row.audience,
            problems=answer.told.problems,
            in_term=row.in_term,
            actor=replace(actor, on_behalf_of=row.made_by),
        )

    def work(tx: Transaction) -> None:
        seen = replace(row, read_at=tx.now, why="", etag=answer.etag, modified=answer.modified)
        if answer.told is not None:
            seen = replace(seen, digest=answer.digest)
        tx.subscriptions.keep(seen)
        tx.sweeps.clear_alarm(SILENT, row.name)
        if answer.told is not None and answer.told.problems:
            count, first = len(answer.told.problems), answer.told.problems[0]
            why = f"calendar {row.name}: {count} of its events cannot be read, the first: {first.message}; "
            why += "until they can be, none is taken for gone"
            tx.sweeps.raise_alarm(UNREADABLE, row.name, why)
        elif answer.told is not None or row.why:  # it is as it was before it talked nonsense
            tx.sweeps.clear_alarm(UNREADABLE, row.name)

    ports.ledger.transact(work)
    return brought


def failed(ports: Ports, row: SubscriptionRow, broken: RuleBroken, *, away: bool) -> None:
    """It could not be read. What answers nonsense is told at once; one that is `away` when it has been so for a day."""

    def work(tx: Transaction) -> None:
        message = broken.problem.message
        tx.subscriptions.keep(replace(row, why=message))
        if not away:
            tx.sweeps.raise_alarm(
                UNREADABLE, row.name, f"calendar {row.name}: {message}; nothing of it was changed"
            )
        if is_silent(row, tx.now):
            since = f"{row.read_at:%Y-%m-%d %H:%M} UTC" if row.read_at else "it was subscribed to"
            tx.sweeps.raise_alarm(
                SILENT, row.name, f"calendar {row.name} has not been read since {since}: {message}"
            )

    ports.ledger.transact(work)


def is_silent(row: SubscriptionRow, now: datetime) -> bool:
    """Whether it has not been read for too long."""
    return now - (row.read_at or row.made_at) > row.every + SILENT_AFTER


def masked(url: str) -> str:
    """An address without what may be its secret: whoever has all of it can read the calendar."""
    return f"{urlsplit(url).hostname or 'an address'}/…"


def _refused(code: str, field: str, message: str, hint: str) -> NotToBeChanged:
    return NotToBeChanged(Problem(code, field, message, hint))

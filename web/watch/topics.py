"""What can be watched: each topic is a list of parts, and a part is a piece of HTML with an id of its own.

A page is its parts in order; the live page is sent those that changed. So there is one template for both.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol
from uuid import UUID

from broker.announcement import Stage
from broker.delivery import FAILED, REACHED, STATES, State
from broker.duty import DutyState
from broker.gateways import Stand
from ledger.hand import Hand
from ledger.reads.deliveries import Wanted, deliveries
from ledger.reads.health import Health, of_department
from ledger.reads.watch import PAGE, Shown, awaiting, one, shown, zone
from web.watch import words
from web.watch.counts import Counted, Counts
from web.watch.paint import paint

DELIVERIES = 30
WAITING = "watch/waiting"
FEW = 5  # that wait for a yes: more would hide what is graver
OVERDUE = timedelta(minutes=1)  # due for this long and nothing being sent: nobody is at work
UNSEALED = timedelta(seconds=30)
UNSEEN = timedelta(minutes=1)
FORGOTTEN = timedelta(days=1)  # a worker that was stopped for good is no concern
FILTERS: Mapping[str, frozenset[State] | None] = {
    "all": None,
    "failed": FAILED,
    "waiting": frozenset({State.QUEUED, State.SENDING}),
    "sent": REACHED,
}


@dataclass(frozen=True, slots=True)
class Painted:
    """A topic as HTML: id → part, in order. `behind`: some counts are older than the rest, look again soon."""

    parts: Mapping[str, str]
    behind: bool = False


class Topic(Protocol):
    """Something that can be watched; equal ones are painted once for all who watch."""

    @property
    def department(self) -> str | None:
        """Whose alone it shows; None for the whole school's."""

    def paint(self, hand: Hand, counts: Counts, *, exact: bool = False) -> Painted | None:
        """Its parts as the ledger has it now; None when there is no such thing."""


@dataclass(frozen=True, slots=True)
class Overview:
    """The newest announcements, or those before one, and what needs looking at first; of one department, or all."""

    before: UUID | None = None
    department: str | None = None

    def paint(self, hand: Hand, counts: Counts, *, exact: bool = False) -> Painted:
        """A part of concerns, then one an announcement."""
        rows = shown(hand, before=self.before, department=self.department)
        counted = [counts.of(hand, row, exact=exact) for row in rows]
        local = zone(hand)
        stands, behind = counts.health(hand, exact=exact)
        stands = of_department(stands, self.department)
        waits = awaiting(hand, department=self.department, limit=FEW + 1) if self.before is None else ()
        said = concerns(stands, rows, counted, waits) if self.before is None else ()
        parts = {"concerns": paint("concerns", local, concerns=said, first=self.before is None)}
        parts["announcements"] = paint("announcements", local, empty=not rows, first=self.before is None)
        for row, known in zip(rows, counted, strict=True):
            parts[f"a-{row.announcement.public_id}"] = paint("card", local, shown=row, counted=known)
        older = rows[-1].announcement.public_id if len(rows) == PAGE else None
        parts["older"] = paint("older", local, older=older, first=self.before is None)
        return Painted(parts, behind or any(known.behind for known in counted))


@dataclass(frozen=True, slots=True)
class Detail:
    """One announcement: how far it is, what went wrong and why, its deliveries."""

    announcement: UUID
    show: str = "all"
    channel: str | None = None
    before: int | None = None
    department: str | None = None  # of whoever looks: another's announcement is not there for them

    def paint(self, hand: Hand, counts: Counts, *, exact: bool = False) -> Painted | None:
        """Its parts."""
        row = one(hand, self.announcement, self.department)
        if row is None:
            return None
        known = counts.of(hand, row, exact=exact)
        local = zone(hand)
        wanted = Wanted(self.announcement, self.channel, FILTERS[self.show])
        listed = deliveries(hand, wanted, before=self.before, limit=DELIVERIES)
        parts = {
            "head": paint("head", local, shown=row, counted=known),
            "progress": paint("progress", local, shown=row),
            "people": paint("people", local, shown=row, counted=known),
            "failures": paint("failures", local, shown=row, counted=known),
            "deliveries": paint(
                "deliveries",
                local,
                shown=row,
                listed=listed,
                topic=self,
                older=listed[-1].id if len(listed) == DELIVERIES else None,
            ),
        }
        return Painted(parts, known.behind)


@dataclass(frozen=True, slots=True)
class Concern:
    """Something to look at first: a sentence, what to do, and a link to the announcement that it is about."""

    says: str
    do: str = ""
    link: str = ""
    name: str = ""
    grave: bool = True


def concerns(
    stands: Health, rows: Sequence[Shown], counted: Sequence[Counted], waits: Sequence[Shown] = ()
) -> Sequence[Concern]:
    """What needs looking at: what stops everything, what waits for a yes, however long, and what did not reach all.

    The last of these among the newest alone. Of `waits` a few are told, and where the rest stands.
    """
    found = [*_of_the_house(stands), *map(_waiting, waits[:FEW])]
    if len(waits) > FEW:
        says = "they stand on a page of their own"
        found.append(Concern(says, link=WAITING, name="The others that wait", grave=False))
    return [*found, *filter(None, map(_of_one, rows, counted))]


def _waiting(row: Shown) -> Concern:
    link = f"watch/{row.announcement.public_id}"
    return Concern("it waits for a second person to say yes or no", link=link, name=row.title, grave=False)


def _of_the_house(stands: Health) -> Sequence[Concern]:
    found = [Concern(f"{words.alarm(alarm.kind)}: {alarm.message}", alarm.subject) for alarm in stands.alarms]
    alarmed = {alarm.subject for alarm in stands.alarms}
    for account in stands.accounts:
        if account.paused_why is not None and account.account not in alarmed:
            says = (
                f"The account “{account.account}” is paused, and what goes by it waits: {account.paused_why}"
            )
            found.append(Concern(says, f"carillon accounts resume {account.account}"))
    for way in stands.gateways:
        if way.stand is Stand.OUT and way.held_by:
            says = f"The gateway {way.gateway} of “{way.account}” is held out by {way.held_by}: {way.why}"
            do = f"carillon accounts take-back {way.account} {way.gateway}"
            found.append(Concern(says, do, grave=False))
    late = [
        a
        for a in stands.accounts
        if a.paused_why is None and not a.sending and _overdue(a.oldest_due, stands.at)
    ]
    for account in late:
        waiting = words.many(account.due, "message")
        says = f"{waiting} by “{account.account}” should have gone by now, and nothing is sending"
        found.append(Concern(says, "is Carillon’s worker running? carillon doctor"))
    seen = max((worker.seen_at for worker in stands.workers), default=None)
    if seen is not None and UNSEEN < stands.at - seen < FORGOTTEN and not late:
        found.append(Concern("No worker has been seen for a while: nothing is sent", "carillon doctor"))
    if stands.unsealed_since is not None and stands.at - stands.unsealed_since > UNSEALED:
        says = f"The record’s newest {words.many(stands.unsealed, 'entry', 'entries')} are not sealed yet"
        found.append(Concern(says, "is Carillon’s worker running? carillon doctor"))
    return found


def _of_one(row: Shown, counted: Counted) -> Concern | None:
    """One line an announcement: whom nothing reached, and what failed on the way."""
    untold = counted.duties[DutyState.LAPSED] if row.stage is not Stage.WITHDRAWN else 0
    failed = Counter[State]()
    for states in row.channels.values():
        failed.update({state: states[state] for state in FAILED & states.keys()})
    told = [f"{words.many(untold, 'person', 'people')} could not be told"] if untold else []
    told += [f"{failed[state]:,} {STATES[state].label}" for state in STATES if state in failed]
    if not told:
        return None
    link = f"watch/{row.announcement.public_id}"
    return Concern(
        "; ".join(told), link=link, name=row.title, grave=bool(untold) or State.UNCERTAIN in failed
    )


def _overdue(oldest: datetime | None, now: datetime) -> bool:
    return oldest is not None and now - oldest > OVERDUE

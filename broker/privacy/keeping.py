"""Keeping: once a night, what has had its time goes, by the school's own rules.

In chunks of a short transaction each, so that nobody waits for it, and for a while only: a worker that dies or is
stopped leaves the rest to whoever comes next in the same night. The sealed record goes by a hand of its own
(`ledger.epochs`).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from broker.actor import Actor
from broker.ports import Ports, Transaction
from broker.ports.privacy import Pruned
from broker.privacy import erasure
from broker.record import Entry
from broker.rosters.staged import LASTS
from broker.rules.keeping import Keeping, Kept, keeping_of

AT = timedelta(hours=2, minutes=30)  # by the school's clock: backups are over, and nobody writes to anybody
CHUNK = 500  # rows
LEASE = timedelta(minutes=5)
A_WHILE = timedelta(minutes=2)  # then the lease is taken anew
# What goes row by row, each by its own age.
BY_AGE: Mapping[str, Kept] = {
    "receipts": Kept.RECEIPTS,
    "answers": Kept.ANSWERS,
    "remarks": Kept.RECORD,
    "timetables": Kept.CONTENT,
}

Chore = Callable[[Transaction, Keeping, Actor], Pruned]


def due_on(now: datetime, zone: str) -> date | None:
    """The night whose work is to be done at this moment, by its date in the school's zone; None by day.

    It may be done until noon: a machine that is off at night does it when it is on.
    """
    here = now.astimezone(ZoneInfo(zone))
    since = timedelta(hours=here.hour, minutes=here.minute)
    return here.date() if AT <= since < timedelta(hours=12) else None


def tonight(
    ports: Ports,
    *,
    actor: Actor,
    stopping: Callable[[], bool] = lambda: False,
    last: Callable[[], int] = lambda: 0,
    anyway: bool = False,
) -> Mapping[str, int]:
    """Do what is left of this night's work; what went, by kind.

    `last` prunes the record when all else is done, and says how many entries went. `anyway`: by day too, and as if
    nothing were done yet.
    """
    with ports.ledger.look() as tx:
        day = due_on(tx.now, tx.school.zone)
        before = tx.prunings.last_night()
        if day is None or (before and before[0] == day and before[1] is not None):
            if not anyway:
                return {}
            day = None
    if day is not None and not ports.ledger.transact(lambda tx: tx.prunings.night(day, lease=LEASE)):
        return {}
    # Where from somebody tried to sign in, too.
    ports.ledger.transact(lambda tx: tx.sessions.prune())
    ports.ledger.transact(lambda tx: tx.staged_imports.prune(tx.now - LASTS))
    done, ended = _prune(ports, actor, stopping)
    if ended and not stopping() and (entries := last()):
        done = {**done, "entries of the record": entries}
    if day is not None or done:
        ports.ledger.transact(lambda tx: _note(tx, day, done, actor, ended=ended))
    return done


def _prune(ports: Ports, actor: Actor, stopping: Callable[[], bool]) -> tuple[Mapping[str, int], bool]:
    done: Counter[str] = Counter()
    with ports.ledger.look() as tx:
        keeping, until = keeping_of(tx.rules.current()), tx.now + A_WHILE
    for name, chore in chores().items():
        more = True
        while more:
            if stopping():
                return done, False
            pruned, now = ports.ledger.transact(
                lambda tx, chore=chore: (chore(tx, keeping, actor), tx.now)  # type: ignore[misc]
            )
            more = pruned.more
            if pruned.count:
                done[name] += pruned.count
            if now > until and more:
                return done, False
    return done, True


def _note(tx: Transaction, day: date | None, done: Mapping[str, int], actor: Actor, *, ended: bool) -> None:
    if day is not None:
        tx.prunings.night_done(day, done, ended=ended)
    if done:
        tx.record.add([Entry("kept.pruned", actor, {"went": dict(done)})])


def _content(tx: Transaction, keeping: Keeping, _: Actor) -> Pruned:
    return tx.prunings.content(tx.now - keeping.content, limit=CHUNK)


def _messages(tx: Transaction, keeping: Keeping, actor: Actor) -> Pruned:
    pruned = tx.prunings.messages(tx.now - keeping.messages, limit=CHUNK)
    if pruned.runs:  # the audit shall not miss them
        tx.record.add([Entry("deliveries.pruned", actor, {"pruned": pruned.runs}, pruned.announcement)])
    return pruned


def _addresses(tx: Transaction, keeping: Keeping, _: Actor) -> Pruned:
    return tx.prunings.leavers_addresses(tx.now - keeping.addresses, limit=CHUNK)


class _Leavers:
    """One a transaction, for an erasure looks through every wording; where it cannot be, the next."""

    def __init__(self) -> None:
        self._after = 0

    def __call__(self, tx: Transaction, keeping: Keeping, actor: Actor) -> Pruned:
        tx.privacy.wait_for_imports()
        for person in tx.prunings.leavers(tx.now - keeping.people, after=self._after, limit=1):
            self._after = person.id
            return Pruned(int(erasure.erase_leaver(tx, person, actor=actor)), more=True)
        return Pruned(0, more=False)


def _aged(kept: Kept) -> Chore:
    def chore(tx: Transaction, keeping: Keeping, _: Actor) -> Pruned:
        before = tx.now - getattr(keeping, kept.value)
        went = tx.prunings.aged(kept.value, before, limit=CHUNK).values()
        return Pruned(sum(each.count for each in went), more=any(each.more for each in went))

    return chore


def chores() -> Mapping[str, Chore]:
    """What there is to do, in its order: an address must be nobody's before it goes."""
    return {
        **{name: _aged(kept) for name, kept in BY_AGE.items()},
        "content": _content,
        "messages": _messages,
        "people": _Leavers(),
        "addresses": _addresses,
    }

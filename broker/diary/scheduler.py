"""The scheduler: what schedules have due is announced, once, by whoever looks.

Nothing waits in a queue: a schedule knows until when it was looked at, and whoever looks next finds what fell due
since then. A turn is one transaction over a few hundred locked schedules: their announcements and what is
known of them become true together, so that neither a second scheduler nor one that died half-way announces anything
twice. The key of each announcement, made of the schedule and the original wall time, stands behind that.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from broker import intake
from broker.actor import Actor
from broker.diary.calendar import DayKind, TermCalendar
from broker.diary.recurrence import Occurrence
from broker.diary.schedule_times import look_at
from broker.diary.terms import calendar_now
from broker.errors import KeyConflict, RuleBroken
from broker.intake import Accepted
from broker.intake_many import Agreed, Wanted, accept_all
from broker.ports import Ports, Transaction
from broker.ports.calendar import OccurrenceRow, Outcome, ScheduleRow
from broker.record import Entry
from broker.rules.approval import SECOND_PERSON

MOST_AT_ONCE = 300  # schedules a transaction: a quarter of a second, and nobody waits long for it
LATE = timedelta(minutes=5)
WARN_AHEAD = timedelta(days=21)  # before the known terms end
CALENDAR_ENDS = "calendar_ends"
MISSED = "schedule_missed"
WAITS = "schedule_waits"
NAMED = 3  # dates in an alarm
_UNSAID = {Outcome.MISSED, Outcome.REFUSED, Outcome.UNCLEAR}


@dataclass(frozen=True, slots=True)
class _Turn:
    looked: int = 0
    dealt: int = 0
    accepted: Sequence[Accepted] = ()


@dataclass(frozen=True, slots=True)
class _Due:
    schedule: ScheduleRow
    occurrence: Occurrence


def make_due(ports: Ports, *, actor: Actor, stopping: Callable[[], bool] = lambda: False) -> int:
    """Announce what has fallen due, turn after turn until nothing is; how many occurrences were dealt with."""
    dealt = 0
    while not stopping():
        with ports.ledger.look() as tx:
            if not tx.schedules.any_due():
                break
        turn = ports.ledger.transact(lambda tx: _turn(ports, tx, actor))
        for accepted in turn.accepted:
            intake.tell(ports, accepted)
        dealt += turn.dealt
        if turn.looked < MOST_AT_ONCE:  # what is left is in another scheduler's hands
            break
    return dealt


def key_of(row: ScheduleRow, original: datetime) -> str:
    """What makes an occurrence announced once: the schedule, and the wall time that it has by its rule."""
    return f"schedule:{row.public_id}:{original.isoformat()}"


def _turn(ports: Ports, tx: Transaction, actor: Actor) -> _Turn:
    rows = tx.schedules.take_due(limit=MOST_AT_ONCE)
    if not rows:
        return _Turn()
    calendar, now = calendar_now(tx), tx.now
    looks = [look_at(row, calendar, now) for row in rows]
    due = _unknown(tx, [_Due(row, one) for row, look in zip(rows, looks, strict=True) for one in look.due])
    outcomes, accepted = _announced(ports, tx, due, actor)
    tx.schedules.done(outcomes)
    tx.schedules.looked(
        [
            replace(row, looked_until=look.until, next_at=look.next_at)
            for row, look in zip(rows, looks, strict=True)
        ]
    )
    _tell(tx, rows, outcomes, accepted, actor)
    _warn_of_the_end(tx, rows, calendar)
    return _Turn(len(rows), len(outcomes), [each for each in accepted if each is not None])


def _unknown(tx: Transaction, due: Sequence[_Due]) -> Sequence[_Due]:
    """Those of which it is not known yet what became: one moved by hand falls due twice."""
    if not due:
        return due
    schedules = sorted({each.schedule.id for each in due})
    known = tx.schedules.known(schedules, {each.occurrence.original for each in due})
    return [each for each in due if (each.schedule.id, each.occurrence.original) not in known]


def _announced(
    ports: Ports, tx: Transaction, due: Sequence[_Due], actor: Actor
) -> tuple[Sequence[OccurrenceRow], Sequence[Accepted | None]]:
    """What became of each, and its announcement where there is one."""
    now = tx.now
    unsaid = [_unsaid(each, now) for each in due]
    wanted = [_wanted(each, actor) for each, outcome in zip(due, unsaid, strict=True) if outcome is None]
    answers = iter(accept_all(ports, tx, wanted) if wanted else ())
    outcomes: list[OccurrenceRow] = []
    accepted: list[Accepted | None] = []
    for each, outcome in zip(due, unsaid, strict=True):
        answer = next(answers) if outcome is None else None
        accepted.append(answer if isinstance(answer, Accepted) else None)
        outcomes.append(outcome or _became(each, answer, now))
    return outcomes, accepted


def _unsaid(due: _Due, now: datetime) -> OccurrenceRow | None:
    """Why it is not announced, where it is not."""
    row, one = due.schedule, due.occurrence
    if one.at is None:
        why = "it fell into an hour that is missing or double, and nobody said what then"
        return OccurrenceRow(row.id, one.original, None, Outcome.UNCLEAR, now, why)
    if one.at + row.lasts <= now:
        why = "nothing ran when it was due, and it was over when something did"
        return OccurrenceRow(row.id, one.original, one.at, Outcome.MISSED, now, why)
    return None


def _wanted(due: _Due, actor: Actor) -> Wanted:
    """Its announcement. Only facts of it go in, so that whoever repeats it says the same."""
    row, one = due.schedule, due.occurrence
    assert one.at is not None  # noqa: S101 - else it is not announced
    draft = replace(
        row.draft,
        key=key_of(row, one.original),
        expires_at=one.at + row.lasts,
        settled_at=row.changed_at,  # whoever worded it had time for second thoughts since then
    )
    # On behalf of whoever worded it: the rules of approval are theirs.
    behalf = replace(actor, department=draft.department, on_behalf_of=row.made_by)
    if row.approved is None:
        return Wanted(draft, behalf)
    why = f"all that this schedule says was agreed to on {row.approved.at:%Y-%m-%d}"
    return Wanted(draft, behalf, Agreed(row.approved.by, why, row.approved.counted))


def _became(due: _Due, answer: Accepted | RuleBroken | None, now: datetime) -> OccurrenceRow:
    row, one = due.schedule, due.occurrence
    if isinstance(answer, Accepted):
        outcome = Outcome.LATE if one.at is not None and now - one.at > LATE else Outcome.MADE
        return OccurrenceRow(
            row.id, one.original, one.at, outcome, now, announcement=answer.announcement.public_id
        )
    if isinstance(answer, KeyConflict):  # announced already, and worded anew since
        return OccurrenceRow(row.id, one.original, one.at, Outcome.MADE, now)
    why = answer.problem.message if answer is not None else ""
    return OccurrenceRow(row.id, one.original, one.at, Outcome.REFUSED, now, why)


def _tell(
    tx: Transaction,
    rows: Sequence[ScheduleRow],
    outcomes: Sequence[OccurrenceRow],
    accepted: Sequence[Accepted | None],
    actor: Actor,
) -> None:
    """The record of each, and an alarm for each schedule of which something was not said, or waits for a person."""
    by_id = {row.id: row for row in rows}
    tx.record.add(
        [
            Entry(
                "schedule.occurred",
                actor,
                {
                    "schedule": str(by_id[each.schedule].public_id),
                    "original": each.original.isoformat(),
                    "outcome": each.outcome,
                },
            )
            for each in outcomes
        ]
    )
    unsaid: dict[int, list[OccurrenceRow]] = defaultdict(list)
    for each in outcomes:
        if each.outcome in _UNSAID:
            unsaid[each.schedule].append(each)
    for schedule, these in unsaid.items():
        days = ", ".join(f"{each.original:%Y-%m-%d %H:%M}" for each in these[:NAMED])
        more = f" and {len(these) - NAMED} more" if len(these) > NAMED else ""
        message = f"what was due at {days}{more} was not announced: {these[-1].why}"
        tx.sweeps.raise_alarm(MISSED, str(by_id[schedule].public_id), message)
    for outcome, made in zip(outcomes, accepted, strict=True):
        if made is not None and made.hold is not None and made.hold.code in SECOND_PERSON:
            row = by_id[outcome.schedule]
            message = (
                f"what the schedule {row.name} announces waits for a second person; for all its dates:"
                f" carillon schedule approve {row.name!r}"
            )
            tx.sweeps.raise_alarm(WAITS, str(row.public_id), message)


def _warn_of_the_end(tx: Transaction, rows: Sequence[ScheduleRow], calendar: TermCalendar) -> None:
    """Somebody must bring next year's terms before a rehearsal goes unannounced for want of them."""
    if all(DayKind.UNKNOWN in row.pattern.on for row in rows):
        return
    known_until = calendar.known_until
    if known_until is None or known_until < (tx.now + WARN_AHEAD).date():
        message = "the known terms end soon, and schedules wait for the next: carillon terms import FILE"
        tx.sweeps.raise_alarm(CALENDAR_ENDS, "terms", message)
    else:
        tx.sweeps.clear_alarm(CALENDAR_ENDS, "terms")

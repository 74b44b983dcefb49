"""What a source tells of events beside what is known of it: what is new, what has gone, and what has moved."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta

from broker.diary.calendar import DayKind, TermCalendar
from broker.diary.events import ALONE, EventProblem, ToldEvent, struck_words
from broker.diary.recurrence import HORIZON
from broker.diary.terms import calendar_now
from broker.errors import NotToBeChanged, Problem
from broker.ports import Ports, Transaction
from broker.ports.events import EventRow
from broker.privacy.known import MARK, known_again
from broker.privacy.strike import ERASED


@dataclass(frozen=True, slots=True)
class Compared:
    """What a source tells of the year ahead, `kept`, beside what is `known`; what of that has `gone`.

    `standing` counts what is known, to come and not cancelled; `left_out` what falls on days that are no days of term.
    """

    kept: Sequence[ToldEvent]
    known: Mapping[tuple[str, datetime], EventRow]
    gone: Sequence[EventRow]
    standing: int
    left_out: int


def compared(
    ports: Ports,
    tx: Transaction,
    source: str,
    told: Sequence[ToldEvent],
    *,
    department: str,
    problems: Sequence[EventProblem],
    in_term: bool,
) -> Compared:
    """Nothing is taken for gone while anything could not be read. Raises NotToBeChanged for another's source."""
    # One that is past may have been moved to next week: it is known all the same.
    rows = tx.events.of_source(source, begins=tx.now - HORIZON)
    if any(one.department != department for one in rows):
        message = "another department's calendar has this name"
        raise NotToBeChanged(Problem("source_taken", "source", message, "choose another: --source"))
    ahead, unread = _by_known_uids(
        ports, rows, [event for event in told if tx.now < event.starts_at < tx.now + HORIZON], problems
    )
    ahead = _as_struck(ports, tx, rows, ahead)
    known = {(one.uid, one.original): one for one in rows}
    standing = {k: one for k, one in known.items() if one.starts_at >= tx.now and one.cancelled_at is None}
    kept = _in_term(ahead, known, calendar_now(tx)) if in_term else ahead
    left_out = len(ahead) - len(kept)
    here = {(one.uid, one.original) for one in kept}
    gone = {key: one for key, one in standing.items() if key not in here}
    if problems:
        gone = {}  # what is not there may be what could not be read
        # An override that could not be read springs back to its series' own time.
        unsure = unread & {uid for uid, _ in known}
        kept = [one for one in kept if one.uid not in unsure]
    strangers = [one for one in kept if (one.uid, one.original) not in known]
    for event, old in _moved_whole(strangers, gone.values()):
        known[event.uid, event.original] = gone.pop((old.uid, old.original))
    return Compared(kept, known, list(gone.values()), len(standing), left_out)


def _by_known_uids(
    ports: Ports, rows: Iterable[EventRow], told: Sequence[ToldEvent], problems: Iterable[EventProblem]
) -> tuple[Sequence[ToldEvent], frozenset[str]]:
    """What is told, and the uids of what could not be read, by the digests where somebody was struck out of a uid."""
    digests = {one.uid for one in rows if one.uid.startswith(MARK)}

    def uid(one: ToldEvent | EventProblem) -> str:
        return known_again(ports.signer, "event", one.uid, digests)

    return [replace(one, uid=uid(one)) for one in told] if digests else told, frozenset(map(uid, problems))


def _as_struck(
    ports: Ports, tx: Transaction, rows: Sequence[EventRow], told: Sequence[ToldEvent]
) -> Sequence[ToldEvent]:
    """What is told, in the words that stand here where somebody was struck out of those that come again.

    Of a date that was not known before the words are those of another date of its series.
    """
    changed = [one for one in rows if ERASED in one.title or ERASED in one.place]
    if not changed:
        return told
    hashes = {said: struck_words(ports.signer, said) for one in told for said in (one.title, one.place)}
    struck = tx.events.struck(hashes.values())
    own = {(one.uid, one.original): one for one in changed}
    series = {one.uid: one for one in changed}

    def instead(one: ToldEvent) -> ToldEvent:
        row = own.get((one.uid, one.original)) or series.get(one.uid)
        title, place = (row.title, row.place) if row is not None else (ERASED, ERASED)
        return replace(
            one,
            title=title if hashes[one.title] in struck else one.title,
            place=place if hashes[one.place] in struck else one.place,
        )

    return [instead(one) for one in told] if struck else told


def _moved_whole(
    strangers: Iterable[ToldEvent], gone: Iterable[EventRow]
) -> Iterator[tuple[ToldEvent, EventRow]]:
    """A series whose start is moved has other originals: what is new and what is gone of a day are one and the same.

    So are, where the series is moved to another weekday, what is new and what is gone of a week.
    """
    left, rest = list(gone), list(strangers)
    for span in (_own_day, _own_week):
        together: dict[tuple[str, date], list[EventRow]] = {}
        for row in left:
            together.setdefault((row.uid, span(row)), []).append(row)
        pairs = [(event, same.pop(0)) for event in rest if (same := together.get((event.uid, span(event))))]
        yield from pairs
        found = {(event.uid, event.original) for event, _ in pairs}
        rest = [event for event in rest if (event.uid, event.original) not in found]
        left = [row for rows in together.values() for row in rows]


def _own_day(one: ToldEvent | EventRow) -> date:
    return (one.wall if one.original == ALONE else one.original).date()


def _own_week(one: ToldEvent | EventRow) -> date:
    day = _own_day(one)
    return day - timedelta(days=day.weekday())


def _in_term(
    ahead: Sequence[ToldEvent], known: Mapping[tuple[str, datetime], EventRow], calendar: TermCalendar
) -> Sequence[ToldEvent]:
    """What falls on a day of term. What is known stays known while nobody can say what kind of day it falls on."""
    standing = {key for key, row in known.items() if row.cancelled_at is None}

    def stays(one: ToldEvent) -> bool:
        kind = calendar.day(one.wall.date()).kind
        return kind is DayKind.TERM or (kind is DayKind.UNKNOWN and (one.uid, one.original) in standing)

    return [one for one in ahead if stays(one)]

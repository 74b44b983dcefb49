"""Timetable pushes: what is new within the horizon becomes one announcement, and nothing is told twice.

One transaction does all of it, so that what was told and who is to be told never part. A source is read as often as
anybody likes: whatever stands there as it was told last makes no announcement.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime, time, timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

from broker import intake, judging
from broker.actor import Actor, ActorKind
from broker.announcement import Announcement, Draft, Part, People, Step
from broker.audience import fold
from broker.authority import notices, operators
from broker.diary.calendar import DayKind, TermCalendar
from broker.diary.terms import calendar_now
from broker.diary.timetable import (
    USUAL,
    WIPED,
    TimetableChange,
    after_all,
    again_line,
    difference,
    horizon,
    keyed,
    line,
    too_many,
)
from broker.errors import NotFound, Problem, RuleBroken
from broker.naming import CHANGES
from broker.office import templates
from broker.ports import Ports, Transaction
from broker.ports.approvals import OperatorRole
from broker.ports.timetables import Line, SourceRow, ToldLine
from broker.record import Entry
from broker.rules.adults import NOTICES

HELD, SILENT, FAILED, STRANGE = (
    "timetable_held", "timetable_silent", "timetable_failed", "timetable_classes",
)  # fmt: skip
LET_GO_FOR = timedelta(hours=1)
LONGEST_AUDIENCE = 450  # characters: what does not fit is told by the next push
MOST_NAMED = 5  # classes in an alarm


@dataclass(frozen=True, slots=True)
class TimetableSource:
    """Where changes come from, and how the school wants them told. `template` is approved by the rule adults.notices.

    `days`: so many school days ahead are told of. `day_ends`: from then on today's are too late. `most`: so many at
    once are never too many. `classes`: what it calls a class → our group.
    """

    name: str
    department: str
    template: str
    ways: tuple[str, ...] = ("sms", "email")
    people: People = People.GUARDIANS
    days: int = 1
    day_ends: time = time(15)
    most: int = 60
    classes: Mapping[str, str] = field(default_factory=dict)
    silent_after: timedelta | None = timedelta(hours=24)


@dataclass(frozen=True, slots=True)
class Pushed:
    """What a push came to: rows read, changes since last time, those of them to be told, announcements made.

    `unknown`: classes that are no group of ours. `announcement` is the one that was made.
    """

    rows: int
    changes: int
    within_horizon: int
    notices: int
    held: bool
    why: str = ""
    unknown: tuple[str, ...] = ()
    announcement: UUID | None = None
    waits: str = ""  # why the rules keep the announcement waiting


@dataclass(frozen=True, slots=True)
class Read:
    """What a source holds, and in how many rows."""

    changes: Sequence[TimetableChange]
    rows: int


def push(
    ports: Ports,
    source: TimetableSource,
    changes: Iterable[TimetableChange],
    rows: int,
    *,
    actor: Actor,
    seen_at: datetime | None = None,
) -> Pushed:
    """Tell what is new; `seen_at`: when the source wrote it, else now.

    Raises RuleBroken, with nothing kept, where it cannot be announced.
    """
    read = Read(list(changes), rows)

    def work(tx: Transaction) -> tuple[Pushed, intake.Accepted | None]:
        operators.must(tx, actor, OperatorRole.AUTHOR, source.department)
        row = tx.timetables.source(source.name)
        row = replace(row, read_at=min(seen_at or tx.now, tx.now))
        return _push(ports, tx, source, row, read, actor)

    try:
        pushed, made = ports.ledger.transact(work)
    except judging.RefusedByRule as refused:
        told = judging.refusal_told(refused, source.department, "", actor)
        ports.ledger.transact(lambda tx: tx.record.add([told]))
        raise
    if made is None:
        return pushed
    intake.tell(ports, made)
    waits = made.hold.why if made.hold is not None else ""
    return replace(pushed, notices=1, announcement=made.announcement.public_id, waits=waits)


def release(ports: Ports, name: str, *, actor: Actor) -> SourceRow:
    """Let what is held go with the next push, within an hour and if it is not more by then. Raises NotFound."""

    def work(tx: Transaction) -> SourceRow:
        held = next((row for row in tx.timetables.sources() if row.name == name), None)
        if held is None or held.held_at is None:
            raise NotFound(
                Problem("not_held", "source", "nothing of this source is held", "carillon timetable status")
            )
        operators.must(tx, actor, OperatorRole.AUTHOR)
        row = replace(tx.timetables.source(name), released_at=tx.now, released_count=held.held_count)
        tx.timetables.keep_source(row)
        tx.record.add([Entry("timetable.released", actor, {"source": name, "changes": held.held_count})])
        return row

    return ports.ledger.transact(work)


def watch(ports: Ports, sources: Sequence[TimetableSource], *, began: datetime) -> int:
    """Raise an alarm for each source that has been silent; how many are. `began`: when we began to watch them."""

    def work(tx: Transaction) -> int:
        read = {row.name: row.read_at for row in tx.timetables.sources()}
        calendar, zone = calendar_now(tx), ZoneInfo(tx.school.zone)
        silent = 0
        for source in sources:
            last = read.get(source.name) or began
            if (
                source.silent_after is not None
                and _silence(last, tx.now, calendar, zone) > source.silent_after
            ):
                silent += 1
                why = f"the timetable {source.name} has told nothing new since {last.astimezone(zone):%d %B %H:%M}"
                tx.sweeps.raise_alarm(SILENT, source.name, why)
            else:
                tx.sweeps.clear_alarm(SILENT, source.name)
        return silent

    return ports.ledger.transact(work)


def is_approved(tx: Transaction, source: TimetableSource) -> bool:
    """Whether the school lets a machine speak by this template as it is worded now."""
    found = tx.templates.newest(source.department, fold(source.template), "")
    return found is not None and not found.retired and notices.is_approved(tx.rules.current(), found)


def failed(ports: Ports, name: str, problem: Problem | None) -> None:
    """A source could not be read or told: an alarm, until it can (`problem` None)."""

    def work(tx: Transaction) -> None:
        if problem is None:
            tx.sweeps.clear_alarm(FAILED, name)
        else:
            where = f" ({problem.field})" if problem.field else ""
            tx.sweeps.raise_alarm(FAILED, name, f"timetable {name}: {problem.message}{where}")

    ports.ledger.transact(work)


def _push(
    ports: Ports,
    tx: Transaction,
    source: TimetableSource,
    row: SourceRow,
    read: Read,
    actor: Actor,
) -> tuple[Pushed, intake.Accepted | None]:
    today = tx.now.astimezone(ZoneInfo(tx.school.zone)).date()
    known = tx.timetables.known(source.name, today)
    ahead, rows = _Ahead.of(tx, source, keyed(read.changes, known)), read.rows
    found = difference(known, ahead.there)
    told = _told(tx, source.name, ahead)
    news = ahead.news(told)
    count = len({each.key for each in news})
    if why := _too_much(row, source, news, told, ahead, tx.now):
        _hold(tx, row, count, why)
        return Pushed(rows, len(found), count, 0, held=True, why=why, unknown=ahead.unknown), None
    if replaced := ahead.replaced(told):
        _take_the_place_of(tx, replaced, actor)
        news = ahead.news(tx.timetables.told(source.name, ahead.first))
    recent = (*row.recent, count)[-USUAL:] if count else row.recent
    tx.timetables.keep(source.name, found, ahead.there, ahead.today)
    tx.timetables.keep_source(SourceRow(source.name, row.read_at, recent))
    tx.sweeps.clear_alarm(HELD, source.name)
    _tell_unknown(tx, source.name, ahead.unknown)
    pushed = Pushed(rows, len(found), count, 0, held=False, unknown=ahead.unknown)
    return pushed, _announce(ports, tx, source, news, ahead, actor) if news else None


@dataclass(frozen=True, slots=True)
class _Ahead:
    """What stands in a source from today on, and what of it is told now: from `first` to `last`."""

    today: date
    first: date
    last: date
    zone: ZoneInfo
    there: Mapping[str, TimetableChange]
    groups: Mapping[str, tuple[int, str]]  # by the folded name that the source gives a class
    unknown: tuple[str, ...]

    @classmethod
    def of(cls, tx: Transaction, source: TimetableSource, there: Mapping[str, TimetableChange]) -> _Ahead:
        zone = ZoneInfo(tx.school.zone)
        local, calendar = tx.now.astimezone(zone), calendar_now(tx)
        today = local.date()
        first = today + timedelta(days=1 if local.time() >= source.day_ends else 0)
        last = horizon(today, lambda day: _is_school_day(calendar, day), source.days)
        ahead = {key: change for key, change in there.items() if change.day >= today}
        named = {name for change in ahead.values() if first <= change.day <= last for name in change.classes}
        ours = {fold(theirs): fold(group) for theirs, group in source.classes.items()}
        wanted = {fold(name): ours.get(fold(name), fold(name)) for name in named}
        known = tx.timetables.classes(set(wanted.values()))
        groups = {theirs: known[group] for theirs, group in wanted.items() if group in known}
        unknown = tuple(sorted(name for name in named if fold(name) not in groups))
        return cls(today, first, last, zone, ahead, groups, unknown)

    def news(self, told: Sequence[ToldLine]) -> Sequence[Line]:
        """Each class's lines about whatever is not as it was told last, in the order of the days and periods."""
        last = {(each.line.key, each.line.group): each for each in told}
        found: dict[tuple[str, int], tuple[tuple[date, str, str], Line]] = {}
        for key, change in self.there.items():
            for group, name in self._of(change):
                before = last.get((key, group))
                if before is not None and before.line.digest == change.digest:
                    continue
                again = before is not None and before.left and before.line.digest != ""
                words = again_line(change, name) if again else line(change, name)
                order = change.day, change.period.rjust(8), words
                found[key, group] = order, Line(group, key, change.digest, change.day, words)
        for (key, group), before in last.items():
            if key not in self.there and before.line.digest and before.left:
                words, day = after_all(before.line.words), before.line.day
                found[key, group] = (day, "", words), Line(group, key, "", day, words)
        return [each for _, each in sorted(found.values(), key=lambda one: one[0])]

    def replaced(self, told: Sequence[ToldLine]) -> frozenset[int]:
        """Announcements that wait still and have something in them which is not so any more."""
        return frozenset(
            each.announcement
            for each in told
            if each.waiting
            and each.line.digest
            and (each.line.key not in self.there or self.there[each.line.key].digest != each.line.digest)
        )

    def _of(self, change: TimetableChange) -> Iterable[tuple[int, str]]:
        if not self.first <= change.day <= self.last:
            return ()
        return {self.groups[fold(name)]: None for name in change.classes if fold(name) in self.groups}


def _told(tx: Transaction, source: str, ahead: _Ahead) -> Sequence[ToldLine]:
    """What was told; announcements that wait are locked first, so that none is planned meanwhile."""
    told = tx.timetables.told(source, ahead.first)
    waiting = {each.announcement for each in told if each.waiting}
    for announcement in sorted(waiting):
        _locked(tx, announcement)
    return tx.timetables.told(source, ahead.first) if waiting else told


def _take_the_place_of(tx: Transaction, replaced: Iterable[int], actor: Actor) -> None:
    """Take announcements back that nobody has seen: what still holds of them is told with what is new."""
    for number in sorted(replaced):
        intake.forbid(tx, _locked(tx, number), actor=actor)
        tx.timetables.replace(number)


def _locked(tx: Transaction, number: int) -> Announcement:
    found = tx.announcements.by_id(number)
    return tx.announcements.by_public_id(found.public_id, lock=True) or found


def _too_much(
    row: SourceRow,
    source: TimetableSource,
    news: Sequence[Line],
    told: Sequence[ToldLine],
    ahead: _Ahead,
    now: datetime,
) -> str:
    """Why a person should look first; "" where nobody need."""
    count = len({each.key for each in news})
    if row.released_at is not None and now - row.released_at < LET_GO_FOR and count <= row.released_count:
        return ""
    gone = {each.key for each in news if not each.digest}
    standing = {each.line.key for each in told if each.line.digest} - gone
    if len(gone) > WIPED and not standing:
        return f"everything that was told, {len(gone)} changes, would be taken back at once"
    if too_many(count, row.recent, floor=source.most):
        return f"{count} changes at once are far more than usual"
    return ""


def _hold(tx: Transaction, row: SourceRow, count: int, why: str) -> None:
    held = replace(row, held_at=row.held_at or tx.now, held_count=count, held_why=why)
    tx.timetables.keep_source(held)
    told = f"timetable {row.name}: {why}; look, then: carillon timetable release {row.name}"
    tx.sweeps.raise_alarm(HELD, row.name, told)


def _tell_unknown(tx: Transaction, source: str, unknown: Sequence[str]) -> None:
    if not unknown:
        tx.sweeps.clear_alarm(STRANGE, source)
        return
    some = ", ".join(unknown[:MOST_NAMED]) + (", …" if len(unknown) > MOST_NAMED else "")
    why = f"timetable {source}: no group is called {some}; nobody there is told of changes"
    tx.sweeps.raise_alarm(STRANGE, source, why)


def _announce(
    ports: Ports, tx: Transaction, source: TimetableSource, news: Sequence[Line], ahead: _Ahead, actor: Actor
) -> intake.Accepted:
    audience, lines = _audience(news, tx.timetables.names({each.group for each in news}))
    last = max(each.day for each in lines)
    draft = Draft(
        department=source.department,
        audience=audience,
        people=source.people,
        ways=(Step(source.ways),),
        parts=_wording(tx, source),
        key=f"timetable {source.name} {tx.now.isoformat()}",
        expires_at=datetime.combine(last, source.day_ends, ahead.zone),
        template=source.template,
    )
    machine = Actor(ActorKind.TOKEN, f"timetable {source.name}", on_behalf_of=actor.id)
    made = intake.accept_within(ports, tx, draft, actor=machine)
    tx.timetables.add(made.announcement.id, source.name, lines)
    facts = {"source": source.name, "lines": len(lines), "changes": len({each.key for each in lines})}
    tx.record.add([Entry("timetable.told", actor, facts, made.announcement.id)])
    return made


def _audience(news: Sequence[Line], names: Mapping[int, str]) -> tuple[str, Sequence[Line]]:
    """The groups that fit into one expression, the first days first; what is left over the next push tells."""
    chosen: dict[int, str] = {}
    for each in news:
        quoted = f'"{names[each.group]}"'
        if each.group in chosen or len(" + ".join([*chosen.values(), quoted])) <= LONGEST_AUDIENCE:
            chosen[each.group] = quoted
    return " + ".join(chosen.values()), [each for each in news if each.group in chosen]


def _wording(tx: Transaction, source: TimetableSource) -> Mapping[Part, str]:
    """The newest version of the template, which the school has approved and which says where the changes belong."""
    said = f"{source.department}/{source.template}"
    template = templates.the(tx, source.department, source.template)
    rules = tx.rules.current()
    if not notices.is_approved(rules, template):
        hint = f'look at its words, then: carillon rules set {NOTICES} "{said}"'
        changed = notices.was_approved(rules, source.department, source.template)
        how = "was worded anew since it was approved" if changed else "is not approved"
        raise _bad("template_not_approved", "template", f"the template {said} {how} for notices", hint)
    parts = templates.filled(template, {})
    spoken = [text for part, text in parts.items() if part in {Part.SHORT, Part.LONG}]
    if not all(CHANGES in text for text in spoken):
        hint = f"save it anew with {CHANGES} where the changes belong, in the short text too if it has one"
        raise _bad("template_without_changes", "template", f"the template {said} has no {CHANGES}", hint)
    return parts


def _is_school_day(calendar: TermCalendar, day: date) -> bool:
    """A weekday in term; where nobody has told the terms, any weekday that is no bank holiday."""
    return day.weekday() < 5 and calendar.day(day).kind in {DayKind.TERM, DayKind.UNKNOWN}


def _silence(last: datetime, now: datetime, calendar: TermCalendar, zone: ZoneInfo) -> timedelta:
    """For how long nothing was heard, without the days on which there is no school."""
    begun, day, silent = last.astimezone(zone), now.astimezone(zone).date(), now - last
    if not _is_school_day(calendar, day):
        return timedelta(0)
    quiet = (begun.date() + timedelta(days=n) for n in range(1, (day - begun.date()).days))
    return silent - timedelta(days=sum(not _is_school_day(calendar, each) for each in quiet))


def _bad(code: str, field: str, message: str, hint: str) -> RuleBroken:
    return RuleBroken(Problem(code, field, message, hint))

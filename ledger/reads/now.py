"""What somebody sees first: how the house stands, and which announcements to look at. Three statements."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Integer,
    Select,
    String,
    Text,
    and_,
    case,
    cast,
    func,
    literal,
    literal_column,
    null,
    select,
    text,
    union_all,
)

from broker.delivery import State
from broker.gateways import Stand
from broker.rules.approval import SECOND_PERSON
from broker.values import Lane
from ledger import tables as t
from ledger.hand import Hand
from ledger.reads.health import Alarm, GatewayStands

COUNTED = 10_000  # of what waits; more is called more, for a page must not count a million to say so
LATELY = timedelta(seconds=10)  # how fast an account goes just now
LOOKED_BACK = 2_000  # attempts that are looked at for it
SEALABLE = 1_000
RECENT = timedelta(days=7)  # a failure of before that was looked at, or never will be
FEW = 5
LIVE = 12
NEWEST = 20
WRONG = 12
DOUBTFUL = 5_000  # deliveries nobody knows of, looked at in one go


@dataclass(frozen=True, slots=True)
class WayOut:
    """One account: what waits for it, how fast it goes, and how fast it may. `due` counts up to COUNTED and one."""

    account: str
    channel: str
    department: str | None  # whose it is; None: the school's
    per_second: float | None  # None: as fast as it can
    paused_why: str | None  # None: it is not paused
    due: int
    oldest_due: datetime | None
    sending: int
    lately: float  # messages a second


@dataclass(frozen=True, slots=True)
class House:
    """How the house stands at one moment."""

    at: datetime
    zone: str
    ways: Sequence[WayOut]
    gateways: Sequence[GatewayStands]  # those that are not used in their turn
    alarms: Sequence[Alarm]
    worker_seen: datetime | None
    unsealed: int  # entries of the record, up to SEALABLE
    unsealed_since: datetime | None
    answers: Mapping[str, int]  # inbox → how many wait


@dataclass(frozen=True, slots=True)
class Chosen:
    """Which announcements to show, by their ids inside the ledger; the newest first, those that wait by their time."""

    live: Sequence[int]
    wrong: Sequence[int]
    uncertain: Mapping[int, int]  # with how many deliveries of which nobody knows
    waits: Sequence[int]
    newest: Sequence[int]
    waiting: int  # how many wait in all

    @property
    def all(self) -> frozenset[int]:
        """Every one of them."""
        return frozenset({*self.live, *self.wrong, *self.uncertain, *self.waits, *self.newest})


def house(hand: Hand) -> House:
    """Two statements."""
    # The time comes along, so that nobody needs to ask for it.
    now = text(f"{hand.dialect.now} AS now").bindparams(**hand.dialect.parameters(hand.connection))
    asked = (each().add_columns(now) for each in (_scalars, _alarms, _gateways, _answers))
    rows = hand.connection.execute(union_all(*asked)).all()
    (row,) = [row for row in rows if row.what == "house"]
    hand.dialect.saw_now(hand.connection, row.now)
    return House(
        at=hand.now,
        zone=row.one,
        ways=_ways(hand),
        gateways=[
            GatewayStands(one.one, one.two, list(Stand)[one.n], one.since, one.until, one.three, one.four)
            for one in rows
            if one.what == "gateway"
        ],
        alarms=sorted(
            (Alarm(one.one, one.two, one.three, one.since) for one in rows if one.what == "alarm"),
            key=lambda alarm: alarm.raised_at,
        ),
        worker_seen=row.since,
        unsealed=row.n,
        unsealed_since=row.until,
        answers={one.one: one.n for one in rows if one.what == "answers"},
    )


def chosen(hand: Hand, department: str | None = None) -> Chosen:
    """One statement, whatever was ever announced."""
    kinds = (_live, _wrong, _uncertain, _waits, _newest)
    parts = [select(each(hand, department).subquery(each.__name__)) for each in kinds]
    found: dict[str, list[tuple[int, int]]] = {each.__name__: [] for each in kinds}
    for row in hand.connection.execute(union_all(*parts)):
        found[row.kind].append((row.id, row.n))
    waits = found["_waits"]
    return Chosen(
        live=_newest_first(found["_live"]),
        wrong=_newest_first(found["_wrong"]),
        uncertain=dict(sorted(found["_uncertain"], reverse=True)),
        waits=[id_ for id_, _ in waits],
        newest=_newest_first(found["_newest"]),
        waiting=waits[0][1] if waits else 0,
    )


def _newest_first(found: Sequence[tuple[int, int]]) -> Sequence[int]:
    return sorted((id_ for id_, _ in found), reverse=True)


# Few rows of several tables at once, each of them what, one, two, three, four, since, until and n.
_NONE, _NEVER = cast("", Text), cast(null(), t.Moment)


def _scalars() -> Select[Any]:
    sealed = select(func.coalesce(func.max(t.record_seal.c.next_mark), 0)).scalar_subquery()
    entry = t.record_entry.c
    open_ = select(entry.at).where(entry.mark >= sealed).order_by(entry.mark).limit(SEALABLE).subquery()
    columns: tuple[ColumnElement[Any], ...] = (
        literal("house").label("what"),
        t.school.c.zone.label("one"),
        _NONE.label("two"),
        _NONE.label("three"),
        _NONE.label("four"),
        select(func.max(t.worker.c.seen_at)).scalar_subquery().label("since"),
        select(func.min(open_.c.at)).scalar_subquery().label("until"),
        select(func.count()).select_from(open_).scalar_subquery().label("n"),
    )
    return select(*columns)


def _alarms() -> Select[Any]:
    a = t.alarm.c
    columns = (cast(a.kind, Text), a.subject, a.message, _NONE, a.raised_at, _NEVER, literal(0))
    return select(literal("alarm"), *columns).where(a.cleared_at.is_(None))


def _gateways() -> Select[Any]:
    g, account = t.gateway.c, t.account.c
    columns = (cast(account.name, Text), cast(g.name, Text), g.why, g.held_by, g.since, g.until, _stand())
    return (
        select(literal("gateway"), *columns)
        .join(t.account, account.id == g.account_id)
        .where(account.active, g.stand != Stand.CLOSED.value)
    )


def _answers() -> Select[Any]:
    w = t.answer.c
    columns: tuple[ColumnElement[Any], ...] = (
        cast(w.inbox, Text),
        _NONE,
        _NONE,
        _NONE,
        _NEVER,
        _NEVER,
        func.count(),
    )
    return select(literal("answers"), *columns).where(w.done_at.is_(None), ~w.automatic).group_by(w.inbox)


def _stand() -> ColumnElement[int]:
    places = {stand.value: place for place, stand in enumerate(Stand)}
    return case(places, value=t.gateway.c.stand, else_=0)


def _ways(hand: Hand) -> Sequence[WayOut]:
    a, d, now = t.account.c, t.delivery.c, hand.now
    lanes = d.lane.in_([lane.value for lane in Lane])
    due = (d.account_id == a.id, lanes, d.due_at <= now, _is(State.QUEUED))
    counted = select(literal(1)).where(*due).correlate(t.account).limit(COUNTED + 1).subquery("counted")
    oldest = [
        select(func.min(d.due_at))
        .where(*due[::2], _is(State.QUEUED), d.lane == lane.value)
        .correlate(t.account)
        for lane in Lane
    ]
    n = t.attempt.c
    last = select(n.account_id, n.started_at).order_by(n.id.desc()).limit(LOOKED_BACK).subquery("last")
    lately = (
        select(last.c.account_id, func.count().label("n"), func.min(last.c.started_at).label("since"))
        .where(last.c.started_at > now - LATELY)
        .group_by(last.c.account_id)
        .subquery("lately")
    )
    query = (
        select(
            t.account,
            t.department.c.slug,
            select(func.count()).select_from(counted).scalar_subquery().label("due"),
            *(each.scalar_subquery().label(f"oldest_{place}") for place, each in enumerate(oldest)),
            _sending().label("sending"),
            lately.c.n.label("lately"),
            lately.c.since,
        )
        .outerjoin(t.department, t.department.c.id == a.department_id)
        .outerjoin(lately, lately.c.account_id == a.id)
        .order_by(a.name)
    )
    found = [_way(row, now) for row in hand.connection.execute(query).all()]
    return [way for way in found if way is not None]


def _sending() -> ColumnElement[int]:
    d = t.delivery.c
    busy = select(func.count()).where(_is(State.SENDING), d.account_id == t.account.c.id)
    return busy.correlate(t.account).scalar_subquery()


def _is(state: State) -> ColumnElement[bool]:
    """As it stands in the partial indexes, which are not found by a value that is bound."""
    return t.delivery.c.state == literal_column(f"'{state.value}'")


def _way(row: Any, now: datetime) -> WayOut | None:
    if not (row.active or row.due or row.sending):
        return None
    oldest = [since for since in (row.oldest_0, row.oldest_1) if since is not None]
    # What was looked at may reach less far back than it would; then that is the time that it took.
    seconds = LATELY.total_seconds()
    if row.lately and row.lately == LOOKED_BACK:
        seconds = max(1.0, (now - row.since).total_seconds())
    return WayOut(
        row.name,
        row.channel,
        row.slug,
        row.per_second,
        row.paused_why if row.paused_at else None,
        row.due,
        min(oldest, default=None),
        row.sending,
        (row.lately or 0) / seconds,
    )


def _of(department: str | None) -> Sequence[ColumnElement[bool]]:
    if department is None:
        return ()
    its = select(t.department.c.id).where(t.department.c.slug == department).scalar_subquery()
    # An expression on purpose: by the index on the department all that it ever announced would be gone through.
    return (func.coalesce(t.announcement.c.department_id, 0) == its,)


def _kind(name: str) -> ColumnElement[str]:
    return cast(literal(name), String).label("kind")


def moved(states: Sequence[State], *, indexed: bool = True) -> Select[Any]:
    """SELECT id of announcements with something in these states: by the counters, folded and not.

    `indexed`: there is a partial index of exactly these states, which a statement must name as it does.
    """
    y, z = t.tally.c, t.tally_delta.c
    words = ", ".join(f"'{state.value}'" for state in states)
    exactly = text(f"tally.state IN ({words}) AND tally.n > 0")
    among = [state.value for state in states]
    kept = select(y.announcement_id, y.n).where(*((exactly,) if indexed else (y.state.in_(among), y.n > 0)))
    new = select(z.announcement_id, z.n).where(z.state.in_(among))
    both = kept.union_all(new).subquery("both")
    return select(both.c.announcement_id).group_by(both.c.announcement_id).having(func.sum(both.c.n) > 0)


def _live(hand: Hand, department: str | None) -> Select[Any]:
    """What is going out: something of it waits or is being sent."""
    said = t.announcement.c
    moving = said.id.in_(moved((State.QUEUED, State.SENDING)))
    query = select(_kind("_live"), said.id, literal(0).label("n"))
    return query.where(moving, *_not_notes(), *_of(department)).order_by(said.id.desc()).limit(LIVE)


def _wrong(hand: Hand, department: str | None) -> Select[Any]:
    """Of the last days, where something was rejected or given up."""
    said = t.announcement.c
    failed = said.id.in_(moved((State.EXHAUSTED, State.REJECTED)))
    recent = (said.due_at > hand.now - RECENT, said.withdrawn_at.is_(None))
    query = select(_kind("_wrong"), said.id, literal(0).label("n"))
    return query.where(failed, *recent, *_of(department)).order_by(said.id.desc()).limit(WRONG)


def _uncertain(hand: Hand, department: str | None) -> Select[Any]:
    """Where nobody knows whether it left, nobody will find out by asking, and nobody has settled it."""
    d, said = t.delivery.c, t.announcement.c
    doubtful = (
        select(d.announcement_id)
        .where(_is(State.UNCERTAIN), d.lookup_at.is_(None), d.settled_at.is_(None))
        .limit(DOUBTFUL)
        .subquery("doubtful")
    )
    query = (
        select(_kind("_uncertain"), said.id, func.count().label("n"))
        .join(doubtful, doubtful.c.announcement_id == said.id)
        .where(*_of(department))
    )
    return query.group_by(said.id).order_by(said.id.desc()).limit(WRONG)


def _waits(hand: Hand, department: str | None) -> Select[Any]:
    """What waits for a second person's yes, what should have gone first before the rest; and how many do in all."""
    said = t.announcement.c
    waits = and_(
        said.fanned_out_at.is_(None),
        said.hold_code.in_(sorted(SECOND_PERSON)),
        said.withdrawn_at.is_(None),
        said.expires_at > hand.now,
        *_of(department),
    )
    in_all = cast(func.count().over(), Integer).label("n")
    return select(_kind("_waits"), said.id, in_all).where(waits).order_by(said.due_at, said.id).limit(FEW)


def _newest(hand: Hand, department: str | None) -> Select[Any]:
    said = t.announcement.c
    query = select(_kind("_newest"), said.id, literal(0).label("n")).where(*_not_notes())
    if department is not None:
        its = select(t.department.c.id).where(t.department.c.slug == department).scalar_subquery()
        query = query.where(said.department_id == its)
    return query.order_by(said.id.desc()).limit(NEWEST)


def _not_notes() -> Sequence[ColumnElement[bool]]:
    """What the house itself says to one address is in the record, and no announcement to look at."""
    notes = select(t.note.c.announcement_id).where(t.note.c.announcement_id == t.announcement.c.id)
    return (~notes.exists(),)

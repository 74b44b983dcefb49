"""What the watching page asks: cheap questions, for they are asked every half second while somebody watches."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from sqlalchemy import Select, and_, func, or_, select

from broker.announcement import Announcement, Content, Part, Stage, stage
from broker.delivery import FAILED, State
from broker.naming import heading
from broker.rules.approval import SECOND_PERSON
from ledger import tables as t
from ledger.announcements import announcement_of
from ledger.authority.approvals import waiting_in_mid_send
from ledger.hand import Hand
from ledger.reads.status import standing_of

PAGE = 20
MOST_WORDING = 4000  # characters of a wording that a page shows
BEGINNING = 200  # of one of which a list shows the title
REASONS = 20


@dataclass(frozen=True, slots=True)
class Shown:
    """One announcement as the list shows it."""

    announcement: Announcement
    department: str  # its name
    title: str
    stage: Stage
    channels: Mapping[str, Mapping[State, int]]
    settled: bool
    contents: Sequence[Content] = field(default=(), repr=False)  # a Content per language, cut


@dataclass(frozen=True, slots=True)
class Reason:
    """Why deliveries of one channel failed: so many with the same state, code and sentence."""

    channel: str
    state: State
    code: str
    why: str
    count: int


def signature(hand: Hand) -> tuple[Any, ...]:
    """Changes whenever something was done that a page would show, but for what only time does. Four index look-ups."""
    alarms = t.alarm.c
    row = hand.connection.execute(
        select(
            select(func.max(t.record_entry.c.id)).scalar_subquery(),
            select(func.max(t.tally_delta.c.id)).scalar_subquery(),
            select(func.max(alarms.id)).scalar_subquery(),
            select(func.count()).where(alarms.cleared_at.is_(None)).scalar_subquery(),
        )
    ).one()
    return tuple(row)


def zone(hand: Hand) -> str:
    """The school's time zone, on whose wall clocks a page tells every time."""
    return str(hand.connection.execute(select(t.school.c.zone)).scalar_one())


def shown(
    hand: Hand, *, before: UUID | None = None, department: str | None = None, limit: int = PAGE
) -> Sequence[Shown]:
    """The newest announcements, or the next ones older than `before`; of one department, where one is named."""
    # What the house itself says to one address is in its deliveries and in the record, and no announcement to look at.
    notes = select(t.note.c.announcement_id).where(t.note.c.announcement_id == t.announcement.c.id)
    query = _announcements().where(~notes.exists()).order_by(t.announcement.c.id.desc()).limit(limit)
    if department is not None:
        query = query.where(t.department.c.slug == department)
    if before is not None:
        cursor = select(t.announcement.c.id).where(t.announcement.c.public_id == before)
        if department is not None:  # another's id is nobody's here, too
            its = select(t.department.c.id).where(t.department.c.slug == department)
            cursor = cursor.where(t.announcement.c.department_id == its.scalar_subquery())
        query = query.where(t.announcement.c.id < cursor.scalar_subquery())
    return _shown(hand, query)


def awaiting(
    hand: Hand,
    *,
    after: UUID | None = None,
    department: str | None = None,
    limit: int = PAGE,
    in_mid_send: bool = False,
) -> Sequence[Shown]:
    """What waits for a second person's yes, what should have gone first before the rest; or the next after one of it.

    Found by the index of what is not planned yet, however old it is and whatever came since. `in_mid_send`: also what
    was stopped on its way. That is looked for among all verdicts, so for a page that is asked for, not one left open.
    """
    said = t.announcement.c
    waits = and_(said.fanned_out_at.is_(None), said.hold_code.in_(sorted(SECOND_PERSON)))
    if in_mid_send:
        stopped = waiting_in_mid_send().subquery("stopped")
        waits = or_(waits, said.id.in_(select(stopped.c.id)))
    query = _announcements().where(waits, said.withdrawn_at.is_(None), said.expires_at > hand.now)
    if department is not None:
        its = select(t.department.c.id).where(t.department.c.slug == department)
        # An expression on purpose: by the index on the department all that it ever announced would be gone through.
        query = query.where(func.coalesce(said.department_id, 0) == its.scalar_subquery())
    if after is not None:
        last = select(said.due_at, said.id).where(said.public_id == after)
        if (row := hand.connection.execute(last).one_or_none()) is None:
            return []
        query = query.where(or_(said.due_at > row.due_at, and_(said.due_at == row.due_at, said.id > row.id)))
    return _shown(hand, query.order_by(said.due_at, said.id).limit(limit))


def these(hand: Hand, ids: Collection[int]) -> Mapping[int, Shown]:
    """Announcements by their ids inside the ledger; those that are not there are left out."""
    found = _shown(hand, _announcements().where(t.announcement.c.id.in_(sorted(ids)))) if ids else ()
    return {each.announcement.id: each for each in found}


def of_query(hand: Hand, narrowed: Callable[[Select[Any]], Select[Any]]) -> Sequence[Shown]:
    """Those that a query finds, made of the one for all of them."""
    return _shown(hand, narrowed(_announcements()))


def one(hand: Hand, public_id: UUID, department: str | None = None, *, most: int = BEGINNING) -> Shown | None:
    """One announcement; None when the ledger has none of this id, or it is another department's than the one named.

    `most`: how many characters of its wording are shown.
    """
    query = _announcements().where(t.announcement.c.public_id == public_id)
    if department is not None:
        query = query.where(t.department.c.slug == department)
    found = _shown(hand, query, most)
    return found[0] if found else None


def wording(hand: Hand, public_id: UUID) -> Sequence[Content]:
    """What an announcement says, a Content per language, without files; long wordings are cut."""
    found = hand.connection.execute(
        select(t.announcement.c.id).where(t.announcement.c.public_id == public_id)
    ).scalars()
    return next(iter(_wordings(hand, found.all(), MOST_WORDING).values()), ())


def reasons(hand: Hand, announcement: int) -> Sequence[Reason]:
    """Why deliveries of an announcement failed, the most frequent first."""
    d, n = t.delivery.c, func.count().label("n")
    rows = hand.connection.execute(
        select(d.channel, d.state, d.code, d.why, n)
        .where(d.announcement_id == announcement, d.state.in_(sorted(FAILED)))
        .group_by(d.channel, d.state, d.code, d.why)
        .order_by(n.desc(), d.channel, d.state)
        .limit(REASONS)
    )
    return [Reason(row.channel, State(row.state), row.code, row.why, row.n) for row in rows]


def _shown(hand: Hand, query: Select[Any], most: int = BEGINNING) -> Sequence[Shown]:
    rows = hand.connection.execute(query).all()
    if not rows:
        return []
    ids = [row.id for row in rows]
    wordings = _wordings(hand, ids, most)
    said = [announcement_of(row) for row in rows]
    tallies, settled = standing_of(hand, said)
    found = []
    for row, announcement in zip(rows, said, strict=True):
        said_so = wordings.get(row.id, ())
        title = heading(said_so[0].title) if said_so else ""
        at, channels = stage(announcement, hand.now), tallies.get(row.id, {})
        found.append(
            Shown(announcement, row.department_name, title, at, channels, row.id in settled, said_so)
        )
    return found


def _announcements() -> Select[Any]:
    return select(
        t.announcement, t.department.c.slug.label("department"), t.department.c.name.label("department_name")
    ).join(t.department, t.department.c.id == t.announcement.c.department_id)


def _wordings(hand: Hand, announcements: Sequence[int], most: int) -> Mapping[int, Sequence[Content]]:
    c = t.content.c
    rows = hand.connection.execute(
        select(c.announcement_id, c.version, c.language, c.part, func.substr(c.text, 1, most).label("text"))
        .where(c.announcement_id.in_(announcements))
        .order_by(c.announcement_id, c.version.desc(), c.language)
    )
    parts: dict[tuple[int, int, str], dict[Part, str]] = {}
    for row in rows:
        parts.setdefault((row.announcement_id, row.version, row.language), {})[Part(row.part)] = row.text
    found: dict[int, list[Content]] = {}
    for (announcement, version, language), words in parts.items():
        contents = found.setdefault(announcement, [])
        if not contents or contents[0].version == version:
            contents.append(Content(version, language, words))
    return found

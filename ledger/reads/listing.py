"""All announcements, the newest first, by what somebody remembers of one: whose, how far, by which way, when."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Select, and_, not_, or_, select

from broker.delivery import State
from broker.rules.approval import SECOND_PERSON
from ledger import tables as t
from ledger.hand import Hand
from ledger.reads.now import moved
from ledger.reads.watch import Shown, of_query

PAGE = 30


class Far(StrEnum):
    """How far an announcement has come, as coarsely as one asks for it."""

    WAITS = "waits"  # for a second person
    COMING = "coming"
    GOING = "going"
    WRONG = "wrong"  # something of it did not go
    DONE = "done"
    WITHDRAWN = "withdrawn"


@dataclass(frozen=True, slots=True)
class Sought:
    """What is looked for; whatever is None does not matter. `since` and `until`: when it goes out, or went."""

    department: str | None = None
    far: Far | None = None
    channel: str | None = None
    since: datetime | None = None
    until: datetime | None = None


def listed(hand: Hand, sought: Sought, *, before: UUID | None = None, limit: int = PAGE) -> Sequence[Shown]:
    """The newest that fit, or the next ones older than `before`, which is one that whoever asks may see."""
    said, fits = t.announcement.c, list(_fits(hand, sought))
    notes = select(t.note.c.announcement_id).where(t.note.c.announcement_id == said.id)
    if before is not None:
        cursor = select(said.id).where(said.public_id == before, *_of(sought.department))
        fits.append(said.id < cursor.scalar_subquery())

    def narrowed(query: Select[Any]) -> Select[Any]:
        return query.where(~notes.exists(), *fits).order_by(said.id.desc()).limit(limit)

    return of_query(hand, narrowed)


def channels(hand: Hand) -> Sequence[str]:
    """Those that there are accounts of, or were."""
    return (
        hand.connection.execute(select(t.account.c.channel).distinct().order_by(t.account.c.channel))
        .scalars()
        .all()
    )


def _fits(hand: Hand, sought: Sought) -> Sequence[ColumnElement[bool]]:
    said, fits = t.announcement.c, [*_of(sought.department)]
    if sought.channel is not None:
        fits.append(
            said.ways.contains(f'"{sought.channel}"', autoescape=True)
        )  # JSON, in which names stand so
    if sought.since is not None:
        fits.append(said.due_at >= sought.since)
    if sought.until is not None:
        fits.append(said.due_at < sought.until)
    return fits if sought.far is None else [*fits, _is(sought.far, hand)]


def _is(far: Far, hand: Hand) -> ColumnElement[bool]:
    said, now = t.announcement.c, hand.now
    lasts = and_(said.withdrawn_at.is_(None), said.expires_at > now)
    moves = said.id.in_(moved((State.QUEUED, State.SENDING)))
    waits = and_(lasts, said.fanned_out_at.is_(None), said.hold_code.in_(sorted(SECOND_PERSON)))
    match far:
        case Far.WAITS:
            return waits
        case Far.COMING:
            held = or_(said.hold_code.is_(None), said.hold_code.not_in(sorted(SECOND_PERSON)))
            return and_(lasts, said.fanned_out_at.is_(None), held)
        case Far.GOING:
            return and_(said.withdrawn_at.is_(None), moves)
        case Far.WRONG:
            failed = (State.EXHAUSTED, State.REJECTED, State.UNCERTAIN)
            return said.id.in_(moved(failed, indexed=False))
        case Far.DONE:
            return and_(
                said.withdrawn_at.is_(None),
                or_(said.fanned_out_at.is_not(None), said.expires_at <= now),
                not_(moves),
            )
    return said.withdrawn_at.is_not(None)


def _of(department: str | None) -> Sequence[ColumnElement[bool]]:
    if department is None:
        return ()
    its = select(t.department.c.id).where(t.department.c.slug == department).scalar_subquery()
    return (t.announcement.c.department_id == its,)

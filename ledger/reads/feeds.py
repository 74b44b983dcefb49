"""What is public: the feeds there are, what stands in each, and the page of one announcement.

Nothing here joins a person. An announcement stands in a feed while its delivery by the feed's channel is sent; of
an announcement and its corrections the last published one speaks, under the id of the first.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from functools import lru_cache
from typing import Any
from uuid import UUID

from sqlalchemy import Row, Select, func, or_, select

from broker.announcement import RIGHT_TEXT, Content, FollowUp, Part, People
from broker.audience import Group, fold, parse
from broker.corrections.law import AGAIN
from broker.delivery import REACHED, State
from broker.errors import InvalidAnnouncement
from broker.office.public_groups import slug_of
from ledger import tables as t
from ledger.corrections.threads import chain
from ledger.hand import Hand

said = t.announcement.c
CHANNEL = "rss"
MOST_TITLE = 200
SEARCHED = 10_000  # announcements a group's feed looks through, newest first
# What was taken back keeps its place in the chain of corrections; that it is withdrawn says its announcement.
_OUT = [state.value for state in (*REACHED, State.RETRACTED)]
# What left, may have left, or was taken back: somebody may hold the address of its page.
_WAS_PUBLIC = [state.value for state in (*REACHED, State.SENDING, State.UNCERTAIN, State.RETRACTED)]


class Kind(StrEnum):
    """Whose feed it is."""

    SCHOOL = "school"
    DEPARTMENT = "department"
    GROUP = "group"


@dataclass(frozen=True, slots=True)
class Scope:
    """One feed that there is. `department` is whose account rules it, None for the school's."""

    kind: Kind
    slug: str
    name: str
    department: str | None = None


@dataclass(frozen=True, slots=True)
class Published:
    """What a feed says of one announcement: `id` is the first version's, `content` the last one's."""

    id: UUID
    department: str
    content: tuple[Content, ...]
    published_at: datetime
    updated_at: datetime


@dataclass(frozen=True, slots=True)
class Standing:
    """What stands in a feed, or would: the announcement that speaks, how it begins, and since when it is there."""

    id: UUID
    title: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Withdrawn:
    """An item that stood in a feed and stands there no more."""

    id: UUID
    at: datetime


@dataclass(frozen=True, slots=True)
class Pulse:
    """The feeds there are, and a value that changes with whatever any of them shows."""

    signature: tuple[Any, ...]
    school: Scope
    scopes: tuple[Scope, ...]


@dataclass(frozen=True, slots=True)
class Page:
    """An announcement that is, or was, public. Without content when it was withdrawn."""

    id: UUID
    department: Scope
    content: tuple[Content, ...]
    published_at: datetime
    updated_at: datetime
    in_feeds: bool

    @property
    def withdrawn(self) -> bool:
        """Whether it was taken back."""
        return not self.content


def pulse(hand: Hand) -> Pulse:
    """What there is, in a handful of cheap statements: asked every second while somebody reads feeds."""
    run = hand.connection.execute
    # Counted, not only the newest: a transaction may commit after a younger one that was seen already.
    out = run(
        select(func.count(), func.max(t.delivery.c.changed_at), func.sum(t.delivery.c.id)).where(
            t.delivery.c.channel == CHANNEL, t.delivery.c.address_id.is_(None), t.delivery.c.state.in_(_OUT)
        )
    ).one()
    gone = run(
        select(func.count(), func.max(t.announcement.c.withdrawn_at)).where(
            t.announcement.c.withdrawn_at.is_not(None)
        )
    ).one()
    found = scopes(hand)
    return Pulse((*out, *gone, found), found[0], found)


def scopes(hand: Hand) -> tuple[Scope, ...]:
    """Every feed that there is: the school's, then the departments', then those of public groups."""
    run = hand.connection.execute
    school = run(select(t.school.c.slug, t.school.c.name)).one()
    departments = run(select(t.department.c.slug, t.department.c.name).order_by(t.department.c.slug)).all()
    return (
        Scope(Kind.SCHOOL, school.slug, school.name),
        *(Scope(Kind.DEPARTMENT, row.slug, row.name, row.slug) for row in departments),
        *public_groups(hand),
    )


def public_groups(hand: Hand) -> Iterable[Scope]:
    """The feeds of groups."""
    rows = hand.connection.execute(
        select(t.people_group.c.name, t.department.c.slug.label("department"))
        .outerjoin(t.department, t.department.c.id == t.people_group.c.department_id)
        .where(t.people_group.c.active, t.people_group.c.public)
        .order_by(t.people_group.c.id)
    )
    named: dict[str, Scope] = {}
    for row in rows:
        if slug := slug_of(row.name):  # the older one keeps the address, should a roster rename two alike
            named.setdefault(slug, Scope(Kind.GROUP, slug, row.name, row.department))
    return named.values()


def published(hand: Hand, scope: Scope, *, limit: int) -> Sequence[Published]:
    """The newest `limit` announcements of a feed, newest first, each with its wording."""
    rows = _newest(hand, scope, t.announcement.c.withdrawn_at.is_(None), limit)
    firsts = _firsts(hand, rows)
    contents = _contents(hand, rows)
    return [
        Published(
            id=firsts[row.id].public_id,
            department=row.department_name,
            content=contents[row.id],
            published_at=min(firsts[row.id].at, row.at),  # the first may have been taken back since
            updated_at=row.at,
        )
        for row in rows
        if contents.get(row.id)
    ]


def newest(hand: Hand, scope: Scope, *, limit: int) -> Sequence[Standing]:
    """The same without their words, also of a group that is not public: what would stand there if it were."""
    rows = _newest(hand, scope, t.announcement.c.withdrawn_at.is_(None), limit)
    contents = _contents(hand, rows)
    return [Standing(row.public_id, _title(contents.get(row.id, ())), row.at) for row in rows]


def withdrawn(hand: Hand, scope: Scope, *, limit: int) -> Sequence[Withdrawn]:
    """The newest `limit` announcements that stood in a feed and were withdrawn."""
    rows = _newest(hand, scope, t.announcement.c.withdrawn_at.is_not(None), limit)
    firsts = _firsts(hand, rows)
    return [Withdrawn(firsts[row.id].public_id, row.withdrawn_at) for row in rows]


def page(hand: Hand, public_id: UUID) -> Page | None:
    """What may be shown of an announcement by its public id; None when it is not there, or not public."""
    asked = hand.connection.execute(
        select(t.announcement.c.id).where(t.announcement.c.public_id == public_id)
    ).scalar_one_or_none()
    if asked is None:
        return None
    rows = hand.connection.execute(_public().where(t.announcement.c.id.in_(chain(hand, asked)))).all()
    if not rows:
        return None
    # The announcement, its corrections, each by one or more broadcast channels: first and last by age.
    rows = sorted(rows, key=lambda row: (row.id, row.at))
    first, last = rows[0], rows[-1]
    return Page(
        id=first.public_id,
        department=Scope(Kind.DEPARTMENT, last.department_slug, last.department_name, last.department_slug),
        content=() if last.withdrawn_at else _contents(hand, [last]).get(last.id, ()),
        published_at=first.at,
        updated_at=next(row.at for row in rows if row.id == last.id),
        in_feeds=any(row.channel == CHANNEL for row in rows),
    )


def told_to(hand: Hand, group: str, *, limit: int) -> Sequence[Published]:
    """What was told to exactly this group, by whichever way, newest first: what a private link shows.

    What has left for somebody and was not withdrawn; of a thread its last word, as whoever had read nothing yet got
    it, under the id of the first. Never what was told to the group's staff alone, nor what was said again to a few.
    """
    at = func.coalesce(said.fanned_out_at, said.due_at).label("at")
    query = (
        select(said.id, said.public_id, said.corrects, said.audience, said.follow_up, at)
        .add_columns(t.department.c.name.label("department_name"))
        .join(t.department, t.department.c.id == said.department_id)
        .where(
            said.withdrawn_at.is_(None),
            said.corrected_at.is_(None),
            said.people != People.STAFF.value,
            or_(said.follow_up.is_(None), said.follow_up.not_in([kind.value for kind in AGAIN])),
        )
        .order_by(said.id.desc())
    )
    mine = fold(group)
    found = hand.connection.execute(query.limit(SEARCHED))
    rows = [row for row in found if _only_group(row.audience) == mine][: 2 * limit]
    versions = _left(hand, rows)
    last: dict[int, Row[Any]] = {}  # of each thread, by the id of its first
    for row in rows:
        if row.id in versions:
            last.setdefault(row.id if row.corrects is None else chain(hand, row.id)[0], row)
    contents = _contents_of(hand, {row.id: versions[row.id] for row in last.values()})
    asked = select(said.id, said.public_id, at).where(said.id.in_(list(last)))
    firsts = {row.id: row for row in hand.connection.execute(asked)}
    return [
        Published(firsts[first].public_id, row.department_name, contents[row.id], firsts[first].at, row.at)
        for first, row in last.items()
        if contents.get(row.id)
    ][:limit]


def _left(hand: Hand, rows: Sequence[Row[Any]]) -> Mapping[int, int]:
    """Of those that have left for somebody: the version of the wording that is shown."""
    sent = t.delivery.c
    query = (
        select(sent.announcement_id, func.max(sent.content_version).label("version"))
        .where(
            sent.announcement_id.in_([row.id for row in rows]),
            sent.state.in_([state.value for state in REACHED]),
        )
        .group_by(sent.announcement_id)
    )
    # A correction's second wording is for those alone who had read a wrong one.
    right = {row.id for row in rows if row.follow_up == FollowUp.CORRECTION.value}
    return {
        row.announcement_id: RIGHT_TEXT if row.announcement_id in right else row.version
        for row in hand.connection.execute(query)
    }


# --- statements ------------------------------------------------------------------------------------------------------


def _broadcasts() -> Select[Any]:
    """Broadcast deliveries with their announcement; `at` is when it got there."""
    return (
        select(
            t.announcement.c.id,
            t.announcement.c.public_id,
            t.announcement.c.corrects,
            t.announcement.c.audience,
            t.announcement.c.withdrawn_at,
            t.department.c.slug.label("department_slug"),
            t.department.c.name.label("department_name"),
            t.delivery.c.id.label("delivery"),
            t.delivery.c.channel,
            t.delivery.c.content_version,
            t.delivery.c.changed_at.label("at"),
        )
        .join(t.announcement, t.announcement.c.id == t.delivery.c.announcement_id)
        .join(t.department, t.department.c.id == t.announcement.c.department_id)
        .where(t.delivery.c.address_id.is_(None))
    )


def _public() -> Select[Any]:
    return _broadcasts().where(t.delivery.c.state.in_(_WAS_PUBLIC))


def _in_feeds() -> Select[Any]:
    return _broadcasts().where(t.delivery.c.channel == CHANNEL, t.delivery.c.state.in_(_OUT))


def _newest(hand: Hand, scope: Scope, which: Any, limit: int) -> Sequence[Row[Any]]:
    """Newest first, without what a published correction speaks for."""
    # One list for the whole query. As EXISTS for each row, SQLite looked through every broadcast a thousand times.
    correction, its_delivery = t.announcement.alias("correction"), t.delivery.alias("its_delivery")
    corrected = (
        select(correction.c.corrects)
        .join(its_delivery, its_delivery.c.announcement_id == correction.c.id)
        .where(
            correction.c.corrects.is_not(None),
            its_delivery.c.channel == CHANNEL,
            its_delivery.c.address_id.is_(None),
            its_delivery.c.state.in_(_OUT),
        )
    )
    query = _in_feeds().where(which, t.announcement.c.id.not_in(corrected)).order_by(t.delivery.c.id.desc())
    if scope.kind is Kind.DEPARTMENT:
        query = query.where(t.department.c.slug == scope.slug)
    if scope.kind is not Kind.GROUP:
        return hand.connection.execute(query.limit(limit)).all()
    mine = fold(scope.name)
    found = hand.connection.execute(query.limit(SEARCHED))
    return [row for row in found if _only_group(row.audience) == mine][:limit]


@lru_cache(maxsize=1_024)
def _only_group(audience: str) -> str | None:
    """The folded name of the group that an audience is, exactly; None when it is more or less than one."""
    try:
        tree = parse(audience)
    except InvalidAnnouncement:
        return None
    return fold(tree.name) if isinstance(tree, Group) else None


def _firsts(hand: Hand, rows: Sequence[Row[Any]]) -> Mapping[int, Row[Any]]:
    """For each row the oldest published version of it: itself, unless it corrects another."""
    firsts = {}
    for row in rows:
        firsts[row.id] = row
        if row.corrects is not None:
            versions = _in_feeds().where(t.announcement.c.id.in_(chain(hand, row.id)))
            oldest = hand.connection.execute(versions.order_by(t.announcement.c.id).limit(1)).first()
            firsts[row.id] = oldest or row
    return firsts


def _title(contents: Sequence[Content]) -> str:
    parts = contents[0].parts if contents else {}
    return parts.get(Part.TITLE) or parts.get(Part.SHORT, "")[:MOST_TITLE]


def _contents(hand: Hand, rows: Sequence[Row[Any]]) -> Mapping[int, tuple[Content, ...]]:
    """The wording of each row's announcement, one Content a language."""
    return _contents_of(hand, {row.id: row.content_version for row in rows})


def _contents_of(hand: Hand, versions: Mapping[int, int]) -> Mapping[int, tuple[Content, ...]]:
    words: dict[tuple[int, str], dict[Part, str]] = defaultdict(dict)
    if versions:
        found = hand.connection.execute(
            select(t.content)
            .where(t.content.c.announcement_id.in_(list(versions)))
            .order_by(t.content.c.language)
        )
        for row in found:
            if row.version == versions[row.announcement_id]:
                words[row.announcement_id, row.language][Part(row.part)] = row.text
    contents: dict[int, tuple[Content, ...]] = defaultdict(tuple)
    for (announcement, language), parts in words.items():
        contents[announcement] += (Content(versions[announcement], language, parts),)
    return contents

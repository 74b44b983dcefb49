"""Announcements and their wording."""

from __future__ import annotations

import json
import secrets
from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import (
    ColumnElement,
    Row,
    ScalarSelect,
    Select,
    bindparam,
    exists,
    func,
    insert,
    literal,
    select,
    update,
)
from uuid6 import uuid7

from broker.actor import Actor
from broker.announcement import (
    LINKED_FOR,
    Announcement,
    Attachment,
    Content,
    Draft,
    FollowUp,
    Part,
    People,
    Purpose,
    Step,
    Urgency,
)
from broker.ports.announcements import NewAnnouncement
from broker.privacy.known import known_as
from ledger import tables as t
from ledger.hand import Hand

TOKEN_BYTES = 16  # nobody guesses 128 bits, and a text pays for every character of a link
_ADD = insert(t.announcement).values(
    department_id=select(t.department.c.id).where(t.department.c.slug == bindparam("whose")).scalar_subquery()
)


class Announcements:
    """See broker.ports.Announcements."""

    def __init__(self, hand: Hand) -> None:
        self._hand = hand

    def add(
        self, draft: Draft, *, digest: str, actor: Actor, due_at: datetime, expires_at: datetime
    ) -> Announcement:
        """Store an accepted draft with content version 1 and its attachments."""
        return self.add_all([NewAnnouncement(draft, digest, actor, due_at, expires_at)])[0]

    def add_all(self, new: Sequence[NewAnnouncement]) -> Sequence[Announcement]:
        """Store several, in this order, in as many statements as one takes."""
        run, now = self._hand.connection.execute, self._hand.now
        rows = [_values(one, now) for one in new]
        ids = self._insert(rows)
        numbered = [
            (ids[row["public_id"]], row["public_id"], one) for row, one in zip(rows, new, strict=True)
        ]
        parts = [row for number, _, one in numbered for row in _parts(number, one.draft)]
        run(insert(t.content), parts[0] if len(parts) == 1 else parts)  # psycopg makes much ado about a list
        for number, _, one in numbered:
            self._add_more(number, one)
        return [_announcement(number, public_id, one, now) for number, public_id, one in numbered]

    def by_keys(
        self, keys: Collection[tuple[str, str]]
    ) -> Mapping[tuple[str, str], tuple[Announcement, str]]:
        """Those accepted under (department, idempotency key), each with the digest of its draft."""
        struck = {key: self._struck(key) for _, key in keys}
        query = _announcements().where(t.announcement.c.idempotency_key.in_({*struck, *struck.values()}))
        rows = self._hand.connection.execute(query)
        found = {(row.department, row.idempotency_key): (announcement_of(row), row.digest) for row in rows}
        known = {
            (whose, key): found.get((whose, key)) or found.get((whose, struck[key])) for whose, key in keys
        }
        return {key: one for key, one in known.items() if one is not None}

    def by_key(self, department: str, key: str) -> tuple[Announcement, str] | None:
        """The announcement accepted under an idempotency key, and the digest of its draft."""
        values = {"whose": department, "key": key, "struck": self._struck(key)}
        row = self._hand.connection.execute(_BY_KEY, values).first()
        return (announcement_of(row), row.digest) if row else None

    def _struck(self, key: str) -> str:
        """What is kept of a key out of which somebody was struck: a retry must not be announced twice."""
        return known_as(self._hand.signer, "key", key)

    def by_public_id(self, public_id: UUID, *, lock: bool = False) -> Announcement | None:
        """One announcement; `lock` keeps other writers away (SQLite is alone anyway and ignores it)."""
        statement = _announcements().where(t.announcement.c.public_id == public_id)
        if lock:
            statement = statement.with_for_update(of=t.announcement)
        row = self._hand.connection.execute(statement).one_or_none()
        return announcement_of(row) if row else None

    def by_id(self, announcement: int) -> Announcement:
        """One announcement that is known to be there."""
        row = self._hand.connection.execute(_announcements().where(t.announcement.c.id == announcement)).one()
        return announcement_of(row)

    def content(self, announcement: int, version: int) -> Sequence[Content]:
        """A version's wording with its attachments, one Content per language."""
        run = self._hand.connection.execute
        words: dict[str, dict[Part, str]] = defaultdict(dict)
        of_version = (t.content.c.announcement_id == announcement, t.content.c.version == version)
        for row in run(select(t.content).where(*of_version)):
            words[row.language][Part(row.part)] = row.text
        link = t.content_attachment
        files = run(
            select(link.c.name, link.c.token, t.attachment)
            .join(t.attachment, t.attachment.c.sha256 == link.c.sha256)
            .where(link.c.announcement_id == announcement, link.c.version == version)
            .order_by(link.c.name)
        )
        attached = tuple(Attachment(f.sha256, f.name, f.media_type, f.bytes, f.token) for f in files)
        note = exists().where(t.note.c.announcement_id == announcement)
        asks = exists().where(t.ladder.c.announcement_id == announcement, t.ladder.c.seen)
        automatic, seen = run(select(note, asks)).one()
        return [
            Content(version, language, parts, attached, automatic=automatic, seen=seen)
            for language, parts in words.items()
        ]

    def mark_withdrawn(self, announcement: int) -> None:
        """Set withdrawn_at, once."""
        self._hand.connection.execute(
            update(t.announcement)
            .where(t.announcement.c.id == announcement, t.announcement.c.withdrawn_at.is_(None))
            .values(withdrawn_at=self._hand.now)
        )

    def department_exists(self, slug: str) -> bool:
        """Whether the department is known."""
        found = self._hand.connection.execute(select(t.department.c.id).where(t.department.c.slug == slug))
        return found.first() is not None

    def _insert(self, rows: Sequence[dict[str, Any]]) -> Mapping[UUID, int]:
        """Public id → id."""
        run, made = self._hand.connection.execute, (t.announcement.c.public_id, t.announcement.c.id)
        if len(rows) == 1:
            return dict(iter(run(_ADD.returning(*made), rows[0])))
        run(_ADD, rows)
        # Asked for afterwards: an INSERT that returns them is one statement of thousands of parameters.
        these = t.announcement.c.public_id.in_([row["public_id"] for row in rows])
        return dict(iter(run(select(*made).where(these))))

    def _add_more(self, announcement: int, new: NewAnnouncement) -> None:
        """What few announcements have: who reads it too, files, and whom others told."""
        run, draft = self._hand.connection.execute, new.draft
        for copied in draft.copies:
            whose = select(literal(announcement), t.person.c.id).where(t.person.c.source_id == copied)
            run(insert(t.announcement_copy).from_select(["announcement_id", "person_id"], whose))
        for attached in draft.attachments:
            self._attach(announcement, attached, until=new.due_at + LINKED_FOR)
        if draft.told_before is not None:
            earlier = select(
                literal(announcement, t.Id), t.announcement.c.id, literal(draft.told_before.again)
            ).where(t.announcement.c.public_id.in_(draft.told_before.announcements))
            kept = insert(t.told_before).from_select(["announcement_id", "earlier_id", "again"], earlier)
            counted = kept.execution_options(preserve_rowcount=True)
            if run(counted).rowcount != len(draft.told_before.announcements):
                # With none of them it would be told to the whole audience.
                raise LookupError("an announcement that told somebody before is not there")

    def _attach(self, announcement: int, attached: Attachment, *, until: datetime) -> None:
        keep_file(self._hand, attached)
        link = {
            "announcement_id": announcement,
            "version": 1,
            "name": attached.name,
            "sha256": attached.sha256,
            "token": secrets.token_urlsafe(TOKEN_BYTES),
            "token_expires_at": until,
        }
        self._hand.connection.execute(insert(t.content_attachment).values(link))


def _values(new: NewAnnouncement, now: datetime) -> dict[str, Any]:
    draft = new.draft
    return {
        "public_id": UUID(int=uuid7().int),
        "whose": draft.department,
        "idempotency_key": draft.key,
        "digest": new.digest,
        "actor_kind": new.actor.kind.value,
        "actor_id": new.actor.id,
        "on_behalf_of": new.actor.on_behalf_of,
        "purpose": draft.purpose.value,
        "urgency": draft.urgency.value,
        "audience": draft.audience,
        "people": draft.people.value,
        "ways": json.dumps([list(step.channels) for step in draft.ways]),
        "accepted_at": now,
        "approved_at": now,
        "due_at": new.due_at,
        "expires_at": new.expires_at,
        "settled_at": draft.settled_at,
        "template": draft.template or None,
    }


def _parts(announcement: int, draft: Draft) -> Sequence[dict[str, Any]]:
    return [
        {
            "announcement_id": announcement,
            "version": 1,
            "language": draft.language,
            "part": part.value,
            "text": words,
        }
        for part, words in draft.parts.items()
        if words
    ]


def _announcement(number: int, public_id: UUID, new: NewAnnouncement, now: datetime) -> Announcement:
    """As it would be read again."""
    draft = new.draft
    return Announcement(
        id=number,
        public_id=public_id,
        department=draft.department,
        purpose=draft.purpose,
        urgency=draft.urgency,
        audience=draft.audience,
        people=draft.people,
        ways=draft.ways,
        accepted_at=now,
        approved_at=now,
        due_at=new.due_at,
        expires_at=new.expires_at,
        fanned_out_at=None,
        withdrawn_at=None,
    )


def keep_file(hand: Hand, file: Attachment) -> None:
    """Keep a file's bytes, once however many things it goes with."""
    run = hand.connection.execute
    if run(select(t.attachment.c.sha256).where(t.attachment.c.sha256 == file.sha256)).first() is None:
        row = {"sha256": file.sha256, "media_type": file.media_type, "bytes": file.data}
        run(insert(t.attachment).values(row))


def newest_version() -> ScalarSelect[int]:
    """The version that a row of `content` would be of, were it the newest of its announcement."""
    newest = t.content.alias("newest")
    same = newest.c.announcement_id == t.content.c.announcement_id
    return select(func.max(newest.c.version)).where(same).correlate(t.content).scalar_subquery()


def _announcements() -> Select[Any]:
    return select(t.announcement, t.department.c.slug.label("department")).join(
        t.department, t.department.c.id == t.announcement.c.department_id
    )


_BY_KEY = _announcements().where(
    t.department.c.slug == bindparam("whose"),
    t.announcement.c.idempotency_key.in_((bindparam("key"), bindparam("struck"))),
)


def announcements_by(*conditions: ColumnElement[bool]) -> Select[Any]:
    """SELECT whole rows of announcements, each with its department's slug."""
    return _announcements().where(*conditions)


def announcement_of(row: Row[Any]) -> Announcement:
    """The noun from a row of `announcement` joined with its department's slug."""
    return Announcement(
        id=row.id,
        public_id=row.public_id,
        department=row.department,
        purpose=Purpose(row.purpose),
        urgency=Urgency(row.urgency),
        audience=row.audience,
        people=People(row.people),
        ways=tuple(Step(tuple(channels)) for channels in json.loads(row.ways)),
        accepted_at=row.accepted_at,
        approved_at=row.approved_at,
        due_at=row.due_at,
        expires_at=row.expires_at,
        fanned_out_at=row.fanned_out_at,
        withdrawn_at=row.withdrawn_at,
        held_until=row.held_until,
        hold_code=row.hold_code or "",
        hold_why=row.hold_why or "",
        corrects=row.corrects,
        follow_up=FollowUp(row.follow_up) if row.follow_up else None,
        corrected_by=row.corrected_by,
        corrected_at=row.corrected_at,
    )

"""Announcements and their wording."""

from __future__ import annotations

import json
import secrets
from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Row, ScalarSelect, Select, func, insert, literal, select, update
from uuid6 import uuid7

from broker.actor import Actor
from broker.announcement import (
    LINKED_FOR,
    Announcement,
    Attachment,
    Content,
    Draft,
    Part,
    People,
    Purpose,
    Step,
    Urgency,
)
from ledger import tables as t
from ledger.hand import Hand

TOKEN_BYTES = 16  # nobody guesses 128 bits, and a text pays for every character of a link


class Announcements:
    """See broker.ports.Announcements."""

    def __init__(self, hand: Hand) -> None:
        self._hand = hand

    def add(
        self, draft: Draft, *, digest: str, actor: Actor, due_at: datetime, expires_at: datetime
    ) -> Announcement:
        """Store an accepted draft with content version 1 and its attachments."""
        run = self._hand.connection.execute
        department = run(
            select(t.department.c.id).where(t.department.c.slug == draft.department)
        ).scalar_one()
        public_id = UUID(int=uuid7().int)
        values = {
            "public_id": public_id,
            "department_id": department,
            "idempotency_key": draft.key,
            "digest": digest,
            "actor_kind": actor.kind.value,
            "actor_id": actor.id,
            "purpose": draft.purpose.value,
            "urgency": draft.urgency.value,
            "audience": draft.audience,
            "people": draft.people.value,
            "ways": json.dumps([list(step.channels) for step in draft.ways]),
            "accepted_at": self._hand.now,
            "approved_at": self._hand.now,
            "due_at": due_at,
            "expires_at": expires_at,
            "template": draft.template or None,
        }
        announcement = run(insert(t.announcement).values(values).returning(t.announcement.c.id)).scalar_one()
        rows = [
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
        run(insert(t.content), rows)
        for copied in draft.copies:
            whose = select(literal(announcement), t.person.c.id).where(t.person.c.source_id == copied)
            run(insert(t.announcement_copy).from_select(["announcement_id", "person_id"], whose))
        for attached in draft.attachments:
            self._attach(announcement, attached, until=due_at + LINKED_FOR)
        found = self.by_public_id(public_id)
        assert found is not None  # noqa: S101 - written two statements ago, in this transaction
        return found

    def by_key(self, department: str, key: str) -> tuple[Announcement, str] | None:
        """The announcement accepted under an idempotency key, and the digest of its draft."""
        statement = _announcements().where(
            t.department.c.slug == department, t.announcement.c.idempotency_key == key
        )
        row = self._hand.connection.execute(statement).one_or_none()
        return (announcement_of(row), row.digest) if row else None

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
        note = run(select(t.note.c.announcement_id).where(t.note.c.announcement_id == announcement)).first()
        return [
            Content(version, language, parts, attached, automatic=note is not None)
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
    )

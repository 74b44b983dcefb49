"""What people wrote back, and the notes that the house itself sends."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import Row, Select, and_, exists, func, insert, or_, select, update
from uuid6 import uuid7

from broker.actor import SYSTEM
from broker.address import AddressKind
from broker.announcement import Draft, Urgency
from broker.delivery import REACHED, State
from broker.incoming.answering import Answered, AnswerRow, Inbound, Waiting
from broker.values import Lane
from ledger import tables as t
from ledger.erased import is_erased
from ledger.hand import Hand
from ledger.rosters.people import keyed_hash

# Announcements: what somebody answers is among the last ones, and each costs a probe of an index.
_LATELY = 300


class Answers:
    """See broker.ports.Answers."""

    def __init__(self, hand: Hand) -> None:
        self._hand = hand

    def add(
        self,
        inbound: Inbound,
        *,
        kind: AddressKind,
        sender: str,
        inbox: str,
        concern: bool,
        about: Answered | None,
    ) -> AnswerRow | None:
        """Keep an answer of a sender as normalised; None when it is there already."""
        known = select(t.answer.c.id).where(
            t.answer.c.channel == inbound.channel, t.answer.c.key == inbound.key
        )
        if self._hand.connection.execute(known).first() is not None:
            return None
        public_id = UUID(int=uuid7().int)
        now = self._hand.now
        row = {
            "public_id": public_id,
            "channel": inbound.channel,
            "key": inbound.key,
            "account_id": inbound.account,
            "inbox": inbox,
            "sender": sender,
            "sender_hash": keyed_hash(self._hand.signer, kind, sender),
            "subject": inbound.subject,
            "text": inbound.text,
            "announcement_id": about.announcement if about else None,
            "delivery_id": about.delivery if about else None,
            "received_at": now,
            "automatic": inbound.automatic,
            "concern": concern,
            "done_at": now if inbound.settled or inbound.automatic else None,
        }
        self._hand.connection.execute(insert(t.answer).values(row))
        return self.named(public_id)

    def add_settled(
        self, texts: Sequence[tuple[Inbound, str]], *, kind: AddressKind, inbox: str
    ) -> Sequence[UUID]:
        """Keep texts on which nothing is left to do; those that are new."""
        asked = select(t.answer.c.channel, t.answer.c.key).where(
            t.answer.c.key.in_([inbound.key for inbound, _ in texts])
        )
        known = {(row.channel, row.key) for row in self._hand.connection.execute(asked)}
        now = self._hand.now
        rows: list[dict[str, Any]] = [
            {
                "public_id": UUID(int=uuid7().int),
                "channel": inbound.channel,
                "key": inbound.key,
                "account_id": inbound.account,
                "inbox": inbox,
                "sender": sender,
                "sender_hash": keyed_hash(self._hand.signer, kind, sender),
                "text": inbound.text,
                "received_at": now,
                "done_at": now,
            }
            for inbound, sender in texts
            if (inbound.channel, inbound.key) not in known
        ]
        if rows:
            self._hand.connection.execute(insert(t.answer), rows)
        return [row["public_id"] for row in rows]

    def about(
        self, inbound: Inbound, *, kind: AddressKind, sender: str, within: timedelta
    ) -> Answered | None:
        """What it answers: by the attempt, else by what it claims, else the newest that its sender was sent lately."""
        if inbound.attempt is not None:
            tried = _deliveries().join(t.attempt, t.attempt.c.delivery_id == t.delivery.c.id)
            return self._one(tried.where(t.attempt.c.id == inbound.attempt))
        if inbound.reply_to is not None:
            delivery, digest = inbound.reply_to
            # Nothing signs a Message-ID: the beginning of the text's digest must be that of a try of this delivery.
            same = exists().where(
                t.attempt.c.delivery_id == t.delivery.c.id,
                t.attempt.c.digest.startswith(digest, autoescape=True),
            )
            found = self._one(_deliveries().where(t.delivery.c.id == delivery, same))
            if found is not None:
                return found
        hashed = keyed_hash(self._hand.signer, kind, sender)
        address = select(t.address.c.id).where(t.address.c.hash == hashed).scalar_subquery()
        recent = (
            select(t.announcement.c.id)
            .where(t.announcement.c.accepted_at > self._hand.now - within)
            .order_by(t.announcement.c.id.desc())
            .limit(_LATELY)
            .subquery()
        )
        sent = (
            _deliveries()
            .join(recent, recent.c.id == t.delivery.c.announcement_id)
            .where(
                t.delivery.c.channel == inbound.channel,
                func.coalesce(t.delivery.c.address_id, 0) == address,
                t.delivery.c.state.in_([state.value for state in REACHED]),
                ~exists().where(t.note.c.announcement_id == t.delivery.c.announcement_id),
            )
            .order_by(t.delivery.c.id.desc())
        )
        return self._one(sent.limit(1))

    def first_department(self) -> str:
        """The slug of the school's first department: whose it is when nothing tells."""
        query = select(t.department.c.slug).order_by(t.department.c.id).limit(1)
        return str(self._hand.connection.execute(query).scalar_one())

    def is_known(self, kind: AddressKind, sender: str) -> bool:
        """Whether somebody at the school holds this address."""
        held = (
            select(t.person.c.id)
            .join(t.person_address, t.person_address.c.person_id == t.person.c.id)
            .join(t.address, t.address.c.id == t.person_address.c.address_id)
            .where(t.address.c.hash == keyed_hash(self._hand.signer, kind, sender), t.person.c.active)
        )
        return self._hand.connection.execute(held.limit(1)).first() is not None

    def named(self, public_id: UUID, *, lock: bool = False) -> AnswerRow | None:
        """One answer."""
        query = answers().where(t.answer.c.public_id == public_id)
        if lock:
            query = query.with_for_update(of=t.answer)
        row = self._hand.connection.execute(query).one_or_none()
        return answer_of(row) if row else None

    def note_reply(self, answer: int, said: str) -> None:
        """Keep what became of the automatic answer."""
        self._change(answer, reply=said)

    def finish(self, answer: int, who: str) -> None:
        """Somebody has dealt with it."""
        self._change(answer, done_at=self._hand.now, done_by=who)

    def open(self, answer: int, who: str) -> None:
        """Somebody reads it, the first of all."""
        self._change(answer, opened_at=self._hand.now, opened_by=who)

    def reopen(self, answer: int) -> None:
        """It is to be dealt with after all."""
        self._change(answer, done_at=None, done_by="")

    def release(self, answer: int, inbox: str, who: str) -> None:
        """The safeguarding lead gives it to an inbox."""
        self._change(answer, inbox=inbox, concern=False, released_at=self._hand.now, released_by=who)

    def waiting(self) -> Sequence[Waiting]:
        """Inboxes with open answers."""
        came = func.coalesce(t.answer.c.released_at, t.answer.c.received_at, type_=t.Moment())
        query = (
            select(
                t.answer.c.inbox,
                func.count().label("open"),
                func.min(t.answer.c.received_at).label("oldest"),
                func.max(came).label("newest"),
            )
            .where(t.answer.c.done_at.is_(None))
            .group_by(t.answer.c.inbox)
            .order_by(t.answer.c.inbox)
        )
        rows = self._hand.connection.execute(query)
        return [Waiting(row.inbox, row.open, row.oldest, row.newest) for row in rows]

    def _change(self, answer: int, **values: Any) -> None:
        self._hand.connection.execute(update(t.answer).where(t.answer.c.id == answer).values(values))

    def _one(self, query: Select[Any]) -> Answered | None:
        row = self._hand.connection.execute(query.limit(1)).first()
        return Answered(row.id, row.announcement_id, row.department, row.account) if row else None


class Notes:
    """See broker.ports.Notes."""

    def __init__(self, hand: Hand) -> None:
        self._hand = hand

    def add(
        self,
        draft: Draft,
        *,
        kind: AddressKind,
        to: str,
        account: int,
        lasts: timedelta,
        expires_at: datetime,
    ) -> bool:
        """Queue a delivery to this address under the note of the draft's key, made if need be; False: it had one."""
        channel = draft.ways[0].channels[0]
        note = self._note(draft, expires_at=expires_at)
        address = self._address(kind, to)
        run, now = self._hand.connection.execute, self._hand.now
        # Should another transaction be quicker, the ledger's own constraint sends this one round again.
        same = (t.delivery.c.announcement_id == note, t.delivery.c.channel == channel)
        had = select(t.delivery.c.id).where(*same, func.coalesce(t.delivery.c.address_id, 0) == address)
        if run(had).first() is not None:
            return False
        row = {
            "announcement_id": note,
            "channel": channel,
            "account_id": account,
            "address_id": address,
            "lane": (Lane.URGENT if draft.urgency is Urgency.URGENT else Lane.ROUTINE).value,
            "state": State.QUEUED.value,
            "due_at": now,
            "expires_at": min(now + lasts, expires_at),
            "created_at": now,
            "changed_at": now,
        }
        run(insert(t.delivery).values(row))
        counted = {"announcement_id": note, "channel": channel, "state": State.QUEUED.value, "n": 1}
        run(insert(t.tally_delta).values(counted))
        return True

    def last(self, key: str) -> datetime | None:
        """When the last note was made whose key begins so."""
        query = (
            select(t.announcement.c.accepted_at)
            .join(t.note, t.note.c.announcement_id == t.announcement.c.id)
            .where(t.announcement.c.idempotency_key.startswith(key, autoescape=True))
            .order_by(t.note.c.announcement_id.desc())
            .limit(1)
        )
        made: datetime | None = self._hand.connection.execute(query).scalar_one_or_none()
        return made

    def _note(self, draft: Draft, *, expires_at: datetime) -> int:
        run, now = self._hand.connection.execute, self._hand.now
        department = run(
            select(t.department.c.id).where(t.department.c.slug == draft.department)
        ).scalar_one()
        known = select(t.announcement.c.id).where(
            t.announcement.c.department_id == department, t.announcement.c.idempotency_key == draft.key
        )
        found: int | None = run(known).scalar_one_or_none()
        if found is not None:
            return found
        values = {
            "public_id": UUID(int=uuid7().int),
            "department_id": department,
            "idempotency_key": draft.key,
            "digest": "",
            "actor_kind": SYSTEM.kind.value,
            "actor_id": SYSTEM.id,
            "purpose": draft.purpose.value,
            "urgency": draft.urgency.value,
            "audience": draft.audience,
            "people": draft.people.value,
            "ways": json.dumps([list(step.channels) for step in draft.ways]),
            "accepted_at": now,
            "approved_at": now,
            "due_at": now,
            "expires_at": expires_at,
            "fanned_out_at": now,  # its deliveries come one by one, and no planner has anything to do with it
        }
        note: int = run(insert(t.announcement).values(values).returning(t.announcement.c.id)).scalar_one()
        run(insert(t.note).values(announcement_id=note))
        rows = [
            {
                "announcement_id": note,
                "version": 1,
                "language": draft.language,
                "part": part.value,
                "text": words,
            }
            for part, words in draft.parts.items()
        ]
        run(insert(t.content), rows)
        return note

    def _address(self, kind: AddressKind, value: str) -> int:
        """The address, kept for this where nobody holds it."""
        run = self._hand.connection.execute
        keyed = keyed_hash(self._hand.signer, kind, value)
        # By its value too: while its hash is of an older key of the school's it cannot be kept a second time.
        same = or_(
            t.address.c.hash == keyed, and_(t.address.c.kind == kind.value, t.address.c.value == value)
        )
        found: int | None = run(
            select(t.address.c.id).where(same).order_by(t.address.c.id).limit(1)
        ).scalar_one_or_none()
        if found is not None:
            # Emptied since its holders left, and known by its hash: whoever wrote from it is to be answered there.
            emptied = and_(t.address.c.id == found, is_erased(t.address.c.value))
            run(update(t.address).where(emptied).values(value=value))
            return found
        row = {"kind": kind.value, "value": value, "hash": keyed}
        made: int = run(
            insert(t.address).values(**row, confirmed_at=self._hand.now).returning(t.address.c.id)
        ).scalar_one()
        return made


def answers() -> Select[Any]:
    """SELECT every answer, with what it is about."""
    return select(t.answer, t.announcement.c.public_id.label("about")).outerjoin(
        t.announcement, t.announcement.c.id == t.answer.c.announcement_id
    )


def answer_of(row: Row[Any]) -> AnswerRow:
    """The noun from a row of `answers()`."""
    return AnswerRow(
        id=row.id,
        public_id=row.public_id,
        channel=row.channel,
        inbox=row.inbox,
        sender=row.sender,
        subject=row.subject,
        text=row.text,
        received_at=row.received_at,
        announcement=row.about,
        automatic=bool(row.automatic),
        concern=bool(row.concern),
        opened_at=row.opened_at,
        opened_by=row.opened_by,
        done_at=row.done_at,
        done_by=row.done_by,
        released_by=row.released_by,
        reply=row.reply,
    )


def _deliveries() -> Select[Any]:
    """SELECT deliveries with whose announcement they are of, and their account."""
    return (
        select(
            t.delivery.c.id,
            t.delivery.c.announcement_id,
            t.department.c.slug.label("department"),
            t.account.c.name.label("account"),
        )
        .join(t.announcement, t.announcement.c.id == t.delivery.c.announcement_id)
        .join(t.department, t.department.c.id == t.announcement.c.department_id)
        .join(t.account, t.account.c.id == t.delivery.c.account_id)
    )

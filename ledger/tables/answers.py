"""What comes back: answers, bounces, how far mailboxes are read, and the notes that the house itself sends."""

from __future__ import annotations

from sqlalchemy import Boolean, Column, Index, LargeBinary, String, Table, Text, UniqueConstraint, Uuid, text

from broker.incoming.bouncing import BounceKind
from ledger.tables.base import Id, Moment, id_, metadata, one_of, ref

answer = Table(
    "answer",
    metadata,
    id_(),
    Column("public_id", Uuid, nullable=False, unique=True),
    Column("channel", String(63), nullable=False),
    # What names it at its source: heard of twice, it is recorded once.
    Column("key", String(200), nullable=False),
    Column("account_id", Id),
    Column("inbox", String(63), nullable=False),
    Column("sender", Text, nullable=False),
    # As an address's: found again when there is no address of it, and by whoever erases a person.
    Column("sender_hash", LargeBinary, nullable=False),
    Column("subject", Text, nullable=False, server_default=""),
    Column("text", Text, nullable=False),
    Column("announcement_id", Id),
    Column("delivery_id", Id),
    Column("received_at", Moment, nullable=False),
    Column("automatic", Boolean, nullable=False, server_default=text("false")),
    Column("concern", Boolean, nullable=False, server_default=text("false")),
    # When somebody first read it, and who: what nobody has stands first.
    Column("opened_at", Moment),
    Column("opened_by", Text, nullable=False, server_default=""),
    Column("released_at", Moment),
    Column("released_by", Text, nullable=False, server_default=""),
    Column("done_at", Moment),
    Column("done_by", Text, nullable=False, server_default=""),
    Column("reply", Text, nullable=False, server_default=""),
    UniqueConstraint("channel", "key"),
)
Index("ix_answer_sender_hash", answer.c.sender_hash)
Index(
    "ix_answer_open",
    answer.c.inbox,
    answer.c.received_at,
    sqlite_where=answer.c.done_at.is_(None),
    postgresql_where=answer.c.done_at.is_(None),
)

# An announcement that is here was written by the house itself, for addresses that its deliveries name and no audience.
note = Table(
    "note",
    metadata,
    ref("announcement_id", "announcement.id", primary_key=True),
)

bounce = Table(
    "bounce",
    metadata,
    id_(),
    Column("key", String(64), nullable=False),
    Column("attempt_id", Id, nullable=False),
    Column("delivery_id", Id, nullable=False),
    Column("address_id", Id),
    Column("channel", String(63), nullable=False),
    Column("kind", String(16), nullable=False),
    Column("code", String(16), nullable=False, server_default=""),
    Column("at", Moment, nullable=False),
    UniqueConstraint("key", "attempt_id"),
    one_of("kind", BounceKind),
)
Index("ix_bounce_address_id", bounce.c.address_id, bounce.c.channel)

# Beside the opt-outs, for nobody asked for this: whoever says that the address is right takes it away.
bounced = Table(
    "bounced",
    metadata,
    Column("hash", LargeBinary, primary_key=True),
    Column("channel", String(63), primary_key=True),
    Column("code", String(16), nullable=False, server_default=""),
    Column("at", Moment, nullable=False),
)

mailbox = Table(
    "mailbox",
    metadata,
    Column("name", String(63), primary_key=True),
    Column("position", Text, nullable=False),
    Column("read_at", Moment, nullable=False),
)

# Mails that could not be taken in: they lie in their mailbox, and nothing of them is kept here.
mail_aside = Table(
    "mail_aside",
    metadata,
    id_(),
    Column("mailbox", String(63), nullable=False),
    Column("key", String(64), nullable=False),
    Column("place", Text, nullable=False),
    Column("fault", Text, nullable=False),
    Column("at", Moment, nullable=False),
    UniqueConstraint("mailbox", "key"),
)

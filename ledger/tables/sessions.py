"""Who is signed in: links, sessions, and what each operator proves by who they are."""

from __future__ import annotations

from sqlalchemy import Boolean, Column, Index, Integer, LargeBinary, String, Table, Text, text

from ledger.tables.base import Id, Moment, metadata, ref

# Links, sessions, devices and codes are held as digests: whoever reads the ledger can sign in with none of them.
sign_in_link = Table(
    "sign_in_link",
    metadata,
    Column("digest", LargeBinary, primary_key=True),
    Column("operator", Text, nullable=False),
    Column("made_at", Moment, nullable=False),
    Column("expires_at", Moment, nullable=False),
    Column("used_at", Moment),
    Column("invites", Boolean, nullable=False, server_default=text("false")),  # they choose a password first
)

session = Table(
    "session",
    metadata,
    Column("digest", LargeBinary, primary_key=True),
    Column("operator", Text, nullable=False),
    Column("began_at", Moment, nullable=False),
    Column("expires_at", Moment, nullable=False),
    Column("ended_at", Moment),
    Column("how", String(63), nullable=False, server_default="link"),  # link, password, or a provider's name
    Column("stage", String(16), nullable=False, server_default="whole"),  # or what is asked for next
    Column("seen_at", Moment),
    Column("proved_at", Moment),  # when they last proved who they are
    # Unused for so long it ends; 0: never.
    Column("idle_seconds", Integer, nullable=False, server_default="0"),
    # "Firefox on Windows": to know it again in a list.
    Column("about", Text, nullable=False, server_default=""),
)

# One row an operator who signs in by a password. `second` is sealed under the school's secret key.
proof = Table(
    "proof",
    metadata,
    ref("operator_id", "operator.id", primary_key=True),
    Column("password", Text),  # Argon2id
    Column("password_at", Moment),
    Column("second", LargeBinary),
    Column("second_at", Moment),
    Column("last_step", Id, nullable=False, server_default="0"),  # no code of it or before counts again
)

recovery_code = Table(
    "recovery_code",
    metadata,
    Column("digest", LargeBinary, primary_key=True),
    ref("operator_id", "operator.id"),
    Column("made_at", Moment, nullable=False),
    Column("used_at", Moment),
)
Index("ix_recovery_code_operator_id", recovery_code.c.operator_id)

# Who an operator is at a provider, by keyed digest: of the subject, or of the address that an admin expects.
identity = Table(
    "identity",
    metadata,
    Column("provider", String(63), primary_key=True),
    Column("digest", LargeBinary, primary_key=True),
    ref("operator_id", "operator.id"),
    Column("mapped", Boolean, nullable=False),  # their roles follow the provider's groups
    Column("at", Moment, nullable=False),
)
Index("ix_identity_operator_id", identity.c.operator_id)

# A browser on which an operator has signed in: a stranger's tries do not count against it.
device = Table(
    "device",
    metadata,
    Column("digest", LargeBinary, primary_key=True),
    ref("operator_id", "operator.id"),
    Column("made_at", Moment, nullable=False),
    Column("expires_at", Moment, nullable=False),
)
Index("ix_device_operator_id", device.c.operator_id)

# Tries to sign in, by keyed digest of a source, an account or a device: when its next one would be free.
sign_in_pace = Table(
    "sign_in_pace",
    metadata,
    Column("key", LargeBinary, primary_key=True),
    Column("free_at", Moment, nullable=False),
)

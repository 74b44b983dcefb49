"""What a school has settled about its accounts, and what was found on them that it did not post through us."""

from __future__ import annotations

from sqlalchemy import Boolean, Column, Date, Integer, String, Table, Text, UniqueConstraint, text

from ledger.tables.base import Moment, id_, metadata, ref

# Every version that there ever was: what held on the day of an announcement can still be shown.
licence_version = Table(
    "licence_version",
    metadata,
    id_(),
    ref("account_id", "account.id"),
    Column("version", Integer, nullable=False),
    Column("body", Text, nullable=False),  # JSON: the form
    Column("digest", String(64), nullable=False),
    Column("specimen", Boolean, nullable=False, server_default=text("false")),
    Column("made_at", Moment, nullable=False),
    Column("made_by", Text, nullable=False),
    UniqueConstraint("account_id", "version"),
)

# What the newest version comes to: read with every claim, so it holds the answer and not the form.
licence = Table(
    "licence",
    metadata,
    ref("account_id", "account.id", primary_key=True),
    Column("version", Integer, nullable=False),
    Column("stands_until", Moment),  # null: an angle does not hold
    Column("lacking", Text, nullable=False, server_default=""),  # which, in plain words
    Column("lapsing", Text, nullable=False, server_default=""),  # which angle lapses first
    Column("lapsed_at", Moment),  # when a lapse was noticed and told
    Column("judged_at", Moment, nullable=False),
)

# One row for each step of warning that was told: once, whoever sweeps.
licence_warning = Table(
    "licence_warning",
    metadata,
    ref("account_id", "account.id", primary_key=True),
    Column("lapses_on", Date, primary_key=True, autoincrement=False),
    Column("days", Integer, primary_key=True, autoincrement=False),
    Column("told_at", Moment, nullable=False),
    Column("mailed", Text, nullable=False, server_default=""),  # the announcement's id, or why there is none
)

# When an account's own posts are read again, and how often that failed.
account_watch = Table(
    "account_watch",
    metadata,
    ref("account_id", "account.id", primary_key=True),
    Column("since", Moment, nullable=False),  # posts before that are none of ours to judge
    Column("due_at", Moment, nullable=False),
    Column("failures", Integer, nullable=False, server_default="0"),
)

# Posts on an account that the ledger did not make (R18).
found_post = Table(
    "found_post",
    metadata,
    id_(),
    ref("account_id", "account.id"),
    Column("provider_id", Text, nullable=False),
    Column("text", Text, nullable=False),
    Column("posted_at", Moment, nullable=False),
    Column("found_at", Moment, nullable=False),
    Column("carried", Text),  # the announcement that carried it into the feeds
    Column("why_not", Text, nullable=False, server_default=""),
    UniqueConstraint("account_id", "provider_id"),
)

"""Two people: operators with their roles, what the second one decided, and who reads a message to few pupils too."""

from __future__ import annotations

from sqlalchemy import Column, Index, Integer, String, Table, Text, text

from broker.ports.approvals import Decided, OperatorRole
from ledger.tables.base import Moment, id_, metadata, one_of, ref

operator = Table(
    "operator",
    metadata,
    id_(),
    Column("name", Text, nullable=False),
    Column("folded_name", Text, nullable=False),
    ref("department_id", "department.id", nullable=True),  # whose announcements they act on; None for all
    Column("added_at", Moment, nullable=False),
    Column("added_by", Text, nullable=False),
    Column("removed_at", Moment),
    Column("removed_by", Text),
)
# Only among those who are there: a name may come back, and the history stays.
Index(
    "ux_operator_name",
    operator.c.folded_name,
    unique=True,
    sqlite_where=text("removed_at IS NULL"),
    postgresql_where=text("removed_at IS NULL"),
)

operator_role = Table(
    "operator_role",
    metadata,
    ref("operator_id", "operator.id", primary_key=True),
    Column("role", String(16), primary_key=True),
    one_of("role", OperatorRole),
)

# Each decision with what it was about; one that no longer stands is void, and says why.
approval = Table(
    "approval",
    metadata,
    id_(),
    ref("announcement_id", "announcement.id"),
    Column("decision", String(16), nullable=False),
    Column("by", Text, nullable=False),
    Column("at", Moment, nullable=False),
    Column("why", Text, nullable=False, server_default=""),
    Column("content_version", Integer, nullable=False),
    Column("rules_version", Integer, nullable=False),
    Column("bound", String(64), nullable=False),  # the digest of content, audience, people, ways and rules
    Column("counted", Integer),
    Column("void_at", Moment),
    Column("void_why", Text, nullable=False, server_default=""),
    Column("reviewed_at", Moment),
    Column("reviewed_by", Text),
    Column("review", Text, nullable=False, server_default=""),
    one_of("decision", Decided),
)
# Two who decide at once: the second finds it decided, whatever it looked at before.
Index(
    "ux_approval_standing",
    approval.c.announcement_id,
    unique=True,
    sqlite_where=text("void_at IS NULL"),
    postgresql_where=text("void_at IS NULL"),
)

announcement_copy = Table(
    "announcement_copy",
    metadata,
    ref("announcement_id", "announcement.id", primary_key=True),
    ref("person_id", "person.id", primary_key=True),
)

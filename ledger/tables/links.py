"""Private links: addresses of what a group is told, for those alone who were given them; and who subscribed by one."""

from __future__ import annotations

from sqlalchemy import Column, Index, LargeBinary, Table, Text

from ledger.tables.base import Moment, id_, metadata, ref

private_link = Table(
    "private_link",
    metadata,
    id_(),
    # SHA-256 of 256 random bits: whoever reads the ledger can open none of them.
    Column("digest", LargeBinary, nullable=False, unique=True),
    ref("group_id", "people_group.id"),
    Column("about", Text, nullable=False),  # for whom it was made
    Column("made_at", Moment, nullable=False),
    Column("made_by", Text, nullable=False),
    Column("revoked_at", Moment),
    Column("revoked_by", Text),
)

# A browser that asked to be told with the group of a link: nobody knows whose it is.
subscriber = Table(
    "subscriber",
    metadata,
    ref("address_id", "address.id", primary_key=True, autoincrement=False),
    ref("link_id", "private_link.id"),
    # Whose public key the browser took: no other account can send to it.
    ref("account_id", "account.id"),
    Column("made_at", Moment, nullable=False),
)
Index("ix_subscriber_link_id_address_id", subscriber.c.link_id, subscriber.c.address_id)

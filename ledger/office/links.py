"""Private links, found by the digests of their secrets."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Row, Select, func, insert, select, update

from broker.ports.links import OpenLink, PrivateLinkRow
from ledger.hand import Hand
from ledger.tables import department, people_group, private_link, subscriber


class PrivateLinks:
    """See broker.ports.links.PrivateLinks."""

    def __init__(self, hand: Hand) -> None:
        self._hand = hand

    def add(self, digest: bytes, group: int, about: str, *, by: str) -> PrivateLinkRow:
        """Keep one."""
        values = {
            "digest": digest, "group_id": group, "about": about, "made_at": self._hand.now, "made_by": by,
        }  # fmt: skip
        run = self._hand.connection.execute
        made = run(insert(private_link).values(values).returning(private_link.c.id)).scalar_one()
        return _row(run(_links().where(private_link.c.id == made)).one())

    def opened(self, digest: bytes) -> OpenLink | None:
        """The link itself, where it opens something."""
        standing = (private_link.c.revoked_at.is_(None), people_group.c.active)
        query = _links().where(private_link.c.digest == digest, *standing)
        row = self._hand.connection.execute(query).one_or_none()
        return None if row is None else OpenLink(row.id, row.group, row.department)

    def group_of(self, digest: bytes) -> str | None:
        """The name of the active group that a link opens; None when it is unknown or revoked."""
        query = (
            select(people_group.c.name)
            .join(private_link, private_link.c.group_id == people_group.c.id)
            .where(
                private_link.c.digest == digest, private_link.c.revoked_at.is_(None), people_group.c.active
            )
        )
        return self._hand.connection.execute(query).scalar_one_or_none()

    def all(self, *, group: int | None = None) -> Sequence[PrivateLinkRow]:
        """Every link that was ever made, the newest first; to one group alone, where it is named."""
        query = _links().order_by(private_link.c.id.desc())
        if group is not None:
            query = query.where(private_link.c.group_id == group)
        return [_row(row) for row in self._hand.connection.execute(query)]

    def by_id(self, link: int) -> PrivateLinkRow | None:
        """One; locked."""
        query = _links().where(private_link.c.id == link).with_for_update(of=private_link)
        row = self._hand.connection.execute(query).one_or_none()
        return None if row is None else _row(row)

    def revoke(self, link: int, *, by: str) -> None:
        """It opens nothing any more."""
        over = {"revoked_at": self._hand.now, "revoked_by": by}
        self._hand.connection.execute(update(private_link).where(private_link.c.id == link).values(over))


def _links() -> Select[Any]:
    counted = select(func.count()).where(subscriber.c.link_id == private_link.c.id).scalar_subquery()
    return (
        select(private_link, people_group.c.name.label("group"), department.c.slug.label("department"))
        .add_columns(counted.label("subscribers"))
        .join(people_group, people_group.c.id == private_link.c.group_id)
        .outerjoin(department, department.c.id == people_group.c.department_id)
    )


def _row(row: Row[Any]) -> PrivateLinkRow:
    return PrivateLinkRow(
        row.id,
        row.group,
        row.department,
        row.about,
        row.made_at,
        row.made_by,
        row.revoked_at,
        row.revoked_by,
        row.subscribers,
    )

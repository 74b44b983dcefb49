"""Tokens of programs, found by the digests of them."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import Any

from sqlalchemy import Row, Select, bindparam, insert, select, text, update

from broker.ports.api import Scope, TokenRow
from ledger import tables as t
from ledger.hand import Hand


class Tokens:
    """See broker.ports.api.Tokens."""

    def __init__(self, hand: Hand) -> None:
        self._hand = hand

    def add(self, row: TokenRow, digest: bytes) -> None:
        """Keep a new one."""
        owner = select(t.department.c.id).where(t.department.c.slug == row.department).scalar_subquery()
        values = {
            "public_id": row.public_id,
            "name": row.name,
            "digest": digest,
            "scopes": " ".join(sorted(row.scopes)),
            "department_id": owner if row.department is not None else None,
            "operator": row.operator,
            "made_by": row.made_by,
            "made_at": row.made_at,
            "expires_at": row.expires_at,
        }
        self._hand.connection.execute(insert(t.api_token).values(values))

    def by_digest(self, digest: bytes) -> TokenRow | None:
        """Whose it is, revoked and expired ones among them."""
        found = self._hand.timed_row(_by_digest(self._hand.dialect.now), digest=digest)
        return _row(found) if found is not None else None

    def named(self, name: str) -> TokenRow | None:
        """The one of this name that is not revoked."""
        return self._one(_tokens().where(t.api_token.c.name == name, t.api_token.c.revoked_at.is_(None)))

    def all(self) -> Sequence[TokenRow]:
        """Every one that is not revoked, the newest first."""
        query = _tokens().where(t.api_token.c.revoked_at.is_(None)).order_by(t.api_token.c.id.desc())
        return [_row(each) for each in self._hand.connection.execute(query)]

    def used(self, token: int) -> None:
        """It was used now."""
        self._set(token, used_at=self._hand.now)

    def revoke(self, token: int, *, by: str) -> None:
        """It works no more."""
        self._set(token, revoked_at=self._hand.now, revoked_by=by)

    def _set(self, token: int, **values: Any) -> None:
        self._hand.connection.execute(update(t.api_token).where(t.api_token.c.id == token).values(values))

    def _one(self, query: Select[Any]) -> TokenRow | None:
        found = self._hand.connection.execute(query).one_or_none()
        return _row(found) if found is not None else None


def _tokens() -> Select[Any]:
    return select(t.api_token, t.department.c.slug).outerjoin(
        t.department, t.department.c.id == t.api_token.c.department_id
    )


@lru_cache(maxsize=2)  # one for each kind of database; every call to the API asks it
def _by_digest(now: str) -> Select[Any]:
    return _tokens().add_columns(text(f"{now} AS now")).where(t.api_token.c.digest == bindparam("digest"))


def _row(row: Row[Any]) -> TokenRow:
    return TokenRow(
        row.id,
        row.public_id,
        row.name,
        frozenset(Scope(word) for word in row.scopes.split()),
        row.slug,
        row.operator,
        row.made_by,
        row.made_at,
        row.expires_at,
        row.used_at,
        row.revoked_at,
    )

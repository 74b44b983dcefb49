"""Which dialect a database address asks for."""

from __future__ import annotations

from sqlalchemy import URL

from ledger.dialect import Dialect
from ledger.dialect.postgres import Postgres
from ledger.dialect.sqlite import Sqlite, Wall


def dialect_of(url: URL, wall: Wall | None = None) -> Dialect:
    """A fresh dialect. Raises ValueError for a database that Carillon does not know.

    `wall`: what tells SQLite the time, where it is not the machine; PostgreSQL has a time of its own.
    """
    backend = url.get_backend_name()
    if backend == "sqlite":
        return Sqlite(wall)
    if backend == "postgresql":
        return Postgres()
    raise ValueError(f"the database must be sqlite or postgresql, not {backend}")

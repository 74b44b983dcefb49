"""What every port module of the ledger works with."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Any

from sqlalchemy import Connection, Result, Row, Select, TextClause, text

from broker.ports import Signer
from ledger.dialect import Column, Dialect


@dataclass(frozen=True, slots=True)
class Hand:
    """What every port module works with: a connection in a transaction, the dialect, and the signer."""

    connection: Connection
    dialect: Dialect
    signer: Signer

    @property
    def now(self) -> datetime:
        """The transaction's time."""
        return self.dialect.read_now(self.connection)

    def run(self, sql: str, **values: Any) -> Result[Any]:
        """One statement of text, with the dialect's own parameters bound as far as the statement names them."""
        own = self.dialect.parameters(self.connection)
        bound = {name: value for name, value in own.items() if f":{name}" in sql}
        return self.connection.execute(_parsed(sql), {**bound, **values})

    def run_each(self, sql: str, rows: Sequence[dict[str, Any]]) -> None:
        """One statement once for each row, in their order; a single round trip where the driver can."""
        own = self.dialect.parameters(self.connection)
        bound = {name: value for name, value in own.items() if f":{name}" in sql}
        self.connection.execute(_parsed(sql), [{**bound, **row} for row in rows])

    def run_rows(
        self, sql: str, columns: Sequence[Column], records: Sequence[Sequence[Any]], **values: Any
    ) -> Result[Any]:
        """One statement over many records, joined as the table `u`."""
        return self.run(sql, **self.dialect.row_values(columns, records), **values)

    def timed_row(self, query: Select[Any], **values: Any) -> Row[Any] | None:
        """The one row of a query that asks for the time beside it, `AS now`, so that nobody needs to ask again."""
        own = self.dialect.parameters(self.connection)
        row = self.connection.execute(query, {**own, **values}).one_or_none()
        if row is not None:
            self.dialect.saw_now(self.connection, row.now)
        return row

    def interval(self, length: timedelta) -> Any:
        """The value for a parameter used in `dialect.after`."""
        return self.dialect.interval(self.connection, length)


@lru_cache(maxsize=256)  # the ledger's own statements are some dozens
def _parsed(sql: str) -> TextClause:
    return text(sql)

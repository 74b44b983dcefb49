"""What differs between the databases: everything that branches on which one it is lives in this folder.

A dialect is a handful of SQL fragments and a few settings of the engine. The hot statements are written once, as
text, over these fragments: `{rows}` joins a list of records to a table, `{now}` is the transaction's time.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, Protocol

from sqlalchemy import URL, Connection, Engine, FromClause, Select

from ledger.walks import Walks

Column = tuple[str, str]  # (name, "bigint" | "text" | "moment" | "integer" | "boolean")


class Dialect(Protocol):
    """One database's way of saying what the ledger needs."""

    name: str
    now: str  # the transaction's time, as SQL
    clock: str  # the time at this moment, as SQL
    skip_locked: str  # appended to a SELECT that picks work
    lock: str  # appended to a SELECT of rows that will be changed
    mark: str  # the record mark of this transaction, as SQL
    changes_together: bool  # whether one statement may change several tables: WITH … (UPDATE … RETURNING)
    walks: Walks  # where claims of this process go on
    one_moment: Mapping[str, Any]  # what makes a whole transaction of reads see one moment

    def open(self, url: URL, *, pool_size: int) -> Engine:
        """An engine with every setting that durability and timeouts need."""

    def read_now(self, connection: Connection) -> datetime:
        """The transaction's time."""

    def saw_now(self, connection: Connection, now: Any) -> None:
        """A statement has just returned the transaction's time: nobody needs to ask for it again."""

    def parameters(self, connection: Connection) -> Mapping[str, Any]:
        """What the fragments above need bound."""

    def after(self, name: str) -> str:
        """SQL for "now plus the parameter `name`"."""

    def interval(self, connection: Connection, length: timedelta) -> Any:
        """The value to bind for a parameter used in `after`."""

    def rows(self, columns: Sequence[Column], name: str = "u") -> str:
        """SQL for a table of this name with these columns, filled by `row_values`."""

    def row_values(
        self, columns: Sequence[Column], records: Sequence[Sequence[Any]], name: str = "u"
    ) -> Mapping[str, Any]:
        """The parameters that fill `rows`."""

    def load(
        self, connection: Connection, table: str, columns: Sequence[str], records: Iterable[Sequence[Any]]
    ) -> None:
        """Fill a table as fast as the database can, in constant memory; days as ISO text, UUIDs as hex."""

    def month(self, zone: str) -> str:
        """SQL for the month of the transaction's time in a zone that is SQL itself: '2026-11'."""

    def seconds(self, moment: str) -> str:
        """SQL for the seconds from the year 1970 to a moment that is SQL itself, with their fractions."""

    def any_of(self, column: str, name: str) -> str:
        """SQL for "column is one of the ids in the parameter `name`"."""

    def ids(self, ids: Sequence[int]) -> Any:
        """The value to bind for a parameter used in `any_of`."""

    def apart(self, chosen: Select[Any], name: str) -> FromClause:
        """A subquery that is computed first and by itself, whatever the planner believes of its neighbours."""

    def may_seal(self, connection: Connection) -> bool:
        """Take the sealer's lock for this transaction; False when somebody else has it."""

    def next_mark(self, connection: Connection) -> int:
        """The first mark that a transaction still running, or yet to come, might use."""

    def may_sweep(self, connection: Connection) -> bool:
        """Take the sweeper's lock for this transaction; False when somebody else has it."""

    def overwrite(self, connection: Connection) -> None:
        """What this connection deletes from now on shall not be readable in the database's own files."""

    def forget(self, connection: Connection) -> None:
        """Take what was overwritten out of the database's own files, where that is ours to do."""

    def is_conflict(self, error: BaseException) -> bool:
        """Whether a transaction lost to another one and may simply be run again."""

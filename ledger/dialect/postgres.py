"""PostgreSQL, through psycopg 3: real row locks, the database's clock, arrays for bulk."""

from __future__ import annotations

import json
import time
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from functools import partial
from typing import Any

from psycopg import sql
from sqlalchemy import (
    URL,
    Connection,
    Engine,
    FromClause,
    Select,
    create_engine,
    event,
    text,
)
from sqlalchemy.exc import DBAPIError, InvalidatePoolError

from ledger.dialect import Column
from ledger.walks import Walks

_TYPES = {
    "bigint": "bigint",
    "integer": "integer",
    "text": "text",
    "moment": "timestamptz",
    "boolean": "boolean",
}
_SESSION = {
    "lock_timeout": "15s",
    "statement_timeout": "120s",
    "idle_in_transaction_session_timeout": "60s",
    # Both for the first minute of a table just filled, of which the planner knows nothing yet: compiling a statement
    # that it thought dear took 26 ms of its 37, and scanning all of a table seemed cheaper to it than 200 look-ups.
    "jit": "off",
    "random_page_cost": "1.1",
}
TRUSTED = timedelta(seconds=1)  # a connection that has rested for less is used without asking it first
_SEALER, _SWEEPER = 7_220_001, 7_220_002  # advisory locks: any two numbers nobody else here uses
# Serialization failure, deadlock, lock not available; and unique violation, for where two write the same row for the
# first time (one key, one attachment, one alarm), whoever comes second sees it in the next turn.
_CONFLICTS = frozenset({"40001", "40P01", "55P03", "23505"})


class Postgres:
    """PostgreSQL 13 or later."""

    name = "postgresql"
    now = "now()"
    clock = "clock_timestamp()"
    skip_locked = "FOR UPDATE SKIP LOCKED"
    lock = "FOR NO KEY UPDATE"
    changes_together = True
    one_moment: Mapping[str, Any] = {"isolation_level": "REPEATABLE READ"}
    mark = "(pg_current_xact_id()::text::bigint + (SELECT mark_offset FROM school))"

    def __init__(self) -> None:
        self.walks = Walks()

    def open(self, url: URL, *, pool_size: int) -> Engine:
        """Timeouts on every wait: a lock, a statement, a transaction left open, a dead connection."""
        options = " ".join(f"-c {name}={value}" for name, value in _SESSION.items())
        arguments = {
            "connect_timeout": 10,
            "options": options,
            "application_name": "carillon",
            "keepalives_idle": 30,
            "keepalives_interval": 10,
            "keepalives_count": 3,
            "tcp_user_timeout": 30_000,
        }
        engine = create_engine(
            url.set(drivername="postgresql+psycopg"),
            pool_size=pool_size,
            max_overflow=pool_size,
            pool_timeout=30,
            connect_args=arguments,
            hide_parameters=True,  # an error's words would hold numbers and texts otherwise
        )
        event.listen(engine, "checkin", _rests)
        event.listen(engine, "checkout", partial(_try_after_rest, engine))
        event.listen(engine, "begin", lambda connection: connection.info.pop("carillon_now", None))
        return engine

    def read_now(self, connection: Connection) -> datetime:
        """The transaction's time."""
        known: datetime | None = connection.info.get("carillon_now")
        if known is None:
            known = connection.info["carillon_now"] = connection.execute(text("SELECT now()")).scalar_one()
        return known

    def saw_now(self, connection: Connection, now: Any) -> None:
        """Kept for the rest of the transaction."""
        connection.info["carillon_now"] = now

    def parameters(self, connection: Connection) -> Mapping[str, Any]:
        """Nothing: the database knows its own time."""
        return {}

    def after(self, name: str) -> str:
        """An interval in seconds, added to the transaction's time."""
        return f"(now() + make_interval(secs => :{name}))"

    def interval(self, connection: Connection, length: timedelta) -> Any:
        """Seconds."""
        return length.total_seconds()

    def rows(self, columns: Sequence[Column], name: str = "u") -> str:
        """One JSON text, taken apart: psycopg writes arrays in Python, element by element, at five times the cost."""
        taken = ", ".join(f"{column} {_TYPES[kind]}" for column, kind in columns)
        return f"json_to_recordset(CAST(:{name}_rows AS json)) AS {name}({taken})"

    def row_values(
        self, columns: Sequence[Column], records: Sequence[Sequence[Any]], name: str = "u"
    ) -> Mapping[str, Any]:
        """The records as JSON objects."""
        names = [column for column, _ in columns]
        told = [dict(zip(names, record, strict=True)) for record in records]
        return {f"{name}_rows": json.dumps(told, default=_encode)}

    def load(
        self, connection: Connection, table: str, columns: Sequence[str], records: Iterable[Sequence[Any]]
    ) -> None:
        """COPY: ten times what an INSERT of arrays does."""
        statement = sql.SQL("COPY {} ({}) FROM STDIN").format(
            sql.Identifier(table), sql.SQL(", ").join(map(sql.Identifier, columns))
        )
        driver: Any = connection.connection.driver_connection
        with driver.cursor() as cursor, cursor.copy(statement) as copy:
            for record in records:
                copy.write_row(record)

    def month(self, zone: str) -> str:
        """PostgreSQL knows the zones."""
        return f"to_char(now() AT TIME ZONE {zone}, 'YYYY-MM')"

    def seconds(self, moment: str) -> str:
        """As PostgreSQL counts them."""
        return f"extract(epoch FROM {moment})"

    def any_of(self, column: str, name: str) -> str:
        """One array."""
        return f"{column} = ANY(CAST(:{name} AS bigint[]))"

    def ids(self, ids: Sequence[int]) -> Any:
        """A list, which psycopg binds as an array."""
        return list(ids)

    def apart(self, chosen: Select[Any], name: str) -> FromClause:
        """A materialised common table expression."""
        return chosen.cte(name).prefix_with("MATERIALIZED", dialect="postgresql")

    def may_seal(self, connection: Connection) -> bool:
        """A transaction-level advisory lock."""
        return self._lock(connection, _SEALER)

    def may_sweep(self, connection: Connection) -> bool:
        """A transaction-level advisory lock."""
        return self._lock(connection, _SWEEPER)

    def next_mark(self, connection: Connection) -> int:
        """The oldest transaction still running: everything before it is finished, committed or not."""
        statement = "SELECT pg_snapshot_xmin(pg_current_snapshot())::text::bigint + mark_offset FROM school"
        return int(connection.execute(text(statement)).scalar_one())

    def overwrite(self, connection: Connection) -> None:
        """Nothing: dead rows go with the next vacuum, which the server does by itself."""

    def forget(self, connection: Connection) -> None:
        """Nothing: its log and its dead rows are the server's own affair."""

    def is_conflict(self, error: BaseException) -> bool:
        """Deadlocks, serialization failures, lock timeouts, and rows that somebody wrote a moment before."""
        return isinstance(error, DBAPIError) and getattr(error.orig, "sqlstate", None) in _CONFLICTS

    @staticmethod
    def _lock(connection: Connection, number: int) -> bool:
        statement = text("SELECT pg_try_advisory_xact_lock(:number)")
        return bool(connection.execute(statement, {"number": number}).scalar_one())


def _rests(_connection: object, record: Any) -> None:
    record.info["carillon_rests_since"] = time.monotonic()


def _try_after_rest(engine: Engine, connection: Any, record: Any, _fairy: object) -> None:
    """Ask whether it still lives, as SQLAlchemy's own pre-ping would, but not of one that was busy a moment ago."""
    since = record.info.get("carillon_rests_since")
    if since is None or time.monotonic() - since < TRUSTED.total_seconds():
        return
    try:
        engine.dialect.do_ping(connection)
    except Exception as lost:
        # With it every other that has rested is replaced: they died of the same.
        raise InvalidatePoolError from lost


def _encode(value: object) -> object:
    if isinstance(value, datetime):
        return value.isoformat()
    raise TypeError(f"cannot hand {type(value).__name__} to PostgreSQL")

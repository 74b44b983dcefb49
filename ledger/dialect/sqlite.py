"""SQLite in WAL mode: one writer at a time, durable at every commit, the process's clock guarded against going back."""

from __future__ import annotations

import contextlib
import json
import os
import sqlite3
import threading
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import URL, Connection, Engine, FromClause, Select, create_engine, event
from sqlalchemy.exc import DBAPIError
from sqlalchemy.pool import ConnectionPoolEntry, QueuePool

from ledger.dialect import Column
from ledger.dialect.one_writer import OneWriter
from ledger.walks import Walks

BUSY = timedelta(seconds=30)
STORED = "%Y-%m-%d %H:%M:%S.%f"
TURN = "carillon_turn"  # kept on a connection while it is its turn to write
AHEAD = "carillon_ahead"  # execution option: this writer goes before those that wait
READ_ONLY = "carillon_read_only"  # execution option: a transaction that only reads takes no write lock


Wall = Callable[[], datetime]  # what tells the time: the machine's, or one that plays a term


class GuardedClock:
    """The process's time, which never runs backwards even when the machine's clock is set back.

    Nor does it stand still until the machine has caught up: for an hour no retry would come due and no lease would
    end. It goes on at half its pace.
    """

    def __init__(
        self,
        wall: Wall = lambda: datetime.now(UTC),
        ticks: Callable[[], float] = time.monotonic,
    ) -> None:
        self._wall, self._ticks = wall, ticks
        self._last, self._last_ticks = wall(), ticks()
        self._lock = threading.Lock()

    def __call__(self) -> datetime:
        """The time now; while that is behind what was given already, a time that draws nearer to it."""
        with self._lock:
            ticks = self._ticks()
            crept = self._last + timedelta(seconds=(ticks - self._last_ticks) / 2)
            self._last, self._last_ticks = max(self._wall(), crept), ticks
            return self._last


class Sqlite:
    """SQLite 3.35 or later (RETURNING, UPDATE … FROM)."""

    name = "sqlite"
    now = ":now"
    clock = ":now"
    skip_locked = ""
    lock = ""
    changes_together = False
    one_moment: Mapping[str, Any] = {}  # as every transaction of its own accord
    mark = "(SELECT coalesce(max(id), 0) + 1 FROM record_entry)"

    def __init__(self, wall: Wall | None = None) -> None:
        self._clock = GuardedClock(wall) if wall is not None else GuardedClock()
        self.walks = Walks()
        self._writers = OneWriter()

    def open(self, url: URL, *, pool_size: int) -> Engine:
        """Every connection gets WAL, full synchronisation, foreign keys and a busy timeout."""
        if url.database and url.database != ":memory:":
            _keep_private(Path(url.database))
        engine = create_engine(
            url,
            poolclass=QueuePool,
            pool_size=pool_size,
            max_overflow=pool_size,
            pool_timeout=30,
            connect_args={"timeout": BUSY.total_seconds(), "check_same_thread": False},
            hide_parameters=True,  # an error's words would hold numbers and texts otherwise
        )
        event.listen(engine, "connect", _on_connect)
        event.listen(engine, "begin", self._on_begin)
        event.listen(engine, "checkin", self._on_checkin)
        return engine

    def _on_begin(self, connection: Connection) -> None:
        connection.info.pop("carillon_now", None)
        if connection.get_execution_options().get(READ_ONLY):
            connection.exec_driver_sql("BEGIN")
            return
        if not connection.info.get(TURN):  # a connection may begin again before it is given back
            connection.info[TURN] = self._writers.take(
                BUSY, ahead=connection.get_execution_options().get(AHEAD, False)
            )
        # A transaction that reads first and writes later fails at once under WAL if another wrote in between.
        connection.exec_driver_sql("BEGIN IMMEDIATE")

    def _on_checkin(self, _connection: object, record: ConnectionPoolEntry) -> None:
        # Not at the commit, of which SQLAlchemy tells before it is made: the next would find the file still locked.
        if record.info.pop(TURN, False):
            self._writers.give_back()

    def read_now(self, connection: Connection) -> datetime:
        """The time at which this transaction first asked."""
        known: datetime | None = connection.info.get("carillon_now")
        if known is None:
            known = connection.info["carillon_now"] = self._clock()
        return known

    def saw_now(self, connection: Connection, now: Any) -> None:
        """Nothing new: whatever a statement returns as now was bound to it."""

    def parameters(self, connection: Connection) -> Mapping[str, Any]:
        """The time, in the form in which SQLite keeps times."""
        return {"now": stored(self.read_now(connection))}

    def after(self, name: str) -> str:
        """The instant itself is bound."""
        return f":{name}"

    def interval(self, connection: Connection, length: timedelta) -> Any:
        """Now plus `length`, as stored."""
        return stored(self.read_now(connection) + length)

    def rows(self, columns: Sequence[Column], name: str = "u") -> str:
        """A JSON list of lists, taken apart."""
        picked = ", ".join(
            f"json_extract(value, '$[{place}]') AS {column}" for place, (column, _) in enumerate(columns)
        )
        return f"(SELECT {picked} FROM json_each(:{name}_rows)) AS {name}"

    def row_values(
        self, columns: Sequence[Column], records: Sequence[Sequence[Any]], name: str = "u"
    ) -> Mapping[str, Any]:
        """One JSON text."""
        return {f"{name}_rows": json.dumps(records, default=_encode)}

    def load(
        self, connection: Connection, table: str, columns: Sequence[str], records: Iterable[Sequence[Any]]
    ) -> None:
        """One prepared INSERT."""
        marks = ", ".join("?" * len(columns))
        statement = f"INSERT INTO {table} ({', '.join(columns)}) VALUES ({marks})"
        driver: Any = connection.connection.driver_connection
        driver.executemany(statement, records)

    def month(self, zone: str) -> str:
        """A function of ours, for SQLite knows no zones."""
        return f"carillon_month(:now, {zone})"

    def seconds(self, moment: str) -> str:
        """From the day that SQLite counts in: of its own functions for times the one with fractions."""
        return f"((julianday({moment}) - 2440587.5) * 86400.0)"

    def any_of(self, column: str, name: str) -> str:
        """A JSON list of ids."""
        return f"{column} IN (SELECT value FROM json_each(:{name}))"

    def ids(self, ids: Sequence[int]) -> Any:
        """One JSON text."""
        return json.dumps(list(ids))

    def apart(self, chosen: Select[Any], name: str) -> FromClause:
        """SQLite takes a subquery as it is written; and it counts no rows of a statement that begins with WITH."""
        return chosen.subquery(name)

    def may_seal(self, connection: Connection) -> bool:
        """A writing transaction is alone by nature."""
        return True

    def may_sweep(self, connection: Connection) -> bool:
        """A writing transaction is alone by nature."""
        return True

    def next_mark(self, connection: Connection) -> int:
        """Nobody else is writing, so everything stored may be sealed."""
        found = connection.exec_driver_sql("SELECT coalesce(max(mark), 0) + 1 FROM record_entry")
        return int(found.scalar_one())

    def overwrite(self, connection: Connection) -> None:
        """Deleted content is overwritten with zeros; else it would stand in free pages for years."""
        connection.exec_driver_sql("PRAGMA secure_delete=ON").close()

    def forget(self, connection: Connection) -> None:
        """What was overwritten stands in the write-ahead log as it was before: that is emptied into the file."""
        connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)").close()

    def is_conflict(self, error: BaseException) -> bool:
        """Somebody held the write lock for longer than the busy timeout."""
        return (
            isinstance(error, DBAPIError)
            and isinstance(error.orig, sqlite3.OperationalError)
            and error.orig.sqlite_errorcode in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED)
        )


def stored(moment: datetime) -> str:
    """An instant as SQLAlchemy's SQLite dialect stores it, so that raw SQL compares with it as text."""
    return moment.astimezone(UTC).strftime(STORED)


def _encode(value: object) -> object:
    if isinstance(value, datetime):
        return stored(value)
    raise TypeError(f"cannot hand {type(value).__name__} to SQLite")


def _keep_private(file: Path) -> None:
    """A ledger holds names and numbers: its file is made for its owner alone, and SQLite's others take its mode."""
    with contextlib.suppress(OSError):  # there already; or impossible, which SQLite itself then tells
        file.parent.mkdir(parents=True, exist_ok=True)
        os.close(os.open(file, os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o600))


def _month(now: str, zone: str) -> str:
    moment = datetime.strptime(now, STORED).replace(tzinfo=UTC)
    return f"{moment.astimezone(ZoneInfo(zone)):%Y-%m}"


def _on_connect(connection: sqlite3.Connection, _record: object) -> None:
    connection.create_function("carillon_month", 2, _month, deterministic=True)
    connection.isolation_level = None  # SQLAlchemy's begin event says BEGIN itself
    for pragma in (
        "journal_mode=WAL",
        "synchronous=FULL",
        "foreign_keys=ON",
        f"busy_timeout={int(BUSY.total_seconds() * 1000)}",
        "temp_store=MEMORY",
        "cache_size=-32000",
    ):
        connection.execute(f"PRAGMA {pragma}")

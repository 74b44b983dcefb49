"""What is wrong with a database, in plain words: a driver's own words may hold a row."""

from __future__ import annotations

import sqlite3

from sqlalchemy.exc import DataError, DBAPIError, IntegrityError, SQLAlchemyError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError

from broker.errors import Problem

FIELD = "CARILLON_DATABASE_URL"
PRIMARY = 0xFF  # SQLite puts the kind of a result into its lowest byte

_SQLITE = {
    sqlite3.SQLITE_BUSY: (
        "ledger_busy",
        "another program has been writing to the ledger for too long",
        "close what holds it open (a backup, a database browser), then try again",
    ),
    sqlite3.SQLITE_FULL: ("disk_full", "the disk of the ledger is full", "make room, then try again"),
    sqlite3.SQLITE_READONLY: (
        "ledger_read_only",
        "the ledger cannot be written to",
        "let the user that runs Carillon write to its file and to the folder around it",
    ),
    sqlite3.SQLITE_CANTOPEN: (
        "ledger_unreadable",
        "the ledger's file cannot be opened",
        "let the user that runs Carillon read and write it and the folder around it",
    ),
    sqlite3.SQLITE_IOERR: (
        "disk_fault",
        "the disk of the ledger does not read or write",
        "look at the machine's disk and its log",
    ),
    sqlite3.SQLITE_CORRUPT: ("ledger_damaged", "the ledger's file is damaged", "restore it from a backup"),
    sqlite3.SQLITE_NOTADB: ("no_ledger", "this file is no ledger", "name Carillon's own file, or a new one"),
}
_SQLITE[sqlite3.SQLITE_LOCKED] = _SQLITE[sqlite3.SQLITE_BUSY]
_POSTGRES = {  # by SQLSTATE, PostgreSQL's appendix A
    "53100": ("disk_full", "the disk of the database is full", "make room there, then try again"),
    "25006": (
        "ledger_read_only",
        "the database takes no writing",
        "name the server that does, and not a copy that follows it",
    ),
    "53300": (
        "database_busy",
        "the database lets nobody in any more",
        "raise its max_connections, or start fewer workers",
    ),
    # Our own statement_timeout and lock_timeout end them: it is there, and may answer in a moment.
    "57014": ("database_slow", "the database did not answer in time", "look at its load, then try again"),
    "55P03": (
        "database_slow",
        "another program holds for too long what is to be written",
        "wait for what runs there (a backup, an import), then try again",
    ),
    "57P03": ("database_starting", "the database is just starting or stopping", "try again in a moment"),
}


def problem_of(error: SQLAlchemyError) -> Problem:
    """One clear error for what a database would not do."""
    cause = error.orig if isinstance(error, DBAPIError) else None
    if isinstance(cause, sqlite3.Error):
        # An error that the module raises by itself carries no code.
        known = _SQLITE.get(getattr(cause, "sqlite_errorcode", 0) & PRIMARY)
        if known is not None:
            code, message, hint = known
            return Problem(code, FIELD, message, hint)
    elif (told := _POSTGRES.get(getattr(cause, "sqlstate", None) or "")) is not None:
        code, message, hint = told
        return Problem(code, FIELD, message, hint)
    hint = "is the database running, and are address, user and password right?"
    return Problem("database", FIELD, "cannot be reached", hint)


def is_away(error: BaseException) -> bool:
    """Whether the database itself is in the way (gone, full, busy, damaged), rather than what it was asked to keep."""
    of_the_row = isinstance(error, DataError | IntegrityError)
    return isinstance(error, PoolTimeoutError) or (isinstance(error, DBAPIError) and not of_the_row)

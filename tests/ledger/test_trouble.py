"""What a database would not do is told in plain words, from errors that real databases raise."""

from __future__ import annotations

from pathlib import Path

import pytest
from sqlalchemy import create_engine, text
from sqlalchemy.exc import DBAPIError

from ledger.trouble import problem_of

FULL = ("PRAGMA max_page_count=2", "CREATE TABLE a (b)", "CREATE TABLE c (d)")
READ_ONLY = ("PRAGMA query_only=1", "CREATE TABLE a (b)")


@pytest.mark.parametrize(
    ("statements", "code"),
    [(FULL, "disk_full"), (READ_ONLY, "ledger_read_only"), (("SELECT * FROM a",), "database")],
)
def test_sqlite_says_what_is_wrong(tmp_path: Path, statements: tuple[str, ...], code: str) -> None:
    engine = create_engine(f"sqlite:///{tmp_path / 'ledger'}")
    *before, last = statements
    with engine.connect() as connection:
        for statement in before:
            connection.execute(text(statement))
        with pytest.raises(DBAPIError) as caught:
            connection.execute(text(last))
    engine.dispose()
    assert problem_of(caught.value).code == code


def test_a_folder_instead_of_a_file_cannot_be_opened(tmp_path: Path) -> None:
    engine = create_engine(f"sqlite:///{tmp_path}")
    with pytest.raises(DBAPIError) as caught:
        engine.connect()
    assert problem_of(caught.value).code == "ledger_unreadable"


def test_a_server_that_is_not_there_cannot_be_reached() -> None:
    engine = create_engine("postgresql+psycopg://nobody@127.0.0.1:9/nothing")
    with pytest.raises(DBAPIError) as caught:
        engine.connect()
    assert problem_of(caught.value).message == "cannot be reached"


@pytest.mark.parametrize("limit", ["statement_timeout", "lock_timeout"])
def test_postgresql_that_takes_too_long_is_there_and_slow(postgres_url: str, limit: str) -> None:
    engine = create_engine(postgres_url)
    with engine.begin() as holding, engine.connect() as connection:
        holding.execute(text("SELECT pg_advisory_lock(1)"))
        connection.execute(text(f"SET {limit} = '20ms'"))
        with pytest.raises(DBAPIError) as caught:
            connection.execute(text("SELECT pg_advisory_lock(1)"))
    engine.dispose()
    assert problem_of(caught.value).code == "database_slow"

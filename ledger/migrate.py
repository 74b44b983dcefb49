"""The schema's versions, through Alembic."""

from __future__ import annotations

from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from sqlalchemy import Connection, Engine, make_url

from ledger.dialect.choose import dialect_of
from ledger.dialect.sqlite import READ_ONLY

SCRIPTS = Path(__file__).parent / "migrations"


def upgrade(database_url: str) -> None:
    """Bring a database to the newest schema; safe to repeat. Makes an SQLite file where there is none."""
    url = make_url(database_url)
    if url.get_backend_name() == "sqlite" and url.database:
        Path(url.database).parent.mkdir(parents=True, exist_ok=True)
    engine = dialect_of(url).open(url, pool_size=1)
    try:
        with engine.begin() as connection:
            command.upgrade(_config(connection), "head")
    finally:
        engine.dispose()


def current(engine: Engine) -> str | None:
    """The schema's version in a database, None when it has none."""
    # Only a look: on SQLite it must not wait for whoever writes.
    with engine.execution_options(**{READ_ONLY: True}).connect() as connection:
        return MigrationContext.configure(connection).get_current_revision()


def newest() -> str:
    """The version that this code needs, by the names of the files: every command asks, and loading all takes 0.1 s.

    That a file is called after its version, and that they follow one another in this order, is held by a test.
    """
    versions = [path.name.partition("_")[0] for path in (SCRIPTS / "versions").glob("[0-9]*_*.py")]
    if not versions:
        raise LookupError("no migration is there")
    return max(versions)


def _config(connection: Connection) -> Config:
    config = Config()
    config.set_main_option("script_location", str(SCRIPTS))
    config.attributes["connection"] = connection
    return config

"""The chain of migrations: one line, and a ledger that stands anywhere on it comes to what the code knows."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

import pytest
from alembic import command
from alembic.script import ScriptDirectory
from sqlalchemy import Engine, inspect, make_url, text

from ledger import migrate
from ledger import tables as t
from ledger.dialect.choose import dialect_of

SCHOOL = (
    "INSERT INTO school (id, slug, name, zone, locale, region)"
    " VALUES (1, 'st-brides', 'St Bride''s', 'Europe/London', 'en-GB', 'GB')"
)


def chain() -> Sequence[str]:
    """Every version, the oldest first."""
    scripts = ScriptDirectory(str(migrate.SCRIPTS))
    return [script.revision for script in reversed(list(scripts.walk_revisions()))]


def engine_of(url: str) -> Engine:
    parsed = make_url(url)
    return dialect_of(parsed).open(parsed, pool_size=1)


def test_the_chain_is_one_line_with_one_end() -> None:
    scripts = ScriptDirectory(str(migrate.SCRIPTS))
    assert len(scripts.get_heads()) == len(scripts.get_bases()) == 1
    assert list(chain()) == sorted(chain())


def test_every_migration_is_called_after_its_version_so_that_the_newest_is_known_by_name() -> None:
    scripts = list(ScriptDirectory(str(migrate.SCRIPTS)).walk_revisions())
    files = {path.name for path in (migrate.SCRIPTS / "versions").glob("*.py")}
    assert files == {Path(script.path).name for script in scripts}
    for script in scripts:
        assert re.fullmatch(rf"{script.revision}_[a-z0-9_]+\.py", Path(script.path).name)
        assert re.fullmatch(r"[0-9]{4}", script.revision)
    assert migrate.newest() == ScriptDirectory(str(migrate.SCRIPTS)).get_current_head()


@pytest.mark.parametrize("stands_at", chain()[:-1])
def test_a_ledger_that_stands_anywhere_is_brought_to_what_the_code_knows(
    database_url: str, stands_at: str
) -> None:
    engine = engine_of(database_url)
    with engine.begin() as connection:
        command.upgrade(migrate._config(connection), stands_at)
        connection.execute(text(SCHOOL))
    migrate.upgrade(database_url)
    assert migrate.current(engine) == migrate.newest()
    with engine.begin() as connection:
        assert connection.execute(text("SELECT slug FROM school")).scalar_one() == "st-brides"
        looked = inspect(connection)
        there = {
            name: {column["name"] for column in looked.get_columns(name)}
            for name in looked.get_table_names()
            if name != "alembic_version"
        }
    engine.dispose()
    assert there == {table.name: {column.name for column in table.c} for table in t.metadata.sorted_tables}

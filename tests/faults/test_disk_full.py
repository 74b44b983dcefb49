"""A disk that is full: one clear error, nothing half done, and once there is room it goes on by itself."""

from __future__ import annotations

import os
import sqlite3
import time
from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import psycopg
import pytest
from psycopg import sql
from sqlalchemy.engine import make_url

from channels.rss.files import replace_file
from sandbox.client import RunningSandbox, start_sandbox
from tests.support.installed import Installed, people_csv, wait_until
from tests.support.postgres import PostgresServer
from tests.support.servers import CannotBeHadError
from tests.support.small_disk import SmallDisk, small_disk

FAMILIES = 500
WELL_IN_TIME = timedelta(seconds=60)

pytestmark = pytest.mark.timeout(240)


@pytest.fixture
def disk() -> Iterator[SmallDisk]:
    """40 MB, of which a school of five hundred families takes a few."""
    try:
        with small_disk(megabytes=40) as made:
            yield made
    except CannotBeHadError as reason:
        pytest.skip(str(reason))


@dataclass
class Ground:
    """A school whose ledger lies on the small disk."""

    installed: Installed
    disk: SmallDisk
    server: PostgresServer | None

    def fill(self) -> None:
        """Fill the disk so that the next commit needs more than there is."""
        if self.server is None:
            # What the write-ahead log holds goes into the file, so that it has no room of its own to write in.
            with closing(sqlite3.connect(self.disk.path / "carillon.sqlite3", timeout=30)) as ledger, ledger:
                ledger.execute("PRAGMA wal_checkpoint(TRUNCATE)")
            ledger.close()
        self.disk.fill()


@pytest.fixture
def sandbox(tmp_path: Path) -> Iterator[RunningSandbox]:
    """Providers that take their time, so that the disk is full in mid-send."""
    with start_sandbox(tmp_path / "truth.jsonl", ["twilio:latency:ms=250", "smtp:latency:ms=80"]) as running:
        yield running


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.slow)])
def ground(
    request: pytest.FixtureRequest, tmp_path: Path, sandbox: RunningSandbox, disk: SmallDisk
) -> Iterator[Ground]:
    feeds = tmp_path / "feeds"
    feeds.mkdir()
    more = {"CARILLON_ACCOUNTS__FEED__CHANNEL": "rss", "CARILLON_ACCOUNTS__FEED__FOLDER": str(feeds)}
    more |= {"CARILLON_PUBLIC_URL": "https://news.stbrides.example"}
    if request.param == "sqlite":
        more |= {"CARILLON_DATABASE_URL": f"sqlite:///{disk.path / 'carillon.sqlite3'}"}
        more |= {"CARILLON_ACCOUNTS__FEED__FOLDER": str(disk.path / "feeds")}
        (disk.path / "feeds").mkdir()
        yield Ground(Installed(tmp_path, sandbox, more), disk, None)
        return
    server: PostgresServer = request.getfixturevalue("postgres")
    url = on_small_disk(server, disk)
    installed = Installed(tmp_path, sandbox, {**more, "CARILLON_DATABASE_URL": url})
    installed.run("db", "upgrade")
    yield Ground(installed, disk, server)
    server.drop(url)
    with administrator(server) as connection:
        connection.execute("DROP TABLESPACE small")


def on_small_disk(server: PostgresServer, disk: SmallDisk) -> str:
    """A database whose tables lie there. PostgreSQL's log of writes does not: it ends when that disk is full."""
    folder = disk.path / "tables"
    folder.mkdir()
    folder.chmod(0o777)
    if server.user is not None and server.group is not None:
        os.chown(folder, server.user, server.group)
    url = server.fresh()
    name = sql.Identifier(str(make_url(url).database))
    with administrator(server) as connection:
        connection.execute(sql.SQL("CREATE TABLESPACE small LOCATION {}").format(str(folder)))
        connection.execute(sql.SQL("ALTER DATABASE {} SET TABLESPACE small").format(name))
    return url


def administrator(server: PostgresServer) -> psycopg.Connection:
    address = make_url(server.url).set(drivername="postgresql")
    return psycopg.connect(address.render_as_string(), autocommit=True)


def everybody_mailed_twice(installed: Installed) -> bool:
    return installed.states()["email", "sent"] == 2 * FAMILIES


def is_full(installed: Installed, words: Sequence[str]) -> bool:
    """One clear error, whatever stood in the way; who comes while others fail may be kept from asking at all."""
    refused = installed.run(*words, code=70)["error"]
    assert set(refused) == {"code", "field", "message", "hint"}
    assert refused["code"] in {"disk_full", "database", "database_busy", "database_slow", "ledger_busy"}
    return bool(refused["code"] == "disk_full")


def settled(installed: Installed) -> bool:
    states = installed.states()
    moving = sum(n for (_, state), n in states.items() if state in {"queued", "sending", "uncertain"})
    return bool(states) and not moving


def test_a_disk_that_is_full_in_mid_send_loses_nothing_and_doubles_nothing(ground: Ground) -> None:
    installed = ground.installed
    with installed.started("up") as up:
        if ground.server is None:
            ledger = ground.disk.path / "carillon.sqlite3"
            wait_until(ledger.exists, within=WELL_IN_TIME, what="the ledger of the new school")
        installed.run("people", "import", str(people_csv(installed.folder, FAMILIES)), "--yes")
        installed.run("announce", "The coach leaves at eight.", "--to", "Choir", "--via", "sms,email,rss")
        wait_until(
            lambda: all(30 < len(installed.accepted(c)) < FAMILIES - 100 for c in ("sms", "email")),
            within=WELL_IN_TIME,
            what="both channels in the middle of sending",
        )
        ground.fill()
        plan = installed.folder / "plan.pdf"
        plan.write_bytes(b"%PDF-1.7" + os.urandom(2_000_000))
        never = ("announce", "Never said.", "--to", "Choir", "--via", "email", "--attach", str(plan))
        wait_until(lambda: is_full(installed, never), within=WELL_IN_TIME, what="told that the disk is full")
        time.sleep(3)
        assert up.poll() is None
        ground.disk.free()
        installed.sandbox.control.clear()  # what is left may go as fast as it can
        wait_until(lambda: settled(installed), within=timedelta(seconds=150), what="everything settled")
        installed.run("announce", "There is room again.", "--to", "Choir", "--via", "email")
        wait_until(lambda: everybody_mailed_twice(installed), within=WELL_IN_TIME, what="the next one sent")
    states = installed.states()
    assert states["sms", "sent"] + states["sms", "delivered"] == FAMILIES
    assert states["email", "sent"] == 2 * FAMILIES
    assert set(installed.accepted("sms").values()) == {1}
    assert set(installed.accepted("email").values()) == {2}
    assert installed.record_verifies()
    assert "Traceback" not in installed.log("up")


def test_a_feed_that_has_no_room_stays_as_it_was_and_is_whole_later(disk: SmallDisk) -> None:
    feed = disk.path / "school.rss"
    replace_file(feed, b"old" * 10_000)
    disk.fill()
    with pytest.raises(OSError, match="No space left"):
        replace_file(feed, b"new" * 20_000)
    assert feed.read_bytes() == b"old" * 10_000
    assert [path.name for path in disk.path.iterdir() if path.name.startswith(".")] == []
    disk.free()
    replace_file(feed, b"new" * 20_000)
    assert feed.read_bytes() == b"new" * 20_000

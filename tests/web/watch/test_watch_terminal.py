"""A link to watch by is shown to a person at a terminal, and to nobody else."""

from __future__ import annotations

import os
import pty
import re
import select
import subprocess
import sys
import time

import pytest

from ledger.migrate import upgrade
from tests.support.servers import free_port

LINK = re.compile(rb"http://127\.0\.0\.1:\d+/watch/sign-in/([\w-]{43})")
pytestmark = pytest.mark.runs_on("sqlite")


@pytest.fixture
def ledger_url(sqlite_url: str) -> str:
    """SQLite alone: `carillon up` makes it."""
    return sqlite_url


@pytest.fixture
def environ(tmp_path, ledger_url: str) -> dict[str, str]:
    return {
        **{name: value for name, value in os.environ.items() if not name.startswith("CARILLON_")},
        "CARILLON_DATA_DIR": str(tmp_path),
        "CARILLON_DATABASE_URL": ledger_url,
        "CARILLON_WEB__PORT": str(free_port()),
        "PYTHONPATH": os.pathsep.join(filter(None, sys.path)),
    }


def at_a_terminal(command: list[str], environ: dict[str, str], *, until: bytes, within: float = 45) -> bytes:
    """What a person sees, until this is seen; then Ctrl-C."""
    ours, theirs = pty.openpty()
    process = subprocess.Popen(
        [sys.executable, "-m", "cli.app", *command], env=environ, stdin=theirs, stdout=theirs, stderr=theirs
    )
    os.close(theirs)
    seen, limit = b"", time.monotonic() + within
    try:
        while until not in seen and time.monotonic() < limit:
            if not select.select([ours], [], [], 0.2)[0]:
                continue
            try:
                seen += os.read(ours, 65536)
            except OSError:  # the other end has gone
                break
        return seen
    finally:
        process.send_signal(2)
        process.wait(30)
        os.close(ours)


def test_up_shows_a_link_at_a_terminal(environ: dict[str, str]) -> None:
    seen = at_a_terminal(
        ["up"], {**environ, "CARILLON_OPERATOR": "Mrs Bell"}, until=b"signs Mrs Bell in once"
    )
    assert LINK.search(seen), seen


def test_up_says_how_to_get_one_when_nobody_is_named(environ: dict[str, str]) -> None:
    seen = at_a_terminal(["up"], environ, until=b"carillon sign-in --operator")
    assert b"carillon sign-in --operator" in seen
    assert not LINK.search(seen)


def test_up_shows_none_where_there_is_no_terminal(environ: dict[str, str]) -> None:
    process = subprocess.Popen(
        [sys.executable, "-m", "cli.app", "up"],
        env={**environ, "CARILLON_OPERATOR": "Mrs Bell"},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    )
    assert process.stdout is not None
    first = process.stdout.readline()
    time.sleep(1)
    process.send_signal(2)
    rest, _ = process.communicate(timeout=30)
    assert not LINK.search(first + rest), rest


def test_sign_in_shows_a_link_at_a_terminal(environ: dict[str, str], ledger_url: str) -> None:
    upgrade(ledger_url)
    seen = at_a_terminal(["sign-in", "--operator", "Mrs Bell"], environ, until=b"works once")
    assert LINK.search(seen), seen

"""A ledger that is locked, damaged or not to be written: looking goes on, and the error says what to do."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from ledger.dialect import sqlite

pytestmark = pytest.mark.runs_on("sqlite")
FILE = "var/carillon.sqlite3"
Shell = Callable[..., Any]


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Half a minute of waiting is too long for a test."""
    monkeypatch.setattr(sqlite, "BUSY", timedelta(milliseconds=50))
    monkeypatch.setattr("ledger.connect.PATIENCE", timedelta(0))


@pytest.fixture
def held(school: Shell, tmp_path: Path) -> Iterator[None]:
    """Another program writes to the ledger and does not end."""
    other = sqlite3.connect(tmp_path / FILE, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    yield
    other.execute("ROLLBACK")
    other.close()


@pytest.mark.usefixtures("held")
def test_looking_waits_for_no_writer(school: Shell) -> None:
    began = time.monotonic()
    for command in (("status",), ("deliveries",), ("accounts",), ("audit", "verify")):
        assert school(*command, "--json").code == 0
    assert time.monotonic() - began < sqlite.BUSY.total_seconds()


@pytest.mark.usefixtures("impatient", "held")
def test_a_locked_ledger_is_one_clear_error(school: Shell, tmp_path: Path) -> None:
    ran = school("announce", "Hello", "--to", "Choir", "--json")
    assert (ran.code, ran.error["code"]) == (70, "ledger_busy")
    assert not list((tmp_path / "var").glob("fault-*"))


def test_a_file_that_is_no_ledger_is_one_clear_error(school: Shell, tmp_path: Path) -> None:
    (tmp_path / FILE).write_bytes(b"Dear all, " * 1000)
    ran = school("status", "--json")
    assert (ran.code, ran.error["code"]) == (2, "no_ledger")


def test_the_doctor_says_that_the_file_is_no_ledger(school: Shell, tmp_path: Path) -> None:
    (tmp_path / FILE).write_bytes(b"Dear all, " * 1000)
    found = {one["subject"]: one for one in school("doctor", "--json").json["findings"]}
    assert found["ledger"]["says"] == "this file is no ledger"


def test_the_doctor_tells_of_an_account_that_somebody_paused(school: Shell) -> None:
    assert school("accounts", "pause", "sms", "--why", "the bill is too high").code == 0
    found = {
        one["subject"]: one for one in school("doctor", "--json").json["findings"] if "paused" in one["says"]
    }
    assert found["account sms"]["health"] == "doubtful"
    assert "the bill is too high" in found["account sms"]["says"]


@pytest.mark.parametrize("json", [(), ("--json",)])
def test_an_answer_that_cannot_be_written_is_no_stack_trace(school: Shell, json: tuple[str, ...]) -> None:
    with Path("/dev/full").open("wb") as full:
        told = carillon("accounts", *json, stdout=full)
    assert told.returncode == 1
    assert b"the answer could not be written" in told.stderr
    assert b"Traceback" not in told.stderr


def test_closed_streams_are_no_fault(school: Shell) -> None:
    closed = 'exec "$0" announce - --to Choir <&- >&-'
    told = carillon(shell=closed)
    assert told.returncode == 2
    assert b"empty_text" in told.stderr


def carillon(
    *argv: str, shell: str = "", stdout: Any = subprocess.DEVNULL
) -> subprocess.CompletedProcess[bytes]:
    """The command in a process of its own, for what happens to its streams."""
    command = Path(sys.executable).with_name("carillon")
    words = ["sh", "-c", shell, str(command)] if shell else [str(command), *argv]
    return subprocess.run(words, stdout=stdout, stderr=subprocess.PIPE, check=False, timeout=60)

"""Carillon as a school runs it: the real command in processes of its own, against the sandbox, with its truth log."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import select

from config.signer import HmacSigner
from ledger import tables as t
from ledger.connect import Ledger, open_ledger
from ledger.record import verify
from sandbox.client import RunningSandbox
from tests.support.invariants import Had, Seen
from tests.support.servers import free_port

ROOT = Path(__file__).parents[2]
COMMAND = Path(sys.executable).with_name("carillon")
GRACE = timedelta(seconds=3)  # before a lost answer is looked up; the stand-in answers at once
SECRET = "a secret of the tests, and of nobody else's"


@dataclass
class Installed:
    """One school's Carillon: `run` a command to its end, or have it `started` beside the test."""

    folder: Path
    sandbox: RunningSandbox
    more: dict[str, str] = field(default_factory=dict)
    port: int = field(default_factory=free_port)

    @property
    def environ(self) -> dict[str, str]:
        accounts = {
            "TEXTS__CHANNEL": "sms",
            "TEXTS__ACCOUNT_SID": self.sandbox.account_sid,
            "TEXTS__AUTH_TOKEN": self.sandbox.auth_token,
            "TEXTS__SENDER": "+447400123456",
            "TEXTS__API_BASE_URL": self.sandbox.twilio_url,
            "TEXTS__GRACE": str(GRACE.total_seconds()),
            "MAILS__CHANNEL": "email",
            "MAILS__HOST": self.sandbox.smtp_host,
            "MAILS__PORT": str(self.sandbox.smtp_port),
            "MAILS__SECURITY": "none",
            "MAILS__SENDER": "office@school.example.org",
            "MAILS__REPLY_TO": "office@school.example.org",
        }
        plain = {name: value for name, value in os.environ.items() if not name.startswith("CARILLON_")}
        return {
            **plain,
            "CARILLON_DATA_DIR": str(self.folder / "var"),
            "CARILLON_SECRET_KEY": SECRET,
            "CARILLON_SANDBOX": "true",
            "CARILLON_OPERATOR": "office",
            "CARILLON_WEB__PORT": str(self.port),
            **{f"CARILLON_ACCOUNTS__{name}": value for name, value in accounts.items()},
            **self.more,
        }

    def run(self, *words: str, code: int = 0) -> Any:
        """The command's JSON answer."""
        told = subprocess.run(
            [COMMAND, *words, "--json"],
            check=False,
            env=self.environ,
            cwd=self.folder,
            capture_output=True,
            text=True,
            timeout=120,
        )
        assert told.returncode == code, told.stdout + told.stderr
        return json.loads(told.stdout.splitlines()[-1])

    @contextmanager
    def started(self, *words: str) -> Iterator[subprocess.Popen[bytes]]:
        """A long-running command, in a group of its own; killed with all its children when the block ends."""
        process = self.start(*words)
        try:
            yield process
        finally:
            kill_all(process)

    def start(self, *words: str) -> subprocess.Popen[bytes]:
        """The same, for whoever kills it."""
        with (self.folder / f"{words[0]}.log").open("ab") as log:
            return subprocess.Popen(
                [COMMAND, *words],
                env=self.environ,
                cwd=self.folder,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )

    def log(self, command: str) -> str:
        return (self.folder / f"{command}.log").read_text(errors="replace")

    @contextmanager
    def ledger(self) -> Iterator[Ledger]:
        url = self.more.get("CARILLON_DATABASE_URL", f"sqlite:///{self.folder / 'var' / 'carillon.sqlite3'}")
        opened = open_ledger(url, HmacSigner(SECRET.encode()))
        try:
            yield opened
        finally:
            opened.close()

    def states(self) -> Counter[tuple[str, str]]:
        """How many deliveries of each channel are in each state."""
        with self.ledger() as ledger, ledger.reading() as hand:
            rows = hand.connection.execute(select(t.delivery.c.channel, t.delivery.c.state)).all()
        return Counter((row.channel, row.state) for row in rows)

    def accepted(self, channel: str) -> Counter[str]:
        """The truth: how often each address was sent to."""
        return Counter(entry["to"] for entry in self.sandbox.truth(channel))

    def seen(self) -> Seen:
        """The ledger, and what the sandbox truly accepted: for the invariants."""
        truth = [Had.by_sandbox(entry) for entry in self.sandbox.truth()]
        with self.ledger() as ledger:
            return Seen.of(ledger, truth)

    def record_verifies(self) -> bool:
        with self.ledger() as ledger, ledger.reading() as hand:
            return verify(hand.connection).ok


def kill_all(process: subprocess.Popen[bytes]) -> None:
    """Kill -9, for a process and all that it started in its session."""
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait(timeout=10)


def wait_until(fact: Callable[[], bool], *, within: timedelta, what: str) -> None:
    """Look often until it is so. Fails with what was waited for."""
    until = time.monotonic() + within.total_seconds()
    while time.monotonic() < until:
        if fact():
            return
        time.sleep(0.1)
    raise AssertionError(f"not within {within.total_seconds():.0f} s: {what}")


def people_csv(folder: Path, families: int) -> Path:
    """A school of so many pupils, each with a guardian who has a number and an email."""
    rows: list[Sequence[str]] = [
        ("id", "role", "given_name", "family_name", "mobile", "email", "groups", "guardian_of")
    ]
    for n in range(families):
        rows.append((f"p{n}", "pupil", f"Pupil{n}", "Bell", "", "", "Choir", ""))
        rows.append(
            (
                f"g{n}",
                "guardian",
                f"Parent{n}",
                "Bell",
                f"+4479{11000000 + n:08d}",
                f"g{n}@example.org",
                "",
                f"p{n}",
            )
        )
    file = folder / "people.csv"
    file.write_text("\n".join(",".join(row) for row in rows) + "\n")
    return file

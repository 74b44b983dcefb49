"""The demo as a new user runs it: a process of its own, an empty home."""

from __future__ import annotations

import json
import os
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from cli.accounted import disagreements
from cli.sample_term import STAFF, TERM, WEEKS
from ledger.reads.left import Left
from sandbox.stand_ins import found
from sandbox.truth import read_truth

pytestmark = pytest.mark.runs_on("sqlite")

COMMAND = (sys.executable, "-m", "cli.app", "demo")
ROOT = Path(__file__).parents[2]


def surroundings(home: Path) -> dict[str, str]:
    """Next to nothing, as on a fresh machine."""
    return {"HOME": str(home), "PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT), "TMPDIR": str(home)}


@pytest.mark.timeout(180)
def test_the_demo_accounts_for_everything_and_leaves_nothing_behind(tmp_path):
    home = tmp_path / "home"
    home.mkdir()
    ran = subprocess.run(
        [*COMMAND, "--once", "--json"],
        cwd=tmp_path, env=surroundings(home), capture_output=True, timeout=150, check=False,
    )  # fmt: skip
    told = json.loads(ran.stdout.splitlines()[-1])
    assert (ran.returncode, told["ok"]) == (0, True), ran.stderr.decode()
    assert set(told) == {"ok", "announcement", "seconds", "channels", "duties"}
    assert set(told["channels"]) == {"sms", "email", "rss", "twitter"}
    for name, channel in told["channels"].items():
        assert set(channel) == {"deliveries", "states", "accepted"}
        assert channel["deliveries"] == sum(channel["states"].values()) == channel["accepted"]
        assert channel["deliveries"] == 1 if name in {"rss", "twitter"} else channel["deliveries"] > 100
        assert set(channel["states"]) <= {"sent", "delivered"}
    assert set(told["duties"]) == {"met", "open", "lapsed"}
    assert told["duties"]["met"] > 100
    assert told["duties"]["open"] == 0
    assert told["duties"]["lapsed"] > 0
    assert list(home.iterdir()) == []
    assert b"Traceback" not in ran.stderr


@pytest.mark.timeout(180)
def test_the_demo_speaks_by_every_channel_and_accounts_for_each(tmp_path):
    home = tmp_path / "home"
    home.mkdir()
    ran = subprocess.run(
        [*COMMAND, "--once", "--json", "--every-channel", "--pupils", "40"],
        cwd=tmp_path, env=surroundings(home), capture_output=True, timeout=150, check=False,
    )  # fmt: skip
    told = json.loads(ran.stdout.splitlines()[-1])
    assert (ran.returncode, told["ok"]) == (0, True), ran.stderr.decode()
    accounts = [each.account for each in found().values() if hasattr(each, "account")]
    others = {str(account("http://127.0.0.1:1")["channel"]) for account in accounts}
    assert others >= {"bluesky", "facebook", "mastodon"}
    assert set(told["channels"]) == {"sms", "email", "rss", "twitter"} | others
    for channel in told["channels"].values():
        assert channel["deliveries"] == channel["accepted"] >= 1


@pytest.mark.timeout(180)
@pytest.mark.parametrize(
    ("faults", "provider"),
    [
        (["twilio:401:", "notify:callback-twice:"], "notify"),
        pytest.param(
            ["twilio:401:", "notify:403:", "sinch:callback-twice:"], "sinch", marks=pytest.mark.slow
        ),
    ],
)
def test_the_demos_texts_go_by_the_next_gateway_when_the_first_is_broken(tmp_path, faults, provider):
    """All are delivered: the receipts of each find their way, once or twice."""
    home, folder = tmp_path / "home", tmp_path / "school"
    home.mkdir()
    ran = subprocess.run(
        [*COMMAND, "--once", "--json", "--gateways", "--pupils", "20", "--data-dir", str(folder),
         *(word for fault in faults for word in ("--fault", fault))],
        cwd=tmp_path, env=surroundings(home), capture_output=True, timeout=150, check=False,
    )  # fmt: skip
    told = json.loads(ran.stdout.splitlines()[-1])
    assert (ran.returncode, told["ok"]) == (0, True), ran.stderr.decode()
    texts = [entry for entry in read_truth(folder / "truth.jsonl") if entry["channel"] == "sms"]
    assert {entry["provider"] for entry in texts} == {provider}
    assert told["channels"]["sms"]["states"] == {"delivered": len(texts)}


@contextmanager
def staying(folder: Path, home: Path, said: list[str] | None = None) -> Iterator[subprocess.Popen[str]]:
    """A demo that stays up, with a small school; and what it `said` until it did."""
    process = subprocess.Popen(
        [*COMMAND, "--data-dir", str(folder), "--pupils", "30"],
        cwd=home, env=surroundings(home), stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    try:
        assert process.stdout is not None
        for line in process.stdout:
            if said is not None:
                said.append(line)
            if "Ctrl-C" in line:
                break
        yield process
    finally:
        process.kill()
        process.wait()
        if process.stdout is not None:
            process.stdout.close()


def children_with(folder: Path) -> list[int]:
    """Processes whose command line names the folder's truth log."""
    mark = f"{folder}/truth.jsonl".encode()
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                if mark in (entry / "cmdline").read_bytes():
                    found.append(int(entry.name))
            except OSError:
                continue
    return found


def nothing_of(folder: Path) -> bool:
    """Whether all that belonged to it ends."""
    until = time.monotonic() + 10
    while children_with(folder) and time.monotonic() < until:
        time.sleep(0.1)
    return not children_with(folder)


@pytest.mark.timeout(180)
@pytest.mark.skipif(not Path("/proc").is_dir(), reason="looks at /proc")
@pytest.mark.slow
@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM])
def test_nothing_outlives_the_demo_however_it_ends(tmp_path, number):
    folder = tmp_path / "demo"
    with staying(folder, tmp_path) as process:
        assert process.poll() is None
        assert children_with(folder)
        process.send_signal(number)
        code = process.wait(90)
        assert code == (0 if number != signal.SIGKILL else -signal.SIGKILL)
    assert nothing_of(folder)


@pytest.mark.timeout(180)
@pytest.mark.skipif(not Path("/proc").is_dir(), reason="looks at /proc")
def test_a_demo_that_stays_has_a_term_behind_it_and_something_to_do(tmp_path):
    folder, said_so = tmp_path / "demo", list[str]()
    with staying(folder, tmp_path, said_so) as process:
        assert children_with(folder)
        process.send_signal(signal.SIGINT)
        assert process.wait(90) == 0
    assert nothing_of(folder)
    links = {line.split()[-1] for line in said_so if "/watch/sign-in/" in line}
    assert len(links) == len(STAFF), "each of the staff has a link, in a log too"
    with closing(sqlite3.connect(folder / "carillon.sqlite3")) as ledger:
        first, last, said = ledger.execute(
            "SELECT min(accepted_at), max(accepted_at), count(*) FROM announcement"
        ).fetchone()
        assert datetime.fromisoformat(last) - datetime.fromisoformat(first) > timedelta(weeks=WEEKS - 2)
        assert said >= len(TERM) + 2
        lost = ledger.execute(
            "SELECT count(*) FROM delivery WHERE state IN ('queued', 'sending', 'uncertain')"
        )
        assert lost.fetchone() == (0,)
        failed = ledger.execute("SELECT count(*) FROM delivery WHERE state = 'rejected'").fetchone()
        assert failed > (0,)
        waits = ledger.execute(
            "SELECT count(*) FROM announcement AS one WHERE audience = 'everyone'"
            " AND NOT EXISTS (SELECT 1 FROM delivery WHERE announcement_id = one.id)"
        )
        assert waits.fetchone() == (1,)  # for a second person, however small the school
        for table in ("schedule", "event", "reminder_rule", "template", "budget"):
            assert ledger.execute(f"SELECT count(*) FROM {table}").fetchone() > (0,), table
        names = {row[0] for row in ledger.execute("SELECT name FROM operator")}
        assert names == {one.name for one in STAFF}


def test_the_demo_wants_a_folder_of_its_own(shell, tmp_path):
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "thing").touch()
    ran = shell("demo", "--once", "--data-dir", "full", "--json")
    assert (ran.code, ran.error["code"]) == (2, "not_empty")


def test_a_fault_that_no_stand_in_knows_is_wrong_use(shell):
    ran = shell("demo", "--once", "--fault", "twilio:explode", "--json")
    assert (ran.code, ran.error["code"]) == (2, "sandbox")


SENT = Left(1, "sms", "+447400000001", ("SM1",))
TRUE = {"channel": "sms", "id": "SM1", "key": None, "to": "+447400000001"}
MAIL = Left(2, "email", "a@example.org", ("carillon.2.x@example.org",))
POSTED = {"channel": "email", "id": "Q1", "key": "<carillon.2.x@example.org>", "to": "a@example.org"}


@pytest.mark.parametrize(
    ("left", "truth", "agree"),
    [
        ([SENT, MAIL], [TRUE, POSTED], True),
        ([], [], True),
        ([SENT], [], False),
        ([], [TRUE], False),
        ([SENT], [TRUE, TRUE], False),
        ([SENT], [{**TRUE, "to": "+447400000002"}], False),
        ([MAIL], [POSTED, {**POSTED, "id": "Q2"}], False),
        ([SENT], [TRUE, {**TRUE, "id": "SM2"}], False),
        ([replace(SENT, provider_ids=("SM1", "SM2"))], [TRUE, {**TRUE, "id": "SM2"}], True),
        ([replace(SENT, provider_ids=())], [], False),
    ],
)
def test_ledger_and_truth_agree_only_when_each_sent_delivery_is_one_message_to_its_address(
    left, truth, agree
):
    assert (not list(disagreements(left, truth))) is agree

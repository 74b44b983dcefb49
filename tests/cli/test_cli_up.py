"""`carillon up` as a process, the sandbox as another, and a person at the terminal beside them."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.error import HTTPError
from urllib.request import Request, urlopen
from uuid import UUID

import pytest
from sqlalchemy import select

from cli.accounted import disagreements
from config.assembly import assemble
from config.settings import load
from ledger import tables
from ledger.reads.left import left
from ledger.reads.status import status
from sandbox.client import RunningSandbox, start_sandbox

pytestmark = [pytest.mark.runs_on("sqlite"), pytest.mark.timeout(120)]

ROOT = Path(__file__).parents[2]
Start = Callable[..., "subprocess.Popen[str]"]


@pytest.fixture
def sandbox(tmp_path: Path) -> Iterator[RunningSandbox]:
    with start_sandbox(tmp_path / "truth.jsonl", callbacks="final") as running:
        yield running


@pytest.fixture
def town(school, sandbox: RunningSandbox, monkeypatch: pytest.MonkeyPatch):
    """The shell, its accounts pointing at the sandbox."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    monkeypatch.setenv("CARILLON_WEB__PORT", str(port))
    monkeypatch.setenv("CARILLON_PUBLIC_URL", f"http://127.0.0.1:{port}")
    monkeypatch.setenv("CARILLON_ACCOUNTS__SMS__API_BASE_URL", sandbox.twilio_url)
    monkeypatch.setenv("CARILLON_ACCOUNTS__MAIL__PORT", str(sandbox.smtp_port))
    return school


@pytest.fixture
def start(town, tmp_path: Path) -> Iterator[Start]:
    """Starts `carillon` commands that run on, and kills what is left of them."""
    started: list[subprocess.Popen[str]] = []

    def begin(*argv: str, log: Path | None = None) -> subprocess.Popen[str]:
        with (log or Path(os.devnull)).open("w") as errors:
            process = subprocess.Popen(
                [sys.executable, "-m", "cli.app", *argv, "--json"],
                env={**os.environ, "PYTHONPATH": str(ROOT)}, stdout=subprocess.PIPE, text=True,
                stderr=errors if log is not None else None,
            )  # fmt: skip
        started.append(process)
        assert process.stdout is not None
        assert json.loads(process.stdout.readline())["ready"]
        return process

    yield begin
    for process in started:
        process.kill()
        process.wait()
        if process.stdout is not None:
            process.stdout.close()


def test_a_person_at_the_terminal_sees_an_announcement_through(town, start, sandbox):
    sandbox.control.order("smtp:reply:stage=rcpt,code=550,text=5.1.1 no such mailbox,next=2")
    up = start("up")
    with urlopen(os.environ["CARILLON_PUBLIC_URL"] + "/healthz", timeout=5) as response:
        assert json.load(response) == {"ok": True}
    waited = town("announce", "Rehearsal for {pupil}", "--to", "Choir", "--wait", "--json")
    assert waited.json["settled"]
    assert waited.code == (0 if waited.json["duties"]["met"] == sum(waited.json["duties"].values()) else 1)
    public_id = waited.json["announcement"]

    failed = town("deliveries", "--failed", "--announcement", public_id, "--json").json["deliveries"]
    assert [(d["channel"], d["state"]) for d in failed] == [("email", "rejected")] * 2
    assert town("requeue", str(failed[0]["id"]), "--why", "mended").code == 0
    watched = town("status", public_id, "--watch", "--json")
    assert json.loads(watched.out.splitlines()[-1])["settled"]
    left_over = town("deliveries", "--failed", "--announcement", public_id, "--json").json["deliveries"]
    assert [d["id"] for d in left_over] == [failed[1]["id"]]

    with_somebody_unreached = town(
        "announce", "Year seven", "--to", "Year 7", "--via", "sms", "--wait", "--json"
    )
    assert with_somebody_unreached.code == 1
    assert with_somebody_unreached.json["duties"]["lapsed"] > 0

    up.send_signal(signal.SIGTERM)
    assert up.wait(30) == 0
    told = town("audit", "verify", "--json")
    assert (told.code, told.json["unsealed"]) == (0, 0)


def test_a_paused_account_waits_and_goes_on(town, start, sandbox):
    start("up")
    assert town("accounts", "pause", "sms", "--why", "trying").code == 0
    public_id = town("announce", "Later", "--to", "Choir", "--via", "sms", "--json").json["announcement"]
    time.sleep(2.5)
    assert not sandbox.truth()
    assert town("accounts", "resume", "sms").code == 0
    ended = town("status", public_id, "--watch", "--json").json
    assert ended["settled"]
    assert len(sandbox.truth("sms")) == ended["channels"]["sms"]["deliveries"]


def test_kill_9_in_mid_send_loses_no_text_and_sends_none_twice(town, start, sandbox):
    sandbox.control.order("twilio:latency:ms=300", "smtp:latency:ms=300")
    up = start("up")
    public_id = town("announce", "Snow", "--to", "everyone", "--urgent", "--json").json["announcement"]
    sandbox.wait_for(40)
    up.kill()
    up.wait()
    sandbox.control.clear()
    before = len(sandbox.truth())
    start("up")
    until = time.monotonic() + 60
    while (
        not town("status", public_id, "--json")
        .json["channels"]
        .get("email", {})
        .get("states", {})
        .get("sent")
    ):
        assert time.monotonic() < until
    queued = {"queued", "sending"}
    while queued & set().union(*(c["states"] for c in told(town, public_id)["channels"].values())):
        assert time.monotonic() < until
        time.sleep(0.3)
    assert len(sandbox.truth()) > before
    texts = [entry["to"] for entry in sandbox.truth("sms")]
    assert len(texts) == len(set(texts))
    states = told(town, public_id)["channels"]["email"]["states"]
    assert states.get("uncertain", 0) <= 40


def told(town, public_id: str):
    return town("status", public_id, "--json").json


def test_the_ledger_agrees_with_the_truth_after_a_calm_send(town, start, sandbox):
    start("up")
    ended = town("announce", "All", "--to", "everyone", "--people", "both", "--wait", "--json").json
    with assemble(load()) as house, house.ledger.reading() as hand:
        found = status(hand, UUID(ended["announcement"]))
        assert found is not None
        gone = left(hand, found.announcement.id)
    assert not list(disagreements(gone, sandbox.truth()))


def test_whatever_fails_the_log_tells_of_nobody(town, start, sandbox, tmp_path, monkeypatch):
    """Every kind of trouble at once, and all that can be logged: ids, and no number, address, name or wording."""
    monkeypatch.setenv("CARILLON_LOG_LEVEL", "DEBUG")
    monkeypatch.setenv("CARILLON_ACCOUNTS__SMS__GRACE", "1")
    troubles = ["500-after-accept", "reset-after-accept", "bad-json", "truncated", "429", "error:code=21610"]
    sandbox.control.order(
        *(f"twilio:{trouble}{',' if ':' in trouble else ':'}next=2" for trouble in troubles)
    )
    sandbox.control.order("twilio:undelivered:rate=0.2,seed=3", "twilio:callback-forged:rate=0.2,seed=4")
    for code, stage in ((550, "rcpt"), (451, "mail"), (554, "data"), (421, "rcpt")):
        # A mail server's own words quote the address.
        sandbox.control.order(f"smtp:reply:stage={stage},code={code},text=5.1.1 no such user,next=2")
    sandbox.control.order(
        "twilio:503:stage=list,next=4", "smtp:reply:stage=connect,code=554,text=go away,next=2"
    )
    log = tmp_path / "up.log"
    up = start("up", log=log)
    wording = "The xylophone stays at home"
    people, number = (
        town("announce", wording, "--to", "everyone", "--people", "both", "--json"),
        "+447911123456",
    )
    public_id = people.json["announcement"]
    sandbox.wait_for(60)
    for path in (f"/callbacks/sms/{number}", f"/callbacks/nobody/{number}", f"/nothing/{number}"):
        request = Request(os.environ["CARILLON_PUBLIC_URL"] + path, data=f"To={number}".encode())
        with pytest.raises(HTTPError):
            urlopen(request, timeout=5)
    until = time.monotonic() + 30
    while not (
        "a look-up on sms waits" in log.read_text() and "no connection to the mail" in log.read_text()
    ):
        assert time.monotonic() < until, "the trouble that was ordered is told"
        time.sleep(0.2)
    assert town("withdraw", public_id).code == 0
    up.send_signal(signal.SIGTERM)
    assert up.wait(30) == 0
    told = log.read_text()
    with assemble(load()) as house, house.ledger.reading() as hand:
        run = hand.connection.execute
        addresses = {
            value for row in run(select(tables.address.c.value)) for value in (row.value, row.value[3:])
        }
        names = {
            row.family_name for row in run(select(tables.person.c.family_name)) if len(row.family_name) > 4
        }
    secrets = addresses | names | {wording, "xylophone", number, number[1:]}
    assert len(addresses) > 100
    assert [secret for secret in secrets if secret in told] == []


def test_a_second_up_on_one_ledger_is_told_who_works(town, start):
    start("up")
    second = subprocess.run(
        [sys.executable, "-m", "cli.app", "up", "--port", "0", "--json"],
        env={**os.environ, "PYTHONPATH": str(ROOT)}, capture_output=True, timeout=60, check=False,
    )  # fmt: skip
    assert second.returncode == 2
    assert json.loads(second.stdout.splitlines()[-1])["error"]["code"] == "worker_running"


def test_what_cannot_run_on_says_why(town, monkeypatch):
    assert town("worker", "--json").error["code"] == "no_queue"
    monkeypatch.setenv("CARILLON_QUEUE_URL", "redis://127.0.0.1:1/0")
    assert town("up", "--json").error["code"] == "not_embedded"
    assert town("worker", "--queues", "fax", "--json").error["code"] == "unknown_queue"
    assert town("sandbox", "--twilio", "example.org:80", "--json").error["code"] == "sandbox"
    with socket.create_server(("127.0.0.1", 0)) as taken:
        monkeypatch.setenv("CARILLON_WEB__PORT", str(taken.getsockname()[1]))
        assert town("web", "--json").error["code"] == "cannot_listen"


def test_with_redis_a_command_leaves_a_hint(town, redis_url, monkeypatch):
    import redis

    monkeypatch.setenv("CARILLON_QUEUE_URL", redis_url)
    accepted = town("announce", "hi", "--to", "Choir", "--json")
    assert accepted.code == 0
    with redis.Redis.from_url(redis_url) as client:
        [hint] = client.lrange("core", 0, -1)
    assert accepted.json["announcement"] in str(json.loads(hint)["body"]) or b"carillon.fan_out" in hint

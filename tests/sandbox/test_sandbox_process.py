"""The sandbox as a process: its truth log outlives it, and it stays on loopback."""

from __future__ import annotations

import json
import os
import smtplib
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest
import requests
from hypothesis import given
from hypothesis import strategies as st

from sandbox import stand_ins
from sandbox.client import start_sandbox
from sandbox.segments import segments
from sandbox.server import CATALOGUE, main
from sandbox.settings import BadSandbox, Endpoint
from sandbox.truth import read_truth
from tests.sandbox.conftest import client_of

FROM = "+447700900999"
DOCS = Path(__file__).resolve().parents[2] / "docs" / "sandbox.md"


def test_after_a_kill_the_earlier_messages_are_still_found(truth_path: Path, to: str) -> None:
    with start_sandbox(truth_path) as running:
        with client_of(running) as client:
            sids = [client.messages.create(to=to, from_=FROM, body=f"Text {n}").sid for n in range(3)]
        running.kill()
        assert [entry["id"] for entry in running.truth()] == sids
        running.restart()
        with client_of(running) as client:
            assert client.messages(sids[1]).fetch().body == "Text 1"
            new = client.messages.create(to=to, from_=FROM, body="After").sid
            assert [each.sid for each in client.messages.list(to=to)] == [new, *reversed(sids)]
        assert running.control.counts()["accepted"] == 4


def test_a_kill_under_load_loses_nothing_that_was_answered(truth_path: Path, to: str) -> None:
    answered: list[str] = []
    with start_sandbox(truth_path) as running:

        def send() -> None:
            url = f"{running.twilio_url}/2010-04-01/Accounts/{running.account_sid}/Messages.json"
            form, auth = {"To": to, "From": FROM, "Body": "Hello"}, (running.account_sid, running.auth_token)
            with requests.Session() as session:
                try:
                    while True:
                        answered.append(session.post(url, form, auth=auth, timeout=2).json()["sid"])
                except requests.RequestException:
                    return

        threads = [threading.Thread(target=send) for _ in range(4)]
        for thread in threads:
            thread.start()
        while len(answered) < 200:
            time.sleep(0.01)
        running.kill()
        for thread in threads:
            thread.join()
        assert set(answered) <= {entry["id"] for entry in running.truth()}


def test_a_line_cut_off_by_a_kill_was_never_accepted(truth_path: Path, to: str) -> None:
    with start_sandbox(truth_path) as running:
        with client_of(running) as client:
            sid = client.messages.create(to=to, from_=FROM, body="Hello").sid
        running.kill()
        with truth_path.open("ab") as file:
            file.write(b'{"at": "2026-11-22T09:00:00+00:00", "chan')
        assert [entry["id"] for entry in running.truth()] == [sid]
        running.restart()
        with client_of(running) as client:
            client.messages.create(to=to, from_=FROM, body="After")
        assert len(running.truth()) == 2


def test_a_file_that_is_no_truth_log_is_left_alone(truth_path: Path) -> None:
    truth_path.write_text('{"an": "other file"}\n')
    with pytest.raises(BadSandbox):
        start_sandbox(truth_path)
    assert truth_path.read_text() == '{"an": "other file"}\n'


def test_two_sandboxes_do_not_share_a_truth_log(truth_path: Path) -> None:
    with start_sandbox(truth_path), pytest.raises(BadSandbox):
        start_sandbox(truth_path)


def test_the_truth_log_is_for_its_owner_alone(truth_path: Path) -> None:
    with start_sandbox(truth_path):
        assert truth_path.stat().st_mode & 0o777 == 0o600


def test_nothing_of_a_message_is_said_aloud(truth_path: Path, to: str) -> None:
    command = [sys.executable, "-m", "sandbox", "--truth", str(truth_path)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    assert process.stdout is not None
    ready = json.loads(process.stdout.readline())
    form = {"To": to, "From": FROM, "Body": "A secret"}
    requests.post(f"{ready['twilio']}/2010-04-01/Accounts/x/Messages.json", form, timeout=2)
    with smtplib.SMTP("127.0.0.1", int(ready["smtp"].rpartition(":")[2]), timeout=2) as client:
        client.sendmail("a@b.example", ["c@d.example"], b"A secret\r\n")
    process.terminate()
    rest = process.communicate(timeout=10)[0]
    assert (process.returncode, rest) == (0, b"")
    assert set(ready) == {"ready", "pid", "truth", "twilio", "smtp", "x"}


def test_it_ends_with_whoever_started_it(truth_path: Path) -> None:
    starter = f"""
import os, time
from pathlib import Path
from sandbox.client import start_sandbox
running = start_sandbox(Path({str(truth_path)!r}))
print(running.process.pid, flush=True)
time.sleep(60)
"""
    process = subprocess.Popen([sys.executable, "-c", starter], stdout=subprocess.PIPE)
    assert process.stdout is not None
    pid = int(process.stdout.readline())
    process.kill()
    process.communicate()
    until = time.monotonic() + 5
    while time.monotonic() < until and is_running(pid):
        time.sleep(0.02)
    assert not is_running(pid)


def is_running(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    state = Path(f"/proc/{pid}/stat")
    return not state.exists() or state.read_text().rpartition(")")[2].split()[0] != "Z"


@pytest.mark.parametrize("host", ["0.0.0.0", "192.168.1.4", "::", "school.example", "127.0.0.1.example"])
def test_it_listens_on_loopback_only(host: str, truth_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--truth", str(truth_path), "--smtp", f"{host}:0"]) == 2
    assert "loopback only" in capsys.readouterr().err
    assert not truth_path.exists()


@pytest.mark.parametrize("text", ["127.0.0.1", "127.0.0.1:x", "127.0.0.1:-1", "127.0.0.1:99999", ""])
def test_an_endpoint_is_a_host_and_a_port(text: str) -> None:
    with pytest.raises(BadSandbox):
        Endpoint.parse(text)


@pytest.mark.parametrize(
    "flags",
    [
        ["--fault", "twilio:boom"],
        ["--twilio", "off", "--smtp", "off"],
        ["--smtp-tls", "starttls"],
        ["--smtp-user", "somebody"],
    ],
)
def test_what_it_will_not_do_is_said_in_one_line(
    flags: list[str], truth_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["--truth", str(truth_path), *flags]) == 2
    assert capsys.readouterr().err.count("\n") == 1


def test_one_stand_in_can_be_had_alone(truth_path: Path) -> None:
    command = [
        sys.executable,
        "-m",
        "sandbox",
        "--truth",
        str(truth_path),
        "--smtp",
        "off",
        "--until-stdin-closes",
    ]
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    assert process.stdout is not None
    ready = json.loads(process.stdout.readline())
    process.communicate(timeout=10)
    assert "smtp" not in ready
    assert process.returncode == 0


def test_reading_the_truth_of_a_sandbox_that_never_was(truth_path: Path) -> None:
    assert read_truth(truth_path) == []


def test_the_docs_name_every_fault() -> None:
    told = DOCS.read_text()
    for service, kinds in CATALOGUE.items():
        for name, kind in kinds.items():
            # A found stand-in's own refusals stand at the head of its module, each with what it does.
            found = service in stand_ins.found() and kind.does
            assert f"| `{service}:{name}` |" in told or found
            assert all(f"`{option}" in told for option in kind.defaults)


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ("a" * 160, 1), ("a" * 161, 2), ("a" * 306, 2), ("a" * 307, 3), ("€" * 80, 1), ("€" * 81, 2),
        ("’" * 70, 1), ("’" * 71, 2), ("’" * 134, 2), ("’" * 135, 3), ("🔔" * 35, 1), ("🔔" * 36, 2),
        ("a" * 152 + "€" + "a" * 152, 3),
    ],
)  # fmt: skip
def test_segments_are_counted_as_a_provider_counts(body: str, expected: int) -> None:
    assert segments(body) == expected


@given(st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=1600))
def test_any_text_takes_between_one_segment_and_one_a_character_pair(body: str) -> None:
    assert 1 <= segments(body) <= len(body.encode("utf-16-le")) // 2

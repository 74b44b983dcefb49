"""Start a sandbox from a test, a bench or the demo, order faults in it, and read what it truly accepted."""

from __future__ import annotations

import json
import select
import signal
import subprocess
import sys
import time
from base64 import b64encode
from collections.abc import Iterable, Mapping
from contextlib import suppress
from datetime import timedelta
from http.client import HTTPConnection
from pathlib import Path
from types import TracebackType
from typing import Any

from sandbox.settings import ACCOUNT_SID, AUTH_TOKEN, BadSandbox, Endpoint, XCredentials
from sandbox.truth import Entry, read_truth

START_WITHIN = timedelta(seconds=30)
STOP_WITHIN = timedelta(seconds=10)
ASK_WITHIN = timedelta(seconds=10)

Fault = str | Mapping[str, Any]


class Control:
    """The control door of a running sandbox."""

    def __init__(self, url: str, account_sid: str, auth_token: str) -> None:
        self._address = url.removeprefix("http://")
        credentials = b64encode(f"{account_sid}:{auth_token}".encode()).decode()
        self._headers = {"Authorization": f"Basic {credentials}", "Content-Type": "application/json"}

    def order(self, *faults: Fault) -> list[int]:
        """Put faults in force, all or none; their numbers. Raises BadSandbox when one is wrong."""
        answer = self._ask("POST", "faults", json.dumps({"faults": faults}))
        return [fault["id"] for fault in answer["faults"]]

    def clear(self, number: int | None = None) -> None:
        """Take back one fault, or all."""
        self._ask("DELETE", "faults" if number is None else f"faults/{number}")

    def faults(self) -> list[dict[str, Any]]:
        """The faults in force, with how often each was looked at (`seen`) and struck (`hits`)."""
        found: list[dict[str, Any]] = self._ask("GET", "faults")["faults"]
        return found

    def account_at_x(self, **changed: bool | int) -> dict[str, Any]:
        """Change what the account at X looks like (following, protected, suspended …); what it looks like now."""
        return self.account_at("x", **changed)

    def account_at(self, stand_in: str, **changed: bool | int | str) -> dict[str, Any]:
        """Change what the account at another stand-in looks like; what it looks like now."""
        return self._ask("POST", stand_in, json.dumps(changed))

    def text_from(self, sender: str, body: str, *, url: str, **more: str | int | bool) -> str:
        """Somebody texts the account: handed to `url`, signed; its sid. See `sandbox.twilio` for what more there is."""
        asked = {"from": sender, "body": body, "url": url, **more}
        return str(self._ask("POST", "inbound", json.dumps(asked))["sid"])

    def counts(self) -> dict[str, Any]:
        """What happened since the start: accepted, twilio, smtp, x, callbacks, faults, struck."""
        return self._ask("GET", "counts")

    def truth(self, since: int = 0) -> list[Entry]:
        """The accepted messages from number `since` on, as the sandbox itself tells them."""
        entries: list[Entry] = []
        while True:
            answer = self._ask("GET", f"truth?since={since}")
            entries += answer["entries"]
            since = answer["next"]
            if since >= answer["total"]:
                return entries

    def _ask(self, method: str, what: str, body: str | None = None) -> dict[str, Any]:
        connection = HTTPConnection(self._address, timeout=ASK_WITHIN.total_seconds())
        try:
            connection.request(method, f"/sandbox/{what}", body, self._headers)
            response = connection.getresponse()
            answer: dict[str, Any] = json.loads(response.read())
        finally:
            connection.close()
        if response.status >= 400:
            raise BadSandbox(answer.get("field", what), answer["message"], answer.get("hint", ""))
        return answer


class RunningSandbox:
    """A sandbox in a process of its own; as a context manager it stops at the end.

    `restart()` starts it anew on the same ports and truth log, with the faults it was first started with.
    """

    def __init__(self, truth: Path, arguments: list[str], account_sid: str, auth_token: str) -> None:
        self.truth_path = truth
        self.account_sid = account_sid
        self.auth_token = auth_token
        self.x = XCredentials()
        self._arguments = arguments
        self._start("127.0.0.1:0", "127.0.0.1:0")

    def _start(self, twilio: str, smtp: str) -> None:
        command = [sys.executable, "-m", "sandbox", "--until-stdin-closes", "--truth", str(self.truth_path)]
        command += ["--twilio", twilio, "--smtp", smtp, *self._arguments]
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, cwd=_ROOT)  # noqa: S603
        ready = self._ready()
        self.twilio_url: str = ready["twilio"]
        self.x_url: str = ready["x"]
        smtp_endpoint = Endpoint.parse(ready["smtp"])
        self.smtp_host, self.smtp_port = smtp_endpoint.host, smtp_endpoint.port
        self.control = Control(self.twilio_url, self.account_sid, self.auth_token)

    def url(self, stand_in: str) -> str:
        """Where one of `sandbox.stand_ins` answers."""
        return f"{self.twilio_url}/{stand_in}"

    def _ready(self) -> dict[str, Any]:
        out = self.process.stdout
        if out is None or not select.select([out], [], [], START_WITHIN.total_seconds())[0]:
            self.kill()
            raise BadSandbox("start", "the sandbox was not ready in time")
        line = out.readline()
        if not line:
            self.kill()
            raise BadSandbox("start", "the sandbox ended at once", "its own words are on standard error")
        ready: dict[str, Any] = json.loads(line)
        return ready

    def truth(self, channel: str | None = None) -> list[Entry]:
        """What it truly accepted, read from the file: true even of a killed sandbox."""
        return [entry for entry in read_truth(self.truth_path) if channel in (None, entry["channel"])]

    def wait_for(self, accepted: int, within: timedelta = ASK_WITHIN) -> list[Entry]:
        """Wait until so many messages are in the truth log; raises TimeoutError."""
        until = time.monotonic() + within.total_seconds()
        while len(entries := self.truth()) < accepted:
            if time.monotonic() > until:
                raise TimeoutError(f"{len(entries)} of {accepted} messages were accepted")
            time.sleep(0.02)
        return entries

    def restart(self) -> None:
        """Start again after a stop or a kill."""
        self.stop()
        self._start(self.twilio_url.removeprefix("http://"), f"{self.smtp_host}:{self.smtp_port}")

    def stop(self) -> None:
        """End it in good order; nothing happens when it has ended."""
        with suppress(ProcessLookupError):
            self.process.terminate()
        try:
            self.process.wait(STOP_WITHIN.total_seconds())
        except subprocess.TimeoutExpired:
            self.process.kill()
        self._close()

    def kill(self) -> None:
        """End it as a power cut would: kill -9."""
        self.process.send_signal(signal.SIGKILL)
        self._close()

    def _close(self) -> None:
        self.process.wait()
        for pipe in (self.process.stdin, self.process.stdout):
            if pipe is not None:
                pipe.close()

    def __enter__(self) -> RunningSandbox:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()


_ROOT = Path(__file__).resolve().parent.parent


def start_sandbox(
    truth: Path,
    faults: Iterable[str] = (),
    *,
    callbacks: str = "off",
    step: timedelta = timedelta(milliseconds=50),
    account_sid: str = ACCOUNT_SID,
    auth_token: str = AUTH_TOKEN,
    flags: Iterable[str] = (),
) -> RunningSandbox:
    """Start a sandbox on free loopback ports and wait until it listens.

    `faults` are orders as in "twilio:500-after-accept:rate=0.01,seed=7"; `callbacks` is off, final or all; `step`
    is the time from queued to sent and from sent to delivered; `flags` are any others of `python -m sandbox`. It
    ends with the process that started it. Raises BadSandbox when it does not come up.
    """
    arguments = ["--callbacks", callbacks, "--step-ms", str(round(step.total_seconds() * 1000))]
    arguments += ["--account-sid", account_sid, "--auth-token", auth_token]
    for fault in faults:
        arguments += ["--fault", fault]
    return RunningSandbox(truth, [*arguments, *flags], account_sid, auth_token)

"""Status callbacks: what became of a text, POSTed to the address its create named, signed as Twilio signs.

And what people send to the account: texts from outside, to the address that an order names.

The signing is written from Twilio's description
(https://www.twilio.com/docs/usage/security#validating-requests), not with its SDK, which the gateway under
test uses. Only loopback is ever called: a sandbox told of a school's public address must not send it
pretended news.
"""

from __future__ import annotations

import asyncio
import hashlib
import hmac
from base64 import b64encode
from collections import Counter, deque
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from urllib.parse import SplitResult, urlencode, urlsplit

from sandbox.settings import SandboxSettings, is_loopback
from sandbox.truth import Entry

MAX_WAITING = 200_000
SENDERS = 16
TRIES = 3
TIMEOUT_S = 5.0
PAUSE_S = 0.2
MAX_ANSWER = 64 * 1024


@dataclass(slots=True)
class _Course:
    """The callbacks one text still has to come, each with the loop's time at which it is due."""

    url: SplitResult
    forged: bool
    steps: deque[tuple[float, dict[str, str]]]


@dataclass(frozen=True, slots=True)
class Inbound:
    """A text from outside to the account's number. `opt_out` is what Twilio took it for: STOP, START, HELP or ""."""

    url: str
    sender: str
    body: str
    sid: str
    to: str
    times: int = 1
    forged: bool = False
    opt_out: str = ""


class Callbacks:
    """Sends what is due over a few kept connections; what does not fit its queue is dropped and counted."""

    def __init__(self, settings: SandboxSettings) -> None:
        self._mode = settings.callbacks
        self._sid = settings.account_sid
        self._token = settings.auth_token
        self._step = settings.step.total_seconds()
        self._due: asyncio.Queue[_Course] = asyncio.Queue()
        self._waiting = 0
        self._tasks: list[asyncio.Task[None]] = []
        self.counts: Counter[str] = Counter()

    def start(self) -> None:
        """Start the senders; to be called on the loop."""
        self._tasks = [asyncio.create_task(self._send_all()) for _ in range(SENDERS)]

    async def stop(self) -> None:
        """Give up whatever has not been sent."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def expect(self, entry: Entry, fault: str) -> None:
        """Plan the callbacks of an accepted text; `fault` is the callback fault that struck it, or ""."""
        if self._mode == "off":
            return
        url = loopback_url(entry["key"])
        if url is None:
            self.counts["refused"] += 1
        elif fault == "callback-lost":
            self.counts["lost"] += 1
        elif self._waiting >= MAX_WAITING:
            self.counts["dropped"] += 1
        else:
            self._waiting += 1
            self._wait(_Course(url, fault == "callback-forged", self._steps(entry, fault)))

    def hand_in(self, text: Inbound) -> bool:
        """Bring a text from outside, as often as asked for; False when its address is none to be called."""
        url = loopback_url(text.url)
        if url is None or self._waiting >= MAX_WAITING:
            return False
        now = asyncio.get_running_loop().time()
        self._waiting += 1
        self._wait(_Course(url, text.forged, deque((now, self._inbound(text)) for _ in range(text.times))))
        return True

    def _inbound(self, text: Inbound) -> dict[str, str]:
        fields = {
            "AccountSid": self._sid,
            "ApiVersion": "2010-04-01",
            "Body": text.body,
            "From": text.sender,
            "MessageSid": text.sid,
            "NumMedia": "0",
            "NumSegments": "1",
            "SmsMessageSid": text.sid,
            "SmsSid": text.sid,
            "SmsStatus": "received",
            "To": text.to,
        }
        return fields | ({"OptOutType": text.opt_out} if text.opt_out else {})

    def _steps(self, entry: Entry, fault: str) -> deque[tuple[float, dict[str, str]]]:
        first = "queued" if entry["from"] else "accepted"
        steps = [(0, first), (1, "sent"), (2, entry["fate"])]
        chosen = steps if self._mode == "all" else steps[2:]
        due = [asyncio.get_running_loop().time() + step * self._step for step, _ in chosen]
        news = [self._fields(entry, status) for _, status in chosen]
        if fault == "callback-disorder":
            news.reverse()
        times = 2 if fault == "callback-twice" else 1
        return deque(each for each in zip(due, news, strict=True) for _ in range(times))

    def _fields(self, entry: Entry, status: str) -> dict[str, str]:
        fields = {
            "AccountSid": self._sid,
            "ApiVersion": "2010-04-01",
            "From": entry["from"] or "",
            "MessageSid": entry["id"],
            "MessageStatus": status,
            "SmsSid": entry["id"],
            "SmsStatus": status,
            "To": entry["to"],
        }
        if entry["service"]:
            fields["MessagingServiceSid"] = entry["service"]
        if entry["error_code"] and status == entry["fate"]:
            fields["ErrorCode"] = str(entry["error_code"])
        return fields

    def _wait(self, course: _Course) -> None:
        if course.steps:
            asyncio.get_running_loop().call_at(course.steps[0][0], self._due.put_nowait, course)
        else:
            self._waiting -= 1

    async def _send_all(self) -> None:
        line = Line()
        try:
            while True:
                course = await self._due.get()
                _, fields = course.steps.popleft()
                token = "forged" if course.forged else self._token
                self.counts["sent" if await self._send(line, course.url, fields, token) else "failed"] += 1
                self._wait(course)
        finally:
            line.close()

    async def _send(self, line: Line, url: SplitResult, fields: dict[str, str], token: str) -> bool:
        body = urlencode(fields).encode()
        head = (
            f"POST {url.path or '/'}{'?' + url.query if url.query else ''} HTTP/1.1\r\n"
            f"Host: {url.netloc}\r\nUser-Agent: TwilioProxy/1.1\r\nAccept: */*\r\n"
            f"Content-Type: application/x-www-form-urlencoded\r\nContent-Length: {len(body)}\r\n"
            f"X-Twilio-Signature: {signature(token, url.geturl(), fields)}\r\n\r\n"
        ).encode()
        for attempt in range(TRIES):
            if attempt:
                await asyncio.sleep(PAUSE_S * 2**attempt)
            with suppress(OSError, ValueError, EOFError, TimeoutError, asyncio.LimitOverrunError):
                async with asyncio.timeout(TIMEOUT_S):
                    if await line.post(url, head + body) < 500:
                        return True
            line.close()
        return False


class Line:
    """One kept connection to wherever the last callback went."""

    def __init__(self) -> None:
        self._to = ""
        self._streams: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None

    async def post(self, url: SplitResult, request: bytes) -> int:
        """Send a request and read its answer to the end; the status."""
        if self._streams is None or self._to != url.netloc or self._streams[0].at_eof():
            self.close()
            self._to = url.netloc
            self._streams = await asyncio.open_connection(url.hostname, url.port or 80, limit=MAX_ANSWER)
        reader, writer = self._streams
        writer.write(request)
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").lower()
        status = int(head.split(" ", 2)[1])
        headers = dict(line.partition(": ")[::2] for line in head.split("\r\n")[1:])
        if status not in (204, 304):
            length = int(headers.get("content-length", "-1"))
            if 0 <= length <= MAX_ANSWER:
                await reader.readexactly(length)
            else:
                self.close()
        if headers.get("connection", "").strip() == "close":
            self.close()
        return status

    def close(self) -> None:
        """Hang up."""
        if self._streams is not None:
            self._streams[1].close()
            self._streams = None


def signature(token: str, url: str, fields: Mapping[str, str]) -> str:
    """X-Twilio-Signature: HMAC-SHA1 over the address and the sorted fields, in base64."""
    signed = url + "".join(name + fields[name] for name in sorted(fields))
    return b64encode(hmac.new(token.encode(), signed.encode(), hashlib.sha1).digest()).decode()


def loopback_url(text: str) -> SplitResult | None:
    """A callback address this sandbox may call: plain HTTP, on loopback, nothing odd in it. Else None."""
    try:
        url = urlsplit(text)
        host = url.hostname or ""
        fit = url.scheme == "http" and is_loopback(host) and url.username is None and url.port != 0
    except ValueError:
        return None
    return url if fit and text.isascii() and text.isprintable() and " " not in text else None

"""Families who text STOP all at once: signed requests over kept connections, written beforehand."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import hmac
import time
from collections import Counter
from typing import Any
from urllib.parse import urlencode, urlsplit

from bench.words import SENDER, mobile

CONNECTIONS = 32  # about what a provider keeps open to one school


class Peer:
    """Texts to one account's door; `public_url` is what the signatures are for."""

    def __init__(self, *, url: str, public_url: str, account_sid: str, auth_token: str) -> None:
        self._at, self._public = urlsplit(url), public_url
        self._sid, self._token = account_sid, auth_token.encode()

    def play(self, *, first: int = 0, size: int = 0, body: str = "STOP") -> dict[str, Any]:
        """So many texts, each from a number of its own; how long until the last was answered."""
        requests = [self._request(n, body) for n in range(first, first + size)]
        began = time.monotonic()
        answers = asyncio.run(self._send(requests)) if requests else Counter()
        return {"took": time.monotonic() - began, "answers": dict(answers)}

    def _request(self, n: int, body: str) -> bytes:
        path = "/callbacks/texts/inbound"
        fields = {
            "AccountSid": self._sid,
            "ApiVersion": "2010-04-01",
            "Body": body,
            "From": mobile(n),
            "MessageSid": f"SM{n:032x}",
            "NumMedia": "0",
            "NumSegments": "1",
            "SmsMessageSid": f"SM{n:032x}",
            "SmsSid": f"SM{n:032x}",
            "SmsStatus": "received",
            "To": SENDER,
        }
        signed = self._public + path + "".join(name + fields[name] for name in sorted(fields))
        mac = base64.b64encode(hmac.digest(self._token, signed.encode(), hashlib.sha1)).decode()
        told = urlencode(fields)
        return (
            f"POST {path} HTTP/1.1\r\nHost: {self._at.netloc}\r\nUser-Agent: TwilioProxy/1.1\r\nAccept: */*\r\n"
            f"Content-Type: application/x-www-form-urlencoded\r\nContent-Length: {len(told)}\r\n"
            f"X-Twilio-Signature: {mac}\r\n\r\n{told}"
        ).encode()

    async def _send(self, requests: list[bytes]) -> Counter[int]:
        queue, answers = iter(requests), Counter[int]()

        async def one_line() -> None:
            reader, writer = await asyncio.open_connection(self._at.hostname, self._at.port)
            for request in queue:
                writer.write(request)
                head = await reader.readuntil(b"\r\n\r\n")
                answers[int(head[9:12])] += 1
                if int(head[9:12]) != 204:
                    break
            writer.close()

        await asyncio.gather(*(one_line() for _ in range(CONNECTIONS)))
        return answers

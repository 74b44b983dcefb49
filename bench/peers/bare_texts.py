"""The bare loop over texts: the twilio SDK's own asynchronous client, as Twilio documents it, and no ledger at all."""

from __future__ import annotations

import asyncio
import time
import warnings
from collections.abc import Iterator
from typing import Any

from twilio.http.async_http_client import AsyncTwilioHttpClient
from twilio.rest import Client

from bench.words import SENDER, TEXT, mobile

# aiohttp deprecates the SDK's way to sign in; telling it each time would only slow this peer down.
warnings.simplefilter("ignore", DeprecationWarning)


class Peer:
    """Sends to so many numbers with so many calls in flight over kept connections."""

    def __init__(self, *, url: str, account_sid: str, auth_token: str) -> None:
        self._url, self._sid, self._token = url, account_sid, auth_token

    def play(self, *, size: int, in_flight: int) -> dict[str, Any]:
        """One round."""
        return asyncio.run(self._round(size, in_flight))

    async def _round(self, size: int, in_flight: int) -> dict[str, Any]:
        async with AsyncTwilioHttpClient() as http:
            client = Client(self._sid, self._token, http_client=http)
            client.api.base_url = self._url
            # Connections are there before the clock: each hand has asked something by then.
            account = client.api.v2010.accounts(self._sid)
            await asyncio.gather(*(account.fetch_async() for _ in range(in_flight)))
            left = iter(range(size))
            cpu, began = time.process_time(), time.monotonic()
            sent = sum(await asyncio.gather(*(self._hand(client, left) for _ in range(in_flight))))
            return {
                "sent": sent,
                "seconds": time.monotonic() - began,
                "cpu": time.process_time() - cpu,
            }

    async def _hand(self, client: Client, left: Iterator[int]) -> int:
        sent = 0
        for n in left:
            made = await client.messages.create_async(
                to=mobile(n),
                from_=SENDER,
                body=TEXT,
                status_callback=f"http://127.0.0.1:9/callbacks/texts/{n:08d}.abcdefghijklmnopqrstuv",
            )
            sent += made.sid is not None
        return sent

"""The way to programs elsewhere: one POST, guarded like everything that goes to an address somebody typed."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta

import aiohttp

from broker.outward import MayAsk, is_here, is_public
from broker.ports.outside import CallFailed
from config.settings import Settings
from sources.guard import FetchRefused, checked, session

TIMEOUT = timedelta(seconds=10)
MOST_ANSWER = 4_096  # bytes of an answer that are read at all, so that the connection ends well
GOOD = range(200, 300)


@dataclass(frozen=True, slots=True)
class WebCalls:
    """Implements broker.ports.outside.Calls."""

    may_ask: MayAsk = is_public
    timeout: timedelta = TIMEOUT

    def check(self, url: str) -> None:
        """Whether such an address may be called. Raises FetchRefused."""
        checked(url, self.may_ask)

    def post(self, url: str, body: bytes, headers: Mapping[str, str]) -> None:
        """One try, without redirects. Raises CallFailed."""
        try:
            status = asyncio.run(
                asyncio.wait_for(self._post(url, body, headers), self.timeout.total_seconds())
            )
        except TimeoutError:
            raise CallFailed("it did not answer in time") from None
        except FetchRefused as refused:
            raise CallFailed(refused.problem.message) from None
        except (aiohttp.ClientError, OSError, ValueError):
            raise CallFailed("it cannot be reached") from None
        if status not in GOOD:
            raise CallFailed(f"it answered {status}")

    async def _post(self, url: str, body: bytes, headers: Mapping[str, str]) -> int:
        at = checked(url, self.may_ask)
        async with (
            session(self.may_ask, {"User-Agent": "Carillon"}, self.timeout) as asking,
            asking.post(at, data=body, headers=dict(headers), allow_redirects=False) as answer,
        ):
            await answer.content.read(MOST_ANSWER)
            return answer.status


def calls_of(settings: Settings) -> WebCalls:
    """In the sandbox nothing leaves the machine."""
    return WebCalls(is_here if settings.sandbox else is_public)

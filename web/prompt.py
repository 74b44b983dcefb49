"""A caller who connects and asks nothing is hung up on: else a few hundred of them shut the door for everybody.

Uvicorn closes a connection that falls silent after a request, and waits for ever for a first one, or for the rest of
its head.
"""

from __future__ import annotations

import asyncio
from datetime import timedelta

from uvicorn.protocols.http.h11_impl import H11Protocol, RequestResponseCycle

PATIENCE = timedelta(seconds=10)


class Prompt(H11Protocol):
    """Uvicorn's protocol over h11, with a look at each connection every `PATIENCE`."""

    _seen: RequestResponseCycle | None = None
    _look: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Begin to wait for the first request."""
        super().connection_made(transport)
        self._look_later()

    def connection_lost(self, exc: Exception | None) -> None:
        """Look no more."""
        if self._look is not None:
            self._look.cancel()
        super().connection_lost(exc)

    def _look_later(self) -> None:
        self._look = self.loop.call_later(PATIENCE.total_seconds(), self._hang_up_if_silent)

    def _hang_up_if_silent(self) -> None:
        # Uvicorn declares it never None, and begins with None.
        cycle: RequestResponseCycle | None = self.cycle
        answered = cycle is None or cycle.response_complete
        if answered and cycle is self._seen:  # no whole request since the last look
            self.transport.abort()  # close() would wait for one who does not read either
            return
        self._seen = cycle
        self._look_later()

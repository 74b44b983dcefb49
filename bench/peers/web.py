"""The web process as `carillon web` runs it, for others to watch; it says what it costs."""

from __future__ import annotations

import time
from contextlib import ExitStack
from typing import Any

from broker.actor import Actor, ActorKind
from broker.authority import signin
from config.assembly import assemble
from config.settings import Settings
from web.app import create_app
from web.serve import serving


class Peer:
    """Serves for as long as the process lives."""

    def __init__(self, **settings: Any) -> None:
        self._held = ExitStack()
        self._house = self._held.enter_context(assemble(Settings.of(**settings), serves=True))
        app = create_app(self._house.ports, self._house.settings)
        self._hub = app.state.hub
        self._url = self._held.enter_context(serving(app, "127.0.0.1", 0))

    def play(self, *, links: int = 0) -> dict[str, Any]:
        """Where it serves, how much CPU it has used so far, and links to sign in by."""
        actor = Actor(ActorKind.PERSON, "bench")
        made = [signin.make_link(self._house.ports, actor=actor) for _ in range(links)]
        return {"url": self._url, "links": made, "used": time.process_time(), "watching": self._hub.watching}

"""Everything that goes through Redis, overheard: hints carry ids, and this is where it is looked at."""

from __future__ import annotations

import base64
import re
import threading
from contextlib import suppress
from pathlib import Path

import redis

from tests.support.redis import RedisServer

_BODY = re.compile(rb'"body\\*": \\*"([A-Za-z0-9+/=]+)')  # Celery's, in base64 inside kombu's JSON
PROTOCOL_ENDS = (redis.RedisError, OSError, ValueError, UnicodeDecodeError)


class Eavesdropper:
    """Reads MONITOR on a thread until `stop`; a Redis that was killed is heard again when it is back."""

    def __init__(self, server: RedisServer, heard: Path) -> None:
        self._server = server
        self._heard = heard
        self._ending = threading.Event()
        self._thread = threading.Thread(target=self._run, name="eavesdropper", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        self._ending.set()
        self._thread.join(10)

    def _run(self) -> None:
        with self._heard.open("ab", buffering=0) as file:
            while not self._ending.is_set():
                with suppress(*PROTOCOL_ENDS), self._server.client() as client, client.monitor() as monitor:
                    while not self._ending.is_set():
                        command: str = monitor.next_command()["command"]
                        file.write(command.encode(errors="replace") + b"\n")
                self._ending.wait(0.2)


def said(heard: Path) -> str:
    """What went through Redis, its messages' bodies in the clear."""
    raw = heard.read_bytes()
    bodies = []
    for found in _BODY.finditer(raw):
        with suppress(ValueError):
            bodies.append(base64.b64decode(found[1]))
    return b"\n".join([raw, *bodies]).decode(errors="replace")

"""Apprise over mails: its own mailto plug-in, as it is, pointed at the stand-in by host and port."""

from __future__ import annotations

import time
from typing import Any

import apprise

from bench.words import LETTER, MAIL_SENDER, SUBJECT, email


class Peer:
    """One notification to a list of addresses over one kept connection, or a service (and a connection) for each."""

    def __init__(self, *, host: str, port: int) -> None:
        self._url = f"mailto://{host}:{port}/?from={MAIL_SENDER}&reply={MAIL_SENDER}&to="

    def play(self, *, size: int, way: str) -> dict[str, Any]:
        """One round. Its throttle (one notification in 5.5 s) is not met: a round is one notification a service."""
        addresses = [email(n) for n in range(size)]
        apobj = apprise.Apprise()
        for to in [",".join(addresses)] if way == "together" else addresses:
            if not apobj.add(self._url + to):
                raise ValueError("Apprise does not take the address")
        cpu, began = time.process_time(), time.monotonic()
        well = apobj.notify(body=LETTER, title=SUBJECT, body_format=apprise.NotifyFormat.MARKDOWN)
        spent = {"seconds": time.monotonic() - began, "cpu": time.process_time() - cpu}
        return {"sent": size if well else 0, **spent}

"""The bare loop over mails: smtplib in threads, a kept connection each, one template of bytes."""

from __future__ import annotations

import smtplib
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from email.message import EmailMessage
from email.policy import SMTP
from threading import Lock
from typing import Any

from bench.words import DOMAIN, HTML, LETTER, MAIL_SENDER, SUBJECT, email

_TO, _NUMBER = b"recipient@stands.example", b"number-stands-here"


class Peer:
    """Sends to so many addresses over so many connections."""

    def __init__(self, *, host: str, port: int) -> None:
        self._host, self._port = host, port

    def play(self, *, size: int, connections: int) -> dict[str, Any]:
        """One round; connecting is not timed."""
        lines = [smtplib.SMTP(self._host, self._port, timeout=20) for _ in range(connections)]
        for line in lines:
            line.ehlo()
        left, lock = iter(range(size)), Lock()
        with ThreadPoolExecutor(connections) as threads:
            cpu, began = time.process_time(), time.monotonic()
            sent = sum(threads.map(lambda line: _hand(line, left, lock), lines))
            spent = {"seconds": time.monotonic() - began, "cpu": time.process_time() - cpu}
        for line in lines:
            line.quit()
        return {"sent": sent, **spent}


def _hand(line: smtplib.SMTP, left: Iterator[int], lock: Lock) -> int:
    sent = 0
    while True:
        with lock:
            n = next(left, None)
        if n is None:
            return sent
        to = email(n)
        mail = _MAIL.replace(_TO, to.encode(), 1).replace(_NUMBER, b"%d" % n, 1)
        refused = line.sendmail(MAIL_SENDER, [to], mail)
        sent += not refused


def _template() -> bytes:
    mail = EmailMessage(policy=SMTP)
    mail["From"], mail["Reply-To"], mail["To"] = MAIL_SENDER, MAIL_SENDER, _TO.decode()
    mail["Subject"], mail["Message-ID"] = SUBJECT, f"<{_NUMBER.decode()}@{DOMAIN}>"
    mail.set_content(LETTER * 2)
    mail.add_alternative(HTML, subtype="html")
    return mail.as_bytes()


_MAIL = _template()

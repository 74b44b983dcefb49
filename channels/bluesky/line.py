"""The connection to Bluesky: its few calls (XRPC, JSON over HTTP) under a session that is begun once and kept.

Beginning one is dear, at most 300 times a day for an account, so it lives as long as the process and is refreshed. What
goes wrong with it is never uncertain: no post has left.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from threading import Lock
from typing import Any

from broker.errors import AccountRejected, DeliveryFailure, RateLimited, Transient, Uncertain
from channels.bluesky import codes
from channels.bluesky.settings import Settings
from channels.calling import Answer, Caller

EARLY = timedelta(minutes=2)  # before its end a session is refreshed
LONGEST = 4_000  # characters of a token
UNTOLD = timedelta(minutes=10)  # how long one is kept that does not tell


@dataclass(frozen=True, slots=True)
class Session:
    """Who is signed in, and until when."""

    did: str
    access: str = field(repr=False)
    refresh: str = field(repr=False)
    until: datetime


class Line:
    """Calls under one account's session."""

    def __init__(self, settings: Settings, timeout: timedelta) -> None:
        self._settings = settings
        self._caller = Caller(f"{settings.server}/xrpc", timeout, "Bluesky")
        self._session: Session | None = None
        self._lock = Lock()

    def did(self) -> str:
        """The account's own name of names, which no handle changes. Raises DeliveryFailure."""
        return self._signed_in().did

    def read(self, call: str, **params: str) -> Answer:
        """A call that changes nothing."""
        return self._ask("GET", call, params=params)

    def write(self, call: str, said: Mapping[str, Any]) -> Answer:
        """A call that changes something."""
        return self._ask("POST", call, said=said)

    def understood(self, answer: Answer) -> Mapping[str, Any]:
        """What an answer holds that says yes. Raises DeliveryFailure for any other."""
        body = answer.known()
        if not answer.ok:
            reason = codes.failure(answer.status, body, answer.headers, now=datetime.now(UTC))
            if isinstance(reason, Transient | AccountRejected) and not isinstance(reason, RateLimited):
                self._session = None
            raise reason
        if answer.read() is None:
            raise Uncertain("Bluesky's answer could not be read")
        return body

    def close(self) -> None:
        """Let go of connections; safe to call twice."""
        self._caller.close()

    def _ask(self, method: str, call: str, *, said: Mapping[str, Any] | None = None, **more: Any) -> Answer:
        return self._call(method, call, self._signed_in().access, said, **more)

    def _call(
        self, method: str, call: str, token: str, said: Mapping[str, Any] | None, **more: Any
    ) -> Answer:
        headers = {"Accept": "application/json", **({"Authorization": f"Bearer {token}"} if token else {})}
        if said is None:
            return self._caller.ask(method, call, headers=headers, **more)
        headers["Content-Type"] = "application/json"
        return self._caller.ask(method, call, body=json.dumps(said).encode(), headers=headers, **more)

    def _signed_in(self) -> Session:
        with self._lock:
            if self._session is None or self._session.until <= datetime.now(UTC) + EARLY:
                self._session = self._refreshed() or self._begun()
            return self._session

    def _refreshed(self) -> Session | None:
        before, self._session = self._session, None
        if before is None:
            return None
        try:
            return self._of(self._call("POST", "com.atproto.server.refreshSession", before.refresh, None))
        except DeliveryFailure:
            return None

    def _begun(self) -> Session:
        said = {
            "identifier": self._settings.handle,
            "password": self._settings.app_password.get_secret_value(),
        }
        try:
            return self._of(self._call("POST", "com.atproto.server.createSession", "", said))
        except Uncertain as reason:
            raise Transient(f"nobody could be signed in: {reason.why}", code=reason.code) from None

    def _of(self, answer: Answer) -> Session:
        told = self.understood(answer)
        did, access, refresh = (_word(told.get(name)) for name in ("did", "accessJwt", "refreshJwt"))
        return Session(did, access, refresh, _end(access))


def _word(told: object) -> str:
    """What may stand in a header or a name. Raises Uncertain for anything else."""
    if not isinstance(told, str) or not 0 < len(told) <= LONGEST:
        raise Uncertain("Bluesky's answer could not be read")
    if not told.isascii() or not told.isprintable() or " " in told:
        raise Uncertain("Bluesky's answer could not be read")
    return told


def _end(token: str) -> datetime:
    """When a token ends, as it says of itself. It is the server's to check; we only save a call."""
    now = datetime.now(UTC)
    try:
        middle = token.split(".")[1]
        told = json.loads(base64.urlsafe_b64decode(middle + "=" * (-len(middle) % 4)))
        return datetime.fromtimestamp(int(told["exp"]), UTC)
    except (ValueError, LookupError, TypeError, OverflowError, OSError):
        return now + UNTOLD

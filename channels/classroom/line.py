"""The way to Classroom: a token that is fetched and kept while it is good, and requests under it.

Fetching one posts nothing: what goes wrong there is tried again, or stops the account, and is never in doubt.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import timedelta
from time import monotonic
from typing import Any
from urllib.parse import urlencode

from broker.errors import Transient, Uncertain
from channels.calling import Answer, Caller
from channels.classroom import codes
from channels.classroom.settings import API, TOKENS, Settings

FORM = {"Content-Type": "application/x-www-form-urlencoded"}
EARLY = timedelta(minutes=2)  # a token is not used so shortly before its end
LONGEST = timedelta(hours=1)


class Line:
    """One account's way to Classroom."""

    def __init__(self, settings: Settings, timeout: timedelta) -> None:
        self._settings = settings
        self._tokens = Caller(settings.api_base_url or TOKENS, timeout, "Google")
        self._api = Caller(settings.api_base_url or API, timeout, "Classroom")
        self._token = ""
        self._good_until = 0.0

    def ask(self, method: str, path: str, told: Mapping[str, Any] | None = None) -> Answer:
        """One request. Raises DeliveryFailure, AccountRejected for a token that was new and is refused."""
        kept = bool(self._token) and monotonic() < self._good_until
        if not kept:
            self._fetch()
        body = json.dumps(told).encode() if told is not None else None
        headers = {"Authorization": f"Bearer {self._token}", "Content-Type": "application/json"}
        answer = self._api.ask(method, path, body=body, headers=headers)
        if answer.status == 401:
            self._token = ""
            if kept:
                raise Transient("the sign-in at Google ended before its time: it is made anew", code="401")
        return answer

    def close(self) -> None:
        """Let go of connections; safe to call twice."""
        self._tokens.close()
        self._api.close()

    def _fetch(self) -> None:
        asked = {
            "grant_type": "refresh_token",
            "client_id": self._settings.client_id,
            "client_secret": self._settings.client_secret.get_secret_value(),
            "refresh_token": self._settings.refresh_token.get_secret_value(),
        }
        try:
            answer = self._tokens.ask("POST", "token", body=urlencode(asked).encode(), headers=FORM)
        except Uncertain as doubt:
            raise Transient(f"no sign-in at Google: {doubt.why}", code=doubt.code) from None
        told = answer.known()
        if not answer.ok:
            raise codes.no_token(answer.status, told, answer.headers)
        token, lasts = told.get("access_token"), told.get("expires_in")
        if not isinstance(token, str) or not _harmless(token) or type(lasts) is not int:
            raise Transient("Google's answer has no token to sign in with", code="no_token")
        self._token = token
        lasting = min(timedelta(seconds=max(lasts, 0)), LONGEST) - EARLY
        self._good_until = monotonic() + lasting.total_seconds()

    def __repr__(self) -> str:
        return "<Line to Classroom>"


def _harmless(token: str) -> bool:
    return 0 < len(token) <= 4_000 and token.isascii() and token.isprintable() and " " not in token

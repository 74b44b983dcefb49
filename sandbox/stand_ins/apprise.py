"""A stand-in for a Mattermost's incoming webhook, one of the rooms that Apprise posts to: 200 and "ok".

Doors: post. Shapes after https://developers.mattermost.com/integrate/webhooks/incoming. A notice has no name there, so
the truth's `id` is made of its words.
"""

from __future__ import annotations

import hashlib
import json

from sandbox.faults import FaultBook
from sandbox.http import Request
from sandbox.truth import Entry, TruthLog
from sandbox.web_api import Answer, Then, WebApi, kinds

TOKEN = "sandboxroomtoken0000000001"  # noqa: S105 (pretended, like all else here)


def _error(status: int, code: str, message: str) -> Answer:
    return status, {"id": code, "message": message, "status_code": status}


NO_HOOK = _error(404, "web.incoming_webhook.invalid.app_error", "Invalid webhook.")
EMPTY = _error(400, "web.incoming_webhook.text.app_error", "No text specified.")
ANSWERS: dict[str, Answer] = {
    "401": _error(
        401, "api.context.session_expired.app_error", "Invalid or expired session, please login again."
    ),
    "403": _error(403, "web.incoming_webhook.disabled.app_error", "Incoming webhooks have been disabled."),
    "404": NO_HOOK,
    "429": _error(429, "too_many_requests", "limit exceeded"),
    "400": EMPTY,
}
KINDS = kinds(
    ("post",),
    {"401": "Not signed in", "403": "Disabled", "404": "No such hook", "429": "Limit", "400": "No text"},
)


class MattermostStandIn(WebApi):
    """One hook at /apprise/hooks/<token>."""

    name = channel = "apprise"
    refusals = ANSWERS
    broken = _error(500, "api.context.internal", "Internal error")

    def asked_for(self, request: Request, path: str) -> tuple[str, str]:
        """One door."""
        return ("post", path.removeprefix("hooks/")) if request.method == "POST" else ("", "")

    def signed(self, request: Request) -> bool:
        """By the address."""
        return request.path.rpartition("/")[2] == TOKEN

    def unsigned(self) -> Answer:
        """As Mattermost has it."""
        return NO_HOOK

    def act(self, stage: str, about: str, request: Request, then: Then) -> None:
        """Post it."""
        try:
            text = str(json.loads(request.body)["text"])
        except (ValueError, KeyError, TypeError):
            return then(EMPTY)

        def written(entry: Entry | None) -> None:
            then((200, b"ok") if entry else self.broken)

        return self.accept(text, written, id=hashlib.sha256(text.encode()).hexdigest()[:32])


def open(truth: TruthLog, faults: FaultBook) -> WebApi:  # noqa: A001 - a stand-in is opened, by this name
    """The stand-in of one sandbox."""
    return MattermostStandIn(truth, faults)


def account(url: str) -> dict[str, object]:
    """An account that posts to it."""
    return {"channel": "apprise", "address": f"mmost://{url.removeprefix('http://')}/{TOKEN}"}

"""A stand-in for one account at a Mastodon server: post, delete, look at itself and at its own posts.

Doors: create, delete, me, posts. Its own refusals: `429` (until a minute from now), `401`, `scope` (403, the token may
not), `disabled` (403), `invalid` (422). Shapes after https://docs.joinmastodon.org/methods/statuses/: posts come back
as HTML with their links cut for the eye, an Idempotency-Key is taken once, and 500 letters are the most, a link is 23.
"""

from __future__ import annotations

import html
import re
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import islice
from typing import Any

from wcwidth import iter_graphemes

from sandbox import web_api
from sandbox.faults import FaultBook, Order
from sandbox.http import Request
from sandbox.truth import Entry, TruthLog
from sandbox.web_api import Answer, Then

TOKEN = "sandbox-mastodon-token"  # noqa: S105 - pretended, like all else here
ACCOUNT = "109876543210987654"
MOST = 500
REFUSALS: Mapping[str, Answer] = {
    "429": (429, {"error": "Too many requests"}),
    "401": (401, {"error": "The access token was revoked"}),
    "scope": (403, {"error": "This action is outside the authorized scopes"}),
    "disabled": (403, {"error": "Your login is currently disabled"}),
    "invalid": (422, {"error": "Validation failed: Text can't be blank"}),
}
KINDS = web_api.kinds(
    ("create", "delete", "me", "posts"),
    {
        "429": "Too many requests",
        "401": "The token does not hold",
        "scope": "403, the token may not do that",
        "disabled": "403, the account is disabled",
        "invalid": "422, the post cannot be taken",
    },
)
_LINK = re.compile(r"https?://[^\s<>\"]+")
_TAG = re.compile(r"(?<![\w&])#(\w+)")


@dataclass(frozen=True)
class Look:
    """What the account looks like."""

    following: int = 0
    followers: int = 40
    automated: bool = True


def open(truth: TruthLog, faults: FaultBook) -> Mastodon:  # noqa: A001 - as every stand-in has it
    """The stand-in."""
    return Mastodon(truth, faults)


def account(url: str) -> dict[str, Any]:
    """The settings of an account here."""
    return {
        "channel": "mastodon",
        "server": url,
        "access_token": TOKEN,
        "notice_route": "the notice board at the gate",
    }


class Mastodon(web_api.WebApi):
    """One account's posts."""

    name = "mastodon"
    refusals = REFUSALS

    def __init__(self, truth: TruthLog, faults: FaultBook) -> None:
        super().__init__(truth, faults)
        self.look = Look()

    def asked_for(self, request: Request, path: str) -> tuple[str, str]:
        """The door, and the post it is about."""
        match request.method, path.split("/"):
            case "POST", ["api", "v1", "statuses"]:
                return "create", ""
            case "DELETE", ["api", "v1", "statuses", id]:
                return "delete", id
            case "GET", ["api", "v1", "accounts", "verify_credentials"]:
                return "me", ""
            case "GET", ["api", "v1", "accounts", who, "statuses"] if who == ACCOUNT:
                return "posts", ""
        return "", ""

    def signed(self, request: Request) -> bool:
        """By the token alone."""
        return request.headers.get("authorization") == f"Bearer {TOKEN}"

    def unsigned(self) -> Answer:
        """As Mastodon words it."""
        return 401, {"error": "The access token is invalid"}

    def headers(self, fault: Order | None) -> dict[str, str]:
        """Its limits, which begin anew in a minute."""
        spent = fault is not None and fault.kind == "429"
        reset = datetime.now(UTC) + timedelta(minutes=1)
        return {
            "X-RateLimit-Limit": "300",
            "X-RateLimit-Remaining": "0" if spent else "299",
            "X-RateLimit-Reset": reset.isoformat().replace("+00:00", "Z"),
        }

    def act(self, stage: str, about: str, request: Request, then: Then) -> None:
        """Do what was asked for."""
        match stage:
            case "create":
                return self._create(request, then)
            case "delete":
                return then(self._delete(about))
            case "me":
                return then((200, self._me()))
        return then(self._statuses(request.parameters()))

    def _create(self, request: Request, then: Then) -> None:
        asked = request.form()
        text, key = asked.get("status", ""), request.headers.get("idempotency-key")
        if not text.strip():
            return then((422, {"error": "Validation failed: Text can't be blank"}))
        if _length(text) > MOST:
            return then((422, {"error": f"Validation failed: Text character limit of {MOST} exceeded"}))
        if key and (before := self._under(key)) is not None:
            told = self.one(before["id"])
            return then((200, self._status(told)) if told else (404, {"error": "Record not found"}))
        shown = asked.get("visibility", "public")
        self.accept(
            text,
            lambda entry: then((200, self._status(entry)) if entry else self.broken),
            id=str(int(time.time() * 1000) << 16 | len(self.truth) % 65_536),
            key=key,
            visibility=shown,
            **{"from": ACCOUNT},
        )
        return None

    def _under(self, key: str) -> Entry | None:
        hour = time.time() - 3600
        for number in self.truth.newest_first(self.name, None, None):
            if self.truth.time_of(number) < hour:
                return None
            if (entry := self.truth.entry(number))["key"] == key:
                return entry
        return None

    def _delete(self, id: str) -> Answer:
        entry = self.one(id)
        if entry is None:
            return 404, {"error": "Record not found"}
        self.gone.add(id)
        self.counts["deleted"] += 1
        return 200, {**self._status(entry), "text": entry["body"]}

    def _me(self) -> dict[str, Any]:
        look: Look = self.look
        return {
            "id": ACCOUNT,
            "username": "school",
            "acct": "school",
            "bot": look.automated,
            "locked": False,
            "created_at": "2026-01-01T00:00:00.000Z",
            "followers_count": look.followers,
            "following_count": look.following,
            "statuses_count": sum(1 for _ in self.standing()),
        }

    def _statuses(self, asked: dict[str, str]) -> Answer:
        try:
            below, size = int(asked.get("max_id", str(1 << 63))), int(asked.get("limit", "20"))
        except ValueError:
            return 422, {"error": "Validation failed"}
        found: Iterator[Entry] = (each for each in self.standing() if int(each["id"]) < below)
        return 200, [self._status(each) for each in islice(found, min(size, 40))]

    def _status(self, entry: Entry) -> dict[str, Any]:
        return {
            "id": entry["id"],
            "created_at": entry["at"][:23] + "Z",
            "visibility": entry["visibility"],
            "content": _as_html(entry["body"]),
            "url": f"https://social.example/@school/{entry['id']}",
            "account": {"id": ACCOUNT, "acct": "school"},
            "reblog": None,
        }


def _as_html(text: str) -> str:
    """As Mastodon's formatter gives it: paragraphs, a link's scheme and end hidden from the eye, tags as links."""

    def cut(found: re.Match[str]) -> str:
        address = found[0]
        scheme, rest = address.split("//", 1)
        seen, hidden = rest[:30], rest[30:]
        shown = (
            f'<span class="invisible">{scheme}//</span><span class="{"ellipsis" if hidden else ""}">{seen}</span>'
            f'<span class="invisible">{hidden}</span>'
        )
        return f'<a href="{address}" target="_blank" rel="nofollow noopener" translate="no">{shown}</a>'

    tagged = (
        '<a href="https://social.example/tags/{0}" class="mention hashtag" rel="tag">#<span>{0}</span></a>'
    )
    told = _TAG.sub(lambda found: tagged.format(found[1]), _LINK.sub(cut, html.escape(text)))
    return "".join(f"<p>{each}</p>" for each in told.split("\n\n")).replace("\n", "<br />")


def _length(text: str) -> int:
    return sum(1 for _ in iter_graphemes(_LINK.sub("x" * 23, text)))

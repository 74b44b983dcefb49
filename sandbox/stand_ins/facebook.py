"""A stand-in for one page at Facebook: post, delete, read one post, the page's posts, the page, its settings.

Doors: create, delete, read, posts, me, settings. Its own refusals: `429` (code 32, for two minutes), `401` (code 190,
the token is over), `permission` (200), `blocked` (368), `duplicate` (506), `invalid` (100), `version` (12). Shapes
after https://developers.facebook.com/docs/graph-api; a wrong appsecret_proof is refused; the same text is posted once
a day.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sandbox import web_api
from sandbox.faults import FaultBook, Order
from sandbox.http import Request
from sandbox.truth import Entry, TruthLog
from sandbox.web_api import Answer, Then

VERSION = "v26.0"
PAGE = "100064000000001"
TOKEN = "EAASandboxPageToken"  # noqa: S105 - pretended, like all else here
SECRET = "sandbox-app-secret"  # noqa: S105
MOST = 63_206
DAY_S = 86_400


def _error(code: int, message: str, subcode: int = 0, status: int = 400) -> Answer:
    told = {"message": message, "type": "OAuthException", "code": code, "fbtrace_id": "AsAnDbOx"}
    return status, {"error": told | ({"error_subcode": subcode} if subcode else {})}


NO_SUCH = _error(100, "Unsupported request. Object does not exist or cannot be loaded", 33)
REFUSALS: Mapping[str, Answer] = {
    "429": _error(32, "(#32) Page request limit reached"),
    "401": _error(190, "Error validating access token: Session has expired", 463, 401),
    "permission": _error(200, "(#200) Requires pages_manage_posts", status=403),
    "blocked": _error(368, "The action attempted has been deemed abusive or is otherwise disallowed"),
    "duplicate": _error(506, "(#506) Duplicate status message"),
    "invalid": _error(100, "(#100) Invalid parameter"),
    "version": _error(12, "(#12) This version is deprecated"),
    "unseen": NO_SUCH,
}
KINDS = web_api.kinds(
    ("create", "delete", "read", "posts", "me", "settings"),
    {
        "429": "Too many requests, for two minutes",
        "401": "The token is over",
        "permission": "The token may not do that",
        "blocked": "The page is blocked for a while",
        "duplicate": "The same was posted before",
        "invalid": "The post cannot be taken",
        "version": "The version of the API is given up",
        "unseen": "No such thing, or none that the token may see",
    },
)


@dataclass(frozen=True)
class Look:
    """What the page looks like; `messages` is closed, open, or untold; `duplicates` lets a text be posted twice."""

    published: bool = True
    messages: str = "closed"
    duplicates: bool = False


def open(truth: TruthLog, faults: FaultBook) -> Facebook:  # noqa: A001 - as every stand-in has it
    """The stand-in."""
    return Facebook(truth, faults)


def account(url: str) -> dict[str, Any]:
    """The settings of an account here."""
    return {
        "channel": "facebook",
        "api_base_url": url,
        "page_id": PAGE,
        "access_token": TOKEN,
        "app_secret": SECRET,
        "notice_route": "the notice board at the gate",
    }


class Facebook(web_api.WebApi):
    """One page's posts."""

    name = "facebook"
    refusals = REFUSALS
    broken = _error(1, "An unknown error occurred", status=500)

    def __init__(self, truth: TruthLog, faults: FaultBook) -> None:
        super().__init__(truth, faults)
        self.look = Look()

    def asked_for(self, request: Request, path: str) -> tuple[str, str]:
        """The door, and the post it is about."""
        match request.method, path.split("/"):
            case "POST", [version, page, "feed"] if (version, page) == (VERSION, PAGE):
                return "create", ""
            case "GET", [version, page, "published_posts"] if (version, page) == (VERSION, PAGE):
                return "posts", ""
            case "GET", [version, page, "settings"] if (version, page) == (VERSION, PAGE):
                return "settings", ""
            case "GET", [version, page] if (version, page) == (VERSION, PAGE):
                return "me", ""
            case "GET", [version, id] if version == VERSION:
                return "read", id
            case "DELETE", [version, id] if version == VERSION:
                return "delete", id
        return "", ""

    def signed(self, request: Request) -> bool:
        """By the token, and by the proof that whoever has it has the app's secret, too."""
        asked = request.form() if request.method == "POST" else request.parameters()
        right = hmac.new(SECRET.encode(), TOKEN.encode(), hashlib.sha256).hexdigest()
        proven = asked.get("appsecret_proof", right) == right
        return proven and request.headers.get("authorization") == f"Bearer {TOKEN}"

    def unsigned(self) -> Answer:
        """As Facebook words it."""
        return _error(190, "Invalid OAuth access token - Cannot parse access token", status=401)

    def headers(self, fault: Order | None) -> dict[str, str]:
        """How much was used, in JSON, as Facebook has it."""
        spent = 2 if fault is not None and fault.kind == "429" else 0
        use = {"type": "pages", "call_count": 28, "estimated_time_to_regain_access": spent}
        return {"X-Business-Use-Case-Usage": json.dumps({PAGE: [use]}), "facebook-api-version": VERSION}

    def act(self, stage: str, about: str, request: Request, then: Then) -> None:
        """Do what was asked for."""
        match stage:
            case "create":
                return self._create(request.form().get("message", ""), then)
            case "delete":
                return then(self._delete(about))
            case "read":
                return then((200, _shown(entry)) if (entry := self.one(about)) else NO_SUCH)
            case "me":
                return then((200, {"id": PAGE, "is_published": self.look.published}))
            case "settings":
                return then((200, {"data": self._settings()}))
        return then(self._posts(request.parameters()))

    def _create(self, text: str, then: Then) -> None:
        if not text.strip() or len(text.encode("utf-16-le")) // 2 > MOST:
            return then(REFUSALS["invalid"])
        lately = time.time() - DAY_S
        same = (each for each in self.standing() if each["body"] == text)
        if not self.look.duplicates and any(_made(each) > lately for each in same):
            return then(REFUSALS["duplicate"])
        self.accept(
            text,
            lambda entry: then((200, {"id": entry["id"]}) if entry else self.broken),
            id=f"{PAGE}_{time.time_ns() // 1_000}",
            **{"from": PAGE},
        )
        return None

    def _delete(self, id: str) -> Answer:
        if self.one(id) is None:
            return NO_SUCH
        self.gone.add(id)
        self.counts["deleted"] += 1
        return 200, {"success": True}

    def _settings(self) -> list[dict[str, Any]]:
        told: list[dict[str, Any]] = [{"setting": "USERS_CAN_POST", "value": False}]
        if self.look.messages != "untold":
            told.append({"setting": "USERS_CAN_MESSAGE", "value": self.look.messages == "open"})
        return told

    def _posts(self, asked: Mapping[str, str]) -> Answer:
        size, start = int(asked.get("limit", "25")), int(asked.get("after", "0"))
        since = int(asked.get("since", "0"))
        posts = [entry for entry in self.standing() if _made(entry) >= since]
        page = posts[start : start + size]
        if not page:
            return 200, {"data": []}
        more = {"next": "https://graph.facebook.com/next"} if start + size < len(posts) else {}
        paging = {"cursors": {"before": str(start), "after": str(start + size)}, **more}
        return 200, {"data": [_shown(each) for each in page], "paging": paging}


def _made(entry: Entry) -> float:
    return datetime.fromisoformat(entry["at"]).timestamp()


def _shown(entry: Entry) -> dict[str, str]:
    return {"id": entry["id"], "message": entry["body"], "created_time": entry["at"][:19] + "+0000"}

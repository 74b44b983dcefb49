"""A stand-in for one account at Bluesky: begin a session, put, read and delete posts, look at itself and its feed.

Doors: create (putRecord), delete, read (getRecord), feed, me (getProfile), session. Its own refusals: `429` (until a
minute from now), `401`, `expired` (the session is over), `takedown`, `invalid` (400). Shapes after https://docs.bsky.app
and the reference server: 300 letters and 3,000 bytes are the most, a record's name is good once, the same record put
twice is one.
"""

from __future__ import annotations

import base64
import hashlib
import json
import re
import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from wcwidth import iter_graphemes

from sandbox import web_api
from sandbox.faults import FaultBook, Order
from sandbox.http import Request
from sandbox.truth import Entry, TruthLog
from sandbox.web_api import Answer, Then

HANDLE = "choir.sandbox.example"
PASSWORD = "sand-boxx-appp-pass"  # noqa: S105 - pretended, like all else here
DID = "did:plc:sandboxsandboxsandboxsan"
POST = "app.bsky.feed.post"
MOST, MOST_BYTES = 300, 3_000
SESSION_S = 7_200
CALLS = {
    ("POST", "com.atproto.repo.putRecord"): "create",
    ("POST", "com.atproto.repo.deleteRecord"): "delete",
    ("GET", "com.atproto.repo.getRecord"): "read",
    ("GET", "app.bsky.feed.getAuthorFeed"): "feed",
    ("GET", "app.bsky.actor.getProfile"): "me",
    ("POST", "com.atproto.server.createSession"): "session",
    ("POST", "com.atproto.server.refreshSession"): "session",
}
KINDS = web_api.kinds(
    tuple(dict.fromkeys(CALLS.values())),
    {
        "429": "Too many requests",
        "401": "The credentials do not hold",
        "expired": "The session is over",
        "takedown": "The account was taken down",
        "invalid": "400, the record cannot be taken",
    },
)
_TID = re.compile(r"[234567abcdefghij][234567abcdefghijklmnopqrstuvwxyz]{12}")


def _error(status: int, error: str, message: str) -> Answer:
    return status, {"error": error, "message": message}


REFUSALS: Mapping[str, Answer] = {
    "429": _error(429, "RateLimitExceeded", "Rate Limit Exceeded"),
    "401": _error(401, "AuthenticationRequired", "Invalid identifier or password"),
    "expired": _error(400, "ExpiredToken", "Token has expired"),
    "takedown": _error(401, "AccountTakedown", "Account has been taken down"),
    "invalid": _error(400, "InvalidRequest", f"Invalid {POST} record: Record/text must not be longer"),
}


@dataclass(frozen=True)
class Look:
    """What the account looks like; `messages`: who may write to it (all, following, none; "" for nothing said)."""

    following: int = 0
    followers: int = 25
    messages: str = "none"


def open(truth: TruthLog, faults: FaultBook) -> Bluesky:  # noqa: A001 - as every stand-in has it
    """The stand-in."""
    return Bluesky(truth, faults)


def account(url: str) -> dict[str, Any]:
    """The settings of an account here."""
    return {
        "channel": "bluesky",
        "server": url,
        "handle": HANDLE,
        "app_password": PASSWORD,
        "notice_route": "the notice board at the gate",
    }


class Bluesky(web_api.WebApi):
    """One account's posts."""

    name = "bluesky"
    refusals = REFUSALS
    broken = _error(500, "InternalServerError", "Internal Server Error")

    def __init__(self, truth: TruthLog, faults: FaultBook) -> None:
        super().__init__(truth, faults)
        self.look = Look()
        self._tokens: dict[str, float] = {}

    def asked_for(self, request: Request, path: str) -> tuple[str, str]:
        """The door, and the call."""
        call = path.removeprefix("xrpc/")
        return CALLS.get((request.method, call), ""), call

    def signed(self, request: Request) -> bool:
        """By a token of a session; a session's own door asks for a password."""
        token = request.headers.get("authorization", "").removeprefix("Bearer ")
        return request.path.endswith("createSession") or self._tokens.get(token, 0) > time.time()

    def unsigned(self) -> Answer:
        """As the reference server words it."""
        return _error(400, "InvalidToken", "Token could not be verified")

    def headers(self, fault: Order | None) -> dict[str, str]:
        """Its limits, which begin anew in a minute."""
        spent = fault is not None and fault.kind == "429"
        return {
            "RateLimit-Limit": "5000",
            "RateLimit-Remaining": "0" if spent else "4999",
            "RateLimit-Reset": str(int(time.time()) + 60),
            "RateLimit-Policy": "5000;w=3600",
        }

    def act(self, stage: str, about: str, request: Request, then: Then) -> None:
        """Do what was asked for."""
        asked = request.parameters() if request.method == "GET" else web_api.asked_in_json(request)
        match stage:
            case "create":
                return self._put(asked, then)
            case "delete":
                return then(self._delete(_uri(asked)))
            case "read":
                return then(self._read(asked))
            case "session":
                return then(self._session(about, asked))
            case "me":
                return then((200, self._me()))
        return then(self._feed(asked))

    def _session(self, call: str, asked: Mapping[str, Any]) -> Answer:
        right = (asked.get("identifier"), asked.get("password")) == (HANDLE, PASSWORD)
        if call.endswith("createSession") and not right:
            return REFUSALS["401"]
        tokens = [_token(number) for number in range(2)]
        self._tokens |= dict.fromkeys(tokens, time.time() + SESSION_S)
        return 200, {
            "did": DID,
            "handle": HANDLE,
            "accessJwt": tokens[0],
            "refreshJwt": tokens[1],
            "active": True,
        }

    def _put(self, asked: Mapping[str, Any], then: Then) -> None:
        record, rkey, uri = asked.get("record"), str(asked.get("rkey", "")), _uri(asked)
        if asked.get("repo") != DID:
            return then(REFUSALS["401"])
        fault = _fault(record, rkey) if asked.get("collection") == POST else "an unknown collection"
        if fault or not isinstance(record, dict):
            return then(_error(400, "InvalidRequest", fault))
        cid = "bafyrei" + hashlib.sha256(json.dumps(record, sort_keys=True).encode()).hexdigest()[:52]
        there = self.one(uri)
        if there is not None and there["record"] == record:
            return then((200, {"uri": uri, "cid": cid, "validationStatus": "valid"}))
        if there is not None and "swapRecord" in asked:
            return then(_error(400, "InvalidSwap", "Record was at another CID"))
        self.gone.discard(uri)
        self.accept(
            record["text"],
            lambda entry: then(
                (200, {"uri": uri, "cid": cid, "commit": _commit(uri), "validationStatus": "valid"})
                if entry
                else self.broken
            ),
            id=uri,
            record=record,
            **{"from": DID},
        )
        return None

    def _read(self, asked: Mapping[str, Any]) -> Answer:
        uri = _uri(asked)
        if asked.get("collection") == "chat.bsky.actor.declaration" and self.look.messages:
            declared = {"$type": "chat.bsky.actor.declaration", "allowIncoming": self.look.messages}
            return 200, {"uri": uri, "cid": "bafyreichat", "value": declared}
        entry = self.one(uri)
        if entry is None:
            return _error(400, "RecordNotFound", f"Could not locate record: {uri}")
        return 200, {"uri": uri, "cid": "bafyrei", "value": entry["record"]}

    def _delete(self, uri: str) -> Answer:
        if self.one(uri) is None:
            return 200, {}
        self.gone.add(uri)
        self.counts["deleted"] += 1
        return 200, {"commit": _commit(uri)}

    def _me(self) -> dict[str, Any]:
        look: Look = self.look
        return {
            "did": DID,
            "handle": HANDLE,
            "followersCount": look.followers,
            "followsCount": look.following,
            "postsCount": sum(1 for _ in self.standing()),
            "labels": [],
        }

    def _feed(self, asked: Mapping[str, Any]) -> Answer:
        size, start = int(asked.get("limit", "50")), int(asked.get("cursor", "0"))
        posts = list({entry["id"]: entry for entry in self.standing()}.values())
        page = posts[start : start + size]
        more = {"cursor": str(start + size)} if start + size < len(posts) else {}
        return 200, {"feed": [{"post": _shown(entry)} for entry in page], **more}


def _shown(entry: Entry) -> dict[str, Any]:
    return {
        "uri": entry["id"],
        "cid": "bafyrei",
        "author": {"did": DID, "handle": HANDLE},
        "record": entry["record"],
        "indexedAt": entry["at"][:23] + "Z",
    }


def _uri(asked: Mapping[str, Any]) -> str:
    return f"at://{asked.get('repo')}/{asked.get('collection')}/{asked.get('rkey')}"


def _commit(uri: str) -> dict[str, str]:
    return {"cid": "bafyreicommit", "rev": uri[-13:]}


def _fault(record: Any, rkey: str) -> str:
    """What the lexicon has against a post."""
    text = record.get("text") if isinstance(record, dict) else None
    if not isinstance(text, str) or record.get("$type") != POST:
        return f"Invalid {POST} record: Record must have the property text"
    if sum(1 for _ in iter_graphemes(text)) > MOST or len(text.encode()) > MOST_BYTES:
        return f"Invalid {POST} record: Record/text must not be longer than {MOST} graphemes"
    if not _TID.fullmatch(rkey):
        return "Invalid record key: not a TID"
    try:
        if datetime.fromisoformat(str(record.get("createdAt"))).tzinfo is None:
            return "Invalid createdAt"
    except ValueError:
        return "Invalid createdAt"
    for facet in record.get("facets", ()):
        place = facet["index"]
        if not 0 <= place["byteStart"] < place["byteEnd"] <= len(text.encode()):
            return f"Invalid {POST} record: facet out of bounds"
    return ""


def _token(number: int) -> str:
    told = {
        "exp": int(datetime.now(UTC).timestamp()) + SESSION_S,
        "sub": DID,
        "jti": f"{time.time_ns()}-{number}",
    }
    parts = (json.dumps(each).encode() for each in ({"alg": "HS256"}, told))
    return ".".join(base64.urlsafe_b64encode(part).decode().rstrip("=") for part in parts) + ".signature"

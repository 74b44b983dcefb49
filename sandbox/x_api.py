"""A stand-in for X's API v2, for one account in user context: post, delete, read, look at itself, whom it follows.

Shapes after https://docs.x.com/x-api; every request must be signed (OAuth 1.0a), as `sandbox.x_oauth` checks. What it
accepted stands in the truth log; what was deleted since is known to this process alone.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
import time
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from email.utils import formatdate
from functools import cached_property, partial
from importlib import import_module
from itertools import islice
from typing import Any

from sandbox import x_shapes as shapes
from sandbox.faults import FaultBook, Order
from sandbox.http import BadRequest, Exchange, Request
from sandbox.settings import BadSandbox, SandboxSettings
from sandbox.truth import Entry, TruthLog
from sandbox.x_faults import AFTER_ACCEPT, NO_JSON, REFUSALS
from sandbox.x_shapes import Answer

PREFIX = "/2/"
CHANNEL = "twitter"
WINDOW_S = 900
EPOCH_MS = 1288834974657  # of X's ids, which tell their time in milliseconds since then
KNOWN_POST = "20"  # the first post there ever was: the one that can always be quoted
LOCKED_POST = "21"  # of somebody whose posts are not for everybody


@dataclass(frozen=True)
class AccountAtX:
    """What the account looks like, to be ordered at the control door.

    `duplicates` lets the same text be posted twice; `limit` is how many requests of each sort X takes in 15 minutes.
    """

    following: int = 0
    followers: int = 12
    protected: bool = False
    suspended: bool = False
    locked: bool = False
    duplicates: bool = False
    limit: int = 10_000

    def changed(self, wanted: Mapping[str, Any]) -> AccountAtX:
        """With these values; raises BadSandbox for one that is none of its own."""
        for name, value in wanted.items():
            known = getattr(AccountAtX, name, None) if name in AccountAtX.__dataclass_fields__ else None
            if known is None or type(value) is not type(known) or (isinstance(value, int) and value < 0):
                raise BadSandbox(str(name)[:40], "is no posture of an account", "see docs/sandbox.md")
        return replace(self, **wanted)


class XStandIn:
    """The posts of one account."""

    def __init__(self, settings: SandboxSettings, truth: TruthLog, faults: FaultBook) -> None:
        self._truth = truth
        self._faults = faults
        self._credentials = settings.x
        self._user = settings.x.access_token.partition("-")[0]
        self._deleted: set[str] = set()
        self._last_id = 0
        self._used: Counter[tuple[str, int]] = Counter()
        self.account = AccountAtX()
        self.counts: Counter[str] = Counter()

    @cached_property
    def _signatures(self) -> Any:
        return import_module("sandbox.x_oauth").Signatures(self._credentials)

    def handle(self, request: Request, exchange: Exchange) -> None:
        """Answer one request, as its path, its signature and the faults in force will have it."""
        stage, about = self._asked_for(request)
        if not stage:
            return exchange.answer(*shapes.NOT_FOUND)
        headers = self._count(stage)
        try:
            signed = self._signatures.hold(request)
        except ModuleNotFoundError:
            detail = "the sandbox needs oauthlib to stand in for X: pip install 'carillon[x]'"
            return exchange.answer(*shapes.problem(501, "Not Implemented", detail))
        if not signed:
            self.counts["refused-401"] += 1
            return exchange.answer(*shapes.UNAUTHORIZED, headers)
        _Turn(self, request, exchange, stage, about, headers).take()
        return None

    def order(self, wanted: Mapping[str, Any]) -> dict[str, Any]:
        """Make the account look so; what it looks like now."""
        self.account = self.account.changed(wanted)
        return asdict(self.account)

    def pick(self, group: str, stage: str, to: str = "") -> Order | None:
        """The fault that strikes this request, if any."""
        return self._faults.pick("x", group, stage, to) or self._faults.pick("x", group, "any", to)

    def _asked_for(self, request: Request) -> tuple[str, str]:
        """The stage and whom or what it is about; ("", "") for what X does not know."""
        parts = request.path.removeprefix(PREFIX).split("/")
        match request.method, parts:
            case "POST", ["tweets"]:
                return "create", ""
            case "DELETE", ["tweets", id]:
                return "delete", id
            case "GET", ["tweets", id]:
                return "read", id
            case "GET", ["users", "me"]:
                return "me", ""
            case "GET", ["users", self._user, "tweets"]:
                return "posts", self._user
            case "GET", ["users", self._user, "following"]:
                return "following", self._user
        return "", ""

    def _count(self, stage: str) -> dict[str, str]:
        """The headers that X sends with every answer, after this request has been counted."""
        self.counts[stage] += 1
        window = int(time.time()) // WINDOW_S
        self._used[stage, window] += 1
        left = self.account.limit - self._used[stage, window]
        return {
            "Date": formatdate(usegmt=True),
            "x-rate-limit-limit": str(self.account.limit),
            "x-rate-limit-remaining": str(max(0, left)),
            "x-rate-limit-reset": str((window + 1) * WINDOW_S),
        }

    def over(self, stage: str) -> bool:
        """Whether there were more requests of this sort than X takes in a window."""
        return self._used[stage, int(time.time()) // WINDOW_S] > self.account.limit

    # What there is

    def refused(self, text: str, quote: str) -> Answer | None:
        """Why X would not post this, or None."""
        if not text:
            return shapes.invalid("Your Tweet text is empty.")
        if shapes.weight(text) > shapes.MOST_WEIGHT:
            return shapes.problem(403, "Forbidden", "Tweet needs to be a bit shorter.")
        if quote and quote != KNOWN_POST and not self._live(quote):
            return shapes.NO_SUCH_POST
        if not self.account.duplicates and any(each["body"] == text for each in self.posts()):
            return shapes.DUPLICATE
        return None

    def accept(self, text: str, quote: str, then: Callable[[Answer], None], asked: str = "") -> None:
        """Post it; `then` is given the answer once the truth log has it. `asked`: when, if that is a while ago."""
        now = time.time()
        self._last_id = max(self._last_id + 1, int(now * 1000) - EPOCH_MS << 22)
        entry: Entry = {
            "at": datetime.fromtimestamp(now, UTC).isoformat(timespec="microseconds"),
            "channel": CHANNEL,
            "id": str(self._last_id),
            "to": "",
            "from": self._user,
            "key": None,
            "body": text,
            "sha256": hashlib.sha256(text.encode()).hexdigest(),
            "weight": shapes.weight(text),
            "quote": quote or None,
            **({"asked": asked} if asked else {}),
        }

        def written(ok: bool) -> None:
            if not ok:
                return then(shapes.AWAY)
            self.counts["accepted"] += 1
            shown = shapes.post(entry)
            return then(
                (201, {"data": {name: shown[name] for name in ("id", "text", "edit_history_tweet_ids")}})
            )

        self._truth.append(entry, written)

    def delete(self, id: str) -> Answer:
        """Take a post back."""
        if not self._live(id):
            return shapes.NOT_FOUND
        self._deleted.add(id)
        self.counts["deleted"] += 1
        return 200, {"data": {"deleted": True}}

    def read(self, id: str) -> Answer:
        """One post. What is not there, or not for this account, X answers with 200 and an error beside no data."""
        if id == LOCKED_POST:
            return 200, {"errors": [shapes.hidden(id)]}
        if id == KNOWN_POST:
            post = {"id": id, "text": "just setting up my twttr", "edit_history_tweet_ids": [id]}
            return 200, shapes.with_author(post, "12", "jack")
        number = self._truth.number_of(id) if self._live(id) else None
        if number is None:
            return 200, {"errors": [shapes.unknown(id)]}
        return 200, shapes.with_author(shapes.post(self._truth.entry(number)), self._user, "sandbox")

    def me(self) -> Answer:
        """The account itself."""
        account = self.account
        return 200, {
            "data": {
                "id": self._user,
                "name": "Sandbox",
                "username": "sandbox",
                "protected": account.protected,
                "public_metrics": {
                    "followers_count": account.followers,
                    "following_count": account.following,
                    "tweet_count": sum(1 for _ in self.posts()),
                    "listed_count": 0,
                },
            }
        }

    def following(self) -> Answer:
        """Whom the account follows."""
        users = [
            {"id": str(1000 + n), "name": f"User {n}", "username": f"user{n}"}
            for n in range(self.account.following)
        ]
        return 200, {"data": users[:100], "meta": {"result_count": len(users[:100])}}

    def posts(self) -> Any:
        """The account's posts that still stand, newest first."""
        return (
            entry
            for number in self._truth.newest_first(CHANNEL, None, None)
            if (entry := self._truth.entry(number))["id"] not in self._deleted
        )

    def timeline(self, asked: Mapping[str, str]) -> Answer:
        """A page of the account's posts."""
        try:
            size = int(asked.get("max_results", "10"))
            since = datetime.fromisoformat(asked.get("start_time", "1970-01-01T00:00:00Z"))
            below = int(asked.get("pagination_token", str(1 << 63)))
        except ValueError:
            return shapes.invalid("One or more parameters to your request was invalid.")
        if not 5 <= size <= 100 or since.tzinfo is None:
            return shapes.invalid("The `max_results` query parameter value is not between 5 and 100.")
        found = (
            each
            for each in self.posts()
            if int(each["id"]) < below and datetime.fromisoformat(each["at"]) >= since
        )
        page = list(islice(found, size + 1))
        shown = [shapes.post(each) for each in page[:size]]
        meta: dict[str, Any] = {"result_count": len(shown)}
        if len(page) > size:
            meta["next_token"] = shown[-1]["id"]
        return 200, {**({"data": shown} if shown else {}), "meta": meta}

    def _live(self, id: str) -> bool:
        number = self._truth.number_of(id)
        return (
            number is not None and self._truth.entry(number)["channel"] == CHANNEL and id not in self._deleted
        )


class _Turn:
    """One signed request and its answer."""

    def __init__(
        self,
        x: XStandIn,
        request: Request,
        exchange: Exchange,
        stage: str,
        about: str,
        headers: dict[str, str],
    ) -> None:
        self.x, self.request, self.exchange = x, request, exchange
        self.stage, self.about, self.headers = stage, about, headers

    def take(self) -> None:
        """Answer it."""
        if self.x.over(self.stage):
            return self._say(shapes.TOO_MANY)
        account = self.x.account
        if account.suspended or account.locked:
            return self._say(shapes.SUSPENDED if account.suspended else shapes.LOCKED)
        text, quote = self._posted() if self.stage == "create" else ("", "")
        fault = self.x.pick("answer", self.stage, text)
        if fault is None:
            return self._act(text, quote, self._fair)
        if fault.kind in REFUSALS and fault.kind not in AFTER_ACCEPT:
            return self._misbehave(fault, REFUSALS[fault.kind])
        if fault.kind in {"reset-before-accept", "hang-before-accept"}:
            return self._misbehave(fault, (200, {}))
        if fault.kind == "slow-accept":
            # Tied to no connection: a client that gave up waiting has posted all the same.
            asked = datetime.now(UTC).isoformat()
            later = partial(self._act, text, quote, self._say, asked)
            asyncio.get_running_loop().call_later(fault.delay.total_seconds(), later)
            return None
        return self._act(text, quote, lambda right: self._misbehave(fault, right))

    def _posted(self) -> tuple[str, str]:
        try:
            asked = json.loads(self.request.body)
            text, quote = asked.get("text", ""), asked.get("quote_tweet_id") or ""
        except (ValueError, AttributeError) as fault:
            raise BadRequest(400, "the body cannot be read") from fault
        if not isinstance(text, str) or not isinstance(quote, str):
            raise BadRequest(400, "the body cannot be read")
        return text, quote

    def _act(self, text: str, quote: str, then: Callable[[Answer], None], asked: str = "") -> None:
        """Do what was asked and give the fair answer to `then`; what X refuses is answered at once."""
        match self.stage:
            case "create":
                refused = self.x.refused(text, quote)
                if refused is not None:
                    self.x.counts[f"refused-{refused[0]}"] += 1
                    return self._say(refused)
                return self.x.accept(text, quote, then, asked)
            case "delete":
                return then(self.x.delete(self.about))
            case "read":
                return then(self.x.read(self.about))
            case "me":
                return then(self.x.me())
            case "following":
                return then(self.x.following())
        return then(self.x.timeline(self.request.parameters()))

    def _fair(self, right: Answer) -> None:
        latency = self.x.pick("latency", self.stage)
        if latency is None:
            self._say(right)
        else:
            self.exchange.answer_later(latency.delay, lambda: self._say(right))

    def _say(self, right: Answer) -> None:
        self.exchange.answer(*right, self.headers)

    def _misbehave(self, fault: Order, right: Answer) -> None:
        """Answer as the fault will have it; `right` is what a fair answer would be."""
        self.x.counts[fault.kind] += 1
        exchange = self.exchange
        match fault.kind:
            case "429":
                reset = {"x-rate-limit-remaining": "0", "x-rate-limit-reset": str(_in(fault.number("reset")))}
                exchange.answer(*right, {**self.headers, **reset})
            case "reset-before-accept" | "reset-after-accept":
                exchange.reset()
            case "hang-before-accept" | "hang-after-accept":
                exchange.answer_later(fault.delay, exchange.reset)
            case "slow":
                exchange.answer_later(fault.delay, lambda: self._say(right))
            case "bad-json":
                exchange.answer(201, NO_JSON, self.headers)
            case "truncated":
                exchange.truncate(*right)
            case kind:
                self._say(REFUSALS[kind])


def _in(seconds: int) -> int:
    """So many seconds from now, in whole seconds since 1970."""
    return int(time.time()) + seconds

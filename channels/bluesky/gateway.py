"""Bluesky, by its own few calls. It only translates; what refusals mean stands in `channels.bluesky.codes`.

The client on PyPI, atproto, is no way in yet: it promises no compatibility before 1.0, brings nine packages for four
calls, and has the server name each post, so that a second try would be a second post.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlsplit

from broker.capabilities import PastAttempt, Post, Posture
from broker.channel import Item, Key, Receipt, Surroundings
from broker.errors import Problem, SetupError, Uncertain
from broker.loopback import is_loopback
from channels.bluesky import codes
from channels.bluesky.line import Line
from channels.bluesky.render import text_of
from channels.bluesky.settings import Settings
from channels.posts import digest_of, once

POST = "app.bsky.feed.post"
CHAT = "chat.bsky.actor.declaration"
PAGE = 100
MOST_PAGES = 5
UNREAD = "Bluesky's answer could not be read"
_LETTERS = "234567abcdefghijklmnopqrstuvwxyz"
_FROM, _UNTIL = 1_672_531_200_000_000, 1_735_689_600_000_000  # the years 2023 and 2024, in microseconds


class Gateway:
    """One account at Bluesky. Lives as long as the process."""

    def __init__(self, account: str, settings: Settings, around: Surroundings) -> None:
        if around.sandbox and not is_loopback(urlsplit(settings.server).hostname or ""):
            hint = "set server to the sandbox's address, or leave sandbox mode"
            message = "in sandbox mode posts go to a stand-in on this machine and nowhere else"
            raise SetupError(Problem("not_loopback", f"{account}.server", message, hint))
        self._account = account
        self._line = Line(settings, around.timeout)

    def send(self, item: Item) -> Receipt:
        """Exactly one try, under a name of our own that can be taken once."""
        fields = item.message.fields
        record = {"$type": POST, "text": fields["text"], "createdAt": _now()}
        if fields["facets"]:
            record["facets"] = [*fields["facets"]]
        said = self._named(self._name(item.key, item.message.digest))
        # With swapRecord null nothing is written over: what is there already is told as InvalidSwap.
        answer = self._line.write(
            "com.atproto.repo.putRecord", {**said, "record": record, "swapRecord": None}
        )
        uri = self._line.understood(answer).get("uri")
        if uri != self._uri(said["rkey"]):
            raise Uncertain(UNREAD)
        return Receipt(uri)

    def find(self, attempt: PastAttempt) -> Receipt | None:
        """Whether there is the post under its name."""
        name = self._name(attempt.key, attempt.digest)
        uri = self._uri(name)
        if uri in attempt.known or not self._stands(name):
            return None
        return Receipt(uri)

    def posts(self, since: datetime) -> Sequence[Post]:
        """What stands on the account since then, reposts too, the newest first; of very many the newest."""
        try:
            return [*self._posts(since.astimezone(UTC))]
        except (LookupError, TypeError, ValueError, AttributeError):
            raise Uncertain(UNREAD) from None

    def withdraw(self, receipt: Receipt) -> None:
        """Delete a post; one that is gone already is deleted too."""
        name = receipt.provider_id.rpartition("/")[2]
        if receipt.provider_id != self._uri(name):
            raise Uncertain("it stands on another account than `handle` names: delete it there by hand")
        answer = self._line.write("com.atproto.repo.deleteRecord", self._named(name))
        # No commit is told where there was nothing to delete; where an answer has changed, neither.
        if "commit" not in self._line.understood(answer) and self._stands(name):
            raise Uncertain("Bluesky did not say that the post is deleted, and it stands")

    def posture(self) -> Posture:
        """What the account looks like: whom it follows, and who may write to it in private."""
        told = self._line.understood(self._line.read("app.bsky.actor.getProfile", actor=self._line.did()))
        following = told.get("followsCount")
        if type(following) is not int:
            raise Uncertain(UNREAD)
        chat = self._record(CHAT, "self")
        # Without a word of its own an account hears whom it follows.
        allowed = "following" if chat is None else chat.get("allowIncoming")
        if allowed not in ("all", "none", "following"):
            raise Uncertain(UNREAD)
        problems = []
        if following:
            message = f"the account follows {following} at Bluesky; a school's account follows nobody (R6)"
            problems.append(Problem("follows", "following", message, "unfollow them there"))
        if allowed == "all":
            message = "everybody may send the account private messages (R4)"
            hint = "at Bluesky: Chat, Settings, allow new messages from: no one"
            problems.append(Problem("messages_open", "messages", message, hint))
        facts = {"following": str(following), "messages": "open" if allowed == "all" else "closed"}
        return Posture(facts, tuple(problems))

    def close(self) -> None:
        """Let go of connections; safe to call twice."""
        self._line.close()

    def _name(self, key: Key, digest: str) -> str:
        return name_of(once(self._account, key, digest))

    def _named(self, name: str) -> dict[str, str]:
        return {"repo": self._line.did(), "collection": POST, "rkey": name}

    def _uri(self, name: str) -> str:
        return f"at://{self._line.did()}/{POST}/{name}"

    def _stands(self, name: str) -> bool:
        return self._record(POST, name) is not None

    def _record(self, collection: str, name: str) -> Mapping[str, Any] | None:
        """A record's value; None for what provably is not there."""
        call = "com.atproto.repo.getRecord"
        answer = self._line.read(call, repo=self._line.did(), collection=collection, rkey=name)
        if not answer.ok and codes.is_gone(answer.known()):
            return None
        value = self._line.understood(answer).get("value")
        if not isinstance(value, Mapping):
            raise Uncertain(UNREAD)
        return value

    def _posts(self, since: datetime) -> Iterator[Post]:
        params = {"actor": self._line.did(), "limit": str(PAGE)}
        for _ in range(MOST_PAGES):
            told = self._line.understood(self._line.read("app.bsky.feed.getAuthorFeed", **params))
            if not isinstance(told["feed"], list):
                raise TypeError("no list of posts")
            for each in told["feed"]:
                post = _post(each)
                if post.posted_at < since:
                    return
                yield post
            if not told.get("cursor"):
                return
            params["cursor"] = str(told["cursor"])

    def __repr__(self) -> str:
        return "<Gateway to Bluesky>"


def name_of(digest: str) -> str:
    """A record's name in the shape that posts must have (a TID, https://atproto.com/specs/tid), made of a digest.

    It tells a time, and ours is made up and past, as the name must be the same in every try; when a post was made
    stands in the post itself, and nothing goes by its name.
    """
    drawn = int(digest, 16)
    micros, clock = _FROM + drawn % (_UNTIL - _FROM), drawn // (_UNTIL - _FROM) % 1024
    number = micros << 10 | clock
    return "".join(_LETTERS[number >> 5 * place & 31] for place in reversed(range(13)))


def _post(told: Mapping[str, Any]) -> Post:
    post = told["post"]
    text = text_of(post["record"])
    reason = told.get("reason")
    if isinstance(reason, Mapping) and str(reason.get("$type", "")).endswith("reasonRepost"):
        made = datetime.fromisoformat(str(reason["indexedAt"])).astimezone(UTC)
        return Post(f"{post['uri']}#reposted", f"a repost: {text}", made, frozenset())
    made = datetime.fromisoformat(str(post["indexedAt"])).astimezone(UTC)
    return Post(str(post["uri"]), text, made, frozenset({digest_of(text)}))


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")

"""A Mastodon server, through Mastodon.py. It only translates; what refusals mean stands in `channels.mastodon.codes`.

Four calls and no more: post, delete, look at the account, at its own posts. Nothing here boosts, messages or follows.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlsplit

from broker.capabilities import PastAttempt, Post, Posture
from broker.channel import Item, Receipt, Surroundings
from broker.errors import Problem, SetupError, Uncertain
from broker.loopback import is_loopback
from channels.mastodon.line import failure_of, is_gone, open_client
from channels.mastodon.render import text_of
from channels.mastodon.settings import Settings
from channels.posts import digest_of, nearest, once

# A post with the same key is answered with the first one for an hour, so an earlier try may have made it.
LOOK_BACK = timedelta(hours=2)
PAGE = 40
MOST_PAGES = 10  # of posts since then
FOR_ALL = ("public", "unlisted")


class _TooMany(Uncertain):
    """Raised when there are more posts than are looked through."""


class Gateway:
    """One account at a server. Lives as long as the process."""

    def __init__(self, account: str, settings: Settings, around: Surroundings) -> None:
        if around.sandbox and not is_loopback(urlsplit(settings.server).hostname or ""):
            hint = "set server to the sandbox's address, or leave sandbox mode"
            message = "in sandbox mode posts go to a stand-in on this machine and nowhere else"
            raise SetupError(Problem("not_loopback", f"{account}.server", message, hint))
        self._account = account
        self._visibility = settings.visibility
        self._client = open_client(settings, around.timeout)
        self._id = ""

    def send(self, item: Item) -> Receipt:
        """Exactly one try, under a key that the server takes once."""
        try:
            answer = self._client.status_post(
                item.message.fields["text"],
                visibility=self._visibility,
                idempotency_key=once(self._account, item.key, item.message.digest),
            )
            return Receipt(_id_in(answer))
        except Exception as reason:  # noqa: BLE001 - every way it can fail is told apart there
            raise failure_of(reason) from None

    def find(self, attempt: PastAttempt) -> Receipt | None:
        """Look through the account's own posts. Raises Uncertain when there are too many to prove anything."""
        began = attempt.started_at.astimezone(UTC)
        try:
            ours = [
                (post.provider_id, post.posted_at)
                for post in self._posts(began - LOOK_BACK, boosts=False)
                if post.provider_id not in attempt.known and attempt.digest in post.digests
            ]
        except Exception as reason:  # noqa: BLE001 - every way it can fail is told apart there
            raise failure_of(reason) from None
        found = nearest(ours, began)
        return Receipt(found) if found else None

    def posts(self, since: datetime) -> Sequence[Post]:
        """What stands on the account since then for everybody to see, boosts too, the newest first."""
        found: list[Post] = []
        try:
            found.extend(self._posts(since.astimezone(UTC), boosts=True))
        except _TooMany:
            pass
        except Exception as reason:  # noqa: BLE001 - every way it can fail is told apart there
            raise failure_of(reason) from None
        return found

    def withdraw(self, receipt: Receipt) -> None:
        """Delete a post; one that is gone already is deleted too."""
        try:
            if _id_in(self._client.status_delete(receipt.provider_id)) != receipt.provider_id:
                raise Uncertain("the server answered about another post")
        except Exception as reason:  # noqa: BLE001 - every way it can fail is told apart there
            if not is_gone(reason):
                raise failure_of(reason) from None

    def posture(self) -> Posture:
        """What the account looks like: whom it follows, whether it says that it is automated."""
        try:
            me = self._client.account_verify_credentials()
            following, automated = me["following_count"], me["bot"]
            if type(following) is not int or type(automated) is not bool:
                raise TypeError("no look of an account")
            self._id = _id_in(me)
        except Exception as reason:  # noqa: BLE001 - every way it can fail is told apart there
            raise failure_of(reason) from None
        problems = []
        if following:
            message = f"the account follows {following} at Mastodon; a school's account follows nobody (R6)"
            problems.append(Problem("follows", "following", message, "unfollow them there"))
        if not automated:
            message = "the account is not marked as automated"
            hint = "tick “this is an automated account” under Preferences, Public profile"
            problems.append(Problem("not_automated", "automated", message, hint))
        facts = {"following": str(following), "automated": "yes" if automated else "no"}
        return Posture(facts, tuple(problems))

    def close(self) -> None:
        """Let go of connections; safe to call twice."""
        self._client.session.close()

    def _posts(self, since: datetime, *, boosts: bool) -> Iterator[Post]:
        """The account's own posts for everybody, newest first."""
        self._id = self._id or _id_in(self._client.account_verify_credentials())
        before: str | None = None
        for _ in range(MOST_PAGES):
            page = self._client.account_statuses(
                self._id, limit=PAGE, max_id=before, exclude_reblogs=not boosts
            )
            # Rubbish must not prove that a post is not there.
            if not isinstance(page, list):
                raise TypeError("no list of posts")
            for status in page:
                before = _id_in(status)
                made = status["created_at"]
                if not isinstance(made, datetime):
                    raise TypeError("no time")
                if made < since:
                    return
                # What was said to some alone is nobody else's business, least of all a feed's.
                if status["visibility"] in FOR_ALL:
                    yield _post(before, made, status)
            # A short one proves nothing: servers leave out what is not for us, and have bounds of their own.
            if not page:
                return
        raise _TooMany("the account has too many posts since then to look through them all")

    def __repr__(self) -> str:
        return "<Gateway to Mastodon>"


def _post(id: str, made: datetime, status: Mapping[str, Any]) -> Post:
    boosted = status.get("reblog")
    if boosted:
        return Post(id, f"a boost: {text_of(boosted)}", made, frozenset())
    text = text_of(status)
    return Post(id, text, made, frozenset({digest_of(text)}))


def _id_in(answer: Any) -> str:
    """Its id; other software than Mastodon's own has letters in it, too."""
    found = str(answer.get("id") or "") if isinstance(answer, Mapping) else ""
    if not (found.isascii() and found.isalnum() and len(found) <= 64):
        raise Uncertain("the server answered without an id")
    return found

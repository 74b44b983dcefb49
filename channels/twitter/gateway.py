"""X, through tweepy. It only translates; what X's refusals mean stands in `channels.twitter.codes`.

Five calls and no more: post, delete, look at the account, at its own posts, at one post to be quoted. Nothing here
reposts, messages or follows anybody, and a test holds the house to it (R4, R6, R11).
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlsplit

from broker.capabilities import PastAttempt, Post, Posture
from broker.channel import Item, Receipt, Surroundings
from broker.errors import AccountRejected, ContentRejected, DeliveryFailure, Problem, SetupError, Uncertain
from broker.loopback import is_loopback
from broker.rules.social import listed
from channels.twitter import codes
from channels.twitter.line import failure_of, is_gone, open_client
from channels.twitter.render import digests_of, text_of
from channels.twitter.settings import Settings

# A post that X calls a duplicate went out with an earlier try of the same announcement, hours before perhaps.
LOOK_BACK = timedelta(days=1)
PAGE = 100
MOST_PAGES = 5  # of posts since then


class _TooMany(Uncertain):
    """Raised when there are more posts than are looked through."""


class Gateway:
    """One account at X. Lives as long as the process."""

    def __init__(self, account: str, settings: Settings, around: Surroundings) -> None:
        if around.sandbox and not is_loopback(urlsplit(settings.api_base_url or "").hostname or ""):
            hint = "set api_base_url to the sandbox's address, or leave sandbox mode"
            message = "in sandbox mode posts go to a stand-in on this machine and nowhere else"
            raise SetupError(Problem("not_loopback", f"{account}.api_base_url", message, hint))
        self._settings = settings
        self._client = open_client(settings, around.timeout)

    def send(self, item: Item) -> Receipt:
        """Exactly one try."""
        fields = item.message.fields
        text, quote, page = fields["text"], fields.get("quote"), fields.get("page")
        try:
            answer = self._client.create_tweet(text=text, quote_tweet_id=quote, user_auth=True)
        except Exception as reason:  # noqa: BLE001 - every way it can fail is told apart there
            failure = failure_of(reason, quoting=quote is not None)
            if isinstance(failure, ContentRejected) and failure.code == codes.DUPLICATE and page:
                # The page names this one announcement: what X has is ours, from a try whose answer was lost.
                failure = Uncertain("X has this very post already: it is looked for", code=codes.DUPLICATE)
            raise failure from None
        return Receipt(_id_in(answer))

    def find(self, attempt: PastAttempt) -> Receipt | None:
        """Look through the account's own posts. Raises Uncertain when there are too many to prove anything."""
        began = attempt.started_at.astimezone(UTC)
        try:
            ours = [
                post
                for post in self._posts(began - LOOK_BACK)
                if post["id"] not in attempt.known and attempt.digest in digests_of(post)
            ]
        except Exception as reason:  # noqa: BLE001 - every way it can fail is told apart there
            raise _unread(reason) from None
        if not ours:
            return None
        return Receipt(min(ours, key=lambda post: _distance(post, began))["id"])

    def posts(self, since: datetime) -> Sequence[Post]:
        """What stands on the account since then, reposts too, the newest first; of very many the newest."""
        found: list[Post] = []
        try:
            for post in self._posts(since.astimezone(UTC), reposts=True):
                made = datetime.fromisoformat(str(post["created_at"]))
                found.append(Post(post["id"], text_of(post), made, digests_of(post)))
        except _TooMany:
            pass
        except Exception as reason:  # noqa: BLE001 - every way it can fail is told apart there
            raise _unread(reason) from None
        return found

    def withdraw(self, receipt: Receipt) -> None:
        """Delete a post; one that is gone already is deleted too."""
        try:
            answer = self._client.delete_tweet(receipt.provider_id, user_auth=True)
            if answer["data"]["deleted"] is not True:
                raise Uncertain("X did not say that the post is deleted")
        except (LookupError, TypeError):
            raise Uncertain("X's answer could not be read") from None
        except Exception as reason:  # noqa: BLE001 - every way it can fail is told apart there
            if not is_gone(reason):
                raise failure_of(reason) from None

    def verify_quoted(self, post: str, quotable: Collection[str]) -> Sequence[Problem]:
        """What stands in the way of quoting a post: it is not there, not for everybody, not of a listed account."""
        try:
            answer = self._client.get_tweet(
                post, expansions=["author_id"], user_fields=["username"], user_auth=True
            )
            found, errors = answer.get("data"), str(answer.get("errors", ""))
        except Exception as reason:  # noqa: BLE001 - every way it can fail is told apart there
            if is_gone(reason):
                return (codes.NO_QUOTE,)
            failure = failure_of(reason)
            return (codes.unchecked(failure.why if isinstance(failure, AccountRejected) else ""),)
        if found:
            return self._of_a_listed_author(answer, quotable)
        # X answers 200 for what it does not show, and says why beside the data that is not there.
        if not errors:
            return (codes.unchecked(),)
        return (codes.HIDDEN_QUOTE if "not-authorized" in errors else codes.NO_QUOTE,)

    def _of_a_listed_author(self, answer: Mapping[str, Any], quotable: Collection[str]) -> Sequence[Problem]:
        """The name comes from X and not from the address, in which anybody may write another."""
        try:
            author = str(answer["data"]["author_id"])
            names = {str(user["id"]): str(user["username"]) for user in answer["includes"]["users"]}
        except (KeyError, TypeError):
            return (codes.unchecked(),)
        if author == self._settings.user_id:
            return ()
        problem = listed(names[author], quotable) if author in names else codes.unchecked()
        return (problem,) if problem else ()

    def posture(self) -> Posture:
        """What the account looks like: whom it follows, whether it is locked, and what is wrong with that."""
        try:
            answer = self._client.get_me(user_fields=["protected", "public_metrics"], user_auth=True)
            me = answer["data"]
            following = int(me["public_metrics"]["following_count"])
            protected = bool(me["protected"])
        except Exception as reason:  # noqa: BLE001 - every way it can fail is told apart there
            raise _unread(reason) from None
        declared = self._settings.protected
        problems = []
        if following:
            message = f"the account follows {following} at X; a school's account follows nobody (R6)"
            problems.append(Problem("follows", "following", message, "unfollow them at X"))
        if declared is not None and declared != protected:
            message = f"the account is {_lock(protected)} at X and declared {_lock(declared)} (R21)"
            problems.append(Problem("not_as_declared", "protected", message, "change the one or the other"))
        facts = {
            "following": str(following),
            "protected": "yes" if protected else "no",
            "as_declared": "no" if declared not in (None, protected) else "yes",
        }
        return Posture(facts, tuple(problems))

    def close(self) -> None:
        """Let go of connections; safe to call twice."""
        self._client.session.close()

    def _posts(self, since: datetime, *, reposts: bool = False) -> Iterator[Mapping[str, Any]]:
        """The account's own posts, newest first."""
        token: str | None = None
        for _ in range(MOST_PAGES):
            answer = self._client.get_users_tweets(
                self._settings.user_id,
                user_auth=True,
                start_time=since,
                max_results=PAGE,
                exclude=None if reposts else ["retweets"],
                tweet_fields=["created_at", "entities", "note_tweet"],
                pagination_token=token,
            )
            meta = answer["meta"]
            token = meta.get("next_token")
            page = answer["data"] if meta["result_count"] != 0 else []
            # Without posts only when X says that there are none: rubbish must not prove that a post is not there.
            if not isinstance(page, list) or (not page and meta["result_count"] != 0):
                raise TypeError("no list of posts")
            for post in page:
                yield {**post, "id": str(post["id"]), "text": str(post["text"])}
            if token is None:
                return
        raise _TooMany("the account has too many posts since then to look through them all")

    def __repr__(self) -> str:
        return "<Gateway to X>"


def _id_in(answer: Any) -> str:
    data = answer.get("data") if isinstance(answer, Mapping) else None
    found = data.get("id") if isinstance(data, Mapping) else None
    if not isinstance(found, str) or not (found.isascii() and found.isdigit() and len(found) <= 25):
        raise Uncertain("X answered without an id for the post")
    return found


def _unread(reason: Exception) -> DeliveryFailure:
    """Why nothing could be read; an answer that lacks what was asked for tells nothing."""
    return Uncertain("X's answer could not be read") if isinstance(reason, KeyError) else failure_of(reason)


def _distance(post: Mapping[str, Any], began: datetime) -> tuple[bool, timedelta]:
    """Posts made since the attempt began come first, the nearest of them before all."""
    try:
        made = datetime.fromisoformat(str(post.get("created_at")))
    except ValueError:
        return True, LOOK_BACK
    return made < began, abs(made - began)


def _lock(protected: bool) -> str:
    return "locked" if protected else "open"

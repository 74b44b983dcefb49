"""Facebook's Graph API, by a few calls. It only translates; what refusals mean stands in `channels.facebook.codes`.

Five calls and no more: post, delete, look at one post, at the page's own posts, at the page and its settings. Nothing
here messages, comments, likes or follows. The SDK on PyPI has had no release for years; Facebook's own is for adverts.
"""

from __future__ import annotations

import hashlib
import hmac
import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlencode, urlsplit

from broker.capabilities import PastAttempt, Post, Posture
from broker.channel import Item, Receipt, Surroundings
from broker.errors import ContentRejected, Problem, SetupError, Uncertain
from broker.loopback import is_loopback
from channels.calling import Answer, Caller
from channels.facebook import codes
from channels.facebook.settings import Settings
from channels.posts import digest_of, nearest

HOST = "https://graph.facebook.com"
# Pinned: each has two years and may name things anew. Of July 2026; the one before goes in July 2028.
VERSION = "v26.0"
# A post that Facebook calls a duplicate went out with an earlier try of the same announcement, hours before perhaps.
LOOK_BACK = timedelta(days=1)
PAGE = 100
MOST_PAGES = 5
UNREAD = "Facebook's answer could not be read"
MESSAGES = "USERS_CAN_MESSAGE"
_ID = re.compile(r"[0-9]{1,25}(?:_[0-9]{1,25})?", re.ASCII)


class _TooMany(Uncertain):
    """Raised when there are more posts than are looked through."""


class Gateway:
    """One page at Facebook. Lives as long as the process."""

    def __init__(self, account: str, settings: Settings, around: Surroundings) -> None:
        if around.sandbox and not is_loopback(urlsplit(settings.api_base_url or "").hostname or ""):
            hint = "set api_base_url to the sandbox's address, or leave sandbox mode"
            message = "in sandbox mode posts go to a stand-in on this machine and nowhere else"
            raise SetupError(Problem("not_loopback", f"{account}.api_base_url", message, hint))
        token = settings.access_token.get_secret_value()
        self._page = settings.page_id
        self._headers = {"Authorization": f"Bearer {token}", "Accept": "application/json"}
        self._proof: dict[str, str] = {}
        if settings.app_secret is not None:
            secret = settings.app_secret.get_secret_value().encode()
            self._proof = {"appsecret_proof": hmac.new(secret, token.encode(), hashlib.sha256).hexdigest()}
        self._caller = Caller(f"{settings.api_base_url or HOST}/{VERSION}", around.timeout, "Facebook")

    def send(self, item: Item) -> Receipt:
        """Exactly one try."""
        fields = item.message.fields
        answer = self._ask("POST", f"{self._page}/feed", {"message": fields["text"]})
        try:
            made = self._understood(answer).get("id")
        except ContentRejected as rejected:
            if rejected.code == codes.DUPLICATE and fields["page"]:
                # The page names this one announcement: what Facebook has is ours, from a try whose answer was lost.
                why = "Facebook has this very post already: it is looked for"
                raise Uncertain(why, code=codes.DUPLICATE) from None
            raise
        if not isinstance(made, str) or not _ID.fullmatch(made):
            raise Uncertain("Facebook answered without an id for the post")
        return Receipt(made)

    def find(self, attempt: PastAttempt) -> Receipt | None:
        """Look through the page's own posts. Raises Uncertain when there are too many to prove anything."""
        began = attempt.started_at.astimezone(UTC).replace(microsecond=0)  # Facebook tells whole seconds
        ours = [
            (post.provider_id, post.posted_at)
            for post in self._posts(began - LOOK_BACK)
            if post.provider_id not in attempt.known and attempt.digest in post.digests
        ]
        found = nearest(ours, began)
        return Receipt(found) if found else None

    def posts(self, since: datetime) -> Sequence[Post]:
        """What stands on the page since then in its own name, the newest first; of very many the newest."""
        found: list[Post] = []
        with suppress(_TooMany):
            found.extend(self._posts(since.astimezone(UTC).replace(microsecond=0)))
        return found

    def withdraw(self, receipt: Receipt) -> None:
        """Delete a post; one that is gone already is deleted too."""
        if not _ID.fullmatch(receipt.provider_id):
            raise Uncertain("that is no id of a post at Facebook")
        if receipt.provider_id.partition("_")[0] != self._page and "_" in receipt.provider_id:
            raise Uncertain("it stands on another page than page_id names: delete it there by hand")
        answer = self._ask("DELETE", receipt.provider_id)
        if answer.ok and answer.known().get("success") is True:
            return
        gone = codes.codes_in(answer.known()) == codes.NO_SUCH_THING
        if not answer.ok and not gone:
            raise self._failure(answer)
        # "No such post, or none that you may see", or an answer that has changed: whether it stands is asked. A token
        # that sees nothing is told so of everything, of its own page, too.
        if self._stands(receipt.provider_id):
            raise Uncertain("Facebook did not say that the post is deleted, and it stands")
        self._about_page("id")

    def posture(self) -> Posture:
        """What the page looks like: whether everybody sees it, and whether it takes private messages."""
        published = self._about_page("id,is_published").get("is_published")
        if type(published) is not bool:
            raise Uncertain(UNREAD)
        messages = self._messages()
        problems = []
        if not published:
            message = "the page is hidden, so that nobody sees what is posted"
            problems.append(Problem("not_published", "published", message, "publish it in its settings"))
        if messages == "open":
            message = "everybody may send the page private messages (R4)"
            hint = "switch messages off in the page's settings, under Privacy"
            problems.append(Problem("messages_open", "messages", message, hint))
        return Posture({"published": "yes" if published else "no", "messages": messages}, tuple(problems))

    def close(self) -> None:
        """Let go of connections; safe to call twice."""
        self._caller.close()

    def _about_page(self, fields: str) -> Mapping[str, Any]:
        told = self._understood(self._ask("GET", self._page, {"fields": fields}))
        if told.get("id") != self._page:
            raise Uncertain(UNREAD)
        return told

    def _messages(self) -> str:
        """Closed, open, or untold: Facebook does not tell it of every page."""
        told = self._understood(self._ask("GET", f"{self._page}/settings")).get("data")
        if not isinstance(told, list):
            raise Uncertain(UNREAD)
        about = (each for each in told if isinstance(each, Mapping) and each.get("setting") == MESSAGES)
        may = next(about, {}).get("value")
        return "untold" if type(may) is not bool else "open" if may else "closed"

    def _stands(self, id: str) -> bool:
        answer = self._ask("GET", id, {"fields": "id"})
        if not answer.ok and codes.codes_in(answer.known()) == codes.NO_SUCH_THING:
            return False
        if self._understood(answer).get("id") != id:
            raise Uncertain(UNREAD)
        return True

    def _posts(self, since: datetime) -> Iterator[Post]:
        """The page's own posts, newest first."""
        more: dict[str, str] = {}
        for _ in range(MOST_PAGES):
            answer = self._ask(
                "GET",
                f"{self._page}/published_posts",
                {
                    "fields": "id,message,created_time",
                    "limit": str(PAGE),
                    "since": str(int(since.timestamp())),
                    **more,
                },
            )
            told = self._understood(answer)
            try:
                page = [_post(each) for each in _list(told["data"])]
                after = told["paging"]["cursors"]["after"] if "next" in told.get("paging", {}) else None
            except (LookupError, TypeError, ValueError, AttributeError):
                raise Uncertain(UNREAD) from None
            yield from (post for post in page if post.posted_at >= since)
            if after is None or any(post.posted_at < since for post in page):
                return
            more = {"after": str(after)}
        raise _TooMany("the page has too many posts since then to look through them all")

    def _ask(self, method: str, path: str, said: Mapping[str, str] | None = None) -> Answer:
        """One call; what is said goes in the body of a post, else in the address, the token in neither."""
        told = {**(said or {}), **self._proof}
        if method != "POST":
            return self._caller.ask(method, path, headers=self._headers, params=told)
        form = {"Content-Type": "application/x-www-form-urlencoded"}
        return self._caller.ask(method, path, body=urlencode(told).encode(), headers=self._headers | form)

    def _understood(self, answer: Answer) -> Mapping[str, Any]:
        """What an answer holds that says yes. Raises DeliveryFailure for any other."""
        if not answer.ok or "error" in answer.known():
            raise self._failure(answer)
        if not isinstance(answer.read(), Mapping):
            raise Uncertain(UNREAD)
        return answer.known()

    def _failure(self, answer: Answer) -> Exception:
        return codes.failure(answer.status, answer.known(), answer.headers)

    def __repr__(self) -> str:
        return "<Gateway to Facebook>"


def _post(told: Mapping[str, Any]) -> Post:
    name, made = told["id"], datetime.fromisoformat(told["created_time"]).astimezone(UTC)
    text = told.get("message", "")  # a photograph may have none
    if not isinstance(name, str) or not _ID.fullmatch(name) or not isinstance(text, str):
        raise TypeError("no post")
    return Post(name, text, made, frozenset({digest_of(text)}))


def _list(told: Any) -> Sequence[Any]:
    # Rubbish must not prove that a post is not there.
    if not isinstance(told, list):
        raise TypeError("no list of posts")
    return told

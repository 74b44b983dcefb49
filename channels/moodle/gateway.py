"""Moodle, by its REST web service. It only translates; what refusals mean stands in `channels.moodle.codes`.

Four functions and no more: add a discussion, list a forum's, read one's posts, delete one. Nothing here reads people.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlencode

from broker.capabilities import PastAttempt
from broker.channel import Item, Receipt
from broker.errors import ContentRejected, Uncertain
from channels.calling import Caller
from channels.classes import Classes
from channels.moodle import codes
from channels.moodle.render import digest_of
from channels.posts import nearest

SERVER = "webservice/rest/server.php"
FORM = {"Content-Type": "application/x-www-form-urlencoded"}
ALL_PARTICIPANTS = -1
NEWEST_FIRST = 3  # by creation, as mod_forum's vault counts its orders
PAGE = 50
MOST_PAGES = 10
LOOK_BACK = timedelta(minutes=10)  # Moodle's clock may be behind ours

Json = Mapping[str, Any]


class Gateway:
    """The forums of one account."""

    def __init__(self, caller: Caller, token: str, forums: Classes[int]) -> None:
        self._caller = caller
        self._token = token
        self._forums = forums

    def send(self, item: Item) -> Receipt:
        """Exactly one try."""
        fields = item.message.fields
        forum = self._forums.places.get(fields["place"])
        if forum is None:
            raise ContentRejected("these people have no class of their own at Moodle", code="no_class")
        told = self._ask(
            "mod_forum_add_discussion",
            forumid=forum,
            subject=fields["subject"],
            message=fields["html"],
            groupid=ALL_PARTICIPANTS,
        )
        return Receipt(_number(told, "discussionid"))

    def find(self, attempt: PastAttempt) -> Receipt | None:
        """Look through the forums. Raises Uncertain when there are too many discussions to prove anything."""
        began = attempt.started_at.astimezone(UTC)
        since = began - LOOK_BACK
        ours = [
            (name, made)
            for forum in set(self._forums.places.values())
            for name, made, digest in self._discussions(forum, since)
            if name not in attempt.known and digest == attempt.digest and made >= since
        ]
        found = nearest(ours, began)
        return None if found is None else Receipt(found)

    def withdraw(self, receipt: Receipt) -> None:
        """Delete a discussion with all that was answered in it; one that is gone already is deleted too."""
        told = self._ask("mod_forum_get_discussion_posts", gone=True, discussionid=receipt.provider_id)
        if told is None:
            return
        first = next((post for post in _list(told, "posts") if _is_first(post)), None)
        if first is None:
            raise Uncertain("Moodle's answer lacks the post that began the discussion", code="unread")
        done = self._ask("mod_forum_delete_post", gone=True, postid=_number(first, "id"))
        if done is not None and done.get("status") is not True:
            raise Uncertain("Moodle does not say that it deleted the discussion", code="unread")

    def close(self) -> None:
        """Let go of connections; safe to call twice."""
        self._caller.close()

    def __repr__(self) -> str:
        return "<Gateway to Moodle>"

    def _discussions(self, forum: int, since: datetime) -> Iterator[tuple[str, datetime, str]]:
        """Name, creation and digest of a forum's discussions since then, and of older ones that are pinned."""
        for page in range(MOST_PAGES):
            told = self._ask(
                "mod_forum_get_forum_discussions",
                forumid=forum,
                sortorder=NEWEST_FIRST,
                page=page,
                perpage=PAGE,
            )
            discussions = _list(told, "discussions")
            older = False
            for one in discussions:
                made = _moment(one)
                older = older or (made < since and one.get("pinned") is not True)
                yield (
                    _number(one, "discussion"),
                    made,
                    digest_of(_text(one, "subject"), _text(one, "message")),
                )
            if older or len(discussions) < PAGE:
                return
        raise Uncertain("the forum has too many discussions since then to look through them all")

    def _ask(self, function: str, *, gone: bool = False, **parameters: str | int) -> Any:
        """What one function answers; None, where `gone` allows it, for what is not there any more."""
        asked = {
            "wstoken": self._token,
            "wsfunction": function,
            "moodlewsrestformat": "json",
            "moodlewssettingraw": "1",  # as it was written, before filters
            **parameters,
        }
        answer = self._caller.ask("POST", SERVER, body=urlencode(asked).encode(), headers=FORM)
        if answer.status != 200:
            raise codes.refused(answer.status, answer.headers)
        told = answer.read()
        if not isinstance(told, Mapping):
            raise Uncertain("Moodle's answer could not be read", code="unread")
        if gone and codes.is_gone(told):
            return None
        if code := codes.code_of(told):
            raise codes.failure(code)
        return told


def _is_first(post: Any) -> bool:
    return isinstance(post, Mapping) and post.get("hasparent") is False


def _list(told: Json, name: str) -> list[Any]:
    """A list in an answer: what is none must prove nothing."""
    found = told.get(name)
    if not isinstance(found, list) or not all(isinstance(one, Mapping) for one in found):
        raise Uncertain("Moodle's answer could not be read", code="unread")
    return found


def _number(told: Json, name: str) -> str:
    found = told.get(name)
    if type(found) is not int or found < 1:
        raise Uncertain("Moodle's answer lacks the number that it should have", code="unread")
    return str(found)


def _text(told: Json, name: str) -> str:
    found = told.get(name)
    if not isinstance(found, str):
        raise Uncertain("Moodle's answer could not be read", code="unread")
    return found


def _moment(told: Json) -> datetime:
    created = told.get("created")
    if type(created) is not int or not 0 < created < 2**33:
        raise Uncertain("Moodle's answer could not be read", code="unread")
    return datetime.fromtimestamp(created, UTC)

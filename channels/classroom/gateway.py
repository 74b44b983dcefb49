"""Google Classroom, by its REST API. It only translates; what refusals mean stands in `channels.classroom.codes`.

Three calls and no more: create an announcement, list a course's, delete one. Nothing here reads pupils, work or marks.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import quote, urlencode

from broker.capabilities import PastAttempt
from broker.channel import Item, Receipt
from broker.errors import ContentRejected, Uncertain
from channels.calling import Answer
from channels.classes import Classes
from channels.classroom import codes
from channels.classroom.line import Line
from channels.posts import digest_of, nearest

PAGE = 100
MOST_PAGES = 5
LOOK_BACK = timedelta(minutes=10)  # Google's clock and ours
STATES = ("PUBLISHED", "DRAFT")

Json = Mapping[str, Any]


class Gateway:
    """The courses of one account."""

    def __init__(self, line: Line, courses: Classes[str], state: str) -> None:
        self._line = line
        self._courses = courses
        self._state = state

    def send(self, item: Item) -> Receipt:
        """Exactly one try."""
        course = self._courses.places.get(item.message.fields["place"])
        if course is None:
            raise ContentRejected("these people have no class of their own at Classroom", code="no_class")
        told = {"text": item.message.fields["text"], "state": self._state, "assigneeMode": "ALL_STUDENTS"}
        answer = self._line.ask("POST", _path(course), told)
        return Receipt(f"{course}/{_id(_object(answer))}")

    def find(self, attempt: PastAttempt) -> Receipt | None:
        """Look through the courses. Raises Uncertain when there are too many announcements to prove anything."""
        began = attempt.started_at.astimezone(UTC)
        since = began - LOOK_BACK
        ours = [
            (name, made)
            for course in sorted(set(self._courses.places.values()))
            for name, made, digest in self._announcements(course, since)
            if name not in attempt.known and digest == attempt.digest and made >= since
        ]
        found = nearest(ours, began)
        return None if found is None else Receipt(found)

    def withdraw(self, receipt: Receipt) -> None:
        """Delete an announcement; one that is gone already is deleted too."""
        course, _, name = receipt.provider_id.rpartition("/")
        answer = self._line.ask("DELETE", f"{_path(course or '-')}/{quote(name, safe='')}")
        # Google answers an empty object. Whatever else it is, the next try is told that it is gone.
        if not codes.is_gone(answer.status, answer.known()) and _object(answer):
            raise _unread()

    def close(self) -> None:
        """Let go of connections; safe to call twice."""
        self._line.close()

    def __repr__(self) -> str:
        return "<Gateway to Classroom>"

    def _announcements(self, course: str, since: datetime) -> Iterator[tuple[str, datetime, str]]:
        """Name, creation and digest of a course's announcements that were changed since then, the newest first."""
        token = ""
        for _ in range(MOST_PAGES):
            asked = [("pageSize", str(PAGE)), ("orderBy", "updateTime desc"), ("pageToken", token)]
            asked += [("announcementStates", state) for state in STATES]
            told = _object(self._line.ask("GET", f"{_path(course)}?{urlencode(asked)}"))
            for one in _listed(told):
                if _moment(one, "updateTime") < since:
                    return
                yield f"{course}/{_id(one)}", _moment(one, "creationTime"), digest_of(_text(one))
            token = str(told.get("nextPageToken") or "")
            if not token:
                return
        raise Uncertain("the course has too many announcements since then to look through them all")


def _path(course: str) -> str:
    return f"v1/courses/{quote(course, safe='')}/announcements"


def _object(answer: Answer) -> Json:
    """The JSON object of a good answer. Raises the failure of any other, Uncertain for what cannot be read."""
    if not answer.ok:
        raise codes.failure(answer.status, answer.known(), answer.headers)
    found = answer.read()
    if not isinstance(found, Mapping):
        raise _unread()
    return found


def _listed(told: Json) -> list[Json]:
    """The announcements of a page. Google leaves out a list that is empty: then nothing at all may stand there."""
    found = told.get("announcements")
    if found is None and not told:
        return []
    if not isinstance(found, list) or not all(isinstance(one, Mapping) for one in found):
        raise _unread()
    return found


def _id(told: Json) -> str:
    found = told.get("id")
    if not isinstance(found, str) or not found.isascii() or not found.isalnum() or len(found) > 40:
        raise _unread()
    return found


def _text(told: Json) -> str:
    found = told.get("text", "")  # one with nothing but a file has none
    if not isinstance(found, str):
        raise _unread()
    return found


def _moment(told: Json, name: str) -> datetime:
    try:
        found = datetime.fromisoformat(str(told.get(name)))
    except ValueError:
        raise _unread() from None
    if found.tzinfo is None:
        raise _unread()
    return found


def _unread() -> Uncertain:
    return Uncertain("Classroom's answer could not be read", code="unread")

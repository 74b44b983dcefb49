"""A stand-in for a Moodle's REST web service, for the token of one user: discussions in two announcements forums.

Doors: add, list, posts, delete. Shapes after the sources of webservice/rest and mod/forum: 200 whatever happened, a
refusal is an object with `exception`, `errorcode` and `message`. The truth has as `key` the forum's number.
"""

from __future__ import annotations

import html
from datetime import datetime
from itertools import islice
from typing import Any

from sandbox.faults import FaultBook, Order
from sandbox.http import Request
from sandbox.truth import Entry, TruthLog
from sandbox.web_api import Answer, Then, WebApi, kinds

TOKEN = "0123456789abcdef0123456789abcdef"  # noqa: S105 (pretended, like all else here)
FORUMS = {"7B": "41", "everybody": "3"}
USER = 7
_FUNCTIONS = {
    "mod_forum_add_discussion": "add",
    "mod_forum_get_forum_discussions": "list",
    "mod_forum_get_discussion_posts": "posts",
    "mod_forum_delete_post": "delete",
}


def _error(exception: str, code: str, message: str) -> Answer:
    return 200, {"exception": exception, "errorcode": code, "message": message}


ANSWERS: dict[str, Answer] = {
    "401": _error("core\\exception\\moodle_exception", "invalidtoken", "Invalid token - token not found"),
    "expired": _error(
        "core\\exception\\moodle_exception", "invalidtimedtoken", "Invalid token - token expired"
    ),
    "function": _error("webservice_access_exception", "accessexception", "Access control exception"),
    "forum": _error(
        "dml_missing_record_exception", "invalidrecord", "Can't find data record in database table forum."
    ),
    "role": _error(
        "moodle_exception", "cannotcreatediscussion", "You cannot create new discussions in this forum"
    ),
    "invalid": _error("invalid_parameter_exception", "invalidparameter", "Invalid parameter value detected"),
    "maintenance": _error("moodle_exception", "sitemaintenance", "The site is undergoing maintenance"),
    "blocked": _error(
        "moodle_exception", "forumblockingtoomanyposts", "You have exceeded the posting threshold"
    ),
    "added": _error("moodle_exception", "couldnotadd", "Could not add your post due to an unknown error"),
    "429": (429, b"<html><body><h1>429 Too Many Requests</h1></body></html>"),
    "404": (404, b"<html><body><h1>404 Not Found</h1></body></html>"),
    "303": (303, b""),
}
KINDS = kinds(
    ("add", "list", "posts", "delete"),
    {
        "401": "invalidtoken",
        "expired": "invalidtimedtoken",
        "function": "accessexception, the service lacks the function",
        "forum": "invalidrecord, no such forum",
        "role": "cannotcreatediscussion, the user may not",
        "invalid": "invalidparameter",
        "maintenance": "sitemaintenance",
        "blocked": "forumblockingtoomanyposts",
        "added": "couldnotadd, which says neither yes nor no",
        "429": "The web server's own limit",
        "404": "The web server knows no such page",
        "303": "Led on to another address",
    },
)
# It does not look whether there is such a discussion before it asks for its forum.
_GONE: Answer = 200, {"exception": "Error", "message": "Call to a member function get_forum_id() on null"}
_NO_POST = _error("moodle_exception", "invalidpostid", "Invalid post ID")


class MoodleStandIn(WebApi):
    """The web service at /moodle/webservice/rest/server.php."""

    name = channel = "moodle"
    refusals = ANSWERS
    broken = _error("dml_write_exception", "dmlwriteexception", "Error writing to database")

    def asked_for(self, request: Request, path: str) -> tuple[str, str]:
        """The function; one that it lacks is a refusal of its own."""
        if request.method != "POST" or path != "webservice/rest/server.php":
            return "", ""
        return _FUNCTIONS.get(request.form().get("wsfunction", ""), ""), ""

    def signed(self, request: Request) -> bool:
        """By the token in the form."""
        return request.form().get("wstoken") == TOKEN

    def unsigned(self) -> Answer:
        """As Moodle has it."""
        return ANSWERS["401"]

    def headers(self, fault: Order | None) -> dict[str, str]:
        """When to come back, and where it leads on to."""
        match fault.kind if fault is not None else "":
            case "429":
                return {"Retry-After": "3"}
            case "303":
                return {"Location": "/moodle/login/index.php"}
        return {}

    def act(self, stage: str, about: str, request: Request, then: Then) -> None:
        """Do what the function does."""
        form = request.form()
        match stage:
            case "add":
                return self._add(form, then)
            case "list":
                return then(self._list(form))
            case "posts":
                return then(self._posts(form.get("discussionid", "")))
        return then(self._delete(form.get("postid", "")))

    def _add(self, form: dict[str, str], then: Then) -> None:
        forum, subject, message = form.get("forumid", ""), form.get("subject", ""), form.get("message", "")
        if forum not in FORUMS.values():
            return then(ANSWERS["forum"])
        if not subject.strip() or not message.strip() or "<" in subject:
            return then(ANSWERS["invalid"])
        if len(subject) > 255:
            return then(self.broken)

        def added(entry: Entry | None) -> None:
            then((200, {"discussionid": int(entry["id"]), "warnings": []}) if entry else self.broken)

        return self.accept(message, added, key=forum, subject=subject)

    def _list(self, form: dict[str, str]) -> Answer:
        forum, page, size = (
            form.get("forumid", ""),
            int(form.get("page", "0")),
            int(form.get("perpage", "10")),
        )
        if forum not in FORUMS.values():
            return ANSWERS["forum"]
        all_of_it = (each for each in self.standing() if each["key"] == forum)
        shown = [_discussion(each) for each in islice(all_of_it, page * size, (page + 1) * size)]
        return 200, {"discussions": shown, "warnings": []}

    def _posts(self, discussion: str) -> Answer:
        entry = self.one(discussion)
        if entry is None:
            return _GONE
        post = {"id": _post(entry), "subject": html.escape(entry["subject"]), "message": entry["body"]}
        answer = {"id": 1, "subject": "Re", "message": "Thanks", "hasparent": True, "parentid": _post(entry)}
        first = {**post, "discussionid": int(entry["id"]), "hasparent": False, "parentid": None}
        return 200, {"posts": [answer, first], "forumid": int(entry["key"]), "warnings": []}

    def _delete(self, post: str) -> Answer:
        discussion = str(int(post) - 1) if post.isdigit() else ""
        if self.one(discussion) is None:
            return _NO_POST
        self.gone.add(discussion)
        return 200, {"status": True, "warnings": []}


def _post(entry: Entry) -> int:
    return int(entry["id"]) + 1


def _discussion(entry: Entry) -> dict[str, Any]:
    created = int(datetime.fromisoformat(entry["at"]).timestamp())
    return {
        "id": _post(entry),
        "name": html.escape(entry["subject"]),
        "groupid": -1,
        "timemodified": created,
        "discussion": int(entry["id"]),
        "parent": 0,
        "userid": USER,
        "created": created,
        "modified": created,
        "subject": html.escape(entry["subject"]),
        "message": f'<div class="text_to_html">{entry["body"]}</div>',
        "messageformat": 1,
        "attachment": "0",
        "numreplies": 1,
        "pinned": False,
        "locked": False,
    }


def open(truth: TruthLog, faults: FaultBook) -> WebApi:  # noqa: A001 - a stand-in is opened, by this name
    """The stand-in of one sandbox."""
    return MoodleStandIn(truth, faults)


def account(url: str) -> dict[str, object]:
    """An account that posts to it."""
    forums = {"forum": int(FORUMS["everybody"]), "classes": {"7B": int(FORUMS["7B"])}}
    return {"channel": "moodle", "site": url, "token": TOKEN, **forums, "grace": 1}

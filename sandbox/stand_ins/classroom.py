"""A stand-in for Google Classroom and the tokens to sign in there with, for one account that teaches two courses.

Doors: create, list, delete, token. Shapes after
https://developers.google.com/classroom/reference/rest/v1/courses.announcements and RFC 6749. The truth has as
`key` the course.
"""

from __future__ import annotations

import secrets
import time
from collections.abc import Mapping
from itertools import islice
from typing import Any

from sandbox.faults import FaultBook, Order
from sandbox.http import Request
from sandbox.truth import Entry, TruthLog
from sandbox.web_api import Answer, Then, WebApi, asked_in_json, kinds

CLIENT_ID = "sandbox-client.apps.googleusercontent.com"
CLIENT_SECRET = "sandbox-client-secret"  # noqa: S105 (pretended, like all else here)
REFRESH_TOKEN = "1//sandbox-refresh-token"  # noqa: S105
COURSES = {"7B": "700000000041", "everybody": "700000000003"}
MOST = 30_000


def _error(code: int, status: str, message: str) -> Answer:
    return code, {"error": {"code": code, "message": message, "status": status}}


NO_COURSE = _error(404, "NOT_FOUND", "Requested entity was not found.")
INVALID = _error(400, "INVALID_ARGUMENT", "Request contains an invalid argument.")
ANSWERS: dict[str, Answer] = {
    "401": _error(401, "UNAUTHENTICATED", "Request had invalid authentication credentials."),
    "scope": _error(403, "PERMISSION_DENIED", "Request had insufficient authentication scopes."),
    "disabled": _error(
        403, "PERMISSION_DENIED", "@ClassroomDisabled The user does not have access to Classroom."
    ),
    "403": _error(403, "PERMISSION_DENIED", "The caller does not have permission"),
    "404": NO_COURSE,
    "archived": _error(
        400, "FAILED_PRECONDITION", "@CourseStateDenied The course state does not permit this."
    ),
    "400": INVALID,
    "429": _error(429, "RESOURCE_EXHAUSTED", "Quota exceeded for quota metric 'Queries'."),
    "503": _error(503, "UNAVAILABLE", "The service is currently unavailable."),
    "revoked": (400, {"error": "invalid_grant", "error_description": "Token has been expired or revoked."}),
    "client": (401, {"error": "invalid_client", "error_description": "Unauthorized"}),
}
KINDS = kinds(
    ("create", "list", "delete", "token"),
    {
        "401": "UNAUTHENTICATED",
        "scope": "PERMISSION_DENIED, the scope is missing",
        "disabled": "PERMISSION_DENIED, Classroom is turned off",
        "403": "PERMISSION_DENIED",
        "404": "NOT_FOUND",
        "archived": "FAILED_PRECONDITION, the course is archived",
        "400": "INVALID_ARGUMENT",
        "429": "RESOURCE_EXHAUSTED until `Retry-After`",
        "503": "UNAVAILABLE",
        "revoked": "invalid_grant, for the door token",
        "client": "invalid_client, for the door token",
    },
)


class ClassroomStandIn(WebApi):
    """Tokens at /classroom/token, the API at /classroom/v1/."""

    name = channel = "classroom"
    refusals = ANSWERS
    broken = _error(500, "INTERNAL", "Internal error encountered.")

    def __init__(self, truth: TruthLog, faults: FaultBook) -> None:
        super().__init__(truth, faults)
        self._tokens: set[str] = set()

    def asked_for(self, request: Request, path: str) -> tuple[str, str]:
        """The door, and `course/announcement`."""
        match request.method, path.split("/"):
            case "POST", ["token"]:
                return "token", ""
            case "POST", ["v1", "courses", course, "announcements"]:
                return "create", course
            case "GET", ["v1", "courses", course, "announcements"]:
                return "list", course
            case "DELETE", ["v1", "courses", course, "announcements", name]:
                return "delete", f"{course}/{name}"
        return "", ""

    def signed(self, request: Request) -> bool:
        """By a token that was given out; the token's own door looks for itself."""
        if request.path.endswith("/token"):
            return True
        return request.headers.get("authorization", "").removeprefix("Bearer ") in self._tokens

    def unsigned(self) -> Answer:
        """As Google has it."""
        return ANSWERS["401"]

    def headers(self, fault: Order | None) -> dict[str, str]:
        """When to come back."""
        return {"Retry-After": "4"} if fault is not None and fault.kind == "429" else {}

    def act(self, stage: str, about: str, request: Request, then: Then) -> None:
        """Do what was asked for."""
        if stage == "token":
            return then(self._token(request.form()))
        if about.partition("/")[0] not in COURSES.values():
            return then(NO_COURSE)
        if stage == "create":
            return self._create(about, asked_in_json(request), then)
        if stage == "list":
            return then(self._list(about, request.parameters()))
        if self.one(about) is None:
            return then(NO_COURSE)
        self.gone.add(about)
        return then((200, {}))

    def _token(self, form: Mapping[str, str]) -> Answer:
        if (form.get("client_id"), form.get("client_secret")) != (CLIENT_ID, CLIENT_SECRET):
            return ANSWERS["client"]
        if form.get("grant_type") != "refresh_token" or form.get("refresh_token") != REFRESH_TOKEN:
            return ANSWERS["revoked"]
        token = f"ya29.{secrets.token_urlsafe(24)}"
        self._tokens.add(token)
        return 200, {"access_token": token, "expires_in": 3599, "token_type": "Bearer"}

    def _create(self, course: str, asked: Mapping[str, Any], then: Then) -> None:
        text, state = asked.get("text"), asked.get("state", "DRAFT")
        if not isinstance(text, str) or not 0 < len(text) <= MOST or state not in {"DRAFT", "PUBLISHED"}:
            return then(INVALID)

        def posted(entry: Entry | None) -> None:
            then((200, _shown(entry)) if entry else self.broken)

        return self.accept(text, posted, id=f"{course}/{time.time_ns()}", key=course, state=state)

    def _list(self, course: str, asked: Mapping[str, str]) -> Answer:
        size, start = int(asked.get("pageSize", "20")), int(asked.get("pageToken") or "0")
        all_of_it = (each for each in self.standing() if each["key"] == course)
        page = [_shown(each) for each in islice(all_of_it, start, start + size + 1)]
        told: dict[str, Any] = {"announcements": page[:size]} if page else {}
        if len(page) > size:
            told["nextPageToken"] = str(start + size)
        return 200, told


def _shown(entry: Entry) -> dict[str, Any]:
    course, _, name = entry["id"].partition("/")
    moment = entry["at"].replace("+00:00", "Z")
    return {
        "courseId": course,
        "id": name,
        "text": entry["body"],
        "state": entry["state"],
        "creationTime": moment,
        "updateTime": moment,
        "assigneeMode": "ALL_STUDENTS",
        "creatorUserId": "100000000000000000007",
    }


def open(truth: TruthLog, faults: FaultBook) -> WebApi:  # noqa: A001 - a stand-in is opened, by this name
    """The stand-in of one sandbox."""
    return ClassroomStandIn(truth, faults)


def account(url: str) -> dict[str, object]:
    """An account that posts to it."""
    return {
        "channel": "classroom",
        "client_id": CLIENT_ID,
        "client_secret": CLIENT_SECRET,
        "refresh_token": REFRESH_TOKEN,
        "course": COURSES["everybody"],
        "classes": {"7B": COURSES["7B"]},
        "api_base_url": url,
        "grace": 1,
    }

"""The shapes of X's answers: problems, posts with their links shortened, users; and how long a post is to X.

After https://docs.x.com/x-api and the numbers of twitter-text's third configuration. Counted here on its own, so that a
channel that counts wrongly is found out.
"""

from __future__ import annotations

import hashlib
import html
import re
from typing import Any

from sandbox.truth import Entry

MOST_WEIGHT = 280
PROBLEMS = "https://api.twitter.com/2/problems/"
LINK = re.compile(r"https?://[^\s]+")
_TLD = re.compile(
    r"https?://(?:[\w-]+\.)+(?:[a-z]{2}|com|org|net|edu|info|school|academy)(?=[:/?#]|$)", re.IGNORECASE
)
_LIGHT = ((0, 4351), (8192, 8205), (8208, 8223), (8242, 8247))
_JOINED = re.compile("[\ufe0f\U0001f3fb-\U0001f3ff\U000e0020-\U000e007f]|\u200d.")
_FLAG = re.compile("[\U0001f1e6-\U0001f1ff]{2}")

Answer = tuple[int, dict[str, Any]]


def problem(status: int, title: str, detail: str, kind: str = "") -> Answer:
    """An error as X words it."""
    return status, {
        "title": title,
        "detail": detail,
        "type": f"{PROBLEMS}{kind}" if kind else "about:blank",
        "status": status,
    }


UNAUTHORIZED = problem(401, "Unauthorized", "Unauthorized")
DUPLICATE = problem(403, "Forbidden", "You are not allowed to create a Tweet with duplicate content.")
NOT_PERMITTED = problem(403, "Forbidden", "You are not permitted to perform this action.")
READ_ONLY = problem(
    403,
    "Forbidden",
    "Your client app is not configured with the appropriate oauth1 app permissions for this endpoint.",
    "oauth1-permissions",
)
SUSPENDED = problem(
    403, "Forbidden", "Your account is suspended and is not permitted to access this feature."
)
LOCKED = problem(
    403,
    "Forbidden",
    "To protect our users from spam and other malicious activity, this account is temporarily locked."
    " Please log in to https://twitter.com to unlock your account.",
)
NO_SUCH_POST = problem(
    403, "Forbidden", "You attempted to quote a Tweet that is deleted or not visible to you."
)
TOO_MANY = problem(429, "Too Many Requests", "Too Many Requests")
NO_CREDITS = problem(
    402, "Payment Required", "Your account does not have any credits to fulfil this request."
)
BROKEN = problem(500, "Internal Server Error", "Something is broken. This is usually a temporary error.")
AWAY = problem(503, "Service Unavailable", "The X servers are up, but overloaded with requests.")
NOT_FOUND = problem(404, "Not Found Error", "Could not find the resource.", "resource-not-found")


def unknown(post: str) -> dict[str, Any]:
    """Why a post that was asked for is not in the answer: there is none."""
    detail = f"Could not find tweet with id: [{post}]."
    return _about(post, "Not Found Error", detail, "resource-not-found")


def hidden(post: str) -> dict[str, Any]:
    """The same for a post that this account may not see."""
    detail = f"Sorry, you are not authorized to see the Tweet with id: [{post}]."
    return _about(post, "Authorization Error", detail, "not-authorized-for-resource")


def _about(post: str, title: str, detail: str, kind: str) -> dict[str, Any]:
    return {
        "resource_id": post,
        "parameter": "id",
        "resource_type": "tweet",
        "section": "data",
        "title": title,
        "value": post,
        "detail": detail,
        "type": f"{PROBLEMS}{kind}",
    }


def invalid(detail: str) -> Answer:
    """A request that X cannot take."""
    return problem(400, "Invalid Request", detail, "invalid-request")


def weight(text: str) -> int:
    """How long the text is to X, of 280."""
    short = LINK.sub(lambda found: "x" * 23 if _TLD.match(found[0]) else found[0], text)
    plain = _FLAG.sub("\u3042", _JOINED.sub("", short))
    return sum(1 if any(low <= ord(each) <= high for low, high in _LIGHT) else 2 for each in plain)


def post(entry: Entry) -> dict[str, Any]:
    """A post as a timeline gives it: links behind t.co, and the three characters of HTML escaped."""
    links: list[dict[str, Any]] = []

    def shortened(found: re.Match[str]) -> str:
        name = hashlib.sha256(f"{entry['id']}{found.start()}".encode()).hexdigest()[:10]
        links.append({"url": f"https://t.co/{name}", "expanded_url": found[0]})
        return str(links[-1]["url"])

    text = html.escape(LINK.sub(shortened, entry["body"]), quote=False)
    if entry["quote"]:
        address = f"https://twitter.com/i/web/status/{entry['quote']}"
        links.append({"url": f"https://t.co/q{entry['quote'][-9:]}", "expanded_url": address})
        text += f" {links[-1]['url']}"
    for link in links:
        link["start"] = text.index(link["url"])
        link["end"] = link["start"] + len(link["url"])
    shown: dict[str, Any] = {
        "id": entry["id"],
        "text": text,
        "created_at": entry["at"][:23] + "Z",
        "edit_history_tweet_ids": [entry["id"]],
    }
    if links:
        shown["entities"] = {"urls": links}
    if entry["quote"]:
        shown["referenced_tweets"] = [{"type": "quoted", "id": entry["quote"]}]
    return shown


def with_author(shown: dict[str, Any], author: str, name: str) -> dict[str, Any]:
    """One post with who made it, as X answers where the expansion `author_id` was asked for."""
    users = [{"id": author, "name": name.title(), "username": name}]
    return {"data": {**shown, "author_id": author}, "includes": {"users": users}}

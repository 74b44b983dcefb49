"""Moodle's refusals as data: what each means for us, and a sentence that is safe to show.

After https://moodledev.io/docs/apis/subsystems/external and the sources of webservice/ and mod/forum. Moodle answers
200 whatever happened and names an `errorcode`; its message is in the site's language and may quote what was sent.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from broker.errors import AccountRejected, ContentRejected, DeliveryFailure, RateLimited, Transient, Uncertain

BLOCKED_FOR = timedelta(hours=1)  # Moodle's own period is hours or days, and it does not tell when it began


@dataclass(frozen=True, slots=True)
class Meaning:
    """What a refusal comes to, and the sentence for people."""

    failure: type[DeliveryFailure]
    why: str


_ACCOUNT, _CONTENT = AccountRejected, ContentRejected
_TOKEN = Meaning(_ACCOUNT, "Moodle does not accept the token: make a new one for its user, and set it")
_SERVICE = Meaning(
    _ACCOUNT, "the token's service lacks a function, or its user may not use it: see docs/channels/moodle.md"
)
_USER = Meaning(_ACCOUNT, "the token's user may not sign in to Moodle any more: see to that user there")
_FORUM = Meaning(_ACCOUNT, "there is no such forum at Moodle: correct `forum` or `classes`")
_MAY_NOT = Meaning(_ACCOUNT, "the token's user may not do that in this forum: give it the role there")
_LATER = Meaning(Transient, "Moodle is closed for maintenance")

MEANINGS: Mapping[str, Meaning] = {
    "invalidtoken": _TOKEN,
    "invalidtimedtoken": _TOKEN,
    "invalidiptoken": Meaning(
        _ACCOUNT, "the token is for another machine's address: see it in Manage tokens"
    ),
    "accessexception": _SERVICE,
    "webservicenotenabled": _SERVICE,
    "enablewsdescription": _SERVICE,
    "servicenotavailable": _SERVICE,
    "servicerequireslogin": _SERVICE,
    "missingrequiredcapability": _SERVICE,
    "wsaccessuserdeleted": _USER,
    "wsaccessuserexpired": _USER,
    "wsaccessusernologin": _USER,
    "wsaccessusersuspended": _USER,
    "wsaccessuserunconfirmed": _USER,
    "forcepasswordchangenotice": _USER,
    "sitepolicynotagreed": _USER,
    "invalidrecord": _FORUM,
    "invalidrecordunknown": _FORUM,
    "invalidcoursemodule": _FORUM,
    "requireloginerror": _MAY_NOT,
    "errorcoursecontextnotvalid": _MAY_NOT,
    "nopermissions": _MAY_NOT,
    "noviewdiscussionspermission": _MAY_NOT,
    "cannotcreatediscussion": _MAY_NOT,
    "cannotdeletepost": _MAY_NOT,
    "couldnotdeletereplies": _MAY_NOT,
    "invalidparameter": Meaning(_CONTENT, "Moodle cannot take the announcement as it is"),
    "sitemaintenance": _LATER,
    "upgraderunning": _LATER,
}
BLOCKING = frozenset({"forumblockingtoomanyposts", "blockingtoomanyposts"})
GONE = frozenset({"invalidpostid", "notpartofdiscussion", "invaliddiscussionid"})
STATUSES: Mapping[int, Meaning] = {
    401: Meaning(
        _ACCOUNT, "the web server before Moodle wants a sign-in: let this machine through to webservice/rest"
    ),
    403: Meaning(
        _ACCOUNT, "the web server before Moodle refuses us: let this machine through to webservice/rest"
    ),
    404: Meaning(_ACCOUNT, "there is no Moodle at the address, or REST is not enabled there: correct `site`"),
}
MOVED = Meaning(_ACCOUNT, "the Moodle has moved, and nobody is followed: set its new address")


def code_of(body: Mapping[str, Any]) -> str:
    """The code of a refusal, "" for an answer that is none."""
    if "exception" not in body:
        return ""
    code = body.get("errorcode")
    return code.lower() if isinstance(code, str) and code else "unknown"


def is_gone(body: Mapping[str, Any]) -> bool:
    """Whether what was asked about is not there any more.

    Asked for the posts of a discussion that was deleted, Moodle's own function stumbles over it, and tells that in PHP.
    """
    stumbled = body.get("exception") == "Error" and "get_forum_id() on null" in str(body.get("message", ""))
    return stumbled or code_of(body) in GONE


def failure(code: str) -> DeliveryFailure:
    """What a refusal comes to."""
    if code in BLOCKING:
        return RateLimited(
            "the token's user has posted too much for this forum", code=_safe(code), retry_after=BLOCKED_FOR
        )
    meaning = MEANINGS.get(code)
    if meaning is None:
        return Uncertain("Moodle failed in a way that says neither yes nor no", code=_safe(code))
    return meaning.failure(meaning.why, code=_safe(code))


def refused(status: int, headers: Mapping[str, str]) -> DeliveryFailure:
    """What an answer other than 200 comes to: it is of the web server's, not of Moodle's own."""
    code = str(status)
    if status == 429:
        told = headers.get("Retry-After", "")
        known = told.isascii() and told.isdigit() and len(told) <= 9
        pause = min(timedelta(seconds=int(told)), BLOCKED_FOR) if known else timedelta(minutes=1)
        return RateLimited("Moodle's web server asks us to slow down", code=code, retry_after=pause)
    meaning = MOVED if 300 <= status < 400 else STATUSES.get(status)
    if meaning is None:
        return Uncertain(
            f"Moodle's web server broke down while it had the announcement (HTTP {code})", code=code
        )
    return meaning.failure(meaning.why, code=code)


def _safe(code: str) -> str:
    return code if code.isascii() and code.isalnum() and len(code) <= 40 else "unknown"

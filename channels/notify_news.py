"""What GOV.UK Notify tells of its messages, in answers and in callbacks, and our reference that it gives back.

Pure: it knows no client. A reference is the attempt's signed token and the beginning of its message's digest, so that
one that is found is that very try of those very words. It is not unique at Notify: the same twice makes two messages.
"""

from __future__ import annotations

import hmac
import json
import re
from collections.abc import Mapping, Sequence
from hashlib import sha256
from typing import Any, TypeGuard
from urllib.parse import urlsplit

from pydantic import SecretStr

from broker.capabilities import Confirmation, Heard, PastAttempt, SignatureInvalid
from broker.channel import Key, Receipt
from broker.delivery import Evidence
from broker.errors import Uncertain
from channels import notify_codes as codes

PLACE = "notify"  # the last part of the address that Notify is given to call: /callbacks/ACCOUNT/notify
DIGEST_LETTERS = 12
PAGE = 250
MAX_CALLBACK = 16 * 1024  # bytes; a text has at most some thousands of letters
LONGEST = 200
AUTHORIZATION = "authorization-digest"  # what the door keeps of a bearer token: its SHA-256
_ID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.ASCII)
_STATUS = re.compile(r"[a-z-]{1,40}", re.ASCII)


def reference_of(key: Key, digest: str) -> str:
    """What a try's message is known by at Notify."""
    return f"{key.token}.{digest[:DIGEST_LETTERS]}"


def token_of(reference: str) -> str:
    """The attempt's token in a reference."""
    return reference.rpartition(".")[0]


def is_id(text: str) -> bool:
    """Whether it may be a message's id at Notify."""
    return _ID.fullmatch(text) is not None


def id_in(told: Any, reference: str) -> str:
    """Notify's id of what was just sent. Raises ValueError and its like for an answer that is none of Notify's."""
    if told["reference"] != reference or not _ID.fullmatch(told["id"]):
        raise ValueError("no message of ours")
    return str(told["id"])


def listed(told: Any, kind: str, reference: str) -> list[Mapping[str, Any]]:
    """The messages of a page. Raises ValueError and its like for what is no page, or holds what was not asked for."""
    page = told["notifications"]
    if not isinstance(page, list) or not isinstance(told["links"]["current"], str):
        raise TypeError("no page")
    for each in page:
        if each["reference"] != reference or each["type"] != kind or not _ID.fullmatch(each["id"]):
            raise ValueError("no message that was asked for")
    return page


def the_one(page: Sequence[Mapping[str, Any]], attempt: PastAttempt) -> Receipt | None:
    """The oldest that is bound to no other attempt. Raises Uncertain where it cannot be told."""
    ours = [each for each in page if each["id"] not in attempt.known]
    if not ours:
        if len(page) >= PAGE:
            raise Uncertain("too many messages have this reference to look through them all")
        return None
    one = ours[-1]
    if _alike(attempt.address) not in map(_alike, (one.get("phone_number"), one.get("email_address"))):
        raise Uncertain("what Notify has under this reference went to another address")
    status = str(one.get("status"))
    evidence = codes.STATUSES.get(status, Evidence.ACCEPTED)
    return Receipt(str(one["id"]), evidence, status if evidence is Evidence.BOUNCED else "")


def _alike(address: Any) -> str:
    """An address whatever way it is written: a number by its last digits, as countries write it with and without."""
    told = str(address or "")
    return told.casefold() if "@" in told else re.sub(r"\D", "", told)[-9:]


def first_error(content: bytes) -> tuple[str, str]:
    """The type and the words of the first error in an answer; empty where it names none."""
    try:
        told = json.loads(content)["errors"][0]
        error, message = told["error"], told["message"]
    except (ValueError, KeyError, IndexError, TypeError, RecursionError):
        return "", ""
    return (error, message) if isinstance(error, str) and isinstance(message, str) else ("", "")


class Door:
    """Takes what Notify calls back with: receipts of all that the service sent, and texts that came to its number."""

    def __init__(self, token: SecretStr | None) -> None:
        told = f"Bearer {token.get_secret_value()}".encode() if token is not None else None
        self._expected = sha256(told).hexdigest() if told is not None else ""

    def confirmations(self, url: str, body: bytes, headers: Mapping[str, str]) -> Sequence[Confirmation]:
        """What became of a message. Raises SignatureInvalid before anything is parsed."""
        told = self._verified(url, body, headers)
        kind, status, reference = told.get("notification_type"), told.get("status"), told.get("reference")
        if not (_is_short(kind) and _is_short(status) and _is_short(reference) and _is_short(told.get("id"))):
            return ()
        evidence = codes.STATUSES.get(status)
        if evidence is None:
            return ()
        bounced = evidence is Evidence.BOUNCED
        return (
            Confirmation(
                evidence,
                token=token_of(reference),
                provider_id=told["id"],
                code=status if bounced else "",
                why=codes.why(kind, status) if bounced else "",
            ),
        )

    def heard(self, url: str, body: bytes, headers: Mapping[str, str]) -> Sequence[Heard]:
        """A text that somebody sent to the service's number; empty for news about our own."""
        told = self._verified(url, body, headers)
        sender, text, name = told.get("source_number"), told.get("message"), told.get("id")
        if not (_is_short(sender) and isinstance(text, str) and _is_short(name)):
            return ()
        # As networks write it: the country's code without a plus.
        whole = sender.isascii() and sender.isdigit() and len(sender) > 9 and not sender.startswith("0")
        return (Heard(f"+{sender}" if whole else sender, text, name),)

    def _verified(self, url: str, body: bytes, headers: Mapping[str, str]) -> Mapping[str, Any]:
        given = next((value for name, value in headers.items() if name.lower() == AUTHORIZATION), "")
        if not self._expected or len(body) > MAX_CALLBACK:
            raise SignatureInvalid
        if not hmac.compare_digest(given.encode(errors="replace"), self._expected.encode()):
            raise SignatureInvalid
        if urlsplit(url).path.rpartition("/")[2] != PLACE:
            raise SignatureInvalid
        # A bearer token says who calls and not that all has come as it left: what is cut short is nobody's news.
        try:
            told = json.loads(body)
        except (ValueError, RecursionError):
            raise SignatureInvalid from None
        return told if isinstance(told, Mapping) else {}


def _is_short(value: Any) -> TypeGuard[str]:
    return isinstance(value, str) and 0 < len(value) <= LONGEST

"""What public posts share, whatever network they stand on: the wording with its page, what may stand in it, its digest.

A network gives no text back as it got it: links are shortened, lines joined, letters escaped. Its own `render` undoes
what it does; the digest is of a canonical form, in which spaces and the scheme of an address count nothing.
"""

from __future__ import annotations

import hashlib
import re
import unicodedata
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime, timedelta

from broker.announcement import Content
from broker.channel import Key
from broker.errors import Problem
from broker.naming import fill, has_placeholder
from broker.policy import ALLOW, Case, Hold, Verdict
from channels.markup import plain_words

ANYWHERE = "00000000-0000-7000-8000-000000000000"  # stands for a public id where there is none yet
FRESH = timedelta(minutes=30)  # looked at every ten while something waits; three misses are too many
AGAIN = timedelta(minutes=5)  # somebody must change something there first
SOON = timedelta(minutes=1)  # as the hold ends it is looked at again: the provider may be well long before

_ADDRESS = re.compile(r"(?:https?://)?(?P<host>[^\s/?#]+\.[^\s/?#]+)(?P<rest>[/?#]\S*)?", re.ASCII)


def composed(content: Content, page: str) -> str:
    """The short text, and under it the address of the announcement's page where there is one."""
    return "\n".join(filter(None, (fill(plain_words(content).strip(), ()), page)))


def page_of(public_url: str | None, public_id: str = ANYWHERE) -> str:
    """The address of an announcement's page; "" for a school without a public address."""
    return f"{public_url.rstrip('/')}/a/{public_id}" if public_url else ""


def check(
    content: Content, public_url: str | None, *, service: str, most: int, length: Callable[[str], int]
) -> Sequence[Problem]:
    """What is wrong with this wording as a post: nothing said, something personal, or too long as `service` counts."""
    return tuple(_problems(content, public_url, service, most, length))


def _problems(
    content: Content, public_url: str | None, service: str, most: int, length: Callable[[str], int]
) -> Iterator[Problem]:
    text = plain_words(content).strip()
    if not text:
        yield Problem("empty_text", "short", "there is no text to post", "write a short text")
        return
    if has_placeholder(text):
        hint = f"write it without {{pupil}}, {{guardian}} and {{class}}, or leave {service} out"
        yield Problem("personal_part", "short", "a public post names no pupil", hint)
    if (long := length(composed(content, page_of(public_url)))) > most:
        told = f"as a post it counts {long}, with its link; at most {most} are allowed"
        yield Problem("text_too_long", "short", told, f"shorten it by {long - most}")


def digest_of(text: str) -> str:
    """The SHA-256 of a post's canonical form."""
    words = (_canonical_word(word) for word in unicodedata.normalize("NFC", text).split())
    return hashlib.sha256(" ".join(words).encode("utf-8", "replace")).hexdigest()


def once(account: str, key: Key, digest: str) -> str:
    """The name of one post for a provider that takes none twice: the same in every try of one delivery, 64 hex digits.

    With the text in it, as another ledger of the same account (one set up anew) counts its deliveries from 1 again.
    """
    return hashlib.sha256(f"carillon {account} {key.delivery} {digest}".encode()).hexdigest()


def nearest(found: Sequence[tuple[str, datetime]], began: datetime) -> str | None:
    """Of posts (id, when) with one digest the one that an attempt made: the nearest, those since then before others."""
    if not found:
        return None
    return min(found, key=lambda post: (post[1] < began, abs(post[1] - began)))[0]


# --- what the policies of such channels share


def looked_at_lately(case: Case, service: str) -> Verdict:
    """What nobody has looked at lately may have changed hands (R7, R21)."""
    if case.posture is not None and case.posture_age is not None and case.posture_age <= FRESH:
        return ALLOW
    why = f"what the account looks like at {service} could not be seen lately"
    return Hold(case.now + SOON, "posture_unknown", why)


def looks(case: Case, fact: str, wanted: str, code: str, why: str, *, untold: str = "") -> Verdict:
    """Holds while a fact of the posture is another than wanted (`untold` where none is told). Not without a posture."""
    if case.posture is None or case.posture.get(fact, untold) == wanted:
        return ALLOW
    return Hold(case.now + AGAIN, code, why)


def _canonical_word(word: str) -> str:
    """An address without its scheme and last slash, its host in small letters; any other word as it is."""
    found = _ADDRESS.fullmatch(word)
    return found["host"].lower() + (found["rest"] or "").rstrip("/") if found else word

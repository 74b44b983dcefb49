"""What a text for the public would give away beside names: numbers, addresses, links that lead elsewhere (R5, R12).

Pure: a text in, the places found out. A finding says what and where, never the thing itself, so that it may be kept.
Streets and postcodes are those of the United Kingdom; telephone numbers are those of any country.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from urllib.parse import urlsplit

import idna
import phonenumbers
from phonenumbers import Leniency, PhoneNumberMatcher

from broker.disclosure.plain_letters import Plain, looks_like, mixes_scripts, plain

ENOUGH_DIGITS = 7  # of a telephone number
WHOLE_NUMBER = 10  # digits of one that begins with 0 or +, whether its range is in use or not
NEAR_POSTCODE = 80  # characters after a street in which its postcode stands
MOST_CANDIDATES = 2_000

_EMAIL = re.compile(
    r"[\w.+'-]{1,64}\s?(?:@|[(\[{]\s?at\s?[)\]}])\s?[\w-]{1,63}"
    r"(?:\s?(?:\.|[(\[{]\s?dot\s?[)\]}])\s?[\w-]{1,63}){1,5}",
    re.IGNORECASE,
)
_EMAIL_SAID = re.compile(r"\b[\w.+-]{1,64}\s+at\s+[\w-]{1,63}(?:\s+dot\s+[\w-]{2,63}){1,4}", re.IGNORECASE)
_MONTHS = "Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec"
_CLEAR = r"street|road|rd|avenue|ave|lane|crescent|cres|gardens|gdns|terrace|mews|cottages|villas"
_CAPITAL = (
    "Street|St|Road|Rd|Avenue|Ave|Lane|Ln|Close|Drive|Dr|Crescent|Cres|Gardens|Gdns|Grove|Terrace|Place|Pl|Court|Ct|Way"
    "|Walk|Row|Mews|Hill|Rise|View|Green|Square|Sq|Parade|Villas|Cottages|Buildings"
)
_STREETS = (
    re.compile(
        rf"(?<![\w:.£/-])\d{{1,4}}[a-zA-Z]?,?\s+(?!{_MONTHS})(?:[A-Z][\w'-]{{1,20}}\s+){{1,3}}(?:{_CAPITAL})\b(?!')"
    ),
    re.compile(
        rf"(?<![\w:.£/-])\d{{1,4}}[a-z]?,?\s+(?!(?:{_MONTHS}))(?:[a-z][\w'-]{{2,20}}\s+){{1,2}}(?:{_CLEAR})\b",
        re.IGNORECASE,
    ),
)
# Royal Mail's own shape, PAF Programmers' Guide.
_POSTCODE = re.compile(
    r"\b(?:GIR ?0AA|[A-PR-UWYZ](?:\d{1,2}|\d[A-HJKPS-UW]|[A-HK-Y]\d(?:\d|[ABEHMNPRV-Y])?) ?\d[ABD-HJLNP-UW-Z]{2})\b",
    re.IGNORECASE,
)
_HOSTS_END = "com|org|net|info|biz|edu|gov|int|uk|ie|eu|us|co|io|me|ly|gl|gd|to|cc|tv|app|dev|link|page|site|online|school|academy|xyz|club|shop|example"  # fmt: skip # noqa: E501
_LINK = re.compile(
    rf"(?:https?://|www\.)[^\s<>\"'\]]{{1,2000}}|(?<![\w@.-])(?:[\w-]{{1,63}}\.){{1,6}}(?:{_HOSTS_END}|xn--[\w-]{{1,59}})"
    rf"\b(?![\w@-]|\.\w)(?:/[^\s<>\"'\]]{{0,2000}})?",
    re.IGNORECASE,
)
_MARKDOWN_LINK = re.compile(r"\[([^\]\n]{1,200})\]\((https?://[^\s)]{1,2000})\)")
_WORD = re.compile(r"\w+")
_COUNTED = re.compile(
    r"\b(?:year|room|form|class|week|period|lesson|page|team|group|stage|gate|bus|coach)\s+$", re.IGNORECASE
)
_LEETS = str.maketrans({"0": "o", "1": "l", "3": "e", "5": "s", "i": "l"})


@dataclass(frozen=True, slots=True)
class Found:
    """One thing in a text that the public should not get: by its code, and where."""

    code: str
    at: int
    length: int


@dataclass(frozen=True, slots=True)
class Allowed:
    """What a school has said the public may read: its numbers (E.164), emails, postcodes of places, hosts to link to.

    `hosts` None: the school keeps no list, and any host may be linked to.
    """

    numbers: Collection[str] = ()
    emails: Collection[str] = ()
    postcodes: Collection[str] = ()
    hosts: Collection[str] | None = None


def exposed(text: str, allowed: Allowed, region: str) -> Sequence[Found]:
    """Everything of these kinds in a text, in its order."""
    looked = plain(text)
    found = [
        *_numbers(looked.text, allowed, region),
        *_emails(looked.text, allowed),
        *_homes(looked.text, allowed),
    ]
    placed = [_as_written(one, looked) for one in found]
    return sorted([*placed, *_links(text, allowed), *_look_alikes(text)], key=lambda one: one.at)


def _numbers(text: str, allowed: Allowed, region: str) -> Iterator[Found]:
    if sum(map(str.isdigit, text)) < ENOUGH_DIGITS:
        return
    matches = PhoneNumberMatcher(text, region, leniency=Leniency.POSSIBLE, max_tries=MOST_CANDIDATES)
    for match in matches:
        written = match.raw_string
        digits = sum(map(str.isdigit, written))
        whole = digits >= WHOLE_NUMBER and written.lstrip("(")[:1] in {"0", "+"}
        if not (whole or phonenumbers.is_valid_number(match.number)):
            continue
        if (
            phonenumbers.format_number(match.number, phonenumbers.PhoneNumberFormat.E164)
            not in allowed.numbers
        ):
            yield Found("phone_number", match.start, len(written))


def _emails(text: str, allowed: Allowed) -> Iterator[Found]:
    lowered = text.casefold()
    patterns = []
    if "@" in text or any(f"{bracket}{gap}at" in lowered for bracket in "([{" for gap in ("", " ")):
        patterns.append(_EMAIL)
    if " dot " in lowered:
        patterns.append(_EMAIL_SAID)
    for pattern in patterns:
        for found in pattern.finditer(text):
            if found[0].casefold().rstrip(".") not in allowed.emails:
                yield Found("email_address", found.start(), len(found[0]))


def _homes(text: str, allowed: Allowed) -> Iterator[Found]:
    """A house in a street with its postcode is somebody's home, unless the place is listed; without one it may be."""
    seen: set[int] = set()
    for pattern in _STREETS:
        for street in pattern.finditer(text):
            if street.end() in seen or _COUNTED.search(text, max(0, street.start() - 10), street.start()):
                continue
            seen.add(street.end())
            near = _POSTCODE.search(text, street.end(), street.end() + NEAR_POSTCODE)
            if near is None:
                yield Found("street_address", street.start(), len(street[0]))
            elif squashed(near[0]) not in allowed.postcodes:
                yield Found("home_address", street.start(), near.end() - street.start())


def squashed(postcode: str) -> str:
    """A postcode as it is compared."""
    return postcode.replace(" ", "").upper()


# --- links ----------------------------------------------------------------------------------------------------------


def _links(text: str, allowed: Allowed) -> Iterator[Found]:
    for found in _LINK.finditer(text):
        if (code := _of_link(found[0], allowed)) is not None:
            yield Found(code, found.start(), len(found[0].rstrip(").,;:!?")))
    for found in _MARKDOWN_LINK.finditer(text):
        shown = _LINK.search(found[1])
        if shown is not None and _host(shown[0]) != _host(found[2]):
            yield Found("look_alike", found.start(), len(found[0]))


def _of_link(link: str, allowed: Allowed) -> str | None:
    """What is wrong with a link; None where nothing is."""
    host = _host(link)
    if host is None or _disguised(host):
        return "look_alike"
    if allowed.hosts is None or any(host == each or host.endswith(f".{each}") for each in allowed.hosts):
        return None
    meant = {_skeleton(each) for each in allowed.hosts}
    return "look_alike" if _skeleton(host) in meant else "link_not_listed"


def _host(link: str) -> str | None:
    """The host that a link leads to, as people read it; None where it hides behind a name, or cannot be read."""
    try:
        parts = urlsplit(link if "://" in link.lower() else f"//{link}", scheme="https")
        if parts.username is not None or parts.hostname is None:
            return None
        host = parts.hostname.rstrip(".").removeprefix("www.")
        return idna.decode(host) if "xn--" in host else host
    except (ValueError, UnicodeError):
        return None


def _disguised(host: str) -> bool:
    """Whether a label mixes scripts, or is written in another one's letters that all look plain."""
    for label in host.split("."):
        letters = [c for c in label if c.isalpha()]
        if mixes_scripts(label) or any(ord(c) > 0x7F and not c.isalnum() and c != "-" for c in label):
            return True
        if any(not c.isascii() for c in letters) and all(
            not c.isascii() and looks_like(c).isascii() for c in letters
        ):
            return True
    return False


def _skeleton(host: str) -> str:
    return (
        plain(host).text.casefold().translate(_LEETS).replace("rn", "m").replace("vv", "w").replace("-", "")
    )


def _look_alikes(text: str) -> Iterator[Found]:
    """Words that mix scripts: nobody types one by accident, and no search for a name would find it."""
    if text.isascii():
        return
    for word in _WORD.finditer(text):
        if mixes_scripts(word[0]):
            yield Found("look_alike", word.start(), len(word[0]))


def _as_written(found: Found, looked: Plain) -> Found:
    start, end = looked.place(found.at), looked.place(found.at + found.length - 1) + 1
    return Found(found.code, start, end - start)

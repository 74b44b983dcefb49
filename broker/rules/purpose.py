"""Service or promotion: promotion says how to have no more of it, and service sells nothing (PECR reg. 22 and 23).

That promotion goes only to those who consented is judged with each delivery (`broker.house_rules`).
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from functools import lru_cache

from broker.announcement import Part, Purpose
from broker.disclosure.plain_letters import plain
from broker.policy import ALLOW, Allow, Hold, Refuse, Verdict
from broker.rules.case import AnnouncementCase, Family
from broker.rules.parameters import Kind, Parameter

PARAMETERS = (
    Parameter(
        "purpose.opt_out_words",
        Kind.WORDS,
        "STOP, opt out, opt-out, unsubscribe, no more of these",
        "A promotional text has one of these words in it, so that whoever reads it knows how to have no more; what a"
        " way says by itself need not be said twice. Without any, nothing is asked for.",
        "PECR reg. 22(3)(c) and 23(b); ICO, Direct marketing guidance",
    ),
    Parameter(
        "purpose.sale_words",
        Kind.WORDS,
        "fundraising, fundraiser, fund-raising, donate, donation, donations, raffle, sponsor us, sponsored,"
        " special offer, discount, sale, buy now, book now, buy your tickets, early bird, half price, bargain,"
        " sign up now, limited places, paid club, membership fee, merchandise, order now, auction, tombola, JustGiving,"
        " GoFundMe, support our appeal",
        "Words of sale and of asking for money. Inside a service message they are pointed at: it may be promotion.",
        "ICO, Direct marketing guidance: fundraising and paid clubs are marketing, and one such sentence makes it so",
    ),
    Parameter(
        "purpose.sale_waits",
        Kind.YES_NO,
        "no",
        "Whether a service message with a word of sale waits for a second person, instead of being pointed at alone.",
        "PECR reg. 22: whoever decides that it is no promotion should not be its author alone",
    ),
)

_BODIES = (Part.SHORT, Part.LONG)


def opt_out_said(case: AnnouncementCase) -> Verdict:
    """A promotional message says how to have no more of them, unless its way adds that by itself (PECR reg. 22).

    In its short part and in its long one: a text carries only the one, a mail perhaps only the other.
    """
    if case.purpose is not Purpose.PROMOTIONAL or case.broadcast or case.adds_opt_out:
        return ALLOW
    words = case.rules.words("purpose.opt_out_words")
    bodies = ((part, content.parts.get(part)) for content in case.contents for part in _BODIES)
    silent = next((part for part, text in bodies if text and not _first(words, _wording([text]))), None)
    if not words or silent is None:
        return ALLOW
    why = "a promotional message has to say how to have no more of them: add “Reply STOP to have no more of these”"
    return Refuse("no_opt_out", why, about=silent)


def sells_nothing(case: AnnouncementCase) -> Verdict:
    """Words of sale inside a service message are pointed at; a school may have them wait for a second person."""
    if case.purpose is not Purpose.SERVICE or case.broadcast:
        return ALLOW
    words = case.rules.words("purpose.sale_words")
    found = next(filter(None, (_first(words, _wording(parts)) for parts in _parts(case))), None)
    if found is None:
        return ALLOW
    why = f"“{found}” is a word of promotion, which needs consent: is this still a service message?"
    if case.rules.yes("purpose.sale_waits") and not case.second_person:
        return Hold(
            case.expires_at, "sale_words", f"{why} A second person has to agree", {"word": found}, whole=True
        )
    return Allow("sale_words", why, {"word": found})


def _parts(case: AnnouncementCase) -> Iterator[Sequence[str]]:
    for content in case.contents:
        yield [text for part, text in content.parts.items() if part is not Part.QUOTE]


def _wording(texts: Sequence[str]) -> str:
    return plain("\n".join(texts)).text


def _first(words: Sequence[str], text: str) -> str | None:
    """The first of the school's words that stands in a text, as the school wrote it."""
    found = _any_of(tuple(words)).search(text) if words else None
    if found is None:
        return None
    said = " ".join(found[0].split()).casefold()
    return next((word for word in words if word.casefold() == said), words[0])


@lru_cache(maxsize=16)
def _any_of(words: tuple[str, ...]) -> re.Pattern[str]:
    each = (r"\s+".join(re.escape(piece) for piece in word.split()) for word in words)
    return re.compile(rf"(?<!\w)(?:{'|'.join(each)})(?!\w)", re.IGNORECASE)


FAMILY = Family("purpose", PARAMETERS, once=(opt_out_said, sells_nothing))

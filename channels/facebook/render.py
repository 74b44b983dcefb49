"""From a wording to a post: the short text and the announcement's page. Pure."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from broker.announcement import Content
from broker.channel import Message, Recipient
from broker.errors import Problem
from channels import posts
from channels.markup import plain_words

MOST = 63_206  # as Facebook's own pages count them
_MENTION = re.compile(r"@\[\s*\d+")


@dataclass(frozen=True, slots=True)
class Style:
    """What a page makes of a wording: where the announcements' pages are."""

    public_url: str | None = None


def render(content: Content, to: Recipient, style: Style) -> Message:
    """The post. Fields: text; `page`, the address that names this announcement, where there is one."""
    page = posts.page_of(style.public_url, to.links.get("announcement", posts.ANYWHERE))
    text = posts.composed(content, page)
    return Message({"text": text, "page": page}, posts.digest_of(text))


def check(content: Content, style: Style) -> Sequence[Problem]:
    """What is wrong with this wording as a post."""
    problems = posts.check(content, style.public_url, service="Facebook", most=MOST, length=length)
    if _MENTION.search(plain_words(content)):
        mention = Problem(
            "mention", "short", "it mentions a page, which would be told (R4)", "write its name alone"
        )
        return (*problems, mention)
    return problems


def length(text: str) -> int:
    """How long a text is to Facebook, of 63,206: in units of UTF-16, an emoji being two or more."""
    return len(text.encode("utf-16-le")) // 2

"""From a wording to a post, and back: the short text and the announcement's page; a server gives HTML for it. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html.parser import HTMLParser
from typing import Any

from wcwidth import iter_graphemes

from broker.announcement import Content
from broker.channel import Message, Recipient
from broker.errors import Problem
from channels import posts
from channels.markup import plain_words

LINK = 23  # what any address counts
_URL = re.compile(
    r"https?://(?:[a-z0-9](?:[a-z0-9-]*[a-z0-9])?\.)+[a-z]{2,24}(?::\d+)?(?P<rest>(?:[/?#][!-~]*)?)",
    re.IGNORECASE | re.ASCII,
)
_BEHIND = re.compile(r"[.,:;!?'\"<>)\]}]+\Z")  # what ends a sentence, and no address
_MENTION = re.compile(r"(?<![=/\w])@\w+(?:@[\w.-]+\w)?")


@dataclass(frozen=True, slots=True)
class Style:
    """What an account makes of a wording: where its pages are, and how long a post may be on its server."""

    public_url: str | None = None
    longest: int = 500


def render(content: Content, to: Recipient, style: Style) -> Message:
    """The post. Field: text."""
    page = posts.page_of(style.public_url, to.links.get("announcement", posts.ANYWHERE))
    text = posts.composed(content, page)
    return Message({"text": text}, posts.digest_of(text))


def check(content: Content, style: Style) -> Sequence[Problem]:
    """What is wrong with this wording as a post."""
    problems = posts.check(content, style.public_url, service="Mastodon", most=style.longest, length=length)
    if _MENTION.search(plain_words(content)):
        hint = "write the name without its @"
        mention = Problem("mention", "short", "it mentions an account, which would be messaged (R4)", hint)
        return (*problems, mention)
    return problems


def length(text: str) -> int:
    """How long a text is to Mastodon: letters as people see them, 23 for an address of any length.

    After https://docs.joinmastodon.org/user/posting/#text and StatusLengthValidator. What Mastodon may not take for an
    address is counted as it stands: a text that passes here passes there.
    """
    total, at = 0, 0
    for found in _URL.finditer(text):
        behind = _BEHIND.search(found["rest"])
        total += _graphemes(text[at : found.start()]) + LINK
        at = found.end() - len(behind[0] if behind else "")
    return total + _graphemes(text[at:])


def text_of(status: Mapping[str, Any]) -> str:
    """The text of a status as it was meant: links in full, nothing escaped. Raises KeyError, TypeError."""
    content = status["content"]
    if not isinstance(content, str):
        raise TypeError("no content")
    reader = _Reader()
    reader.feed(content)
    reader.close()
    return "".join(reader.told).strip()


class _Reader(HTMLParser):
    """Takes an address from its link, whose words are cut for the eye."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.told: list[str] = []
        self._in_link = False

    def handle_starttag(self, tag: str, attrs: Sequence[tuple[str, str | None]]) -> None:
        told = dict(attrs)
        if (
            tag == "a"
            and not {"mention", "hashtag"} & {*(told.get("class") or "").split()}
            and told.get("href")
        ):
            self.told.append(told["href"] or "")
            self._in_link = True
        elif tag == "br":
            self.told.append("\n")

    def handle_endtag(self, tag: str) -> None:
        if tag == "a":
            self._in_link = False
        elif tag == "p":
            self.told.append("\n\n")

    def handle_data(self, data: str) -> None:
        if not self._in_link:
            self.told.append(data)


def _graphemes(text: str) -> int:
    return sum(1 for _ in iter_graphemes(text))

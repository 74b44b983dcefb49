"""Markdown as harmless HTML or as plain words: one rendering for every channel, so that mail and page say the same.

No channel: it stands beside them, knows none of them, and any of them may use it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from functools import lru_cache
from itertools import count, repeat
from typing import NamedTuple

import nh3
from markdown_it import MarkdownIt
from markdown_it.token import Token

from broker.announcement import Content, Part

# No image: it would tell its host who opened the mail and when, and it is what a parent's mail program hides anyway.
# It stays a link. HTML in the Markdown is shown as it was typed.
_MARKDOWN = (
    MarkdownIt("commonmark", {"html": False, "breaks": True})
    .enable(["table", "strikethrough"])
    .disable("image")
)
# fmt: off
_TAGS = {
    "a", "blockquote", "br", "code", "em", "h1", "h2", "h3", "h4", "h5", "h6", "hr", "li", "ol", "p", "pre",
    "s", "strong", "table", "tbody", "td", "th", "thead", "tr", "ul",
}
# fmt: on
_ATTRIBUTES = {"a": {"href", "title"}, "ol": {"start"}}
_SCHEMES = {"http", "https", "mailto", "tel"}


def to_html(markdown: str) -> str:
    """Markdown as harmless HTML: only the tags of prose, links to the web, mail and telephones alone."""
    return nh3.clean(
        _MARKDOWN.render(markdown),
        tags=_TAGS,
        attributes=_ATTRIBUTES,
        url_schemes=_SCHEMES,
        url_relative="deny",
        link_rel="noopener noreferrer",
    )


def to_plain(markdown: str) -> str:
    """Markdown as the words alone, for where nobody would see emphasis but its asterisks.

    Lists keep their dashes and numbers, a link its address behind its words.
    """
    return re.sub(r"\n{3,}", "\n\n", "\n".join(_lines(_MARKDOWN.parse(markdown)))).strip()


def to_simple(markdown: str) -> str:
    """Markdown of the simplest kind, as GOV.UK Notify reads it: two levels of headings, lists, plain addresses."""
    lines = _lines(_MARKDOWN.parse(markdown), _SIMPLE)
    return re.sub(r"\n{3,}", "\n\n", "\n".join(lines)).strip()


def plain_words(content: Content) -> str:
    """The short part; where nobody wrote one the long, without the asterisks that a telephone would show."""
    return content.parts.get(Part.SHORT) or _plain(content.long)


_plain = lru_cache(maxsize=64)(to_plain)


class _Look(NamedTuple):
    """How the words alone are set."""

    bullet: str = "- "
    headings: bool = False
    address: str = " ({})"  # of a link, behind its words


_PLAIN = _Look()
_SIMPLE = _Look("* ", headings=True, address=": {}")


def _lines(tokens: Sequence[Token], look: _Look = _PLAIN) -> Iterator[str]:
    lists: list[Iterator[str]] = []
    marker, row = "", list[str]()
    for before, token in zip([*tokens[:1], *tokens], tokens, strict=False):
        marker = _marker(token, lists, look) or marker
        if before.type in ("th_open", "td_open"):
            row.append(_words(token.children or (), look))
        elif token.type == "tr_close":
            yield " | ".join(row)
            row = []
        elif token.type == "inline":
            yield marker + _words(token.children or (), look)
            marker = ""
        elif token.type in ("fence", "code_block"):
            yield token.content
        if token.nesting < 0 and token.level == 0:
            yield ""  # between two blocks


def _marker(token: Token, lists: list[Iterator[str]], look: _Look) -> str:
    """What begins a heading or a list's item: `lists` are those that we are in, each with the markers to come."""
    match token.type:
        case "heading_open" if look.headings:
            return "# " if token.tag == "h1" else "## "
        case "bullet_list_open":
            lists.append(repeat(look.bullet))
        case "ordered_list_open":
            lists.append(f"{number}. " for number in count(int(token.attrs.get("start", 1))))
        case "bullet_list_close" | "ordered_list_close":
            lists.pop()
        case "list_item_open":
            return "  " * (len(lists) - 1) + next(lists[-1])
    return ""


def _words(tokens: Sequence[Token], look: _Look) -> str:
    told: list[str] = []
    links: list[tuple[str, int]] = []
    for token in tokens:
        if token.type in ("softbreak", "hardbreak"):
            told.append("\n")
        elif token.type == "link_open":
            links.append((str(token.attrs.get("href", "")), len(told)))
        elif token.type == "link_close":
            address, begins = links.pop()
            if "".join(told[begins:]) != address.removeprefix("mailto:"):
                told.append(look.address.format(address.removeprefix("mailto:")))
        else:
            told.append(token.content)
    return "".join(told)

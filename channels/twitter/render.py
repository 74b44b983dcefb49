"""From a wording to a post: the short text, the post it quotes, the announcement's page. Pure.

A look-up knows a post by its digest, and X gives back no text as it got it: links stand behind t.co, `&`, `<` and `>`
are escaped. So the digest is of a canonical form that both sides come to, with each link as it was meant.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from broker.announcement import Content, Part
from broker.channel import Message, Recipient
from broker.errors import Problem
from broker.naming import fill, has_placeholder
from channels.markup import plain_words
from channels.posts import ANYWHERE, digest_of, page_of
from channels.twitter.weight import MOST, links, weight

LINK_COSTS = "it holds a link: X charges more than ten times as much for such a post"
QUOTE_IS_A_LINK = "X lets only an enterprise plan quote, so the post is commented on with a link to it"

_POST = re.compile(
    r"(?:https://(?:www\.|mobile\.)?(?:x|twitter)\.com/(?:i(?:/web)?|[A-Za-z0-9_]{1,15})/status/)?(?P<id>[1-9][0-9]{0,18})"
    r"(?:[/?#][^\s]*)?",
    re.ASCII,
)
_A_POST_IN_IT = re.compile(
    r"(?:^|[^\w.-])(?:https?://)?(?:\w+\.)?(?:x|twitter)\.com/\w+(?:/web)?/status/\d",
    re.ASCII | re.IGNORECASE,
)
_QUOTED = re.compile(r"\s*(?:https?://)?(?:www\.|mobile\.)?(?:x|twitter)\.com/\S+/status/[0-9]+\S*\Z")
_ESCAPED = (("&lt;", "<"), ("&gt;", ">"), ("&amp;", "&"))  # the last one last, or it would make others


@dataclass(frozen=True, slots=True)
class Style:
    """What an account makes of a wording: where its pages are, and whether its plan may quote."""

    public_url: str | None = None
    quotes: bool = False
    price: Decimal = Decimal(0)  # of a post
    link_price: Decimal = Decimal(0)  # of one with a link in it, all in all


def render(content: Content, to: Recipient, style: Style) -> Message:
    """The post. Fields: text; `quote` (an id) where X is to quote; `page`, the address that names this announcement."""
    post = _composed(content, to.links.get("announcement", ANYWHERE), style)
    notes = (*post.notes, LINK_COSTS) if links(post.text) else post.notes
    fields = {"text": post.text, "quote": post.quote, "page": post.page}
    return Message({name: value for name, value in fields.items() if value}, digest_of(post.text), 1, notes)


def cost(message: Message, style: Style) -> Decimal:
    """What X charges for this post: many times as much for one with a link, its own page's among them."""
    return style.link_price if links(str(message.fields["text"])) else style.price


def check(content: Content, style: Style) -> Sequence[Problem]:
    """What is wrong with this wording as a post: nothing said, something personal, too long, a quote that is none."""
    text = plain_words(content).strip()
    if not text:
        return (Problem("empty_text", "short", "there is no text to post", "write a short text"),)
    problems = [*_check_quote(content)]
    if _A_POST_IN_IT.search(text):
        # X shows it like a quote, and nobody would have asked whose post it is.
        hint = "give its address with --quote, which asks whose it is"
        problems.append(Problem("quote_in_text", "short", "it links to somebody's post (R12)", hint))
    if has_placeholder(text):
        hint = "write it without {pupil}, {guardian} and {class}, or leave X out"
        problems.append(Problem("personal_part", "short", "a public post names no pupil", hint))
    if (long := weight(_composed(content, ANYWHERE, style).text)) > MOST:
        told = f"as a post it counts {long}, with its link; at most {MOST} are allowed"
        problems.append(Problem("text_too_long", "short", told, f"shorten it by {long - MOST}"))
    return tuple(problems)


def quoted_post(content: Content) -> str | None:
    """The id of the post that a wording quotes, None when it quotes none or nothing that can be one."""
    return _post_id(content.parts.get(Part.QUOTE, ""))


def digests_of(post: Mapping[str, Any]) -> frozenset[str]:
    """The digests of a post as X gives it back, with and without the link that X adds to a quote."""
    text = text_of(post)
    return frozenset({digest_of(text), digest_of(_QUOTED.sub("", text))})


def text_of(post: Mapping[str, Any]) -> str:
    """The text of a post as it was meant: links in full, nothing escaped."""
    long = post.get("note_tweet")
    post = long if isinstance(long, Mapping) else post
    text = str(post.get("text", ""))
    entities = post.get("entities")
    urls = entities.get("urls", ()) if isinstance(entities, Mapping) else ()
    for link in urls:
        # By its short address and not by its place: X counts places before escaping in one answer, after in another.
        text = text.replace(str(link.get("url")), str(link.get("expanded_url")))
    for escaped, plain in _ESCAPED:
        text = text.replace(escaped, plain)
    return text


@dataclass(frozen=True, slots=True)
class _Post:
    text: str
    quote: str
    page: str
    notes: tuple[str, ...]


def _composed(content: Content, public_id: str, style: Style) -> _Post:
    quote = quoted_post(content) or ""
    degraded = bool(quote) and not style.quotes
    page = page_of(style.public_url, public_id)
    lines = (
        fill(plain_words(content).strip(), ()),
        f"https://x.com/i/status/{quote}" if degraded else "",
        page,
    )
    notes = (QUOTE_IS_A_LINK,) if degraded else ()
    return _Post("\n".join(filter(None, lines)), "" if degraded else quote, page, notes)


def _check_quote(content: Content) -> Sequence[Problem]:
    wanted = content.parts.get(Part.QUOTE)
    if wanted is None:
        return ()
    if _post_id(wanted) is None:
        hint = "copy its address, as https://x.com/name/status/123"
        return (Problem("bad_quote", "quote", "this is no post of X's", hint),)
    if not content.parts.get(Part.SHORT, "").strip():
        hint = "write a short text that says why it is shown"
        return (
            Problem(
                "quote_without_comment", "short", "a post is quoted with a comment, never alone (R11)", hint
            ),
        )
    return ()


def _post_id(quote: str) -> str | None:
    found = _POST.fullmatch(quote.strip())
    return found["id"] if found else None

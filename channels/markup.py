"""Markdown as harmless HTML: one rendering for every channel that shows prose, so that a mail and a page say the same.

No channel: it stands beside them, knows none of them, and any of them may use it.
"""

from __future__ import annotations

import nh3
from markdown_it import MarkdownIt

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

"""From a wording to an announcement of Classroom's: plain text, with the title above and the page below. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from broker.announcement import Content
from broker.channel import Message, Recipient
from broker.errors import Problem
from broker.naming import has_placeholder
from channels.markup import to_plain
from channels.posts import digest_of, page_of

MOST = 30_000  # characters, https://developers.google.com/classroom/reference/rest/v1/courses.announcements
AS_A_DRAFT = "it waits at Classroom as a draft, until a teacher publishes it"


def render(content: Content, to: Recipient, place: str, public_url: str | None, *, draft: bool) -> Message:
    """The announcement. Fields: `text`, `place`, whose course it stands in."""
    text = _text(content, page_of(public_url, to.links["announcement"]) if "announcement" in to.links else "")
    return Message({"text": text, "place": place}, digest_of(text), 1, (AS_A_DRAFT,) if draft else ())


def check(content: Content, public_url: str | None) -> Sequence[Problem]:
    """What is wrong with this wording there: nothing said, something personal, too long."""
    return tuple(_problems(content, public_url))


def _problems(content: Content, public_url: str | None) -> Iterator[Problem]:
    if not to_plain(content.long).strip():
        yield Problem("empty_text", "long", "there is no text to post", "write the message")
    for part, text in content.parts.items():
        if has_placeholder(text):
            hint = "write it without {pupil}, {guardian} and {class}, or leave classroom out"
            yield Problem("personal_part", part.value, "a whole class reads it, and it names no pupil", hint)
    if (long := len(_text(content, page_of(public_url)))) > MOST:
        told = f"with its title and its link it has {long:,} characters; Classroom takes {MOST:,}"
        yield Problem("text_too_long", "long", told, f"shorten it by {long - MOST:,}")


def _text(content: Content, page: str) -> str:
    title = " ".join(content.title.split())
    body = to_plain(content.long).strip()
    # A title that is the text's own beginning would be said twice.
    heading = "" if body.startswith(title.rstrip("…")) else title
    return "\n\n".join(filter(None, (heading, body, page)))

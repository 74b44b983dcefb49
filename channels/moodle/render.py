"""From a wording to a discussion: a subject, and HTML with a link to the announcement's page. Pure.

A look-up knows a discussion by its words: what Moodle's editor, filters and cleaning do to the tags around them counts
nothing.
"""

from __future__ import annotations

import html
from collections.abc import Iterator, Sequence
from html.parser import HTMLParser

from broker.announcement import Content, Part
from broker.channel import Message, Recipient
from broker.errors import Problem
from broker.naming import has_placeholder
from channels import posts
from channels.markup import to_html, to_plain

MOST_SUBJECT = 255  # Moodle's own column: a longer one breaks the whole request
MOST_TEXT = 100_000
_NO_TAGS = str.maketrans({"<": "‹", ">": "›"})  # Moodle takes what stands between them for a tag, and out


def render(content: Content, to: Recipient, place: str, public_url: str | None) -> Message:
    """The discussion. Fields: `subject`, `html`, `text` (its words), `place`, whose forum it stands in."""
    page = posts.page_of(public_url, to.links["announcement"]) if "announcement" in to.links else ""
    subject, body = subject_of(content), _html(content, page)
    fields = {"subject": subject, "html": body, "text": to_plain(content.long), "place": place}
    return Message(fields, digest_of(subject, body))


def check(content: Content) -> Sequence[Problem]:
    """What is wrong with this wording as a discussion: nothing said, something personal, a subject too long."""
    return tuple(_problems(content))


def _problems(content: Content) -> Iterator[Problem]:
    if not to_plain(content.long).strip():
        yield Problem("empty_text", "long", "there is no text to post", "write the message")
    for part, text in content.parts.items():
        if has_placeholder(text):
            hint = "write it without {pupil}, {guardian} and {class}, or leave moodle out"
            yield Problem("personal_part", part.value, "a whole course reads it, and it names no pupil", hint)
    if (long := len(subject_of(content))) > MOST_SUBJECT:
        field = Part.TITLE if Part.TITLE in content.parts else Part.SHORT
        told = f"the title has {long} characters; Moodle takes {MOST_SUBJECT}"
        yield Problem("title_too_long", field.value, told, f"shorten it by {long - MOST_SUBJECT}")
    if len(content.long) > MOST_TEXT:
        told = f"Moodle is given {MOST_TEXT:,} characters at most"
        yield Problem("text_too_long", "long", told, "shorten it, and say the rest on a page or in a file")


def subject_of(content: Content) -> str:
    """The title on one line, with nothing in it that looks like a tag."""
    return " ".join(content.title.split()).translate(_NO_TAGS)


def digest_of(subject: str, body: str) -> str:
    """Of a discussion's words, as they were sent or as Moodle gives them back (a subject with entities in it)."""
    return posts.digest_of(f"{html.unescape(subject)}\n{_words(body)}")


def _html(content: Content, page: str) -> str:
    link = f'<p><a href="{html.escape(page)}">{html.escape(page)}</a></p>' if page else ""
    return to_html(content.long).strip() + link


def _words(body: str) -> str:
    reader = _Words()
    reader.feed(body)
    reader.close()
    return " ".join(reader.words)


class _Words(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.words: list[str] = []

    def handle_data(self, data: str) -> None:
        self.words.append(data)

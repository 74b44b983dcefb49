"""From Markdown to a letter: text and HTML, sanitised, with the house's frame around them."""

from __future__ import annotations

import html
import re
from collections import OrderedDict
from collections.abc import Hashable, Iterator
from functools import cache
from importlib.resources import files
from string import Template
from threading import Lock

from broker import naming
from broker.announcement import Content, Part
from broker.channel import Message, Recipient
from channels.email.letter import House, Letter, Rendered, Slot, Wording, one_line
from channels.markup import to_html

# How many pupils may be named (two stands for more), whether any guardian, whether any class.
Who = tuple[int, bool, bool]

# What stands for a gap while the library renders. A control character is in no wording: intake refuses it, and here it
# is taken out once more.
_MARK = {slot: f"\x02{slot.value}\x02" for slot in Slot}
_MARKED = re.compile("\x02([a-z]+)\x02")
_CONTROLS = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff]")
_CUT_PLACEHOLDER = re.compile(r"\{[a-z]*…\Z")

MAX_LETTERS = 32
MAX_WEIGHT = 96 * 1024 * 1024


class Renderer:
    """Renders for one account; keeps the letters in use, bounded in number and in weight."""

    def __init__(self, house: House) -> None:
        self._house = house
        self._letters: OrderedDict[Hashable, Letter] = OrderedDict()
        self._lock = Lock()
        # One claim's mails are mostly of one wording: the very object that came last needs no looking up. In one
        # tuple, so that threads never see half of it.
        self._last: tuple[Content, Who, Letter] | None = None

    def render(self, content: Content, to: Recipient) -> Message:
        """The mail for one recipient; pure."""
        who = min(len(to.names), 2), bool(to.guardians), bool(to.classes)
        last = self._last
        if last is None or last[0] is not content or last[1] != who:
            last = self._last = content, who, self._letter(content, who)
        letter = last[2]
        personal = letter.personal(to)
        return Message(Rendered(letter, personal), letter.digest_for(personal))

    def _letter(self, content: Content, who: Who) -> Letter:
        parts = content.parts
        key = (
            content.language,
            *(parts.get(part) for part in Part),
            *((each.sha256, each.name, each.media_type) for each in content.attachments),
            who,
            content.automatic,
        )
        with self._lock:
            letter = self._letters.get(key)
            if letter is None:
                letter = self._letters[key] = compose(content, who, self._house)
                while len(self._letters) > MAX_LETTERS or (
                    len(self._letters) > 1
                    and sum(each.weight for each in self._letters.values()) > MAX_WEIGHT
                ):
                    self._letters.popitem(last=False)
            else:
                self._letters.move_to_end(key)
        return letter


def compose(content: Content, who: Who, house: House) -> Letter:
    """The letter of a wording for so many pupils: none may be named, one, or several."""
    body = body_of(content)
    lead = who[0] > 1 and not naming.names_pupils(body)
    subject = _filled(subject_of(content), who)
    body = _filled(body, who)
    common = {"school": house.school, "reply_to": house.reply_to, "stop": _MARK[Slot.STOP]}
    text = _template("mail.txt").substitute(common, lead=f"{_MARK[Slot.LEAD]}\n\n" if lead else "", body=body)
    page = _template("mail.html").substitute(
        {name: html.escape(value) for name, value in common.items()},
        language=re.sub(r"[^A-Za-z0-9-]", "", content.language) or "en",
        subject=html.escape(subject),
        lead=f"<p>{_MARK[Slot.LEAD]}</p>\n" if lead else "",
        body=to_html(body).strip(),
    )
    return Letter(house, _gaps(subject), _gaps(text), _gaps(page), content.attachments, content.automatic)


def body_of(content: Content) -> str:
    """The wording as it was written, in Markdown."""
    return _CONTROLS.sub("", content.long).strip("\n")


def subject_of(content: Content) -> str:
    """The subject as it was written, placeholders and all."""
    if title := one_line(content.parts.get(Part.TITLE, "")):
        return title
    # Nobody wrote a title: the beginning of the text, without what is Markdown's, and no placeholder cut in two.
    return _CUT_PLACEHOLDER.sub("…", one_line(content.title).lstrip("#>*-+ "))


def _filled(text: str, who: Who) -> str:
    """Marks for what each recipient has, plain words for what none of these has."""
    slots = (Slot.NAMES, Slot.GUARDIAN, Slot.CLASS)
    marks = ((_MARK[slot],) if has else () for slot, has in zip(slots, who, strict=True))
    return naming.fill(text, *marks) if naming.has_placeholder(text) else text


def _gaps(text: str) -> Wording:
    return tuple(_split(text))


def _split(text: str) -> Iterator[str | Slot]:
    for position, piece in enumerate(_MARKED.split(text)):
        if position % 2:
            yield Slot(piece)
        elif piece:
            yield piece


@cache
def _template(name: str) -> Template:
    return Template((files("channels.email") / "templates" / name).read_text("utf-8"))

"""A letter: one version of a wording as a mail, with gaps where each recipient's own words go.

Rendered once per content version, so that a mail to a thousand families costs one rendering and a thousand fillings.
"""

from __future__ import annotations

import html
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from enum import Enum
from functools import cached_property
from hashlib import sha256
from typing import Any

from broker import naming
from broker.announcement import Attachment
from broker.channel import Recipient
from broker.incoming.return_path import return_path
from channels.email.wire import Wire


class Slot(Enum):
    """A gap that each recipient's own words fill."""

    NAMES = "names"  # the pupils, where the wording says {pupil}
    GUARDIAN = "guardian"
    CLASS = "class"
    LEAD = "lead"  # "For Amy and Ben:", where a wording for several says it nowhere
    STOP = "stop"  # how to get no more of these


Wording = tuple[str | Slot, ...]

_BREAKS_A_LINE = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]+")
# Nothing that could end a header, an attribute or a pair of <>.
_LINK = re.compile(r"https?://[!#-;=?-~]{1,800}")


def one_line(text: str) -> str:
    """The text with every break and control character made a space: fit for a header, whatever it was."""
    return " ".join(_BREAKS_A_LINE.sub(" ", text).split())


@dataclass(frozen=True, slots=True)
class House:
    """Whose mail it is."""

    school: str
    sender: str
    sender_name: str
    reply_to: str
    return_path: str = ""  # the mailbox that reports go to; "" for the sender's own

    def envelope_sender(self, token: str) -> str:
        """Where a report about the attempt of this token goes: only a signed return path can be believed."""
        return return_path(self.return_path, token) if self.return_path else self.sender

    @property
    def domain(self) -> str:
        """The domain it is sent from."""
        return self.sender.rpartition("@")[2]


@dataclass(frozen=True)
class Letter:
    """The wording with its gaps. `digest` tells one wording from another; it says nothing of any recipient."""

    house: House = field(repr=False)
    subject: Wording = field(repr=False)
    text: Wording = field(repr=False)
    html: Wording = field(repr=False)
    attachments: tuple[Attachment, ...] = field(default=(), repr=False)
    automatic: bool = False

    @cached_property
    def digest(self) -> str:
        """SHA-256 (hex) of the wording and its files."""
        told = repr(
            (self.subject, self.text, self.html, [(a.name, a.media_type, a.sha256) for a in self.attachments])
        )
        return sha256(told.encode("utf-8", "backslashreplace")).hexdigest()

    @cached_property
    def names_pupils(self) -> bool:
        """Whether any gap is filled with names: if none is, a mail says nothing of whom it is about."""
        return not (set(Slot) - {Slot.STOP}).isdisjoint((*self.subject, *self.text, *self.html))

    @cached_property
    def wire(self) -> Wire:
        """The bytes of the mail, gaps and all."""
        return Wire(self, NOBODY)

    def personal(self, to: Recipient) -> Personal:
        """What this letter says to this recipient alone."""
        return Personal.of(to, named=self.names_pupils)

    def digest_for(self, personal: Personal) -> str:
        """SHA-256 (hex) of the words this recipient reads: the same for all where nobody is named."""
        if personal.says_anything:
            told = "\0".join((self.digest, *personal.words))
            return sha256(told.encode("utf-8", "replace")).hexdigest()
        return self._digest_for_nobody

    @cached_property
    def _digest_for_nobody(self) -> str:
        return sha256(f"{self.digest}\0\0".encode()).hexdigest()

    def subject_for(self, personal: Personal) -> str:
        """The subject, its gaps filled."""
        return one_line("".join(_text(piece, personal, self.house) for piece in self.subject))

    @property
    def weight(self) -> int:
        """About how many bytes it keeps alive: its files, once as they are and once as base64."""
        return 50_000 + sum(len(each.data) * 5 // 2 for each in self.attachments)


@dataclass(frozen=True, slots=True)
class Personal:
    """One recipient's own words."""

    names: str = field(repr=False)
    lead: str = field(repr=False)
    unsubscribe: str = field(repr=False)  # a link, or "" when there is none that a mail could carry
    guardians: str = field(default="", repr=False)
    classes: str = field(default="", repr=False)

    @property
    def says_anything(self) -> bool:
        """Whether any of it tells of somebody."""
        return bool(self.names or self.lead or self.guardians or self.classes)

    def with_link(self, link: str) -> Personal:
        """The same words, with this way to get no more."""
        return replace(self, unsubscribe=link)

    @property
    def words(self) -> tuple[str, ...]:
        """What tells of somebody; guardians and classes only where there are any."""
        more = (self.guardians, self.classes) if self.guardians or self.classes else ()
        return (self.names, self.lead, *more)

    @classmethod
    def of(cls, to: Recipient, *, named: bool = True) -> Personal:
        """From what may be said to this recipient; not `named` where the letter has no room for names."""
        link = to.links.get("unsubscribe", "") if to.links else ""
        if link and not _LINK.fullmatch(link):
            link = ""
        if not (named and (to.names or to.guardians or to.classes)):
            return cls("", "", link) if link else NOBODY
        names, guardians, classes = (
            tuple(one_line(word) for word in words) for words in (to.names, to.guardians, to.classes)
        )
        return cls(
            naming.join_names(names),
            naming.lead(names).strip(),
            link,
            naming.join_words(guardians),
            naming.join_words(classes),
        )

    def in_text(self, slot: Slot, house: House) -> str:
        """What fills a gap of the subject or of the plain text."""
        if slot is Slot.NAMES:
            return self.names
        if slot is Slot.LEAD:
            return self.lead
        if slot is Slot.GUARDIAN:
            return self.guardians
        if slot is Slot.CLASS:
            return self.classes
        if self.unsubscribe:
            return f"To get no more of these emails: {self.unsubscribe}"
        return f"To get no more of these emails, write so to {house.reply_to}."

    def in_html(self, slot: Slot, house: House) -> str:
        """What fills a gap of the HTML, escaped."""
        if slot is not Slot.STOP:
            return html.escape(self.in_text(slot, house))
        link = html.escape(self.unsubscribe or f"mailto:{house.reply_to}?subject=unsubscribe")
        return f'<a href="{link}">Get no more of these emails</a>'


NOBODY = Personal("", "", "")


class Rendered(Mapping[str, Any]):
    """The fields of one mail (subject, text, html, attachments' names), filled in when somebody looks.

    Sending never looks: it fills the letter's bytes. So a preview and a mail come from the same words.
    """

    __slots__ = ("letter", "personal")

    def __init__(self, letter: Letter, personal: Personal) -> None:
        self.letter = letter
        self.personal = personal

    def __getitem__(self, name: str) -> Any:
        letter, personal, house = self.letter, self.personal, self.letter.house
        match name:
            case "subject":
                return letter.subject_for(personal)
            case "text":
                return "".join(_text(piece, personal, house) for piece in letter.text)
            case "html":
                return "".join(_html(piece, personal, house) for piece in letter.html)
            case "attachments":
                return tuple(each.name for each in letter.attachments)
        raise KeyError(name)

    def __iter__(self) -> Iterator[str]:
        return iter(("subject", "text", "html", "attachments"))

    def __len__(self) -> int:
        return 4

    def __repr__(self) -> str:
        return f"<a mail of letter {self.letter.digest[:12]}>"


def _text(piece: str | Slot, personal: Personal, house: House) -> str:
    return personal.in_text(piece, house) if isinstance(piece, Slot) else piece


def _html(piece: str | Slot, personal: Personal, house: House) -> str:
    return personal.in_html(piece, house) if isinstance(piece, Slot) else piece

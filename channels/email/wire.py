"""A letter as bytes: the whole mail is encoded once, and each recipient's own parts are put into gaps made for them.

Why this is safe: both bodies are quoted-printable, where a line may be broken softly anywhere. Every gap stands
between two soft breaks, on lines of its own, so what fills it can neither lengthen another line, nor split a
character, nor begin a line with a dot, nor form a boundary (each "=" in it is written =3D). Personal headers
are whole lines before the rest.
"""

from __future__ import annotations

import re
from base64 import b64encode
from email import quoprimime
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from functools import lru_cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from channels.email.letter import Letter, Personal, Slot, Wording

SOFT = b"=\r\n"
# Marks that the library never folds or encodes: one short line of letters. They are ours alone, for a body is put in
# their place only after the library is done.
_TEXT_MARK = "CarillonTextStandsHere"
_HTML_MARK = "CarillonHtmlStandsHere"
_MARKS = re.compile(f"{_TEXT_MARK}|{_HTML_MARK}".encode())
_LEADING_DOT = re.compile(r"^\.", re.MULTILINE)
# 56 characters of base64 and 12 around them: under the 75 of RFC 2047, after "Subject: " too.
_ENCODED_WORD_BYTES = 42
_PLAIN_SUBJECT = 66

# RFC 2045 §6.7 allows more to stand for itself; these are enough, and never a dot, a dash or an "=".
_QUOTED = [
    chr(byte) if (byte < 128 and chr(byte).isalnum()) or byte in b" ,:/?&_" else f"={byte:02X}"
    for byte in range(256)
]
_LINE = 72
_LINES = re.compile(rf".{{1,{_LINE}}}(?<!=)(?<!=.)")  # never through the middle of an =XX

_STAND_IN = "https://school.example/u/"
_PLAIN_LINK = re.compile(r"https?://[A-Za-z0-9_.:/-]+")  # the same in HTML as in text

_Gap = tuple[bool, "Slot"]  # in the HTML?


class Wire:
    """The bytes of a letter, with its gaps. `fill` costs microseconds; making one costs milliseconds."""

    def __init__(self, letter: Letter, nobody: Personal) -> None:
        self._letter = letter
        self._nobody = nobody
        pieces: list[bytes | _Gap] = []
        mail = _frame(letter).as_bytes()
        end = 0
        for mark in _MARKS.finditer(mail):
            in_html = mark[0] == _HTML_MARK.encode()
            pieces.append(mail[end : mark.start()])
            pieces += _quoted_body(letter.html if in_html else letter.text, in_html=in_html)
            end = mark.end()
        self._pieces = tuple(pieces)
        self._tail = mail[end:]
        # Most mails differ in no more than address, Message-ID, date and the link to get no more.
        self._for_nobody = self._words(nobody)
        self._subject = self._subject_line(nobody)
        self._around_link = tuple(self._split_at_link(nobody.with_link(_STAND_IN)))

    def fill(self, personal: Personal, *, to: str, message_id: str, date: str) -> tuple[bytes, bytes]:
        """The mail to one recipient, in two pieces: its own, and what all have in common (the files).

        Lines end with CRLF and none begins with a dot, so that it may go after DATA as it is.
        """
        head = f"To: {to}\r\nMessage-ID: <{message_id}>\r\nDate: {date}\r\n".encode()
        return head + self._words_to(personal), self._tail

    def _words_to(self, personal: Personal) -> bytes:
        if personal is self._nobody:
            return self._for_nobody
        if personal.says_anything or not _PLAIN_LINK.fullmatch(personal.unsubscribe):
            return self._words(personal)
        return (
            self._subject
            + self._way_out(personal)
            + quoted_line(personal.unsubscribe).join(self._around_link)
        )

    def _split_at_link(self, personal: Personal) -> Iterator[bytes]:
        """The bodies for one who is told nothing but a link, cut where the link stands."""
        words: list[bytes] = []
        for piece in self._pieces:
            if isinstance(piece, bytes):
                words.append(piece)
                continue
            before, link, after = self._filling(personal, piece).partition(personal.unsubscribe)
            words += [quoted_line(before), SOFT] if link and before else [quoted_line(before)]
            if link:
                yield b"".join(words)
                words = [SOFT, quoted_line(after)] if after else []
        yield b"".join(words)

    def _words(self, personal: Personal) -> bytes:
        """All that stands between the first headers and the files."""
        bodies = (
            piece if isinstance(piece, bytes) else quoted_line(self._filling(personal, piece))
            for piece in self._pieces
        )
        return b"".join((self._subject_line(personal), self._way_out(personal), *bodies))

    def _filling(self, personal: Personal, gap: _Gap) -> str:
        in_html, slot = gap
        return (personal.in_html if in_html else personal.in_text)(slot, self._letter.house)

    def _subject_line(self, personal: Personal) -> bytes:
        return f"Subject: {encoded_subject(self._letter.subject_for(personal))}\r\n".encode()

    def _way_out(self, personal: Personal) -> bytes:
        stop = f"<mailto:{self._letter.house.reply_to}?subject=unsubscribe>"
        if personal.unsubscribe:
            stop = f"<{personal.unsubscribe}>"
            if personal.unsubscribe.startswith("https:"):  # RFC 8058 §3.1 wants no less
                stop += "\r\nList-Unsubscribe-Post: List-Unsubscribe=One-Click"
        return f"List-Unsubscribe: {stop}\r\n".encode()


def _frame(letter: Letter) -> EmailMessage:
    """The mail without its personal headers, with marks for bodies."""
    house = letter.house
    mail = EmailMessage(policy=SMTP)
    mail["From"] = Address(house.sender_name or house.school, addr_spec=house.sender)
    mail["Reply-To"] = house.reply_to
    mail["List-Id"] = f"<announcements.{house.domain}>"
    # RFC 3834 §5 keeps Auto-Submitted for what no person wrote, and filters treat it so. What else it would be good
    # for, no out-of-office notes, List-Id does (RFC 3834 §2), and this for Exchange, which schools run.
    if letter.automatic:
        mail["Auto-Submitted"] = "auto-generated"
    mail["X-Auto-Response-Suppress"] = "OOF, AutoReply"
    mail.set_content(_TEXT_MARK, cte="quoted-printable")
    mail.add_alternative(_HTML_MARK, subtype="html", cte="quoted-printable")
    for file in letter.attachments:
        main, _, sub = file.media_type.partition("/")
        if main in {"message", "multipart"}:  # base64 is forbidden to these (RFC 2045 §6.4)
            main, sub = "application", "octet-stream"
        mail.add_attachment(file.data, maintype=main, subtype=sub, filename=file.name)
    # "=_" can stand in no quoted-printable or base64 text, and the digest makes the same letter the same bytes.
    for depth, part in enumerate(part for part in mail.walk() if part.is_multipart()):
        part.set_boundary(f"=_{depth}_{letter.digest[:24]}")
    return mail


def _quoted_body(wording: Wording, *, in_html: bool) -> list[bytes | _Gap]:
    pieces: list[bytes | _Gap] = []
    last = len(wording) - 1
    for position, piece in enumerate(wording):
        if position > 0 and not (isinstance(pieces[-1], bytes) and pieces[-1].endswith(b"\n")):
            pieces.append(SOFT)
        if isinstance(piece, str):
            # The mark's own line end stands for the last one.
            pieces.append(_quoted_text(piece.removesuffix("\n") if position == last else piece))
        else:
            pieces.append((in_html, piece))
    return pieces


def _quoted_text(text: str) -> bytes:
    """Quoted-printable, 76 characters a line at most; a dot that begins a line is written =2E and needs no stuffing."""
    as_bytes = text.encode("utf-8", "replace").decode("latin-1")
    return _LEADING_DOT.sub("=2E", quoprimime.body_encode(as_bytes, maxlinelen=74, eol="\r\n")).encode(
        "ascii"
    )


@lru_cache(maxsize=256)  # the same names stand in text and HTML, the same way out in every mail
def quoted_line(text: str) -> bytes:
    """One filling, quoted-printable, broken softly where it is long."""
    quoted = text.encode("utf-8", "replace").decode("latin-1").translate(_QUOTED)
    if len(quoted) > _LINE:
        quoted = "=\r\n".join(_LINES.findall(quoted))
    return quoted.encode("ascii")


@lru_cache(maxsize=256)  # a title without names is every recipient's
def encoded_subject(subject: str) -> str:
    """A subject as it stands when that is safe, else as encoded words (RFC 2047) on lines of their own.

    Whatever `subject` holds, no line of the result begins without a space: a header cannot be smuggled in.
    """
    if subject.isascii() and subject.isprintable() and len(subject) <= _PLAIN_SUBJECT and "=?" not in subject:
        return subject.strip()
    words: list[str] = []
    word = b""
    for character in " ".join(subject.split()):
        as_bytes = character.encode("utf-8", "replace")
        if len(word) + len(as_bytes) > _ENCODED_WORD_BYTES:
            words.append(_encoded_word(word))
            word = b""
        word += as_bytes
    return "\r\n ".join([*words, _encoded_word(word)])


def _encoded_word(word: bytes) -> str:
    return f"=?utf-8?B?{b64encode(word).decode('ascii')}?="

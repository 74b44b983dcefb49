"""What people hand over: files, standard input, ids and short words. Bounded before it is read, and strictly UTF-8."""

from __future__ import annotations

import os
import stat
import sys
from datetime import timedelta
from pathlib import Path
from typing import BinaryIO
from uuid import UUID

from broker.announcement import Attachment
from broker.drafts import MOST_BYTES
from broker.errors import Problem, RuleBroken
from broker.rules.parameters import DURATION_HINT, duration_of
from cli import show

MOST_TEXT = 256 * 1024  # bytes: more than the longest wording in any script
LONGEST_WHY = 300
LONGEST_LENGTH = 20
LARGEST_ID = 2**63 - 1
STDIN = Path("-")


def text_from(path: Path) -> str:
    """A file's text, or standard input's for "-". Raises RuleBroken."""
    if path == STDIN:
        if sys.stdin.isatty():
            show.hint("type the message; Ctrl-D on a line of its own ends it")
        return _decoded(_bounded(sys.stdin.buffer, MOST_TEXT, "text"))
    return _decoded(bytes_from(path, MOST_TEXT, "text"))


def attachment_from(path: Path) -> Attachment:
    """A file that goes with a mail. Raises RuleBroken."""
    return Attachment.of(path.name, bytes_from(path, MOST_BYTES, "attach"))


def bytes_from(path: Path, most: int, field: str) -> bytes:
    """A regular file's bytes: a pipe or a device could go on for ever. Raises RuleBroken."""
    try:
        with open(path, "rb", opener=_open_at_once) as file:
            if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
                raise bad("not_a_file", field, "this is no file", "name a file, or - for standard input")
            return _bounded(file, most, field)
    except FileNotFoundError:
        raise bad("no_file", field, "there is no such file", "check the name and the folder") from None
    except (OSError, ValueError):
        raise bad("unreadable_file", field, "this file cannot be read", "check who may read it") from None


def length_from(text: str, field: str) -> timedelta:
    """A length of time as typed, 4 h. Raises RuleBroken."""
    value = duration_of(text.strip()) if len(text) <= LONGEST_LENGTH else None
    if value is None:
        raise bad("bad_length", field, "this is no length of time", DURATION_HINT)
    return value


def announcement_id(text: str) -> UUID:
    """An announcement's id as typed. Raises RuleBroken."""
    try:
        return UUID(text)
    except ValueError:
        hint = "list the latest with: carillon status"
        raise bad("bad_id", "id", "this is no announcement's id", hint) from None


def delivery_number(text: str) -> int:
    """A delivery's number as typed. Raises RuleBroken."""
    if not (text.isascii() and text.isdigit() and 0 < int(text[:20]) <= LARGEST_ID):
        raise bad(
            "bad_number", "delivery", "this is no delivery's number", "list them with: carillon deliveries"
        )
    return int(text)


def short_words(text: str, field: str) -> str:
    """One line that goes into the record or is looked up by. Raises RuleBroken."""
    if not text.isprintable() or len(text) > LONGEST_WHY or not text.strip():
        hint = f"one line of at most {LONGEST_WHY} printable characters"
        raise bad("bad_text", field, "this cannot be kept", hint)
    return text.strip()


def fills(given: list[str] | None) -> dict[str, str]:
    """`time=15:30` as typed, by gap. Raises RuleBroken."""
    found: dict[str, str] = {}
    for one in given or ():
        gap, sign, words = one.partition("=")
        if not sign or not gap.strip():
            raise bad("bad_fill", "fill", "write it as GAP=WORDS", "such as --fill time=15:30")
        if gap.strip() in found:
            raise bad("fill_twice", "fill", "a gap is filled twice", "name each once")
        found[gap.strip().strip("{}")] = words.strip()
    return found


def bad(code: str, field: str, message: str, hint: str) -> RuleBroken:
    """What was handed over cannot be used."""
    return RuleBroken(Problem(code, field, message, hint))


def _open_at_once(path: str, flags: int) -> int:
    return os.open(path, flags | os.O_NONBLOCK)  # a named pipe without a writer would wait for ever


def _bounded(file: BinaryIO, most: int, field: str) -> bytes:
    data = file.read(most + 1)
    if len(data) > most:
        raise bad("too_large", field, f"this is larger than {most:,} bytes", "shorten it, or give a link")
    return data


def _decoded(data: bytes) -> str:
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as fault:
        message = f"this is no UTF-8 text: byte {fault.start + 1:,} cannot be read"
        raise bad("not_utf8", "text", message, "save it as UTF-8 (in Word: as plain text, UTF-8)") from None

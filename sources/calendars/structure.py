"""An iCalendar file before it is parsed: its letters, its size, and whether everything that begins also ends.

The parser forgives much: what is never closed it takes for not there, so that half a file would pass for a whole one.
"""

from __future__ import annotations

import re
import warnings
from collections.abc import Iterator, Sequence

from icalendar import Calendar

from sources.calendars.limits import Limits, refuse

_EDGE = re.compile(r"(BEGIN|END):([A-Z0-9-]{1,64})\s*", re.ASCII | re.IGNORECASE)
_PAGE = re.compile(r"\s*(<!--|<\?xml|<!doctype|<html|<head|<body)", re.IGNORECASE)
_AGAIN = "export it again"


def text_of(data: bytes, limits: Limits) -> str:
    """The text of a calendar, checked from outside. Raises CalendarUnreadable."""
    if len(data) > limits.file_bytes:
        refuse("too_large", "file", f"this is larger than {limits.file_bytes:,} bytes", "export fewer years")
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError:
        refuse("not_utf8", "file", "this file's letters are not UTF-8", "export it as iCalendar (UTF-8)")
    if "\0" in text:
        refuse("nul", "file", "there is a NUL character in it: the file is damaged", _AGAIN)
    refuse_page(text)
    _check_components(text, limits)
    return text


def calendars_of(text: str) -> Sequence[Calendar]:
    """The calendars of a checked text. Raises whatever the parser makes of a stranger's file."""
    with warnings.catch_warnings():
        # What it guesses of strange zones (GloballyUniqueTZIDGuessed) is of no use to whoever imports a file.
        warnings.simplefilter("ignore")
        return Calendar.from_ical(text, multiple=True)


def refuse_page(text: str) -> None:
    """Say of a web page that it is one, whatever its name. Raises CalendarUnreadable.

    An address that wants a sign-in answers with a page of words, and a browser saves that under the calendar's name.
    """
    if _PAGE.match(text):
        hint = "often it is a page to sign in: export the file itself, or use the calendar's public address"
        refuse("web_page", "file", "this is a web page (HTML), not a calendar or a table", hint)


def _check_components(text: str, limits: Limits) -> None:
    opened: list[str] = []
    calendars = events = 0
    for number, line in _lines(text, limits):
        edge = _EDGE.fullmatch(line)
        where = f"line {number}"
        if not opened and (edge is None or edge[2].upper() != "VCALENDAR"):
            refuse("no_calendar", where, "this is no iCalendar file", "it begins BEGIN:VCALENDAR")
        if edge is None:
            continue
        name = edge[2].upper()
        if edge[1].upper() == "END":
            if not opened or opened.pop() != name:
                refuse("unbalanced", where, f"{name} ends here and never began", _AGAIN)
            continue
        opened.append(name)
        calendars += name == "VCALENDAR"
        events += name == "VEVENT"
        if len(opened) > limits.depth:
            refuse("too_deep", where, "too many parts lie in each other", _AGAIN)
    if opened:
        refuse("unclosed", "file", f"its {opened[-1]} is never closed: the end is missing", _AGAIN)
    if not calendars:
        refuse("no_calendar", "file", "there is no calendar in this file", "export it as iCalendar (.ics)")
    if events > limits.events:
        refuse("too_many_events", "file", f"it holds more than {limits.events:,} events", "export fewer")


def _lines(text: str, limits: Limits) -> Iterator[tuple[int, str]]:
    """Lines that hold something, unfolded, with their numbers."""
    whole, began = "", 0
    for number, line in enumerate(re.split(r"\r\n|\n|\r", text), start=1):
        if number > limits.lines:
            refuse("too_many_lines", "file", f"it has more than {limits.lines:,} lines", "export fewer years")
        if line[:1] in {" ", "\t"} and whole:
            whole += line[1:]
            if len(whole) > limits.line:
                refuse("long_line", f"line {number}", f"longer than {limits.line:,} characters", _AGAIN)
            continue
        if whole.strip():
            yield began, whole
        whole, began = line, number
        if len(whole) > limits.line:
            refuse("long_line", f"line {number}", f"longer than {limits.line:,} characters", _AGAIN)
    if whole.strip():
        yield began, whole

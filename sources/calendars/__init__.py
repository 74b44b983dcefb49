"""Calendars that schools have: iCalendar files and CSV tables, for events and for the term calendar.

Everything is bounded before it is parsed. A file whose structure cannot be trusted is refused whole; an event that
cannot be meant is named among the problems, and it is for the caller to say whether the others are taken.
"""

from sources.calendars.events_csv import read_events as events_of_csv
from sources.calendars.ics import read_events as events_of_ics
from sources.calendars.ics import read_spans as spans_of_ics
from sources.calendars.limits import LIMITS, CalendarUnreadable, Limits
from sources.calendars.spans_csv import read_spans as spans_of_csv

__all__ = [
    "LIMITS",
    "CalendarUnreadable",
    "Limits",
    "events_of_csv",
    "events_of_ics",
    "looks_like_ics",
    "spans_of_csv",
    "spans_of_ics",
]


def looks_like_ics(data: bytes) -> bool:
    """Whether it begins as a calendar does, whatever its name says."""
    return data[:200].lstrip(b"\xef\xbb\xbf \t\r\n").upper().startswith(b"BEGIN:")

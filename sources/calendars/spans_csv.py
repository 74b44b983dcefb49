"""The term calendar as a table: `kind,name,begins,ends`, the last two as 2026-09-01 or 01/09/2026."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime

from broker.diary.calendar import Span, SpanKind
from broker.diary.events import EventProblem
from sources.calendars.limits import LIMITS, Limits
from sources.calendars.spans import kind_of
from sources.calendars.table import rows_of

_HOW = "write it as 2026-09-01"


def read_spans(data: bytes, *, limits: Limits = LIMITS) -> tuple[Sequence[Span], Sequence[EventProblem]]:
    """Terms, half-terms, INSET days and closures. Raises CalendarUnreadable."""
    spans: list[Span] = []
    problems: list[EventProblem] = []
    for number, row in rows_of(data, required=("kind", "begins"), optional=("name", "ends"), limits=limits):
        where = f"row {number}"
        kind = _kind(row["kind"])
        begins, ends = day_of(row["begins"]), day_of(row.get("ends") or row["begins"])
        if kind is None:
            message = "this is no kind of stretch"
            problems.append(EventProblem(where, "unknown_kind", message, f"use {', '.join(SpanKind)}"))
        elif begins is None or ends is None:
            problems.append(EventProblem(where, "bad_day", "this is no day", _HOW))
        else:
            spans.append(Span(kind, " ".join(row.get("name", "").split()), begins, ends))
    return spans, problems


def day_of(text: str) -> date | None:
    """A day as spreadsheets write it; the day stands before the month, as in Britain. None for what is none."""
    for form in ("%Y-%m-%d", "%d/%m/%Y"):
        try:
            return datetime.strptime(text[:20], form).date()  # noqa: DTZ007 - a day has no zone
        except ValueError:
            continue
    return None


def _kind(text: str) -> SpanKind | None:
    return kind_of(text)

"""The term calendar: what kind of day a date is, and so whether a rehearsal takes place on it.

Three voices make it: terms and half-terms from a roster or a file, INSET days and closures from a file, and bank
holidays from the `holidays` package. What nobody has told is never taken for term time: a date beyond the last known
term is *unknown*, and whoever asks is told so.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum
from functools import cache
from itertools import pairwise

from broker.errors import Problem, RuleBroken
from broker.rosters.roster import RosterTerm, TermKind

MOST_SPANS = 1_000  # a school's calendar of ten years has some two hundred
LONGEST_SPAN = timedelta(days=400)
LONGEST_NAME = 100
_DAY = timedelta(days=1)


class SpanKind(StrEnum):
    """What a stretch of the calendar is, as a file tells it."""

    TERM = "term"
    HALF_TERM = "half_term"
    INSET = "inset"  # staff are there and pupils are not
    CLOSED = "closed"  # by the school's own decision: a snow day, an election


class DayKind(StrEnum):
    """What kind of day a date is; the later ones of a day overrule the earlier."""

    TERM = "term"
    HOLIDAY = "holiday"  # between terms
    HALF_TERM = "half_term"
    INSET = "inset"
    CLOSED = "closed"
    BANK_HOLIDAY = "bank_holiday"
    UNKNOWN = "unknown"  # before the first known term, or after the last


class CalendarRefused(RuleBroken):
    """Raised when a term calendar cannot be what is meant; the one before stays."""


@dataclass(frozen=True, slots=True)
class Span:
    """A stretch of the calendar, both days included."""

    kind: SpanKind
    name: str
    begins_on: date
    ends_on: date


@dataclass(frozen=True, slots=True)
class Day:
    """One date: its kind, and the name of what makes it so ("Spring Bank Holiday"); "" for what has none."""

    on: date
    kind: DayKind
    name: str = ""

    @property
    def why(self) -> str:
        """In words, for a list of dates that are left out."""
        return f"{_IN_WORDS[self.kind]}: {self.name}" if self.name else _IN_WORDS[self.kind]


_IN_WORDS: Mapping[DayKind, str] = {
    DayKind.TERM: "in term",
    DayKind.HOLIDAY: "school holidays",
    DayKind.HALF_TERM: "half-term",
    DayKind.INSET: "INSET day",
    DayKind.CLOSED: "school is closed",
    DayKind.BANK_HOLIDAY: "bank holiday",
    DayKind.UNKNOWN: "no term is known that far",
}
_OF_SPAN = {
    SpanKind.HALF_TERM: DayKind.HALF_TERM,
    SpanKind.INSET: DayKind.INSET,
    SpanKind.CLOSED: DayKind.CLOSED,
}


class TermCalendar:
    """What kind of day each date is. `region` is whose bank holidays count, such as GB-ENG; "" for none."""

    def __init__(self, spans: Collection[Span], *, region: str) -> None:
        self.spans: Sequence[Span] = sorted(spans, key=lambda span: (span.begins_on, span.ends_on))
        self._region = region
        self._terms = [span for span in self.spans if span.kind is SpanKind.TERM]
        self._marked = {
            on: Day(on, _OF_SPAN[span.kind], span.name)
            # What is later in the list overrules: a day that is closed is closed in half-term too.
            for span in sorted(self.spans, key=lambda span: list(SpanKind).index(span.kind))
            if span.kind is not SpanKind.TERM
            for on in days(span)
        }
        self._starts = [term.begins_on for term in self._terms]
        self._asked: dict[date, Day] = {}  # hundreds of schedules ask for the same days

    @property
    def known_from(self) -> date | None:
        """The first day of the first known term; None while there is none."""
        return self._terms[0].begins_on if self._terms else None

    @property
    def known_until(self) -> date | None:
        """The last day of the last known term; None while there is none."""
        return max((term.ends_on for term in self._terms), default=None)

    def day(self, on: date) -> Day:
        """What kind of day it is."""
        known = self._asked.get(on)
        if known is None:
            known = self._asked[on] = self._day(on)
        return known

    def _day(self, on: date) -> Day:
        if (found := bank_holiday(self._region, on)) is not None:
            return Day(on, DayKind.BANK_HOLIDAY, found)
        if (marked := self._marked.get(on)) is not None:
            return marked
        if self.known_from is None or self.known_until is None:
            return Day(on, DayKind.UNKNOWN)
        if not self.known_from <= on <= self.known_until:
            return Day(on, DayKind.UNKNOWN)
        term = self._term_at(on)
        return Day(on, DayKind.HOLIDAY) if term is None else Day(on, DayKind.TERM, term.name)

    def _term_at(self, on: date) -> Span | None:
        before = self._terms[: bisect_right(self._starts, on)]
        return next((term for term in reversed(before) if on <= term.ends_on), None)


def calendar_of(spans: Collection[Span], told: Sequence[RosterTerm], *, region: str) -> TermCalendar:
    """The calendar of what the office imported and what the roster tells.

    Terms that the office imported itself stand in the place of the roster's; half-terms and INSET days add to either.
    """
    return TermCalendar([*spans, *(() if has_own_terms(spans) else roster_spans(told))], region=region)


def has_own_terms(spans: Collection[Span]) -> bool:
    """Whether the office brought terms itself, so that nobody asks the roster's."""
    return any(span.kind is SpanKind.TERM for span in spans)


def roster_spans(told: Sequence[RosterTerm]) -> Sequence[Span]:
    """Terms out of a roster's academic sessions: its terms, else its semesters, else its school years.

    Where a term is told in grading periods ("Autumn 1", "Autumn 2"), the week between two of them is its half-term.
    """
    for kind in (TermKind.TERM, TermKind.SEMESTER, TermKind.SCHOOL_YEAR):
        terms = [term for term in told if term.kind is kind]
        if terms:
            break
    else:
        return ()
    spans = [Span(SpanKind.TERM, term.name, term.begins_on, term.ends_on) for term in terms]
    for term in terms:
        parts = sorted(
            (part for part in told if part.kind is TermKind.GRADING_PERIOD and part.parent == term.source_id),
            key=lambda part: part.begins_on,
        )
        spans += [
            Span(SpanKind.HALF_TERM, "", first.ends_on + _DAY, then.begins_on - _DAY)
            for first, then in pairwise(parts)
            if then.begins_on - first.ends_on > _DAY
        ]
    return spans


def check_spans(spans: Sequence[Span]) -> None:
    """Raises CalendarRefused for a calendar that cannot be meant: naming which stretch, and what is wrong with it."""
    if len(spans) > MOST_SPANS:
        raise _refused(
            "too_many_spans", f"it holds more than {MOST_SPANS:,} stretches", "is it the right file?"
        )
    for span in spans:
        called = span.name or span.kind.value
        if not (span.name.isprintable() and len(span.name) <= LONGEST_NAME):
            raise _refused("bad_name", f"a name is longer than {LONGEST_NAME} characters", "shorten it")
        if span.ends_on < span.begins_on:
            raise _refused("ends_first", f"{called} ends before it begins", "check its two days")
        if span.ends_on - span.begins_on > LONGEST_SPAN:
            raise _refused("too_long", f"{called} is longer than a school year", "check its two days")
        if not 2000 <= span.begins_on.year <= 2199:
            raise _refused("bad_year", f"the year {span.begins_on.year} cannot be meant", "check the year")
    terms = sorted((s for s in spans if s.kind is SpanKind.TERM), key=lambda span: span.begins_on)
    for first, then in pairwise(terms):
        if then.begins_on <= first.ends_on:
            message = f"{first.name or 'a term'} and {then.name or 'a term'} overlap"
            raise _refused("terms_overlap", message, "a day belongs to one term")


def days(span: Span) -> Iterable[date]:
    """Each of its days."""
    return (span.begins_on + _DAY * n for n in range((span.ends_on - span.begins_on).days + 1))


def check_region(region: str) -> None:
    """Raises CalendarRefused when nobody knows the bank holidays of a region."""
    import holidays  # noqa: PLC0415 - it takes longer to load than most commands take

    country, _, part = region.partition("-")
    known = holidays.list_supported_countries(include_aliases=False)
    if region and (country not in known or (part and part not in known[country])):
        parts = ", ".join(f"{country}-{one}" for one in known.get(country, ()))
        hint = f"there are {parts}" if parts else "write it as GB-ENG"
        raise _refused("unknown_region", "the bank holidays of this region are not known", hint)


def bank_holiday(region: str, on: date) -> str | None:
    """The bank holiday of this day, by its name."""
    return _bank_holidays(region, on.year).get(on) if region else None


@cache
def _bank_holidays(region: str, year: int) -> Mapping[date, str]:
    import holidays  # noqa: PLC0415 - as above

    country, _, part = region.partition("-")
    return dict(holidays.country_holidays(country, subdiv=part or None, years=year, language="en_US").items())


def _refused(code: str, message: str, hint: str) -> CalendarRefused:
    return CalendarRefused(Problem(code, "calendar", message, hint))

"""The hours of the week: drawn day by day, said in words, and typed in rows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from broker.announcement import People, Purpose
from broker.rules.hours import ANY, DAYS, Opening
from web.watch import words
from web.watch.desk import Form

NAMES = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
MIDNIGHT = 24 * 60
SPARE = 2  # empty rows for more hours
MOST_ROWS = 60  # of a form: more than any school has
PURPOSES = {Purpose.SERVICE.value: "ordinary messages", Purpose.PROMOTIONAL.value: "advertising"}
WHO = {
    People.GUARDIANS.value: "guardians",
    People.FIRST.value: "first guardians",
    People.PUPILS.value: "pupils",
    People.STAFF.value: "staff",
    People.BOTH.value: "pupils and guardians",
}


@dataclass(frozen=True, slots=True)
class Day:
    """One day of the week: when it is open, and the same as parts of a strip of 1440."""

    name: str
    told: str
    stretches: Sequence[tuple[int, int]]  # where each begins, and how long it is, in minutes


@dataclass(frozen=True, slots=True)
class Week:
    """The hours of what a group of openings is for."""

    what: str
    days: Sequence[Day]


@dataclass(frozen=True, slots=True)
class Row:
    """One stretch of hours as a form has it."""

    number: int
    channel: str = ""
    purpose: str = ANY
    people: str = ANY
    first: str = DAYS[0]
    last: str = DAYS[4]
    begins: str = ""
    ends: str = ""
    gone: bool = False


def weeks(openings: Sequence[Opening]) -> Sequence[Week]:
    """A week for each thing that hours are for, in the order in which they are written."""
    groups: dict[tuple[str, str, str], list[Opening]] = {}
    for one in openings:
        groups.setdefault(one.what, []).append(one)
    return [Week(what_said(*what), [_day(group, day) for day in range(7)]) for what, group in groups.items()]


def what_said(channel: str, purpose: str, people: str) -> str:
    """What hours are for: "Text messages, advertising, to pupils"."""
    by = "Anything" if channel == ANY else words.channel(channel)
    by += "" if purpose == ANY else f", {PURPOSES.get(purpose, purpose)}"
    return by if people == ANY else f"{by} to {WHO.get(people, people)}"


def opening_said(one: Opening) -> str:
    """One stretch: "Text messages: Monday to Friday, 07:00 to 20:30"."""
    first, last = one.days[0], one.days[-1]
    days = "every day" if len(one.days) == 7 else NAMES[first]
    if 1 < len(one.days) < 7:
        days = f"{NAMES[first]} to {NAMES[last]}"
    return f"{what_said(*one.what)}: {days}, {clock(one.begins)} to {clock(one.ends)}"


def rows_of(openings: Sequence[Opening]) -> Sequence[Row]:
    """Them as rows of a form, with some left empty."""
    rows = [
        Row(
            number,
            one.channel,
            one.purpose,
            one.people,
            DAYS[one.days[0]],
            DAYS[one.days[-1]],
            clock(one.begins),
            clock(one.ends % MIDNIGHT),
        )
        for number, one in enumerate(openings)
    ]
    return [*rows, *(Row(len(rows) + spare) for spare in range(SPARE))]


def typed_rows(form: Form) -> Sequence[Row]:
    """The rows of a form, as somebody left them."""
    rows = []
    for number in range(MOST_ROWS):
        if f"channel_{number}" not in form:
            break
        asked = {name: form[f"{name}_{number}"][:40] for name in _FIELDS}
        rows.append(Row(number, **asked, gone=f"gone_{number}" in form))
    return rows


def written(rows: Sequence[Row]) -> str:
    """What they say, as the rule is written; a row that says nothing, or that is to go, is left out."""
    lines = []
    for row in rows:
        if row.gone or not (row.channel or row.begins or row.ends):
            continue
        days = row.first if row.first == row.last else f"{row.first}-{row.last}"
        ends = "24:00" if row.ends == "00:00" else row.ends
        what = "/".join((row.channel or ANY, row.purpose or ANY, row.people or ANY))
        lines.append(f"{what} {days} {row.begins or '?'}-{ends or '?'}")
    return "; ".join(lines)


def clock(minute: int) -> str:
    """A minute of the day: 07:00."""
    return f"{minute // 60:02d}:{minute % 60:02d}"


_FIELDS = ("channel", "purpose", "people", "first", "last", "begins", "ends")


def _day(group: Sequence[Opening], day: int) -> Day:
    open_ = sorted((one.begins, one.ends) for one in group if day in one.days)
    told = ", ".join(f"{clock(begins)} to {clock(ends)}" for begins, ends in open_)
    return Day(NAMES[day], told or "not at all", [(begins, ends - begins) for begins, ends in open_])

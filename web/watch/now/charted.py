"""What a chart shows, as its table has it: heads and rows, each cell as it is read and as it is drawn."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

from broker.money import written
from ledger.reads.figures import Figures, Sent
from web.watch import words

FORTNIGHT = 14
MOST_CHANNELS = 5  # beyond that nobody tells the colours apart: the rest is one
REST = "Others"


@dataclass(frozen=True, slots=True)
class Cell:
    """What is read, and the number that is drawn; None where there is nothing to draw."""

    text: str
    value: float | None = None


@dataclass(frozen=True, slots=True)
class Series:
    """One column: what it is called, and how it is drawn: as bars, each on top of the one before, or as a line."""

    name: str
    kind: str = "bar"
    colour: str = "blue"


@dataclass(frozen=True, slots=True)
class Row:
    """One row: what it is of, the same in few signs for below the chart, and its cells; `link`: what it leads to."""

    name: str
    short: str
    cells: Sequence[Cell]
    link: str = ""


@dataclass(frozen=True, slots=True)
class Chart:
    """A chart is its table. `unit`: how the numbers at its side are written (count, seconds, or a sign of money)."""

    title: str
    first: str  # the head of the first column
    series: Sequence[Series]
    rows: Sequence[Row]
    unit: str = "count"
    empty: str = ""  # what is said instead, where there is nothing to draw


COLOURS = ("blue", "green", "yellow", "magenta", "cyan", "white")


def days_until(moment: datetime, zone: str, count: int = FORTNIGHT) -> Sequence[date]:
    """So many days, the last of them the one of a moment by the school's clocks."""
    last = moment.astimezone(ZoneInfo(zone)).date()
    return [last - timedelta(days=back) for back in reversed(range(count))]


def of_days(found: Figures, days: Sequence[date]) -> Chart:
    """Deliveries by channel, a row a day; each leads to its hours."""
    rows = [(f"{day:%Y-%m-%d}", day_in_words(day), f"{day.day} {day:%b}") for day in days]
    links = {key: f"watch/figures?day={key}" for key, _, _ in rows}
    return _of_sent("Messages sent, by the day", "Day", found, rows, links)


def of_hours(found: Figures, day: date) -> Chart:
    """Deliveries by channel, a row an hour of one day."""
    rows = [
        (f"{day:%Y-%m-%d} {hour:02}", f"{hour:02}:00 to {hour:02}:59", f"{hour:02}") for hour in range(24)
    ]
    return _of_sent(f"Messages sent on {day_in_words(day)}, by the hour", "Hour", found, rows, {})


def of_times(found: Figures, days: Sequence[date]) -> Chart:
    """How long it took, a row a day: half of them within, and 95 of 100 within."""
    series = (
        Series("Half had gone within", "line", "green"),
        Series("95 of 100 had gone within", "line", "yellow"),
    )
    rows = []
    for day in days:
        sent = found.sent.get(f"{day:%Y-%m-%d}", Sent())
        cells = [_lasting(sent.within(share)) for share in (0.5, 0.95)]
        rows.append(Row(day_in_words(day), f"{day.day} {day:%b}", cells))
    title = "How long it took, from when a message was due until its provider had it"
    nothing = "Nothing was sent in these days."
    return Chart(title, "Day", series, rows, "seconds", "" if any(found.sent.values()) else nothing)


def of_spend(found: Figures, months: Sequence[str], currency: str) -> Chart:
    """What was spent by the month, beside what might be."""
    series = [Series("Spent", "bar", "blue")]
    series += [Series("Budget", "line", "red")] if found.budgets else []
    rows = []
    for month in months:
        first = date(int(month[:4]), int(month[5:]), 1)
        cells = [_amount(found.spent.get(month, Decimal(0)), currency)]
        cells += [_amount(found.budgets.get(month), currency)] if found.budgets else []
        rows.append(Row(f"{first:%B %Y}", f"{first:%b}", cells))
    title = "Spent, against the budget, by the month" if found.budgets else "Spent, by the month"
    sign = written(Decimal(0), currency).strip("0., ")
    nothing = "" if found.spent or found.budgets else "Nothing was spent, and no budget is set."
    return Chart(title, "Month", series, rows, sign, nothing)


def day_in_words(day: date) -> str:
    """Mon 23 Nov."""
    return f"{day:%a} {day.day} {day:%b}"


def lasting(length: timedelta) -> str:
    """A length of time in words, as finely as it matters."""
    seconds = length.total_seconds()
    if seconds < 1:
        return "less than a second"
    for size, one in ((86400, "day"), (3600, "hour"), (60, "minute")):
        if seconds >= 2 * size:
            return words.many(round(seconds / size), one)
    return words.many(round(seconds), "second")


def a_second(count: float) -> str:
    """How fast that is: "5 a second", "12 a minute"."""
    if count >= 1 or not count:
        return f"{count:,.1f}".rstrip("0").rstrip(".") + " a second"
    return f"{count * 60:.0f} a minute"


def _of_sent(
    title: str, first: str, found: Figures, keys: Sequence[tuple[str, str, str]], links: dict[str, str]
) -> Chart:
    channels = found.channels
    shown, rest = channels[:MOST_CHANNELS], channels[MOST_CHANNELS:]
    names = [words.channel(name) for name in shown] + ([REST] if rest else [])
    series = [Series(name, "bar", COLOURS[place % len(COLOURS)]) for place, name in enumerate(names)]
    series.append(Series("Did not go", "line", "red"))
    rows = []
    for key, name, short in keys:
        sent = found.sent.get(key, Sent())
        numbers = [sent.went[channel] for channel in shown]
        numbers += [sum(sent.went[channel] for channel in rest)] if rest else []
        numbers.append(sum(sent.failed.values()))
        rows.append(Row(name, short, [Cell(f"{n:,}", n) for n in numbers], links.get(key, "")))
    return Chart(title, first, series, rows, "count", "" if channels else "Nothing was sent in this time.")


def _lasting(length: timedelta | None) -> Cell:
    return Cell("–") if length is None else Cell(lasting(length), round(length.total_seconds(), 2))


def _amount(amount: Decimal | None, currency: str) -> Cell:
    return Cell("none") if amount is None else Cell(written(amount, currency), float(amount))

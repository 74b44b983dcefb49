"""Presenting: tables and sentences for people, one JSON object for programs. Nothing is decided here."""

from __future__ import annotations

import json
import os
import sys
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, is_dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from enum import Enum
from io import TextIOWrapper
from pathlib import Path
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from rich.cells import cell_len
from rich.console import Console
from rich.padding import Padding
from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn
from rich.table import Table
from rich.text import Text

from broker.delivery import STATES, State
from broker.duty import DutyState
from broker.errors import Problem

PATIENCE = timedelta(seconds=2)  # work that takes longer shows that it is going on
DUTY_COLOURS = {DutyState.MET: "green", DutyState.OPEN: "yellow", DutyState.LAPSED: "red"}


def set_up() -> None:
    """Let no terminal's encoding turn an answer into a crash, nor a stream that was closed before we began."""
    sys.stdin = sys.stdin or Path(os.devnull).open(encoding="utf-8")  # noqa: SIM115 - for as long as we live
    sys.stdout = sys.stdout or Path(os.devnull).open("w", encoding="utf-8")  # noqa: SIM115 - for as long as we live
    sys.stderr = sys.stderr or Path(os.devnull).open("w", encoding="utf-8")  # noqa: SIM115 - for as long as we live
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):
            stream.reconfigure(errors="replace")


def out() -> Console:
    """Where a command's answer goes."""
    return Console(highlight=False, soft_wrap=not sys.stdout.isatty())


def aside() -> Console:
    """Where progress and complaints go, so that an answer can be piped on."""
    return Console(stderr=True, highlight=False)


def plain(text: object) -> str:
    """Text from anywhere made safe for a terminal: a name may hold what a terminal would obey."""
    return "".join(
        c if c.isprintable() else " " if c in "\n\t" else "\N{REPLACEMENT CHARACTER}" for c in str(text)
    )


def say(*sentences: str) -> None:
    """Lines of plain text, as the command's answer."""
    for sentence in sentences:
        out().print(Text(sentence))


def hint(sentence: str) -> None:
    """A line beside the answer."""
    aside().print(Text(sentence, style="dim"))


def as_json(value: Any) -> None:
    """One JSON object on one line; ASCII, so that every terminal and pipe takes it."""
    print(json.dumps(value, default=_bare), flush=True)


def problem_as_json(problems: Sequence[Problem]) -> None:
    """The one shape of every error; further ones of a configuration stand beside the first."""
    told: dict[str, Any] = {"error": problems[0].as_dict()}
    if len(problems) > 1:
        told["errors"] = [problem.as_dict() for problem in problems]
    as_json(told)


def problem_in_words(problems: Sequence[Problem]) -> None:
    """The same for people, on standard error."""
    console = aside()
    for problem in problems:
        line = Text("error", style="bold red")
        line.append(f": {plain(problem.field)}: " if problem.field else ": ", style="default")
        line.append(plain(problem.message), style="default")
        console.print(line)
        if problem.hint:
            console.print(Text(f"  {plain(problem.hint)}", style="dim"))
    console.print(Text(f"  [{problems[0].code}]", style="dim"))


def many(count: int, one: str, more: str = "") -> str:
    """ "1 text", "2 texts"; thousands set apart."""
    return f"{count:,} {one if count == 1 else more or one + 's'}"


def wall(moment: datetime, zone: ZoneInfo, how: str = "%Y-%m-%d %H:%M") -> str:
    """An instant as the school's clock on the wall shows it."""
    return moment.astimezone(zone).strftime(how)


def table(
    headers: Sequence[str],
    rows: Iterable[Sequence[object]],
    *,
    title: str = "",
    none: str = "",
    short: str = "",
    below: Sequence[str] = (),
) -> None:
    """A table; every cell is shown as text, whatever it holds. `none` is said instead of an empty one.

    First stands what is copied, an id or a name, and is never broken; the column `short` is cut to fit. Where the
    terminal is too narrow for all of it, the columns `below` go under their row.
    """
    rows = list(rows)
    if not rows and none:
        say(none)
        return
    drawn = Table(title=title or None, title_justify="left", box=None, pad_edge=False, header_style="bold")
    shown = [[cell if isinstance(cell, Text) else Text(plain(cell)) for cell in row] for row in rows]
    if below and sum(_widths(headers, shown)) > out().width:
        _two_storeys(headers, shown, below)
        return
    for place, header in enumerate(headers):
        if header == short:
            drawn.add_column(
                header, overflow="ellipsis", no_wrap=True, max_width=_rest(headers, shown, place)
            )
        else:
            drawn.add_column(header, overflow="fold", no_wrap=place == 0)
    for row in shown:
        drawn.add_row(*row)
    out().print(drawn)


def _rest(headers: Sequence[str], rows: Sequence[Sequence[Text]], place: int) -> int:
    """What the other columns leave of the terminal's width to this one."""
    widths = _widths(headers, rows)
    return max(out().width - sum(widths) + widths[place], 10)


def _widths(headers: Sequence[str], rows: Sequence[Sequence[Text]]) -> Sequence[int]:
    """How wide each column is, with the room beside it."""
    return [
        max([cell_len(header), *(cell_len(row[column].plain) for row in rows)]) + 2
        for column, header in enumerate(headers)
    ]


def _two_storeys(headers: Sequence[str], rows: Sequence[Sequence[Text]], below: Sequence[str]) -> None:
    """Each row with some of its cells in lines of their own under it."""
    widths, console = _widths(headers, rows), out()

    def line(cells: Sequence[Text]) -> Text:
        told = Text()
        for header, cell, width in zip(headers, cells, widths, strict=True):
            if header not in below:
                told.append_text(cell).append(" " * (width - cell_len(cell.plain)))
        told.rstrip()
        return told

    console.print(line([Text(header, style="bold") for header in headers]), soft_wrap=True)
    for row in rows:
        console.print(line(row), soft_wrap=True)
        for header, cell in zip(headers, row, strict=True):
            if header in below and cell.plain:
                told = Text.assemble((f"{header}: ", "dim"), cell)
                # A pipe is as wide as a page.
                console.print(Padding(told, (0, 0, 0, 2), expand=False), soft_wrap=False)


def state(of: State, *, short: bool = False) -> Text:
    """A delivery's state in its plain words and colour, or in its one word beside the reason."""
    look = STATES[of]
    return Text(of.value if short else look.label, style=look.colour)


def states(counted: Mapping[State, int]) -> str:
    """How many stand how, in the order of the state table."""
    return ", ".join(f"{counted[s]} {STATES[s].label}" for s in STATES if counted.get(s)) or "none yet"


def duties(counted: Mapping[DutyState, int]) -> str:
    """How many people were told, and how many not."""
    met, waiting, lapsed = (counted.get(s, 0) for s in (DutyState.MET, DutyState.OPEN, DutyState.LAPSED))
    return f"{met} told, {waiting} still open, {lapsed} could not be told"


@contextmanager
def busy(what: str, *, quiet: bool) -> Iterator[Callable[[float], None]]:
    """A bar beside work that takes longer than a moment; it moves, or shows the share (0 to 1) that it is told."""
    console = aside()
    if quiet or not console.is_terminal:
        yield lambda _: None
        return
    bar = Progress(SpinnerColumn(), TextColumn(what), BarColumn(), console=console, transient=True)
    task = bar.add_task(what, total=None)
    begin = threading.Timer(PATIENCE.total_seconds(), bar.start)
    begin.daemon = True
    begin.start()
    try:
        yield lambda share: bar.update(task, total=1.0, completed=share)
    finally:
        begin.cancel()
        begin.join()
        bar.stop()


def _bare(value: object) -> object:
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, UUID):
        return str(value)
    if isinstance(value, date):  # and whatever has a time as well
        return value.isoformat()
    if is_dataclass(value) and not isinstance(value, type):
        return asdict(value)
    if isinstance(value, Decimal):  # as written: a number of JSON would be a fraction of two
        return f"{value:f}"
    raise TypeError(f"{type(value).__name__} is no JSON")

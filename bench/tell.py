"""What a run says to people: the table with its bars, in a terminal or as Markdown."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from statistics import median

from rich.console import Console
from rich.table import Table

from bench.compare import Comparison, Spread
from bench.findings import BY_TWO, CPU, CPU_AIMS, GATES, Findings

BEGIN, END = "<!-- figures -->", "<!-- /figures -->"
BAR = 10  # characters up to the aim
MOST = 16
_EIGHTHS = " ▏▎▍▌▋▊▉"
COLUMNS = (
    "",
    "theirs /s",
    "ours /s",
    "ratio",
    "half within",
    "all within",
    "aim",
    "beside the aim",
    "CPU ms each",
)


def show(found: Findings, console: Console) -> None:
    """The table and what belongs to it."""
    if found.comparisons:
        table = Table(title="Medians; CPU: theirs; ours + the database")
        for column in COLUMNS:
            table.add_column(column, no_wrap=column == "beside the aim")
        for one in found.comparisons.values():
            table.add_row(*_row(one))
        console.print(table)
    for line in (*_conditions(found), *_rest(found)):
        console.print(line, highlight=False, soft_wrap=True)


def markdown(found: Findings) -> str:
    """The same, for a page."""
    lines = [*_conditions(found), ""]
    if found.comparisons:
        lines += ["| " + " | ".join(COLUMNS) + " |", "|---" * len(COLUMNS) + "|"]
        lines += ["| " + " | ".join(_row(one)) + " |" for one in found.comparisons.values()]
    return "\n".join([*lines, "", *(f"* {line}" for line in _rest(found))]) + "\n"


def into(page: Path, found: Findings) -> None:
    """Put the table into a page, between its two marks."""
    before, begin, rest = page.read_text().partition(BEGIN)
    _, end, after = rest.partition(END)
    if not end:
        raise ValueError(f"{page} has no place for figures: {BEGIN} … {END}")
    page.write_text(f"{before}{begin}\n{markdown(found)}{end}{after}")


def bar(value: float, aim: float) -> str:
    """As long as the value is beside its aim, which stands at ten characters; cut off where it is far beyond."""
    eighths = round(value / aim * BAR * 8)
    whole, part = divmod(eighths, 8)
    drawn = "█" * whole + (_EIGHTHS[part].strip() if part else "")
    return f"{drawn[: MOST - 1]}›" if len(drawn) > MOST else drawn


def _row(one: Comparison) -> Sequence[str]:
    theirs, ours = (median(p.rate for p in side) for side in (one.theirs, one.ours))
    worker = median(p.worker_cpu / p.size for p in one.ours) * 1000
    database = median(p.database_cpu / p.size for p in one.ours) * 1000
    other = median(p.cpu_each for p in one.theirs) * 1000
    ratio = one.ratio
    return (
        one.name + (" (void)" if one.void else ""),
        f"{theirs:,.0f}",
        f"{ours:,.0f}",
        _short(ratio.median),
        f"{_short(ratio.quarters[0])} to {_short(ratio.quarters[1])}",
        f"{_short(ratio.lowest)} to {_short(ratio.highest)}",
        f"{one.aim:g}" if one.aim else "",
        bar(ratio.median, one.aim) if one.aim else "",
        f"{other:.2f}; {worker:.2f} + {database:.2f}",
    )


def _conditions(found: Findings) -> Iterator[str]:
    told = dict(found.conditions)
    load = ", ".join(map(str, told["load_before"]))
    yield (
        f"{told['date']}: {told['run']} on {told['cores']} cores ({told['processor']}), Python {told['python']},"
        f" load before it {load}; {told['packages']}"
    )
    if found.chosen:
        yield "Found best: " + "; ".join(f"{whose} {way}" for whose, way in found.chosen.items())


def _counted(found: Findings) -> Iterator[str]:
    if "sms" in found.ours:
        yield (
            f"{found.each('sms', 'statements'):.4f} SQL statements a text (gate {GATES['sql_sms']:g}), and"
            f" {found.standing('sms'):.0f} a second of brake and sweep however much is sent;"
            f" {found.each('sms', 'messages'):.5f} Celery messages (gate {GATES['messages']:g})"
        )
    if BY_TWO in found.ours:
        yield (
            f"{found.each(BY_TWO, 'statements'):.4f} SQL statements a text with a second gateway"
            f" (gate {GATES['sql_sms_two_gateways']:g}), and {found.standing(BY_TWO):.0f} a second"
        )
    if "email" in found.ours:
        yield f"{found.each('email', 'statements'):.4f} SQL statements a mail (gate {GATES['sql_email']:g})"


def _rest(found: Findings) -> Iterator[str]:
    compared = found.comparisons
    for name, where in CPU.items():
        if where in compared:
            yield f"CPU ({name}), ours to the bare client's: {_told(compared[where].cpu_ratio)}, aim {CPU_AIMS[name]:g}"
            share = compared[where].stand_in_share
            yield f"stand-in ({name}), beside the bare client: {share:.2f} of a core"
    yield from _counted(found)
    if found.memory:
        told = ", ".join(f"{mb:.0f} MB at {size:,}" for size, mb in found.memory.items())
        yield f"the most memory of a worker process: {told} recipients (gate: 50 MB more)"
    if found.throttled:
        yield f"Apprise as it is shipped, with its throttle: {found.throttled:.1f} texts a second"
    for layout, firsts in found.urgent.items():
        yield f"urgent, {layout}: {firsts}"
    if found.million is not None:
        yield f"scale, {found.million}"
    yield from (f"api, {one}" for one in found.api)
    for kept in found.pace:
        yield f"pace, {kept}"


def _told(spread: Spread) -> str:
    return (
        f"{spread.median:.2f} (half within {spread.quarters[0]:.2f} to {spread.quarters[1]:.2f},"
        f" all within {spread.lowest:.2f} to {spread.highest:.2f})"
    )


def _short(value: float) -> str:
    return f"{value:.2f}" if value < 10 else f"{value:.0f}"

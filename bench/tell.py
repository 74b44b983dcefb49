"""What a run says: a table for people, one JSON object for machines."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from statistics import median

from rich.console import Console
from rich.table import Table

from bench.compare import Comparison, Played


@dataclass(slots=True)
class Findings:
    """Everything that was measured."""

    comparisons: dict[str, Comparison] = field(default_factory=dict)
    memory: Mapping[int, float] = field(default_factory=dict)
    planning: float = 0.0

    @property
    def growth(self) -> float:
        """Of a worker's memory, from the fewest recipients to the most (MB)."""
        return self.memory[max(self.memory)] - self.memory[min(self.memory)] if self.memory else 0.0

    def each(self, name: str, what: str) -> float:
        """Statements or messages a delivery of ours."""
        return float(median(getattr(played, what) / played.size for played in self.comparisons[name].ours))

    def standing(self, name: str) -> float:
        """Statements a second that brake and sweep make, however much is sent."""
        return float(median(played.standing / played.seconds for played in self.comparisons[name].ours))

    def as_json(self) -> str:
        """One line."""
        found = self.comparisons
        counted = {
            "sql_sms": ("sms_vs_bare", "statements"),
            "sql_email": ("email_vs_bare", "statements"),
            "messages": ("sms_vs_bare", "messages"),
        }
        return json.dumps(
            {
                "ratios": {name: round(one.ratio, 3) for name, one in found.items()},
                "per_delivery": {
                    name: round(self.each(*where), 5) for name, where in counted.items() if where[0] in found
                },
                "standing_sql_per_second": {
                    name: round(self.standing(name), 1) for name in ("sms_vs_bare",) if name in found
                },
                "worker_rss_growth_mb": round(self.growth, 1),
                "planning_us_each": round(self.planning, 1),
                "cpu_ratio": {name: round(one.cpu_ratio, 3) for name, one in found.items()},
                "spread": {
                    name: [round(min(one.ratios), 3), round(max(one.ratios), 3)]
                    for name, one in found.items()
                },
                "sandbox_share": {name: round(_sandbox(one.theirs), 2) for name, one in found.items()},
                "void_rows": [name for name, one in found.items() if one.void],
                "void": any(one.void for one in found.values()),
            }
        )

    def show(self, console: Console) -> None:
        """The tables."""
        table = Table(title="Medians of pairs (lowest to highest); CPU: theirs; ours + database")
        for column in ("what", "theirs/s", "ours/s", "ratio", "aim", "CPU ms each"):
            table.add_column(column)
        for one in self.comparisons.values():
            table.add_row(*_row(one))
        console.print(table)
        for one in self.comparisons.values():
            if one.void:
                console.print(
                    f"[yellow]{one.name}: void. The stand-in used {_sandbox(one.theirs):.2f} of a core beside the"
                    " bare loop: it may be what limited it."
                )
        if {"sms_vs_bare", "email_vs_bare"} <= self.comparisons.keys():
            console.print(
                f"SQL statements: {self.each('sms_vs_bare', 'statements'):.4f} a text (aim 0.05),"
                f" {self.each('email_vs_bare', 'statements'):.4f} a mail (aim 0.3), and"
                f" {self.standing('sms_vs_bare'):.0f} a second of brake and sweep;"
                f" Celery messages: {self.each('sms_vs_bare', 'messages'):.5f} a delivery (aim 0.01)"
            )
        if self.memory:
            told = ", ".join(f"{mb:.0f} MB at {size:,}" for size, mb in self.memory.items())
            console.print(f"the most memory of a worker process: {told} recipients")
        if self.planning:
            console.print(f"fan-out: {self.planning:.1f} µs a delivery ({1e6 / self.planning:,.0f} a second)")


def _row(one: Comparison) -> tuple[str, ...]:
    theirs, ours = (median(p.rate for p in side) for side in (one.theirs, one.ours))
    worker = median(p.worker_cpu / p.size for p in one.ours) * 1000
    database = median(p.database_cpu / p.size for p in one.ours) * 1000
    bare = median(p.cpu_each for p in one.theirs) * 1000
    return (
        one.name,
        f"{theirs:,.0f}",
        f"{ours:,.0f}",
        f"{one.ratio:.2f} ({min(one.ratios):.2f} to {max(one.ratios):.2f})",
        f"{one.target:g}" if one.target is not None else "",
        f"{bare:.2f}; {worker:.2f} + {database:.2f}",
    )


def _sandbox(side: Sequence[Played]) -> float:
    return median(played.sandbox_share for played in side)

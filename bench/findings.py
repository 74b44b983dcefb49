"""What a run found, as the one JSON object that others read, and the gates that hold a part of it."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from statistics import median
from typing import Any

from bench.api import Answered
from bench.compare import Comparison, Played
from bench.million import Run
from bench.pace import Kept
from bench.urgent import Firsts

RATIOS = (
    "sms_vs_bare",
    "email_vs_bare",
    "sms_vs_bare_50ms",
    "sms_embedded_vs_bare",
    "sms_vs_task_each",
    "email_vs_task_each",
    "email_vs_apprise",
    "email_vs_post_office",
    "sms_vs_apprise",
)
CPU = {"sms": "sms_vs_bare", "email": "email_vs_bare"}
CPU_AIMS = {"sms": 1.3, "email": 2.0}
BY_TWO = "sms by two gateways"
COUNTED = {
    "sql_sms": ("sms", "statements"),
    "sql_email": ("email", "statements"),
    "sql_sms_two_gateways": (BY_TWO, "statements"),
    "messages": ("sms", "messages"),
}
# What no machine makes better or worse: a run that breaks one of these fails where gates are asked for.
GATES = {
    "sql_sms": 0.05,
    "sql_email": 0.3,
    "sql_sms_two_gateways": 0.05,
    "messages": 0.005,
    "worker_rss_growth_mb": 50.0,
}


@dataclass(slots=True)
class Findings:
    """Everything that was measured."""

    conditions: Mapping[str, Any]
    comparisons: dict[str, Comparison] = field(default_factory=dict)
    # Rounds of texts and mails on PostgreSQL, by channel.
    ours: dict[str, Sequence[Played]] = field(default_factory=dict)
    memory: Mapping[int, float] = field(default_factory=dict)
    urgent: dict[str, Firsts] = field(default_factory=dict)  # by layout
    pace: Sequence[Kept] = ()
    throttled: float = 0.0  # texts a second of Apprise as it is shipped
    million: Run | None = None
    api: Sequence[Answered] = ()
    chosen: Mapping[str, str] = field(default_factory=dict)  # the best of a side that was looked for

    @property
    def growth(self) -> float:
        """Of a worker's memory, from the fewest recipients to the most (MB)."""
        return self.memory[max(self.memory)] - self.memory[min(self.memory)] if self.memory else 0.0

    def each(self, channel: str, what: str) -> float:
        """Statements or messages a delivery of ours."""
        return float(median(getattr(played, what) / played.size for played in self.ours[channel]))

    def standing(self, channel: str) -> float:
        """Statements a second that brake and sweep make, however much is sent."""
        return float(median(played.standing / played.seconds for played in self.ours[channel]))

    @property
    def void(self) -> bool:
        """Whether a stand-in may have limited the bare side somewhere."""
        return any(one.void for one in self.comparisons.values())

    def as_object(self) -> dict[str, Any]:
        """What `--json` prints; what was not measured is left out."""
        found = self.comparisons
        told: dict[str, Any] = {
            "ratios": {name: round(found[name].ratio.median, 3) for name in RATIOS if name in found},
            "cpu_ratio": {
                name: round(found[where].cpu_ratio.median, 3) for name, where in CPU.items() if where in found
            },
            "per_delivery": {
                name: round(self.each(*where), 5) for name, where in COUNTED.items() if where[0] in self.ours
            },
        }
        if self.memory:
            told["worker_rss_growth_mb"] = round(self.growth, 1)
        if "compose" in self.urgent:
            firsts = self.urgent["compose"]
            told["urgent_first_send_s"] = {"p50": round(firsts.p50, 3), "p99": round(firsts.p99, 3)}
        if self.api:
            told["api_p95_ms"] = {one.what: round(one.p95, 1) for one in self.api}
            told["api_statements"] = {one.what: one.statements for one in self.api}
        return {**told, "void": self.void}

    def as_json(self) -> str:
        """One line."""
        return json.dumps(self.as_object())

    def broken(self) -> Iterator[str]:
        """Each gate that does not hold, in words."""
        told = self.as_object()
        counted = {**told["per_delivery"], "worker_rss_growth_mb": told.get("worker_rss_growth_mb")}
        for name, most in GATES.items():
            if (found := counted.get(name)) is not None and found > most:
                yield f"{name} is {found}, and may be {most} at most"

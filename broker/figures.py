"""Figures: how much was sent by the hour, and how long it took. Counted after the event, by the sweep.

What a chart shows is folded from attempts that are over, so that it costs the same however much was ever sent.
"""

from __future__ import annotations

import math
from bisect import bisect_right
from collections.abc import Mapping
from datetime import timedelta

from broker.ports import Ports

# Where one span of time ends and the next begins, in seconds: fine enough that a median is right to a quarter or so.
SPANS = (
    0.5, 1, 1.5, 2, 3, 4, 5, 7, 10, 14, 20, 30, 45, 60, 80, 100, 120, 160, 200, 240, 300, 420, 600, 840, 1200, 1800,
    2700, 3600, 5400, 7200, 10800, 14400, 21600, 28800, 43200, 86400, 172800,
)  # fmt: skip
FAILED = -1  # in place of a span: it came to an end with the provider, and did not go
# Attempts of one turn: a tenth of a second of the database's time.
MOST = 20_000
# An attempt that began a moment ago may not be there to be seen yet, though a later one is.
SETTLED_AFTER = timedelta(seconds=20)
# Nobody heard how an attempt ended, and by now nobody will: longer than any lease. It is left out.
GIVEN_UP_AFTER = timedelta(minutes=30)


def span_of(seconds: float) -> int:
    """The number of the span that so many seconds fall into."""
    return bisect_right(SPANS, seconds)


def at_most(spans: Mapping[int, int], share: float) -> timedelta | None:
    """Within which time this share of all were there: 0.5 for the median. None of none.

    Between the ends of a span as if what fell into it lay evenly, by the logarithm.
    """
    counted = {span: n for span, n in spans.items() if span >= 0 and n > 0}
    wanted, passed = sum(counted.values()) * share, 0
    for span, n in sorted(counted.items()):
        if passed + n >= wanted:
            low = SPANS[span - 1] if span else SPANS[0] / 2
            high = SPANS[span] if span < len(SPANS) else SPANS[-1] * 2
            part = (wanted - passed) / n
            return timedelta(seconds=math.exp(math.log(low) * (1 - part) + math.log(high) * part))
        passed += n
    return None


def count(ports: Ports) -> int:
    """Fold the next attempts that are over; returns how many. No writer waits for the reading of them."""
    with ports.ledger.look() as tx:
        read = tx.figures.read(most=MOST)
    if read is None:
        return 0
    return ports.ledger.transact(lambda tx: tx.figures.fold(read) if tx.sweeps.may_sweep() else 0)

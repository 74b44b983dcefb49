"""`python -m bench.consents [--size N] [--turns N] [--json]`: what the facts of consent add to a text.

The same texts are picked and judged again and again, with the facts (opt-out, consent of every holder, a guardian's,
the rules over them) and without, in turn, and nothing of it is kept. Half of the people have said yes, one address in
fifty has opted out. CPU is counted, this process's and PostgreSQL's, and compared with what a text costs from claim
to write-back in the same run.
"""

from __future__ import annotations

import argparse
import json
import statistics
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from types import ModuleType
from typing import Any

from bench.ground import Ground, School, ground
from bench.player import Player
from broker import claim, house_rules, judging
from broker.policy import judge
from broker.ports import Transaction
from broker.values import Lane
from ledger import picking

AIM = 0.03  # of what a text costs
CHUNK = 200
OURS = frozenset(
    {house_rules.not_opted_out, house_rules.promotional_needs_consent, house_rules.not_taken_back}
)


@dataclass(frozen=True, slots=True)
class Found:
    """CPU microseconds a text: picked and judged with the facts, without; and from claim to write-back."""

    with_facts: float
    without: float
    whole: float

    @property
    def share(self) -> float:
        """What the facts are of the whole."""
        return (self.with_facts - self.without) / self.whole


def main() -> int:
    """Measure, say, end; exit 1 where the facts cost more than they may."""
    parser = argparse.ArgumentParser(prog="python -m bench.consents", description=__doc__)
    parser.add_argument("--size", type=int, default=8_000, help="texts")
    parser.add_argument("--turns", type=int, default=7)
    parser.add_argument("--json", action="store_true", help="one JSON object as the last line")
    told = parser.parse_args()
    with ground([told.size]) as here:
        found = measure(here, told.size, told.turns)
    print(
        f"picked and judged {found.with_facts:.1f} µs a text with the facts, {found.without:.1f} without;"
        f" {found.share:.1%} of the {found.whole:.0f} µs that a text costs"
    )
    if told.json:
        print(json.dumps({**asdict(found), "share": round(found.share, 4)}))
    return 0 if found.share <= AIM else 1


def measure(here: Ground, size: int, turns: int) -> Found:
    """Medians over the turns; who begins changes."""
    school = here.main
    _say(school)
    school.planned("sms", size)
    sides: dict[str, list[float]] = {"with": [], "without": []}
    for turn in range(turns + 1):
        for name in sorted(sides, reverse=bool(turn % 2)):
            with _without() if name == "without" else _as_it_is():
                took = _cpu(here, lambda: _look_through(school, size)) / size
            if turn:  # the first is for the caches
                sides[name].append(took * 1e6)
    medians = {name: statistics.median(took) for name, took in sides.items()}
    return Found(medians["with"], medians["without"], _whole(here, school, size))


def _say(school: School) -> None:
    with school.house.ledger.begin() as tx:
        tx.hand.run(
            "INSERT INTO consent (person_id, channel, purpose, given, source, at) SELECT id, 'sms', 'service', true,"
            " 'a form', now() FROM person WHERE id % 2 = 0"
        )
        tx.hand.run(
            "INSERT INTO suppression (hash, channel, source, at) SELECT hash, 'sms', 'STOP', now() FROM address"
            " WHERE kind = 'mobile' AND id % 50 = 0"
        )
    with school.house.ledger.engine.connect() as connection:
        connection.execution_options(isolation_level="AUTOCOMMIT").exec_driver_sql("VACUUM ANALYZE")


@contextmanager
def _without() -> Iterator[None]:
    rest = tuple(rule for rule in house_rules.HOUSE_RULES if rule not in OURS)
    changed: tuple[tuple[ModuleType, str, object], ...] = (
        (picking, "OPTED_OUT", "false"),
        (picking, "CONSENT", "CAST(NULL AS integer)"),
        (claim, "HOUSE_RULES", rest),
    )
    kept = [(module, name, getattr(module, name)) for module, name, _ in changed]
    for module, name, value in changed:
        setattr(module, name, value)
    try:
        yield
    finally:
        for module, name, value in kept:
            setattr(module, name, value)


@contextmanager
def _as_it_is() -> Iterator[None]:
    yield


class _Enough(Exception):
    """Raised when all was looked through, so that nothing of it is kept."""


def _look_through(school: School, size: int) -> None:
    ports = school.house.ports
    channel = ports.channels.open("texts")

    def work(tx: Transaction) -> None:
        account = tx.accounts.named("texts")
        assert account is not None
        for _ in range(size // CHUNK):
            picked = tx.deliveries.pick(account, Lane.ROUTINE, limit=CHUNK)
            about = {one.announcement for one in picked}
            rulings = judging.claimed(ports, tx, about, account, channel.traits)
            for one in picked:
                claim._verdict(one, judge(one.case, house_rules.HOUSE_RULES), rulings, channel.policies)
        raise _Enough

    try:
        ports.ledger.transact(work)
    except _Enough:
        return


def _cpu(here: Ground, work: Callable[[], object]) -> float:
    own, stored = time.process_time(), here.database_seconds()
    work()
    return time.process_time() - own + here.database_seconds() - stored


def _whole(here: Ground, school: School, size: int) -> float:
    """CPU microseconds of a text, the database's among them."""
    settings: dict[str, Any] = here.settings(
        str(school.house.ledger.engine.url.render_as_string(hide_password=False))
    )
    taken = []
    with Player("carillon", **settings) as worker:
        for again in range(2):
            if again:
                school.planned("sms", size)
            stored = here.database_seconds()
            told = worker.play(account="texts")
            taken.append((told["cpu"] + here.database_seconds() - stored) / size)
    return float(min(taken) * 1e6)


if __name__ == "__main__":
    sys.exit(main())

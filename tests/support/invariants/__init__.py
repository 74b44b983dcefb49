"""The invariants of design §6, in one place: each a named function over what was seen, used by every proof.

The state machine (tests/dispatch/test_any_order.py), the crash matrix and the kills (tests/faults) and the nemesis
(tests/nemesis) all check these. `Seen.of(ledger, truth)` looks; `check_always` and `check_in_the_end` judge.

What can only be seen while it happens (a start committed before bytes leave, no transaction beside a call) is in
`witness`; what must not be said anywhere is in `private`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from tests.support.invariants import followed, kept, ladders, sent
from tests.support.invariants.private import nothing_private, private_values
from tests.support.invariants.seen import Had, Seen
from tests.support.invariants.sent import pace_is_kept, the_same_outcome
from tests.support.invariants.witness import AtTheDoor, Transactions

Invariant = Callable[[Seen], Iterator[str]]
ALWAYS: tuple[Invariant, ...] = (*kept.ALWAYS, *sent.ALWAYS, *followed.ALWAYS, *ladders.ALWAYS)
IN_THE_END: tuple[Invariant, ...] = (
    *kept.IN_THE_END,
    *sent.IN_THE_END,
    *followed.IN_THE_END,
    *ladders.IN_THE_END,
)
MOST_TOLD = 5


def broken(seen: Seen, *invariants: Invariant) -> list[str]:
    """What does not hold, each with the name of its invariant."""
    return [f"{each.__name__}: {fault}" for each in invariants for fault in each(seen)]


def check_always(seen: Seen) -> None:
    """At any moment, however bad."""
    _check(broken(seen, *ALWAYS))


def check_in_the_end(seen: Seen) -> None:
    """When faults have stopped and the bound has passed."""
    _check(broken(seen, *ALWAYS, *IN_THE_END))


def _check(faults: list[str]) -> None:
    if faults:
        more = f"\n… and {len(faults) - MOST_TOLD} more" if len(faults) > MOST_TOLD else ""
        raise AssertionError("\n".join(faults[:MOST_TOLD]) + more)


__all__ = [
    "ALWAYS",
    "IN_THE_END",
    "AtTheDoor",
    "Had",
    "Invariant",
    "Seen",
    "Transactions",
    "broken",
    "check_always",
    "check_in_the_end",
    "nothing_private",
    "pace_is_kept",
    "private_values",
    "the_same_outcome",
]

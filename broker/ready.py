"""What was claimed, made ready: each message rendered, at its turn on the monotonic clock."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from broker.claim import Claimed
from broker.render import Rendered, Renderer
from broker.values import Picked


@dataclass(frozen=True, slots=True)
class Ready:
    """A claimed delivery with its message, waiting for its start; `turn` is its moment on the monotonic clock."""

    picked: Picked
    rendered: Rendered
    turn: float


def at_their_turns(renderer: Renderer, got: Claimed, began: float) -> tuple[list[Ready], Sequence[Picked]]:
    """What a claim that began then took: what is ready, one turn after the other, and what cannot be rendered.

    What cannot be rendered leaves its turn unused: nothing after it has to be counted anew.
    """
    first = began + got.turns.wait.total_seconds()
    interval = got.turns.interval.total_seconds()
    ready, broken = [], []
    guardians, changes = renderer.guardians(got.taken), renderer.changes(got.taken)
    for place, one in enumerate(got.taken):
        rendered = renderer.render(one, guardians.get(one.delivery, ()), changes.get(one.delivery, ()))
        if rendered is None:
            broken.append(one)
        else:
            ready.append(Ready(one, rendered, first + place * interval if interval else 0.0))
    return ready, broken

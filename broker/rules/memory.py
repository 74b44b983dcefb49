"""What a process remembers of the rules' answers, so that a wording is looked at once and not with every chunk."""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass, field

from broker.policy import Verdict


@dataclass(slots=True)
class Memory:
    """What a worker process remembers of the answers that never change: (announcement, account, version) → verdict."""

    most: int = 2_000
    _known: OrderedDict[tuple[int, int, int], Verdict] = field(default_factory=OrderedDict)

    def get(self, announcement: int, account: int, version: int) -> Verdict | None:
        """The answer, if it is remembered."""
        return self._known.get((announcement, account, version))

    def put(self, announcement: int, account: int, version: int, verdict: Verdict) -> None:
        """Remember it; the oldest are forgotten."""
        self._known[announcement, account, version] = verdict
        while len(self._known) > self.most:
            self._known.popitem(last=False)

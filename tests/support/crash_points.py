"""The crash points: a name between every two side effects, and the seam where a process that reaches it dies.

A table and no more. `tests/support/crash_seams.py` wraps the seams in processes that a test starts; production code
knows of neither.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

DIRECT = ("sms", "email")
POSTED = ("sms", "email", "twitter")
ALL = ("sms", "email", "rss", "twitter")


class When(StrEnum):
    """On which side of its seam a point lies."""

    BEFORE = "before"
    AFTER = "after"
    BEFORE_COMMIT = "before the commit of"
    AFTER_COMMIT = "after the commit of"


class Who(StrEnum):
    """Which process gets there."""

    ANNOUNCER = "carillon announce"
    WORKER = "a worker"
    WEB = "the web"


@dataclass(frozen=True, slots=True)
class Point:
    """One place to die. `begun`: a start was committed and no answer written, so that a mail is left in doubt.

    `left`: whether a provider has any of it by then; None where that may be either way.
    """

    name: str
    when: When
    seam: str  # module:Class.method, or "socket" for the bytes themselves
    tells: str
    who: Who = Who.WORKER
    channels: tuple[str, ...] = ALL
    begun: bool = False
    left: bool | None = False
    turn: int = 1  # dies when it gets here for this many'th time


POINTS: tuple[Point, ...] = (
    Point("accept", When.BEFORE_COMMIT, "ledger.announcements:Announcements.add",
          "stored, not committed: nobody was told that it is accepted", Who.ANNOUNCER),
    Point("commit", When.AFTER_COMMIT, "ledger.announcements:Announcements.add",
          "accepted, and no hint of it published", Who.ANNOUNCER, left=None),
    Point("publish", When.AFTER, "config.queue:Publisher.send",
          "the hint is in the queue, and its publisher dies", Who.ANNOUNCER, left=None),
    Point("fan-out insert", When.BEFORE_COMMIT, "ledger.plans:Plans.add_partition",
          "deliveries inserted, not committed"),
    Point("fan-out committed", When.AFTER_COMMIT, "ledger.plans:Plans.add_partition",
          "deliveries there, no hint of them, the plan not finished"),
    Point("ack", When.BEFORE, "workers.workshop:Workshop.deliver",
          "the hint is popped and gone, which is its acknowledgement; none of its work is done"),
    Point("claim", When.BEFORE_COMMIT, "ledger.deliveries:Deliveries.step",
          "claimed, not committed"),
    Point("claim committed", When.AFTER_COMMIT, "ledger.deliveries:Deliveries.step",
          "under a lease, not started"),
    Point("start", When.BEFORE_COMMIT, "ledger.deliveries:Deliveries.start",
          "started, not committed"),
    Point("start committed", When.AFTER_COMMIT, "ledger.deliveries:Deliveries.start",
          "started, no byte out", begun=True),
    Point("bytes out", When.BEFORE, "socket",
          "half a request, or a mail without its dot, is out", channels=POSTED, begun=True, left=None),
    Point("provider accept", When.BEFORE, "socket",
          "accepted; the answer has come and nobody read it", channels=POSTED, begun=True, left=True),
    Point("response", When.AFTER, "socket",
          "the answer is read, and written nowhere", channels=POSTED, begun=True, left=True),
    Point("write-back", When.BEFORE_COMMIT, "ledger.deliveries:Deliveries.write_back",
          "outcomes written, not committed", begun=True, left=True),
    Point("write-back committed", When.AFTER_COMMIT, "ledger.deliveries:Deliveries.write_back",
          "outcomes there; the task never ends", left=True),
    Point("receipt", When.BEFORE_COMMIT, "ledger.receipts:Receipts.append_all",
          "a callback is kept, not committed, not answered", Who.WEB, ("sms",), left=True),
    Point("receipt committed", When.AFTER_COMMIT, "ledger.receipts:Receipts.append_all",
          "a callback is kept, not answered", Who.WEB, ("sms",), left=True),
    Point("receipt folded", When.BEFORE_COMMIT, "ledger.receipts:Receipts.done",
          "what it says is folded in, not committed", channels=("sms",), left=True),
    Point("receipt done", When.AFTER_COMMIT, "ledger.receipts:Receipts.done",
          "folded in, and whoever did it dies", channels=("sms",), left=True),
)  # fmt: skip
NAMED = {point.name: point for point in POINTS}

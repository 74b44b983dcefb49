"""The threads that send mails, each with a connection of its own.

smtplib blocks, so a connection needs a thread. They are few, ours, and live as long as the account is open, as the
connections do.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass, field
from queue import SimpleQueue
from threading import Lock, Thread, current_thread
from time import monotonic

from broker.channel import Item, Key, MayStart, NotStarted, Outcome, Receipt
from broker.errors import DeliveryFailure, Uncertain
from channels.email.line import Line, Route

AWAY = 2.0  # seconds in which a server that could not be had is not tried again for each of a thousand mails
CLOSE_WITHIN = 2.0

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Errand:
    """One mail to send: whether it may start is asked just before, and `done` is told what came of it."""

    item: Item = field(repr=False)
    may_start: MayStart
    done: Callable[[Key, Outcome], None]


Post = Callable[[Line, Item, MayStart], Receipt | NotStarted]


class Crew:
    """As many hands as there is work for, up to the account's connections.

    The first hand takes a mail and then connects. Once it has, others join it, each of which connects before it takes a
    mail, and is gone when it cannot. So a server that grants three connections of eight gets three, and no mail fails
    for want of the other five.
    """

    def __init__(self, route: Route, post: Post) -> None:
        self._route = route
        self._post = post
        self._errands: SimpleQueue[Errand | None] = SimpleQueue()
        self._lock = Lock()
        self._hands: set[Thread] = set()
        self._pending = 0
        self._closed = False
        self._reached = False  # whether a hand with a mail last found its way to the server
        self._away: tuple[float, DeliveryFailure] | None = None

    def take(self, errand: Errand) -> None:
        """Give the crew a mail; it grows while there is more to do than it has hands for."""
        with self._lock:
            if not self._closed:
                self._pending += 1
                if self._pending > len(self._hands) < self._route.settings.connections:
                    self._hire()
                self._errands.put(errand)
                return
        errand.done(errand.item.key, NotStarted())

    def close(self) -> None:
        """Send the hands home, once what they hold is done; a hand that is stuck is waited for only briefly."""
        with self._lock:
            self._closed = True
            hands, self._hands = self._hands, set()
        for _ in hands:
            self._errands.put(None)
        until = monotonic() + CLOSE_WITHIN
        for hand in hands:
            hand.join(max(0.0, until - monotonic()))

    def _hire(self) -> None:
        first = not self._hands
        if not first and (not self._reached or self._why_away() is not None):
            return
        hand = Thread(target=self._work, args=(first,), name="carillon-email", daemon=True)
        self._hands.add(hand)
        hand.start()

    def _work(self, first: bool) -> None:
        line = Line(self._route)
        try:
            while (first or self._connect(line) is None) and (errand := self._errands.get()) is not None:
                outcome = self._outcome(line, errand)
                with self._lock:
                    self._pending -= 1
                errand.done(errand.item.key, outcome)
        finally:
            line.close()
            with self._lock:
                self._hands = {hand for hand in self._hands if hand is not current_thread()}

    def _outcome(self, line: Line, errand: Errand) -> Outcome:
        failure = self._connect(line)
        self._reached = failure is None
        if failure is not None:
            return failure
        try:
            return self._post(line, errand.item, errand.may_start)
        except DeliveryFailure as refused:
            return refused.with_traceback(None)  # its frames would keep the mail alive
        except Exception as unforeseen:  # noqa: BLE001 - the law: what nobody foresaw may have left
            line.drop()
            log.error("unforeseen while sending a mail: %s", type(unforeseen).__name__)
            return Uncertain(
                "something unforeseen happened while it was sent", code=type(unforeseen).__name__
            )

    def _connect(self, line: Line) -> DeliveryFailure | None:
        """Make sure of a connection, or say why there is none; for a moment the answer is remembered."""
        if line.open:
            return None
        if (known := self._why_away()) is not None:
            return known
        try:
            line.ready()
        except DeliveryFailure as failure:
            self._away = (monotonic() + AWAY, failure.with_traceback(None))
            log.warning("no connection to the mail server: %s %s", failure.code, failure.why)
            return failure
        self._away = None
        return None

    def _why_away(self) -> DeliveryFailure | None:
        away = self._away
        return away[1] if away is not None and monotonic() < away[0] else None

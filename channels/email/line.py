"""One kept connection to the mail server: mails one behind the other, each stage of each told apart.

Where the server offers PIPELINING (RFC 2920), the text of a mail, its dot, and MAIL, RCPT and DATA of the next leave in
one write: content may be the first of a group, DATA must be the last. So a mail costs one round trip. What a lost
connection means depends on whether the final dot had been written: before it nothing was accepted, after it nobody
knows. The mail behind it, of which the server has heard no more than the envelope, was provably not accepted.
"""

from __future__ import annotations

import asyncio
import logging
import re
from collections import deque
from datetime import timedelta
from typing import Protocol

from broker.channel import NotStarted, Receipt
from broker.errors import AddressRejected, ContentRejected, DeliveryFailure, Transient, Uncertain
from channels.email.codes import Stage, judge
from channels.email.connecting import Offers, Route
from channels.email.errand import Compose, Errand
from channels.email.replies import NONSENSE, Replies

# Routers forget a silent connection without a word; servers close it after minutes.
LONGEST_IDLE = timedelta(seconds=30)
GOODBYE = timedelta(seconds=1)
CHUNK = 256 * 1024  # the timeout bounds the writing of so many bytes, not of a whole mail with its files
SHORT = 32 * 1024  # a longer text leaves first, and its dot only once the system has taken all of it

_DOT = b".\r\n"
_ENVELOPE = (Stage.MAIL, Stage.RCPT, Stage.DATA)
_GRANTED = {Stage.MAIL: {250}, Stage.RCPT: {250, 251, 252}, Stage.DATA: {354}}
_QUEUED_AS = re.compile(rb"queued as ([A-Za-z0-9._-]{1,64})")

log = logging.getLogger(__name__)


class Desk(Protocol):
    """Where a line gets its mails, and whom it tells how it fares."""

    closed: bool

    def next(self, *, ahead: bool) -> Errand | None:
        """The next mail, if one waits; `ahead` of the one that is being handed over."""

    def free(self, line: Line) -> None:
        """It has nothing to do."""

    def gone(self, line: Line, again: Errand | None) -> None:
        """It takes no more; `again` it never began."""

    def ended(self, line: Line) -> None:
        """Its connection is closed."""


class Line(asyncio.Protocol):
    """One connection. At most one mail has its text written, and one behind it its envelope."""

    def __init__(
        self, transport: asyncio.Transport, offers: Offers, route: Route, desk: Desk, compose: Compose
    ) -> None:
        self.ended = asyncio.Event()
        self.pipelines = offers.pipelining  # it takes a mail ahead
        self._loop = asyncio.get_running_loop()
        self._transport, self._offers, self._desk, self._compose = transport, offers, desk, compose
        self._most_mails = route.settings.mails_per_connection
        self._timeout = route.timeout.total_seconds()
        self._mails = 0
        self._over = False
        self._replies = Replies()
        self._stages: deque[Stage | None] = deque()  # what is asked and not answered, None for a RSET
        # The rest of an envelope, where there is no pipelining.
        self._unsaid: deque[tuple[Stage, bytes]] = deque()
        self._asked: Errand | None = None  # its envelope is said
        self._given: Errand | None = None  # its text is being written, or its dot's answer awaited
        self._long = False  # a long text is being written
        self._chunks: deque[memoryview] = deque()  # what is left of it
        self._full = False  # the connection takes no more just now
        self._until = 0.0
        self._timer: asyncio.TimerHandle | None = None
        transport.set_write_buffer_limits(high=0)
        transport.set_protocol(self)

    def go(self) -> None:
        """Begin with the next mail that waits; with none, be free."""
        if self._desk.closed or self._mails >= self._most_mails:
            self.leave()
            return
        self._asked = errand = self._take(ahead=False)
        if errand is None:
            self._expect(LONGEST_IDLE.total_seconds())
            self._desk.free(self)
        else:
            self._write(self._envelope(errand))

    def leave(self) -> None:
        """Say goodbye; the connection ends with the answer, or without it after a moment."""
        if self._over:
            return
        self._end()
        if not self._transport.is_closing():
            self._transport.write(b"QUIT\r\n")
            self._timer = self._loop.call_later(GOODBYE.total_seconds(), self._transport.abort)
        self._desk.gone(self, None)

    def drop(self, *, silent: bool = False) -> None:
        """Close without a word: the other side is gone, or would take the word for a line of a mail.

        `silent`: it has not hung up, it says nothing; whoever waits for it had better wait longer than to go at once to
        where the next one would hang as well.
        """
        if self._over:
            return
        self._end()
        self._transport.abort()
        given, self._given = self._given, None
        asked, self._asked = self._asked, None
        again = None
        if given is not None:
            given.end(_lost_with_text(given))
        if asked is not None:
            if asked.failure is None and asked.kept and not asked.heard and not silent:
                again = asked
            else:
                why = "the connection was lost before the mail was handed over"
                asked.end(asked.failure or Transient(why))
        self._desk.gone(self, again)

    def cut(self) -> None:
        """Close at once, whatever is in hand."""
        self.drop()
        self._transport.abort()

    # --- what the connection tells

    def data_received(self, data: bytes) -> None:
        if self._over:
            self._transport.abort()  # the answer to QUIT
            return
        try:
            for code, text in self._replies.take(data):
                self._heard(code, text)
                if self._over:
                    return
        except Exception as unforeseen:  # noqa: BLE001 - the law: what nobody foresaw may have left
            self._stumble(unforeseen)

    def eof_received(self) -> None:
        self.cut()

    def connection_lost(self, exc: Exception | None) -> None:
        self.drop()
        if self._timer is not None:
            self._timer.cancel()
        self.ended.set()
        self._desk.ended(self)

    def pause_writing(self) -> None:
        self._full = True

    def resume_writing(self) -> None:
        self._full = False
        if self._long and not self._over:
            self._write_on()

    # --- answers

    def _heard(self, code: int, text: bytes) -> None:
        if not self._stages:
            # On an idle line a farewell; in the middle of a text a refusal, before the dot was written.
            if self._given is not None:
                self._given.failure = judge(Stage.DOT, code, text)
            self.drop()
            return
        stage = self._stages.popleft()
        if stage is Stage.DOT:
            self._settle(code, text)
        elif stage is not None:
            self._answered(stage, code, text)
        elif code == 250:
            self.go()
        else:
            self.drop()

    def _settle(self, code: int, text: bytes) -> None:
        """The answer to a whole mail."""
        errand, self._given = self._given, None
        if errand is None:
            raise AssertionError("an answer to a mail that was not given")
        if 200 <= code < 300:
            errand.end(Receipt(errand.draft.name, detail=_queue_name(text)))
        else:
            failure = judge(Stage.DOT, code, text)
            why = "the mail server's answer cannot be understood"
            errand.end(failure or Uncertain(why, code=str(code)))
            if failure is None or code == 421:
                self.drop()
                return
        if self._asked is None:
            self.go()

    def _answered(self, stage: Stage, code: int, text: bytes) -> None:
        """The answer to one of MAIL, RCPT and DATA."""
        errand = self._asked
        if errand is None:
            raise AssertionError("an answer to an envelope that was not said")
        if stage is Stage.MAIL and code == 421 and errand.kept:
            self.drop()  # it had enough of this connection, not of us
            return
        errand.heard = True
        if code in _GRANTED[stage]:
            self._granted(stage, errand)
            return
        errand.failure = errand.failure or judge(stage, code, text) or _unread(code)
        if code in {NONSENSE, 421}:
            self.drop()
        elif stage is Stage.DATA or not self.pipelines:
            self._refused(errand, code)

    def _granted(self, stage: Stage, errand: Errand) -> None:
        if stage is not Stage.DATA:
            if self._unsaid:
                following, command = self._unsaid.popleft()
                self._stages.append(following)
                self._write(command)
        elif errand.failure is None:
            # Not at once: first the stream may see that it has a hand free, so that a next mail is there to go along.
            self._loop.call_soon(self._hand_over, errand)
        else:
            self.drop()  # it waits for a text that must not come; a dot would make it an empty mail

    def _refused(self, errand: Errand, code: int) -> None:
        if code < 400:
            self.drop()
            return
        self._asked = None
        self._unsaid.clear()
        self._stages.append(None)
        self._write(b"RSET\r\n")
        if errand.failure is not None:
            errand.end(errand.failure)

    # --- what is said

    def _take(self, *, ahead: bool) -> Errand | None:
        """The next mail that may be begun, its bytes made."""
        while (errand := self._desk.next(ahead=ahead)) is not None:
            try:
                if errand.may_start(errand.item.key):
                    errand.draft = self._compose(errand.item)
                    self._check(errand)
                    errand.kept = self._mails > 0 and not errand.again
                    errand.heard = False
                    self._mails += 1
                    return errand
                errand.end(NotStarted())
            except DeliveryFailure as refused:
                errand.end(refused.with_traceback(None))  # its frames would keep the mail alive
            except Exception as unforeseen:  # noqa: BLE001 - as above
                errand.end(_unforeseen(unforeseen))
        return None

    def _check(self, errand: Errand) -> None:
        offers = self._offers
        if offers.most and errand.draft.size > offers.most:
            raise ContentRejected("the mail is too big for the mail server", code="552 5.3.4")
        if not offers.utf8 and not errand.draft.address.isascii():
            why = "the part before the @ has letters that this mail server cannot write"
            raise AddressRejected(why, code="553 5.6.7")

    def _envelope(self, errand: Errand) -> bytes:
        """What is to be said now of its MAIL, RCPT and DATA."""
        address = errand.draft.address
        options = b" SIZE=%d" % errand.draft.size if self._offers.size else b""
        if not address.isascii():
            options += b" SMTPUTF8"
        mail = b"MAIL FROM:<%b>%b\r\n" % (errand.draft.sender, options)
        recipient = b"RCPT TO:<%b>\r\n" % address.encode()
        if self.pipelines:
            self._stages.extend(_ENVELOPE)
            return mail + recipient + b"DATA\r\n"
        self._stages.append(Stage.MAIL)
        self._unsaid.extend(((Stage.RCPT, recipient), (Stage.DATA, b"DATA\r\n")))
        return mail

    def _hand_over(self, errand: Errand) -> None:
        """Write the text, which is the start; and with it the next envelope, if a mail waits."""
        if errand is not self._asked or self._transport.is_closing():
            return  # lost meanwhile, or about to be
        try:
            if self._desk.closed or not errand.may_start(errand.item.key):
                self._asked = None
                errand.end(NotStarted())
                self.drop()  # the server waits for a text, and whatever came would be one
                return
            self._asked, self._given = None, errand
            if errand.draft.size > SHORT:
                self._long = True
                for piece in errand.draft.pieces:
                    view = memoryview(piece)
                    self._chunks.extend(view[at : at + CHUNK] for at in range(0, len(view), CHUNK))
                self._write_on()
            else:
                self._write_dot(errand, *errand.draft.pieces)
        except Exception as unforeseen:  # noqa: BLE001 - as above
            self._stumble(unforeseen)

    def _write_on(self) -> None:
        """A long text, as fast as the connection takes it, and its dot only when it has."""
        while self._chunks and not self._full:
            self._write(self._chunks.popleft())
        if not self._full and self._given is not None:
            self._long = False
            self._write_dot(self._given)

    def _write_dot(self, errand: Errand, *pieces: bytes) -> None:
        self._stages.append(Stage.DOT)
        following = None
        if self.pipelines and self._mails < self._most_mails:
            following = self._asked = self._take(ahead=True)
        if self._transport.is_closing():
            return
        self._write(b"".join((*pieces, _DOT, b"" if following is None else self._envelope(following))))
        # What closes the connection at once could send nothing of it.
        errand.dotted = not self._transport.is_closing()

    def _write(self, data: bytes | memoryview) -> None:
        self._transport.write(data)
        self._expect(self._timeout)

    # --- time, and the end

    def _expect(self, seconds: float) -> None:
        """By then whatever comes next has to be through. The timer runs on as it is: mails come far faster."""
        self._until = until = self._loop.time() + seconds
        if self._timer is None or self._timer.when() > until + 0.01:
            if self._timer is not None:
                self._timer.cancel()
            self._timer = self._loop.call_at(until, self._look)

    def _look(self) -> None:
        self._timer = None
        if self._loop.time() < self._until:
            self._timer = self._loop.call_at(self._until, self._look)
        elif self._asked is None and self._given is None and not self._stages:
            self.leave()
        else:
            self.drop(silent=True)

    def _stumble(self, unforeseen: Exception) -> None:
        outcome = _unforeseen(unforeseen)
        for errand in (self._given, self._asked):
            if errand is not None:
                errand.end(outcome)
        self._given = self._asked = None
        self.drop()

    def _end(self) -> None:
        self._over = True
        self._chunks.clear()
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None


def _lost_with_text(errand: Errand) -> DeliveryFailure:
    if errand.dotted:
        return Uncertain("the mail was handed over, and the mail server's answer was lost")
    return errand.failure or Transient("the connection was lost before the mail was complete")


def _unforeseen(error: Exception) -> Uncertain:
    log.error("unforeseen while sending a mail: %s", type(error).__name__)
    return Uncertain("something unforeseen happened while it was sent", code=type(error).__name__)


def _unread(code: int) -> Transient:
    why = "the mail server's answer cannot be understood, before the mail was handed over"
    return Transient(why, code=str(code))


def _queue_name(answer: bytes) -> str:
    """The server's own name for the mail, by which its administrator finds it. Nothing else it said is kept."""
    found = _QUEUED_AS.search(answer, 0, 200)
    return f"queued as {found[1].decode()}" if found else ""

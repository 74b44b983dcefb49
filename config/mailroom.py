"""The mailroom: mailboxes are read in turn, and what comes of each mail is written with how far it has been read."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Mapping
from datetime import datetime, timedelta

from broker.actor import Actor, ActorKind
from broker.incoming import mails
from broker.incoming.mails import Taken
from broker.ports import Ports, Transaction
from config.answering import mailboxes_of
from config.logs import told
from config.settings import Settings
from ledger.trouble import is_away
from sources.mailbox import MOST_AT_ONCE, Fetched, Mailbox, MailboxAway
from sources.mailbox.parts import key_of, mail_of

log = logging.getLogger(__name__)

ALARM = "mailbox_away"
MOST_ROUNDS = 25  # of one turn
MOST_ASIDE = 100  # in one mailbox: beyond it the fault is hardly the mails' own, and the rest waits unread


class Mailroom:
    """The mailboxes, read. Several processes may have a mailroom: the ledger gives each mailbox one turn in a while."""

    def __init__(self, ports: Ports, settings: Settings) -> None:
        self._ports = ports
        self._mailboxes: Mapping[str, tuple[Mailbox, timedelta]] = mailboxes_of(settings)

    def read_due(self) -> Counter[Taken]:
        """Read every mailbox whose turn it is; what became of their mails."""
        return self._read(now=False)

    def read_now(self) -> Counter[Taken]:
        """Read every mailbox, whoever read it last."""
        return self._read(now=True)

    def _read(self, *, now: bool) -> Counter[Taken]:
        taken = Counter[Taken]()
        for name, (mailbox, every) in self._mailboxes.items():
            pause = timedelta(0) if now else every
            position = self._ports.ledger.transact(
                lambda tx, n=name, p=pause: tx.bounces.take_turn(n, every=p)  # type: ignore[misc]
            )
            if position is not None:
                taken += self._read_all(name, mailbox, position)
        return taken

    def _read_all(self, name: str, mailbox: Mailbox, position: str) -> Counter[Taken]:
        """Round after round while there is as much as one may bring: after a bad import thousands come back."""
        taken = Counter[Taken]()
        for _ in range(MOST_ROUNDS):
            position, told = self._read_one(name, mailbox, position)
            taken += told
            if told.total() < MOST_AT_ONCE:
                break
        return taken

    def _read_one(self, name: str, mailbox: Mailbox, position: str) -> tuple[str, Counter[Taken]]:
        """The place behind what was read, and what became of it."""
        taken = Counter[Taken]()
        actor = Actor(ActorKind.SYSTEM, f"mailbox {name}")

        def take(fetched: Fetched) -> bool:
            what = self._taken(name, fetched, actor)
            taken.update([what] if what is not None else [])
            return what not in {Taken.ASIDE, None}

        try:
            behind = mailbox.read(position, take)
        except MailboxAway as away:
            why = str(away)
            self._ports.ledger.transact(
                lambda tx: tx.sweeps.raise_alarm(ALARM, name, f"mailbox {name}: {why}")
            )
            return position, Counter()

        def settle(tx: Transaction) -> None:
            tx.bounces.read_to(name, behind)
            tx.sweeps.clear_alarm(ALARM, name)

        self._ports.ledger.transact(settle)
        return behind, taken

    def _taken(self, name: str, fetched: Fetched, actor: Actor) -> Taken | None:
        """What became of one mail; None for one that was set aside before. Raises MailboxAway.

        One that nobody foresaw must not keep the others out; a ledger that is away is no fault of the mail's.
        """
        transact = self._ports.ledger.transact
        try:
            return transact(lambda tx: self._take(tx, name, fetched, actor))
        except Exception as error:
            if is_away(error):
                raise
            why = told(error)
        if not transact(lambda tx: self._set_aside(tx, name, fetched, why, actor)):
            return None
        log.error("a mail in mailbox %s could not be taken in and lies there: %s", name, why)
        return Taken.ASIDE

    def _take(self, tx: Transaction, name: str, fetched: Fetched, actor: Actor) -> Taken:
        mail = mail_of(fetched.raw, received_at=fetched.received_at, now=tx.now)
        taken = mails.take_in(self._ports, tx, mail, actor=actor)
        mails.not_aside(tx, name, mail.key)
        tx.bounces.read_to(name, fetched.position)
        return taken

    def _set_aside(self, tx: Transaction, name: str, fetched: Fetched, why: str, actor: Actor) -> bool:
        if sum(one.mailbox == name for one in tx.bounces.aside()) >= MOST_ASIDE:
            raise MailboxAway(f"{MOST_ASIDE} mails in it could not be taken in, and the rest waits")
        tx.bounces.read_to(name, fetched.position)
        key = key_of(fetched.raw)
        return mails.set_aside(tx, name, key, place=fetched.position, fault=why, actor=actor)


def take_piped(ports: Ports, raw: bytes, *, to: tuple[str, ...], now: datetime) -> Taken:
    """One mail that a mail server hands over by a pipe, with whom it was for."""
    return mails.take(
        ports, mail_of(raw, to=to, received_at=now, now=now), actor=Actor(ActorKind.SYSTEM, "mail pipe")
    )

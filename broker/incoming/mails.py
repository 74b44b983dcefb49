"""A mail that came in, as its reader understood it: bounded, taken apart, and believed in nothing that is unsigned."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from enum import StrEnum

from broker.actor import Actor
from broker.address import AddressKind
from broker.authority.operators import must
from broker.consent.optouts import hash_of, stop
from broker.errors import NotFound, Problem
from broker.incoming import answers, bounces
from broker.incoming.answering import Inbound
from broker.incoming.bouncing import Failure
from broker.incoming.return_path import token_in
from broker.ports import Ports, Transaction
from broker.ports.approvals import OperatorRole
from broker.record import Entry

OUR_MESSAGE_ID = re.compile(r"<?carillon\.(\d{1,19})\.([0-9a-f]{20})@[^\s<>@]{1,255}>?", re.ASCII)
MOST_RECIPIENTS = 20
ALARM_ASIDE = "mail_aside"
STOP_SOURCE = "a mail that said unsubscribe"


@dataclass(frozen=True, slots=True)
class Mail:
    """One mail. `to` are the addresses it may have come to, `answers` the Message-IDs it says it answers.

    `failures` is what a report of delivery tells, None when it is none. `automatic`: a machine wrote it. `quiet`: no
    machine should answer it. `stop`: its subject asks for no more, and it says no more.
    """

    key: str
    sender: str = field(repr=False)
    to: tuple[str, ...] = field(repr=False)
    subject: str = field(repr=False)
    text: str = field(repr=False)
    answers: tuple[str, ...] = field(default=(), repr=False)
    failures: tuple[Failure, ...] | None = None
    automatic: bool = False
    quiet: bool = False
    stop: bool = False


class Taken(StrEnum):
    """What became of a mail."""

    BOUNCE = "bounce"
    UNSIGNED = "unsigned"  # a report that no signature of ours vouches for: nothing follows from it
    ANSWER = "answer"
    OPT_OUT = "opt-out"
    KNOWN = "known"  # it was read before
    ASIDE = "set aside"  # it could not be taken in, and lies where it lay


def take(ports: Ports, mail: Mail, *, actor: Actor) -> Taken:
    """What follows from one mail, in one transaction; safe to repeat."""
    return ports.ledger.transact(lambda tx: take_in(ports, tx, mail, actor=actor))


def take_in(ports: Ports, tx: Transaction, mail: Mail, *, actor: Actor) -> Taken:
    """The same in a transaction that does more."""
    attempt = _attempt(ports, mail)
    if mail.failures is not None:
        if attempt is None:
            return Taken.UNSIGNED
        return (
            Taken.BOUNCE
            if bounces.take_report(tx, attempt, mail.key, mail.failures, actor=actor)
            else Taken.KNOWN
        )
    inbound = Inbound(
        "email",
        mail.sender,
        mail.text,
        mail.key,
        subject=mail.subject,
        attempt=attempt,
        reply_to=_claimed(mail),
        automatic=mail.automatic,
        quiet=mail.quiet
        or mail.stop,  # the office sees it: From may be forged, and nobody is silenced unseen
    )
    kept = answers.record_inbound(ports, tx, inbound, actor=actor)
    if not kept.new:
        return Taken.KNOWN
    asks = mail.stop and not mail.automatic
    return Taken.OPT_OUT if asks and _opt_out(ports, tx, mail, actor) else Taken.ANSWER


def set_aside(tx: Transaction, mailbox: str, key: str, *, place: str, fault: str, actor: Actor) -> bool:
    """A mail that cannot be taken in must not keep the others out: somebody is told; False when that was known.

    `key` is the mail's digest, `place` where it lies, `fault` why, in our own words.
    """
    if not tx.bounces.set_aside(mailbox, key, place=place, fault=fault):
        return False
    tx.record.add([Entry("mail.set_aside", actor, {"mailbox": mailbox, "fault": fault})])
    _tell_aside(tx, mailbox)
    return True


def not_aside(tx: Transaction, mailbox: str, key: str) -> None:
    """It has been taken in after all."""
    if tx.bounces.not_aside(mailbox, key):
        _tell_aside(tx, mailbox)


def settle_aside(ports: Ports, number: int, *, actor: Actor) -> None:
    """Somebody has read it where it lies. Raises NotFound, NotAllowed."""

    def work(tx: Transaction) -> None:
        must(tx, actor, OperatorRole.AUTHOR)
        mailbox = tx.bounces.settle_aside(number)
        if mailbox is None:
            hint = "list them with: carillon bounces aside"
            raise NotFound(Problem("not_found", "number", "no such mail was set aside", hint))
        tx.record.add([Entry("mail.settled", actor, {"mailbox": mailbox})])
        _tell_aside(tx, mailbox)

    ports.ledger.transact(work)


def _tell_aside(tx: Transaction, mailbox: str) -> None:
    count = sum(one.mailbox == mailbox for one in tx.bounces.aside())
    tx.sweeps.clear_alarm(ALARM_ASIDE, mailbox)
    if count:
        mails = "1 mail" if count == 1 else f"{count:,} mails"
        why = f"{mails} in mailbox {mailbox} could not be taken in: see carillon bounces aside"
        tx.sweeps.raise_alarm(ALARM_ASIDE, mailbox, why)


def _opt_out(ports: Ports, tx: Transaction, mail: Mail, actor: Actor) -> bool:
    """Whoever's address stands in From gets no more mails: at worst somebody else has asked for it in their name."""
    keyed = hash_of(ports.signer, AddressKind.EMAIL, mail.sender, tx.school.region)
    if keyed is None:
        return False
    stop(tx, [keyed], "email", source=STOP_SOURCE, actor=actor)
    return True


def _attempt(ports: Ports, mail: Mail) -> int | None:
    """The attempt whose return path this came to, if the signature holds."""
    for address in mail.to[:MOST_RECIPIENTS]:
        if token := token_in(address):
            value = ports.signer.verify("attempt", token)
            if value is not None and value.isdecimal():
                return int(value)
    return None


def _claimed(mail: Mail) -> tuple[int, str] | None:
    """The delivery and the beginning of the digest in a Message-ID that looks like one of ours."""
    for name in mail.answers:
        if (found := OUR_MESSAGE_ID.fullmatch(name)) is not None and int(found[1]) < 2**63:
            return int(found[1]), found[2]
    return None

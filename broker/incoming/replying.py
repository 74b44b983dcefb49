"""The one reply: nobody reads this live, and where to get help now. Once a day to each sender, never to a machine."""

from __future__ import annotations

from datetime import datetime, timedelta

from broker.address import AddressKind, fold_email
from broker.announcement import Part
from broker.consent.optouts import hash_of
from broker.incoming.answering import Answered, Inbound
from broker.moments import today_of
from broker.notes import send_note
from broker.ports import Ports, Transaction
from broker.values import AccountRow


def reply(
    ports: Ports,
    tx: Transaction,
    inbound: Inbound,
    kind: AddressKind,
    sender: str,
    about: Answered | None,
    *,
    concern: bool,
    department: str,
) -> str:
    """Answer once for each sender, department and day; why not, or "" when it is on its way."""
    if not ports.answering.replies:
        return "not answered: the school has switched that off"
    if inbound.automatic:
        return "not answered: a machine wrote it"
    if inbound.quiet:
        return "not answered: it asks for no machine's answer, or had lain for days"
    if kind is AddressKind.EMAIL:
        if fold_email(sender) in _own_addresses(ports):
            return "not answered: it came from ourselves"
        # A stranger's From may be anybody's address: whoever it belongs to would get our words for spam.
        if about is None and not concern and not tx.answers.is_known(kind, sender):
            return "not answered: nobody at the school has this address, and it answers nothing of ours"
    if _has_stopped(ports, tx, inbound, kind, sender):
        return "not answered: its sender has asked for no more"
    account = _account(tx, inbound, department)
    if account is None:
        return "not answered: there is no account to answer by"
    day = today_of(tx)
    sent = send_note(
        tx,
        account,
        department=department,
        key=f"answer/{inbound.channel}/{day.isoformat()}",
        parts=_said(ports, tx.school.name),
        kind=kind,
        to=sender,
        expires_at=_end_of_notes(tx.now),
    )
    return "" if sent else "not answered again: its sender has had today's answer"


def _has_stopped(ports: Ports, tx: Transaction, inbound: Inbound, kind: AddressKind, sender: str) -> bool:
    keyed = hash_of(ports.signer, kind, sender, tx.school.region)
    return keyed is not None and tx.opt_outs.of(keyed, inbound.channel) is not None


def _said(ports: Ports, school: str) -> dict[Part, str]:
    words = f"{school}: nobody reads this live. {ports.answering.help}"
    longer = (
        f"Thank you for writing to {school}. This mailbox is not read live: somebody will look at it, but not at once."
        f"\n\n{ports.answering.help}"
    )
    return {Part.TITLE: "Your message is not read live", Part.SHORT: words, Part.LONG: longer}


def _end_of_notes(now: datetime) -> datetime:
    """A day's note outlives its day, so that an answer just before midnight is still answered."""
    return now + timedelta(hours=36)


def _account(tx: Transaction, inbound: Inbound, department: str) -> AccountRow | None:
    """The account that was written to; else the department's."""
    written_to = (
        one for one in tx.accounts.all() if one.id == inbound.account and one.channel == inbound.channel
    )
    return next(written_to, None) or tx.accounts.for_channel(inbound.channel, department)


def _own_addresses(ports: Ports) -> frozenset[str]:
    rules = ports.answering
    inboxes = (one.email for one in (*rules.inboxes, rules.lead))
    return frozenset(fold_email(one) for one in (*rules.own_addresses, *inboxes) if one)

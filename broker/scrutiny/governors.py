"""Governors: who keeps heads of the record outside the school, and the mail that brings them.

The mail goes by the ordinary dispatch, as a note: under a lease, tried again, recorded and stopped like every other. A
mailer of its own would be one more way out of the house that no rule looks at.
"""

from __future__ import annotations

from datetime import timedelta

from broker.actor import Actor
from broker.address import AddressKind, mask, parse_email
from broker.announcement import Part
from broker.authority import operators
from broker.errors import NotFound, Problem, RuleBroken
from broker.notes import send_note
from broker.ports import Ports, Transaction
from broker.ports.approvals import OperatorRole
from broker.record import Entry
from broker.rules.record import MAIL_EVERY
from broker.scrutiny.heads import Left, written

LASTS = timedelta(days=2)  # of trying to mail one
ALARM = "heads_not_mailed"
MOST = 20


def add(ports: Ports, name: str, email: str, *, actor: Actor) -> str:
    """Mail heads to somebody from now on, the first one with the next sweep; returns the email, masked.

    Raises BadAddress for what is no email, RuleBroken for more governors than any school has, NotAllowed.
    """
    address = parse_email(email)
    masked = mask(AddressKind.EMAIL, address)

    def work(tx: Transaction) -> None:
        operators.must(tx, actor, OperatorRole.ADMIN)
        if len(tx.record.holders()) >= MOST:
            raise RuleBroken(Problem("too_many", "name", f"there are {MOST} already", "remove one first"))
        tx.record.add_holder(name, address, by=actor.id)
        tx.record.add([Entry("governor.added", actor, {"governor": name})])

    ports.ledger.transact(work)
    return masked


def remove(ports: Ports, name: str, *, actor: Actor) -> None:
    """No more heads to somebody. Raises NotFound, NotAllowed."""

    def work(tx: Transaction) -> None:
        operators.must(tx, actor, OperatorRole.ADMIN)
        if not tx.record.drop_holder(name):
            hint = "list them with: carillon audit governors"
            raise NotFound(Problem("not_found", "name", "there is no governor of this name", hint))
        tx.record.add([Entry("governor.removed", actor, {"governor": name})])

    ports.ledger.transact(work)


def mail_heads(ports: Ports) -> int:
    """Mail the newest head to every governor, where it is time; returns to how many. For the sweep, once a second."""
    with ports.ledger.look() as seen:
        if not _is_due(seen):
            return 0
    return ports.ledger.transact(lambda tx: _mail(ports, tx))


def _is_due(tx: Transaction) -> bool:
    if not tx.record.holders():
        return False
    every, last = tx.rules.current().duration(MAIL_EVERY), tx.record.last_given(Left.MAILED)
    return bool(every) and (last is None or tx.now - last >= every) and tx.record.newest() is not None


def _mail(ports: Ports, tx: Transaction) -> int:
    newest, holders = tx.record.newest(), tx.record.holders()
    if not tx.sweeps.may_sweep() or newest is None or not _is_due(tx):
        return 0
    department = tx.licences.department()
    account = tx.accounts.for_channel("email", department) if "email" in ports.channels.names() else None
    if account is None:
        why = "no account for mails is set up, so no governor holds a head of the record"
        tx.sweeps.raise_alarm(ALARM, "record", why)
        return 0
    tx.sweeps.clear_alarm(ALARM, "record")
    line = written(newest, tx.school.slug, tx.now)
    words = (
        f"Please keep this mail. It lets you show later whether the record of what {tx.school.name} sent is still the"
        f" one of today.\n\n    {line}\n\nTo check: carillon audit verify --head, with the digits above. How, and"
        " what it proves, is told in docs/record.md."
    )
    parts = {Part.TITLE: f"The head of {tx.school.name}'s record", Part.SHORT: line, Part.LONG: words}
    for address in sorted(holders.values()):
        send_note(
            tx,
            account,
            department=department,
            key=f"record-head/{newest.number}",
            parts=parts,
            kind=AddressKind.EMAIL,
            to=address,
            expires_at=tx.now + LASTS,
        )
    tx.record.gave(newest, Left.MAILED)
    return len(holders)

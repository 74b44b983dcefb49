"""Inboxes: whoever watches one is told that an answer came, and everybody that one has waited for too long.

A mail or an alarm says where to look and nothing more: what was written may be about harm.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from uuid import UUID

from broker.actor import Actor
from broker.address import AddressKind
from broker.announcement import Part
from broker.incoming.answering import AnswerRow, Inbox, Waiting
from broker.notes import send_note
from broker.ports import Ports, Transaction

ALARM_CONCERN = "safeguarding"
ALARM_WAITING = "answers_waiting"


def raise_overdue(ports: Ports, *, actor: Actor) -> int:
    """Raise an alarm for each inbox that nobody has emptied for too long, or clear it; returns how many are raised.

    And tell the inboxes to which an answer came after their last mail.
    """
    return ports.ledger.transact(lambda tx: _raise_overdue(ports, tx))


def call_the_lead(ports: Ports, tx: Transaction, answer: AnswerRow, department: str) -> None:
    """An alarm for whoever watches, and a mail to the lead: neither says anything but where to look."""
    raise_concern(tx, answer.public_id)
    where = _link(ports, answer.public_id) or _command(answer.public_id)
    words = {
        Part.TITLE: "An answer needs you now",
        Part.LONG: f"Somebody wrote to the school what may be about harm. It is for you alone.\n\nRead it now: {where}",
    }
    _mail(tx, ports.answering.lead, department, f"concern/{answer.public_id}", words)


def raise_concern(tx: Transaction, answer: UUID) -> None:
    """The alarm of an answer that the lead has to read; once, until somebody has dealt with it."""
    message = f"an answer needs the safeguarding lead: {_command(answer)}"
    tx.sweeps.raise_alarm(ALARM_CONCERN, str(answer), message)


def tell_the_inbox(ports: Ports, tx: Transaction, inbox: Inbox, department: str) -> None:
    """A mail to whoever watches the inbox, one an hour at most."""
    where = _link(ports, None) or "carillon answers list"
    words = {
        Part.TITLE: f"Somebody answered: {inbox.name}",
        Part.LONG: f"Answers wait in the inbox {inbox.name}.\n\nRead them: {where}",
    }
    _mail(tx, inbox, department, f"inbox/{inbox.name}/{_hour(tx.now)}", words)


def department_of(tx: Transaction, inbox: Inbox) -> str:
    """Whose mail account tells an inbox: one of its departments' own, else the school's."""
    own = (
        one.department
        for one in tx.accounts.all()
        if one.channel == "email" and one.department in inbox.departments
    )
    return next(own, None) or tx.answers.first_department()


def _raise_overdue(ports: Ports, tx: Transaction) -> int:
    waiting = {one.inbox: one for one in tx.answers.waiting()}
    _tell_who_was_not_told(ports, tx, waiting)
    late = 0
    names = {one.name for one in (*ports.answering.inboxes, ports.answering.lead)}
    for name in sorted(names | waiting.keys()):
        one = waiting.get(name)
        if one is None or one.oldest > tx.now - ports.answering.overdue_after:
            tx.sweeps.clear_alarm(ALARM_WAITING, name)
            continue
        late += 1
        hours = int(ports.answering.overdue_after / timedelta(hours=1))
        why = (
            f"nobody has answered for more than {hours} hours in the inbox {name}; see: carillon answers list"
        )
        tx.sweeps.raise_alarm(ALARM_WAITING, name, why)
    return late


def _tell_who_was_not_told(ports: Ports, tx: Transaction, waiting: Mapping[str, Waiting]) -> None:
    """What came in the hour of a mail got none of its own: perhaps the inbox was emptied in between."""
    for inbox in ports.answering.inboxes:
        one = waiting.get(inbox.name)
        if one is None or not inbox.email:
            continue
        last = tx.notes.last(f"inbox/{inbox.name}/")
        if last is None or (last < one.newest and _hour(last) != _hour(tx.now)):
            tell_the_inbox(ports, tx, inbox, department_of(tx, inbox))


def _mail(tx: Transaction, inbox: Inbox, department: str, key: str, words: dict[Part, str]) -> None:
    account = tx.accounts.for_channel("email", department) if inbox.email else None
    if account is not None:
        send_note(
            tx, account, department=department, key=key, parts=words, kind=AddressKind.EMAIL, to=inbox.email
        )


def _command(answer: UUID) -> str:
    return f"carillon answers show {answer}"


def _hour(moment: datetime) -> str:
    return f"{moment:%Y-%m-%dT%H}"


def _link(ports: Ports, public_id: UUID | None) -> str:
    """Where it can be read after signing in; "" while the school has no public address."""
    base = ports.public_url
    if not base:
        return ""
    return f"{base}/watch/answers/{public_id}" if public_id else f"{base}/watch/answers"

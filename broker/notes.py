"""Notes: words that the house itself sends to one address, by the same dispatch as everything else.

A note is an announcement without an audience: its deliveries are named one by one. Its key says what it is for (a day's
automatic answers, one call for the lead), and the ledger allows one delivery for each address under it, so that whoever
asks twice, from two processes or after a crash, sends once. It is urgent: the words would be useless tomorrow.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta

from broker.address import AddressKind
from broker.announcement import Draft, Part, People, Step, Urgency
from broker.ports import Transaction
from broker.values import AccountRow

LASTS = timedelta(hours=6)  # after that it is not sent any more: what it says would mislead


def send_note(
    tx: Transaction,
    account: AccountRow,
    *,
    department: str,
    key: str,
    parts: Mapping[Part, str],
    kind: AddressKind,
    to: str,
    expires_at: datetime | None = None,
) -> bool:
    """Queue a note to one address, in the caller's transaction; False where it has had this one.

    The sweep finds it within a second. `to` is a normalised address; whether anybody at the school holds it does not
    matter. What is withdrawn by its id stops like any other.
    """
    draft = Draft(
        department=department,
        audience="",  # nobody: should any planner ever look at it, there is nothing to plan
        people=People.GUARDIANS,
        ways=(Step((account.channel,)),),
        parts=parts,
        urgency=Urgency.URGENT,
        key=key,
    )
    until = expires_at or tx.now + LASTS
    return tx.notes.add(draft, kind=kind, to=to, account=account.id, lasts=LASTS, expires_at=until)

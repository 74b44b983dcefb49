"""Whether everything is accounted for: the ledger against the sandbox's truth, and the record against itself."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from config.assembly import House
from ledger import record
from ledger.reads.left import Left, left
from ledger.reads.status import Status

Entry = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Account:
    """`accepted` is how many messages the stand-ins truly took, by channel; `says` is one sentence."""

    ok: bool
    accepted: Mapping[str, int]
    says: str


def account_for(house: House, status: Status, truth: Sequence[Entry]) -> Account:
    """Check everything; the record is sealed first."""
    house.ports.ledger.transact(lambda tx: tx.record.seal())
    with house.ledger.reading() as hand:
        gone = left(hand, status.announcement.id)
        verified = record.verify(hand.connection)
    accepted = Counter(entry["channel"] for entry in truth)
    faults = [
        *([] if status.settled else ["not everything is settled"]),
        *disagreements(gone, truth),
        *([] if verified.ok else [f"the record does not verify: {verified.first_fault}"]),
        *([f"{verified.unsealed} entries of the record are not sealed"] if verified.unsealed else []),
    ]
    if faults:
        return Account(ok=False, accepted=accepted, says=faults[0])
    says = f"All accounted for: {len(gone)} messages left, the stand-ins took the same {len(truth)},"
    return Account(
        ok=True, accepted=accepted, says=f"{says} and the record of {verified.entries} entries verifies."
    )


def disagreements(gone: Iterable[Left], truth: Iterable[Entry]) -> Iterable[str]:
    """Where ledger and truth differ: each attempt that left is one accepted message to its address, and no other is."""
    accepted: dict[tuple[str, str], list[str]] = {}
    for entry in truth:
        accepted.setdefault((entry["channel"], name_of(entry)), []).append(entry["to"])
    for delivery in gone:
        if not delivery.provider_ids:
            yield f"delivery {delivery.delivery} is sent by the ledger, and no provider's id tells of it"
        for name in dict.fromkeys(delivery.provider_ids):
            took = accepted.pop((delivery.channel, name), [])
            if took != [delivery.address]:
                yield f"delivery {delivery.delivery} left once by the ledger, {len(took)} times by the truth log"
    for channel, _ in accepted:
        yield f"a message by {channel} was accepted that the ledger does not call sent"


def name_of(entry: Entry) -> str:
    """The provider's id as the ledger knows it: a text's or a post's, a mail's Message-ID without its brackets."""
    name = entry["key"] if entry["channel"] == "email" else entry["id"]
    return str(name).strip("<>")

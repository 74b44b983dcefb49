"""What must hold at every moment and at the end, in one place: the ledger against what providers truly have."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterable, Mapping

from sqlalchemy import select

from broker.delivery import REACHED, State
from broker.naming import fill
from broker.testing.channel_bench import Accepted
from ledger import tables as t
from ledger.connect import Ledger
from ledger.record import verify

Sent = tuple[str, str]  # address, digest: with wordings of their own, one delivery each


def digest_of(words: str) -> str:
    """What a pretend provider keeps of a wording without names."""
    return hashlib.sha256(fill(words, ()).encode()).hexdigest()


def check_always(
    ledger: Ledger, truth: Mapping[str, Iterable[Accepted]], wordings: Mapping[int, str]
) -> None:
    """At any moment: nothing twice, `sent` means that the provider has it, one delivery each, counters conserve."""
    had = {channel: Counter((m.address, m.digest) for m in messages) for channel, messages in truth.items()}
    for channel, messages in had.items():
        assert all(n == 1 for n in messages.values()), f"sent twice by {channel}"
    with ledger.reading() as hand:
        run = hand.connection.execute
        deliveries = run(
            select(t.delivery, t.address.c.value).join(t.address, t.address.c.id == t.delivery.c.address_id)
        ).all()
        counted: Counter[tuple[int, str, str]] = Counter()
        for table in (t.tally, t.tally_delta):
            for row in run(select(table)):
                counted[(row.announcement_id, row.channel, row.state)] += row.n
    for row in deliveries:
        if State(row.state) in REACHED:
            sent = (row.value, digest_of(wordings[row.announcement_id]))
            assert sent in had[row.channel], f"delivery {row.id} is {row.state} and the provider lacks it"
    there = Counter((row.announcement_id, row.channel, row.state) for row in deliveries)
    assert +counted == there, "the counters do not add up"
    ways = Counter((row.announcement_id, row.channel, row.address_id) for row in deliveries)
    assert all(n == 1 for n in ways.values()), "two deliveries of one announcement to one address"


def check_in_the_end(
    ledger: Ledger, truth: Mapping[str, Iterable[Accepted]], wordings: Mapping[int, str]
) -> None:
    """When faults have stopped: all settled, no text uncertain, what a provider has is told, the record verifies."""
    check_always(ledger, truth, wordings)
    ended = {State.SENT, State.DELIVERED, State.REJECTED, State.UNCERTAIN, State.RETRACTED}
    with ledger.reading() as hand:
        run = hand.connection.execute
        states = {
            (row.channel, row.value, digest_of(wordings[row.announcement_id])): State(row.state)
            for row in run(
                select(t.delivery, t.address.c.value).join(
                    t.address, t.address.c.id == t.delivery.c.address_id
                )
            )
        }
        assert verify(hand.connection).ok
    assert not {State.QUEUED, State.SENDING} & set(states.values()), Counter(states.values())
    texts = [state for (channel, _, _), state in states.items() if channel == "sms"]
    assert State.UNCERTAIN not in texts
    for channel, messages in truth.items():
        for message in messages:
            assert states[(channel, message.address, message.digest)] in ended

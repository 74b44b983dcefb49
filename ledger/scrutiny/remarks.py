"""Words about people, kept beside the record: it holds their commitment, and they themselves can go."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from sqlalchemy import insert, select

from broker.record import Entry, commitment, joint_key
from ledger.hand import Hand
from ledger.tables import person, remark


def kept_apart(hand: Hand, entry: Entry) -> Entry:
    """The entry without its words: a remark about each of these people, committed to under their keys.

    Without the key of any one of them nothing is committed to: there is nothing that their erasure could destroy.
    """
    if not entry.words:
        return entry
    keys = _keys(hand, entry.about)
    if not keys or None in keys:
        return replace(entry, words="", facts={**entry.facts, "words": "not kept"})
    made = commitment(joint_key([key for key in keys if key is not None]), entry.words)
    rows = [
        {"commitment": made, "person_id": one, "words": entry.words, "at": hand.now}
        for one in dict.fromkeys(entry.about)
    ]
    hand.connection.execute(insert(remark), rows)
    return replace(entry, words="", facts={**entry.facts, "words": made})


def _keys(hand: Hand, people: Sequence[int]) -> list[bytes | None]:
    rows = hand.connection.execute(
        select(person.c.id, person.c.commitment_key).where(person.c.id.in_(list(people)))
    )
    found = {row.id: row.commitment_key for row in rows}
    return [found.get(one) for one in sorted(set(people))]

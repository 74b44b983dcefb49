"""Commitments explained: that a try in the record was this text to this address about these people, by their keys.

Nobody without the keys can make such a commitment, and nobody changes address or digest afterwards without its ceasing
to match. When one of those concerned was erased the key is gone, and the entry says nothing of any of them any more.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping

from sqlalchemy import Connection, select

from broker.record import commitment, joint_key
from ledger import tables as t


def explained(connection: Connection, tries: Mapping[int, str]) -> Collection[int]:
    """Which attempts' commitments (attempt → as the record has it) match address, digest and keys as they stand now."""
    d, a, ad, c, u, p = (x.c for x in (t.delivery, t.attempt, t.address, t.delivery_covers, t.duty, t.person))
    rows = connection.execute(
        select(a.id, a.delivery_id, a.digest, ad.value, ad.commitment_key)
        .join(t.delivery, d.id == a.delivery_id)
        .join(t.address, ad.id == d.address_id)
        .where(a.id.in_(sorted(tries)))
    ).all()
    keys: dict[int, list[bytes | None]] = defaultdict(list)
    covered = (
        select(c.delivery_id, p.commitment_key)
        .join(t.duty, u.id == c.duty_id)
        .join(t.person, p.id == u.person_id)
        .where(c.delivery_id.in_({row.delivery_id for row in rows}), c.dropped.is_(False))
        .order_by(c.delivery_id, p.id)
    )
    for told in connection.execute(covered):
        keys[told.delivery_id].append(told.commitment_key)
    found = set()
    for row in rows:
        all_keys = [row.commitment_key, *keys[row.delivery_id]]
        held = [bytes(key) for key in all_keys if key is not None]
        whole = len(held) == len(all_keys)
        if whole and commitment(joint_key(held), row.value, row.digest) == tries[row.id]:
            found.add(row.id)
    return found

"""What a delivery would tell: the people it covers, and those whom its wording may name beside them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import date
from typing import Any

from broker.policy import Cover
from ledger.dialect import Column
from ledger.hand import Hand

_IDS: tuple[Column, ...] = (("id", "bigint"),)


def covers_of(hand: Hand, deliveries: Sequence[int]) -> Mapping[int, list[Cover]]:
    """What each delivery would tell: a cover is gone when its person left, or nobody at the address is theirs."""
    # By way of the deliveries, whose ids are unique: a planner that has no statistics yet guesses right then.
    rows: Iterable[Sequence[Any]] = hand.run_rows(
        "SELECT c.delivery_id, c.duty_id, du.person_id,"
        " coalesce(p.preferred_name, p.given_name) AS name, p.language,"
        " du.acknowledged_at IS NOT NULL AS acknowledged,"
        # Through a guardian (2), by the person alone (1), or not any more: one walk over those who hold the address.
        " CASE WHEN p.active THEN (SELECT max(CASE WHEN g.pupil_id IS NOT NULL THEN 2"
        "  WHEN pa.person_id = du.person_id THEN 1 ELSE 0 END) FROM person_address pa"
        "  JOIN person holder ON holder.id = pa.person_id AND holder.active LEFT JOIN guardianship g"
        "  ON g.guardian_id = pa.person_id AND g.pupil_id = du.person_id"
        "  WHERE pa.address_id = d.address_id) END AS held,"
        " EXISTS (SELECT 1 FROM guardianship g JOIN person_address pa ON pa.person_id = g.guardian_id"
        "  AND pa.address_id = d.address_id WHERE g.pupil_id = du.person_id AND g.blocked) AS blocked,"
        " p.commitment_key, coalesce(p.form, '') AS form, p.is_pupil, p.born, p.year"
        f" FROM {hand.dialect.rows(_IDS)} JOIN delivery d ON d.id = u.id"
        " JOIN delivery_covers c ON c.delivery_id = d.id AND NOT c.dropped"
        " JOIN duty du ON du.id = c.duty_id JOIN person p ON p.id = du.person_id"
        " ORDER BY c.delivery_id, name",
        _IDS,
        [(one,) for one in deliveries],
    )
    found: dict[int, list[Cover]] = defaultdict(list)
    # Taken apart by place, as in `Deliveries.pick`: by name it costs twenty times as much, and this is for every one.
    for delivery, duty, person, name, language, told, held, blocked, key, form, pupil, born, year in rows:
        cover = Cover(duty, person, name, language, bool(blocked), bool(told), not held, key, form)
        if held == 1 and pupil:
            day = date.fromisoformat(born) if isinstance(born, str) else born
            cover = replace(cover, own=True, born=day, year=year or "")
        found[delivery].append(cover)
    return found


def guardians_of(hand: Hand, deliveries: Sequence[int]) -> Mapping[int, tuple[str, ...]]:
    """The whole names of those who hold a delivery's address and look after a pupil it covers."""
    rows = hand.run_rows(
        "SELECT d.id, coalesce(h.preferred_name, h.given_name) AS given, h.family_name, min(g.priority) AS asked"
        f" FROM {hand.dialect.rows(_IDS)} JOIN delivery d ON d.id = u.id"
        " JOIN person_address pa ON pa.address_id = d.address_id"
        " JOIN person h ON h.id = pa.person_id AND h.active"
        " JOIN delivery_covers c ON c.delivery_id = d.id AND NOT c.dropped"
        " JOIN duty du ON du.id = c.duty_id"
        " JOIN guardianship g ON g.guardian_id = h.id AND g.pupil_id = du.person_id AND NOT g.blocked"
        " GROUP BY d.id, h.id, coalesce(h.preferred_name, h.given_name), h.family_name"
        " ORDER BY d.id, asked, given",
        _IDS,
        [(one,) for one in deliveries],
    )
    found: dict[int, tuple[str, ...]] = {}
    for row in rows:
        found[row.id] = (*found.get(row.id, ()), f"{row.given} {row.family_name}".strip())
    return found

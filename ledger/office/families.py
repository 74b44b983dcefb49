"""Families: who somebody is, and what is known of a guardian and a pupil."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import SimpleNamespace
from typing import Any
from uuid import UUID

from sqlalchemy import Row, Select, delete, func, insert, or_, select, update

from broker.ports.office import GuardianshipRow, PersonRow
from broker.rosters.roster import Role
from ledger.erased import is_erased
from ledger.hand import Hand
from ledger.tables import guardianship, person

LAST = 99  # of the order to ask in: whom only a block joins to a pupil is nobody's contact


class Families:
    """See broker.ports.office.Families."""

    def __init__(self, hand: Hand) -> None:
        self._hand = hand

    def find(self, word: str, *, limit: int, gone: bool = False) -> Sequence[PersonRow]:
        """Whom a word may mean."""
        run = self._hand.connection.execute
        ids = [person.c.source_id == word]
        if (public := _uuid(word)) is not None:
            ids.append(person.c.public_id == public)
        if exact := run(_people(gone).where(or_(*ids))).all():
            return [person_row(row) for row in exact]
        called = func.lower(" ".join(word.split()))  # by the database on both sides: SQLite folds ASCII alone
        given = [func.lower(whole) == called for whole in (*_WHOLE, person.c.family_name)]
        rows = run(_people(gone).where(or_(*given)).order_by(person.c.source_id).limit(limit))
        return [person_row(row) for row in rows]

    def by_source_ids(self, ids: Sequence[str]) -> Mapping[str, PersonRow]:
        """Those who are at the school, by the school's own ids."""
        found: dict[str, PersonRow] = {}
        for at in range(0, len(ids), 500):
            rows = self._hand.connection.execute(_people().where(person.c.source_id.in_(ids[at : at + 500])))
            found |= {row.source_id: person_row(row) for row in rows}
        return found

    def guardianship(self, guardian: int, pupil: int) -> GuardianshipRow | None:
        """What is known of the two; locked."""
        row = self._hand.connection.execute(
            select(guardianship).where(*_of(guardian, pupil)).with_for_update()
        ).one_or_none()
        return GuardianshipRow(guardian, pupil, row.blocked, row.by_hand) if row else None

    def set_block(self, guardian: int, pupil: int, *, blocked: bool) -> None:
        """Block a guardian from a pupil by hand, or lift the block."""
        values = {"blocked": blocked, "by_hand": blocked}
        run, both = self._hand.connection.execute, _of(guardian, pupil)
        if not blocked:
            # Joined by the block alone: without it, they would be a guardian whom nobody named.
            run(delete(guardianship).where(*both, guardianship.c.by_hand, guardianship.c.priority == LAST))
        if run(update(guardianship).where(*both).values(values)).rowcount or not blocked:
            return
        run(insert(guardianship).values(guardian_id=guardian, pupil_id=pupil, priority=LAST, **values))


_WHOLE = (
    person.c.given_name + " " + person.c.family_name,
    person.c.preferred_name + " " + person.c.family_name,
)


def _people(gone: bool = False) -> Select[Any]:
    """Who is here; or was, and is known by name still."""
    return select(person).where(~is_erased(person.c.source_id) if gone else person.c.active)


def person_row(row: Row[Any] | SimpleNamespace) -> PersonRow:
    """The value from a row of `person`, or from what has the same names."""
    held = {Role.PUPIL: row.is_pupil, Role.GUARDIAN: row.is_guardian, Role.STAFF: row.is_staff}
    name = f"{row.preferred_name or row.given_name} {row.family_name}".strip()
    roles = frozenset(role for role, holds in held.items() if holds)
    return PersonRow(row.id, row.public_id, row.source_id, name, roles, row.form or "", row.year or "")


def _of(guardian: int, pupil: int) -> tuple[Any, Any]:
    return guardianship.c.guardian_id == guardian, guardianship.c.pupil_id == pupil


def _uuid(word: str) -> UUID | None:
    try:
        return UUID(word)
    except ValueError:
        return None

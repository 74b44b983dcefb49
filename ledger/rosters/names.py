"""The index of the roster's names, built once for each state of the people and kept by the process."""

from __future__ import annotations

from dataclasses import dataclass
from threading import Lock
from typing import Any
from weakref import WeakKeyDictionary

from sqlalchemy import func, select

from broker.disclosure.names import NameIndex, RosterName
from ledger.hand import Hand
from ledger.tables import person


@dataclass(frozen=True, slots=True)
class _Kept:
    state: Any
    index: NameIndex


# By the dialect, which each opened ledger has one of.
_kept: WeakKeyDictionary[Any, _Kept] = WeakKeyDictionary()
_building = Lock()


def name_index(hand: Hand) -> NameIndex:
    """Every name of those who are at the school. Built anew only when somebody came, went or changed.

    One thread builds, the others wait for it: two at once would take twice as long and twice the memory.
    """
    whose = select(func.max(person.c.changed_at), func.count()).where(person.c.active)
    state = tuple(hand.connection.execute(whose).one())
    with _building:
        kept = _kept.get(hand.dialect)
        if kept is None or kept.state != state:
            kept = _kept[hand.dialect] = _Kept(state, NameIndex(_names(hand)))
    return kept.index


def _names(hand: Hand) -> list[RosterName]:
    columns = (
        person.c.given_name,
        person.c.family_name,
        person.c.preferred_name,
        person.c.form,
        person.c.is_pupil,
    )
    # By position: fifty thousand rows are read for one index.
    rows = hand.connection.execute(select(*columns).where(person.c.active))
    return [
        RosterName(given, family, preferred or "", form or "", pupil)
        for given, family, preferred, form, pupil in rows
    ]

"""One membership a person and group: what a roster tells in several rows becomes the one that counts."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import date, timedelta

from broker.rosters.roster import Role, RosterMembership

_FIRST = [Role.PUPIL, Role.STAFF, Role.GUARDIAN]  # of somebody who is both in one group


def one_each(memberships: Sequence[RosterMembership], today: date) -> Iterator[RosterMembership]:
    """Each person once a group. Repeats are rare, so two sets find them and nothing else is held in memory."""
    seen: set[int] = set()
    repeated: dict[int, list[RosterMembership]] = {}
    for held in memberships:
        key = hash((held.group, held.person))
        if key in seen:
            repeated[key] = []
        seen.add(key)
    for held in memberships:
        key = hash((held.group, held.person))
        if key in repeated:
            repeated[key].append(held)
        else:
            yield held
    for several in repeated.values():
        yield from _each_pair(several, today)


def _each_pair(several: Sequence[RosterMembership], today: date) -> Iterator[RosterMembership]:
    """Hashes may collide; pairs do not."""
    by_pair: dict[tuple[str, str], list[RosterMembership]] = {}
    for held in several:
        by_pair.setdefault((held.group, held.person), []).append(held)
    for rows in by_pair.values():
        yield the_one(rows, today)


def the_one(rows: Sequence[RosterMembership], today: date) -> RosterMembership:
    """Of one person in one group, the membership that counts on `today`.

    Periods that touch or overlap become one: two terms' enrolments are one membership. Of those that do not, the
    one in force, else the next to come, else the last: a gap is never filled, for nobody is there in it.
    """
    role = min((row.role for row in rows), key=_FIRST.index)
    spans = _joined([row for row in rows if row.role is role])
    in_force = [s for s in spans if s[0] <= today <= s[1]]
    to_come = [s for s in spans if s[0] > today]
    begins, ends = (in_force or to_come or spans[-1:])[0]
    return replace(
        rows[0],
        role=role,
        begins_on=None if begins == date.min else begins,
        ends_on=None if ends == date.max else ends,
    )


def _joined(rows: Sequence[RosterMembership]) -> list[tuple[date, date]]:
    spans: list[tuple[date, date]] = []
    for begins, ends in sorted((row.begins_on or date.min, row.ends_on or date.max) for row in rows):
        if spans and (begins == date.min or begins - timedelta(days=1) <= spans[-1][1]):
            spans[-1] = (spans[-1][0], max(spans[-1][1], ends))
        else:
            spans.append((begins, ends))
    return spans

"""Making the ledger equal to a staged roster: set-based statements in one short transaction.

Matched by the source's ids. Nobody is erased: who is missing becomes inactive, keeps addresses and guardianships
(a court order must not lapse because an export was short) and comes back by the same id.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Table,
    and_,
    case,
    exists,
    false,
    func,
    insert,
    literal,
    not_,
    or_,
    select,
    text,
    true,
    update,
)

from broker.rosters.difference import Brakes, Counts, ImportDifference, ImportNames
from broker.rosters.roster import EVERYBODY
from ledger.erased import is_erased
from ledger.hand import Hand
from ledger.privacy.barred import stamp
from ledger.rosters import doubtful, parts
from ledger.rosters.links import Link, links
from ledger.rosters.named import Names
from ledger.rosters.staging import (
    Staged,
    staged_address,
    staged_group,
    staged_membership,
    staged_person,
    staged_term,
)
from ledger.tables import (
    address,
    bounced,
    guardianship,
    membership,
    people_group,
    person,
    person_address,
    school,
    suppression,
    term,
)

PERSON_FIELDS = (
    "is_pupil",
    "is_guardian",
    "is_staff",
    "given_name",
    "family_name",
    "preferred_name",
    "year",
    "form",
    "born",
    "language",
    "mobile_refused",
    "email_refused",
)
TERM_FIELDS = ("name", "kind", "begins_on", "ends_on", "parent")
GROUP_FIELDS = ("name", "folded_name", "kind", "department_id")
_FILLED = (person, address, person_address, guardianship, people_group, membership, term)


class ErasedMeanwhile(Exception):
    """Raised when somebody was erased, or readmitted, after the roster was staged: it may hold them still."""


class Imports:
    """See broker.ports.Imports."""

    def __init__(self, hand: Hand, staged: Staged) -> None:
        self._hand = hand
        self._staged = staged
        # One import at a time: the second waits here, and then compares with what the first left behind.
        hand.run(f"SELECT id FROM {school.name} {hand.dialect.lock}")
        if stamp(hand.connection) != staged.barred:
            raise ErasedMeanwhile
        self._speaks_for = staged.speaks_for
        self._links = links(staged.speaks_for)
        self._resolve()
        parts.complete(hand, staged_person, PERSON_FIELDS, staged.speaks_for)

    def difference(self) -> ImportDifference:
        """What making them equal would change; reads only."""
        ours = self._links
        by_group = self._count_members()
        return ImportDifference(
            source=self._staged.source,
            before=self._count(person, and_(person.c.active, parts.theirs_at_all(self._speaks_for))),
            people=self._count_things(
                person, staged_person, "person_id", PERSON_FIELDS, parts.theirs_to_leave(self._speaks_for)
            ),
            groups=self._count_things(
                people_group, staged_group, "group_id", GROUP_FIELDS, parts.theirs_to_end(self._speaks_for)
            ),
            memberships=_summed(by_group.values()),
            guardianships=self._count_link(ours.guardianship),
            addresses=self._count_link(ours.holding),
            terms=self._count_terms(),
            by_group={name: counts for name, counts in by_group.items() if counts.any},
            problems=self._staged.problems,
            speaks_for=self._speaks_for,
        )

    def named(self) -> ImportNames:
        """Whom it would change, by name; reads only."""
        differs = _differs(person, staged_person, PERSON_FIELDS)
        names = Names(self._hand, self._speaks_for, self._links, leaving=self._leave(), differs=differs)
        return names.all()

    def apply(self, difference: ImportDifference) -> Brakes:
        """Make people, groups and links equal to the roster, and say whom that took a way from."""
        pupils, addresses = self._losing_a_guardian(), self._losing_a_holder()
        if difference.people.any:
            self._swap_people()
        if difference.groups.any:
            self._swap_groups()
        if difference.terms.any:
            self._swap_terms()
        self._add_addresses()
        self._resolve()
        self._confirm_addresses()
        for link in self._links.all:
            for statement in link.swap():
                self._hand.connection.execute(statement)
        for table in _FILLED:  # the planner has seen none of it, and fan-out comes next
            self._hand.connection.execute(text(f"ANALYZE {table.name}"))
        addresses |= doubtful.mark(self._hand)
        return Brakes(tuple(sorted(pupils)), tuple(sorted(addresses)))

    def _resolve(self) -> None:
        """Find out who is known by which id."""
        for staged, column, target, match in (
            (staged_person, "person_id", person, staged_person.c.source_id == person.c.source_id),
            (staged_group, "group_id", people_group, staged_group.c.source_id == people_group.c.source_id),
            (staged_term, "term_id", term, staged_term.c.source_id == term.c.source_id),
            (
                staged_address,
                "address_id",
                address,
                and_(staged_address.c.hash == address.c.hash, staged_address.c.kind == address.c.kind),
            ),
        ):
            self._hand.connection.execute(
                update(staged).where(staged.c[column].is_(None), match).values({column: target.c.id})
            )
            self._hand.connection.execute(text(f"ANALYZE {staged.name}"))

    # --- counting ---------------------------------------------------------------------------------------------

    def _count_things(
        self,
        target: Table,
        staged: Table,
        column: str,
        fields: Sequence[str],
        ours: ColumnElement[bool] | None = None,
    ) -> Counts:
        known = staged.join(target, target.c.id == staged.c[column])
        differs = _differs(target, staged, fields)
        sums = select(
            func.coalesce(func.sum(case((not_(target.c.active), 1), else_=0)), 0),
            func.coalesce(func.sum(case((and_(target.c.active, differs), 1), else_=0)), 0),
            func.coalesce(func.sum(case((and_(target.c.active, not_(differs)), 1), else_=0)), 0),
        ).select_from(known)
        returning, changed, unchanged = self._hand.connection.execute(sums).one()
        return Counts(
            new=self._count(staged, staged.c[column].is_(None)),
            changed=changed,
            leaving=self._count(target, _leaving(target, staged, column, ours)),
            returning=returning,
            unchanged=unchanged,
        )

    def _count_link(self, link: Link) -> Counts:
        changed = self._count(link.known, link.differs)
        known = self._count(link.known, true())
        return Counts(
            new=self._count(link.staged, link.is_new),
            changed=changed,
            leaving=self._count(link.target, link.is_gone),
            unchanged=known - changed,
        )

    def _count_terms(self) -> Counts:
        if not self._staged.has_terms:
            return Counts(unchanged=self._count(term, term.c.active))
        return self._count_things(term, staged_term, "term_id", TERM_FIELDS)

    def _count_members(self) -> dict[str, Counts]:
        """Of every group of the roster, by its name: who comes, who goes, whose days or role change.

        Who comes or goes is what is left when those who stay are taken off: two searches less through 400,000 rows.
        """
        link, execute = self._links.membership, self._hand.connection.execute
        groups = execute(select(staged_group.c.n, staged_group.c.group_id, staged_group.c.name)).all()
        n, group_id, staged_n = staged_membership.c.group_n, membership.c.group_id, link.staged.c.group_n
        staying = {
            row[0]: (row[1], row[2])
            for row in execute(
                select(staged_n, func.count(), func.sum(case((link.differs, 1), else_=0)))
                .select_from(link.known)
                .group_by(staged_n)
            )
        }
        told_of = {row[0]: row[1] for row in execute(select(n, func.count()).group_by(n))}
        # The role is asked only of a roster that speaks for some: nothing is looked up for 400,000 rows otherwise.
        theirs: ColumnElement[bool] = true()
        if self._speaks_for != EVERYBODY:
            theirs = membership.c.role.in_([role.value for role in self._speaks_for])
        stored = {
            row[0]: row[1] for row in execute(select(group_id, func.count()).where(theirs).group_by(group_id))
        }
        told = {}
        for group in groups:
            stay, changed = staying.get(group.n, (0, 0))
            told[group.name] = Counts(
                new=told_of.get(group.n, 0) - stay,
                changed=changed,
                leaving=max(stored.get(group.group_id, 0) - stay, 0),
                unchanged=stay - changed,
            )
        return told | self._count_leaving_others()

    def _count_leaving_others(self) -> dict[str, Counts]:
        """Of groups that this roster does not tell of, and that stay because of others: who leaves them."""
        if self._speaks_for == EVERYBODY:
            return {}
        told = exists().where(staged_group.c.group_id == people_group.c.id)
        rows = self._hand.connection.execute(
            select(people_group.c.name, func.count())
            .join(membership, membership.c.group_id == people_group.c.id)
            .where(self._links.membership.is_gone, not_(told))
            .group_by(people_group.c.name)
        )
        return {name: Counts(leaving=left) for name, left in rows}

    def _count(self, source: Any, where: ColumnElement[bool]) -> int:
        query = select(func.count()).select_from(source).where(where)
        return int(self._hand.connection.execute(query).scalar_one())

    # --- swapping ---------------------------------------------------------------------------------------------

    def _swap_people(self) -> None:
        execute, now = self._hand.connection.execute, self._hand.now
        execute(update(person).where(self._leave()).values(active=False, changed_at=now))
        changed = or_(not_(person.c.active), _differs(person, staged_person, PERSON_FIELDS))
        execute(
            update(person)
            .where(person.c.id == staged_person.c.person_id, changed)
            .values({field: staged_person.c[field] for field in PERSON_FIELDS})
            .values(active=True, changed_at=now)
        )
        fields = ("public_id", "source_id", "commitment_key", *PERSON_FIELDS)
        values = [staged_person.c[field] for field in fields]
        new = select(*values, literal(now, person.c.changed_at.type)).where(
            staged_person.c.person_id.is_(None)
        )
        execute(insert(person).from_select([*fields, "changed_at"], new))

    def _swap_terms(self) -> None:
        execute = self._hand.connection.execute
        execute(update(term).where(_leaving(term, staged_term, "term_id", None)).values(active=False))
        values = {field: staged_term.c[field] for field in TERM_FIELDS}
        execute(update(term).where(term.c.id == staged_term.c.term_id).values(values).values(active=True))
        new = select(staged_term.c.source_id, *values.values()).where(staged_term.c.term_id.is_(None))
        execute(insert(term).from_select(["source_id", *TERM_FIELDS], new))

    def _swap_groups(self) -> None:
        """Names are given up before they are taken: two groups that swapped theirs would collide."""
        execute = self._hand.connection.execute
        known = people_group.c.id == staged_group.c.group_id
        renamed = exists().where(known, people_group.c.folded_name != staged_group.c.folded_name)
        leaving = _leaving(people_group, staged_group, "group_id", parts.theirs_to_end(self._speaks_for))
        execute(update(people_group).where(people_group.c.active, or_(leaving, renamed)).values(active=False))
        changed = or_(not_(people_group.c.active), _differs(people_group, staged_group, GROUP_FIELDS))
        execute(
            update(people_group)
            .where(known, changed)
            .values({field: staged_group.c[field] for field in GROUP_FIELDS})
            .values(active=True)
        )
        fields = ("source_id", *GROUP_FIELDS)
        values = [staged_group.c[field] for field in fields]
        new = select(*values).where(staged_group.c.group_id.is_(None))
        execute(insert(people_group).from_select(fields, new))

    def _add_addresses(self) -> None:
        """Known by hash or, where the key of the hashes was changed since, by value: then the hash follows.

        And with it what is kept by that hash alone: else a new key would let everybody hear again who said STOP.
        """
        execute = self._hand.connection.execute
        same = and_(address.c.kind == staged_address.c.kind, address.c.value == staged_address.c.value)
        unknown = staged_address.c.address_id.is_(None)
        for table in (suppression, bounced):
            already = table.alias("already")
            of_old = (address.c.hash == table.c.hash, same, unknown)
            there = exists().where(
                *of_old, already.c.hash == staged_address.c.hash, already.c.channel == table.c.channel
            )
            follows = select(staged_address.c.hash).where(*of_old).correlate(table).scalar_subquery()
            execute(update(table).where(exists().where(*of_old), not_(there)).values(hash=follows))
        execute(update(address).where(same, unknown).values(hash=staged_address.c.hash))
        # Emptied when everybody who held it had left, and known by its hash still: somebody of them is back.
        emptied = and_(address.c.id == staged_address.c.address_id, is_erased(address.c.value))
        told = {"value": staged_address.c.value, "commitment_key": staged_address.c.commitment_key}
        execute(update(address).where(emptied).values(told))
        fields = ("kind", "value", "hash", "commitment_key")
        values = [staged_address.c[field] for field in fields]
        now = literal(self._hand.now, address.c.confirmed_at.type)
        new = select(*values, now).where(unknown, not_(exists().where(same)))
        execute(insert(address).from_select([*fields, "confirmed_at"], new))

    def _confirm_addresses(self) -> None:
        """Who gives an address that is new of theirs has said just now that it is right."""
        link = self._links.holding
        given = select(link.staged.c.address_id).where(link.is_new)
        now = self._hand.now
        older = address.c.confirmed_at < now  # those of this import have it already
        self._hand.connection.execute(
            update(address).where(older, address.c.id.in_(given)).values(confirmed_at=now)
        )

    # --- whom it takes a way from -------------------------------------------------------------------------------

    def _losing_a_guardian(self) -> set[int]:
        """Pupils who leave, or with a guardian who is newly blocked, gone from them or gone from the school."""
        link, holding = self._links.guardianship, self._links.holding
        leaving = select(person.c.id).where(self._leave())
        blocked = (
            select(guardianship.c.pupil_id)
            .select_from(link.known)
            .where(link.staged.c.blocked, not_(guardianship.c.blocked))
        )
        gone = select(guardianship.c.pupil_id).where(
            or_(link.is_gone, guardianship.c.guardian_id.in_(leaving.where(person.c.is_guardian)))
        )
        # Who is blocked and comes, or gets an address, only now may share one that is in use already.
        arriving = select(link.staged.c.pupil_id).where(
            link.is_new, link.staged.c.blocked, link.staged.c.pupil_id.is_not(None)
        )
        sharing = select(guardianship.c.pupil_id).where(
            guardianship.c.blocked,
            guardianship.c.guardian_id.in_(select(holding.staged.c.person_id).where(holding.is_new)),
        )
        return self._ids(blocked, gone, arriving, sharing, leaving.where(person.c.is_pupil))

    def _losing_a_holder(self) -> set[int]:
        leaving = select(person.c.id).where(self._leave())
        gone = select(person_address.c.address_id).where(
            or_(self._links.holding.is_gone, person_address.c.person_id.in_(leaving))
        )
        return self._ids(gone)

    def _leave(self) -> ColumnElement[bool]:
        """Of a person: at the school, not in the roster, and this roster's to say."""
        return _leaving(person, staged_person, "person_id", parts.theirs_to_leave(self._speaks_for))

    def _ids(self, *queries: Any) -> set[int]:
        return {value for query in queries for value in self._hand.connection.execute(query).scalars()}


def _summed(several: Iterable[Counts]) -> Counts:
    every = list(several)
    return Counts(
        new=sum(one.new for one in every),
        changed=sum(one.changed for one in every),
        leaving=sum(one.leaving for one in every),
        unchanged=sum(one.unchanged for one in every),
    )


def _differs(target: Table, staged: Table, fields: Sequence[str]) -> ColumnElement[bool]:
    return or_(false(), *(target.c[field].is_distinct_from(staged.c[field]) for field in fields))


def _leaving(
    target: Table, staged: Table, column: str, ours: ColumnElement[bool] | None
) -> ColumnElement[bool]:
    here = exists().where(staged.c[column] == target.c.id)
    return and_(target.c.active, not_(here), true() if ours is None else ours)

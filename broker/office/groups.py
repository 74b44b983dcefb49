"""Groups that are kept by hand; the record keeps who did what (R5).

A group kept by hand has members that somebody added, or is an expression over other groups, worked out anew
whenever it is asked for. What comes from the roster only the roster changes.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from broker import audience as audiences
from broker.actor import Actor
from broker.audience import EVERYONE, LONGEST, ROLES, Group, fold
from broker.authority import departments, operators
from broker.errors import (
    AlreadyThere,
    NotToBeChanged,
    Problem,
    UnknownAudience,
)
from broker.office import expressions, families
from broker.ports import Ports, Transaction
from broker.ports.office import KeptRow, PersonRow
from broker.record import Entry, digest_of
from broker.rosters.roster import Role
from broker.values import GroupRow

LONGEST_NAME = 100
MOST_AT_ONCE = 5_000  # people added or listed in one go: more than any school's largest ensemble


@dataclass(frozen=True, slots=True)
class Changed:
    """A group kept by hand after a change: how many were added to it, how many taken out."""

    name: str
    added: int = 0
    removed: int = 0


def keep(ports: Ports, name: str, *, department: str | None, actor: Actor) -> KeptRow:
    """Begin a group whose members are added by hand. Raises NotToBeChanged for a name that cannot be used."""

    def work(tx: Transaction) -> KeptRow:
        _check_department(tx, department)
        operators.must_have(tx, actor, operators.ACTS, department)
        made = tx.groups.add(_free_name(tx, name), department=department, expression=None)
        tx.record.add([Entry("group.kept", actor, {"group": made.id, "name": digest_of(made.name)})])
        return made

    return ports.ledger.transact(work)


def define(
    ports: Ports, name: str, expression: str, *, department: str | None = None, actor: Actor
) -> KeptRow:
    """Make a group of other groups, or change what it is made of; safe to repeat.

    Raises InvalidAnnouncement for an expression that cannot be read or would go round in a circle, UnknownAudience,
    NotToBeChanged.
    """

    def work(tx: Transaction) -> KeptRow:
        _check_department(tx, department)
        known = tx.groups.named(fold(name)) if name.isprintable() else None
        if known is not None and (not known.kept or known.expression is None):
            raise (
                _not_ours()
                if not known.kept
                else _bad("has_members", "name", "this group has members of its own", "choose another name")
            )
        if known is not None:
            departments.must_own(actor, known.department)
        operators.must_have(tx, actor, operators.ACTS, known.department if known is not None else department)
        tree = expressions.parsed(expression, "expression")
        expressions.must_see(tx, tree, actor, field="expression")
        called = known.name if known is not None else _free_name(tx, name)
        expressions.must_define(tx, called, expression)
        if known is None:
            made = tx.groups.add(called, department=department, expression=expression)
        else:
            made = replace(known, expression=expression, department=department or known.department)
            tx.groups.change(made.id, department=made.department, expression=expression)
        tx.record.add(
            [Entry("group.defined", actor, {"group": made.id, "expression": digest_of(expression)})]
        )
        return made

    return ports.ledger.transact(work)


def add_members(ports: Ports, name: str, people: Sequence[str], *, actor: Actor) -> Changed:
    """Put people into a group, named by id or by whole name; all of them or nobody. Raises what `families.the` does."""

    def work(tx: Transaction) -> Changed:
        group, found = _with_members(tx, name, actor), _found(tx, people)
        added = tx.groups.enrol(group.id, {one.id: _role_of(one) for one in found})
        return _keep_change(tx, group, Changed(group.name, added=added), found, actor)

    return ports.ledger.transact(work)


def remove_members(ports: Ports, name: str, people: Sequence[str], *, actor: Actor) -> Changed:
    """Take people out of a group; all of them or nobody."""

    def work(tx: Transaction) -> Changed:
        group, found = _with_members(tx, name, actor), _found(tx, people)
        removed = tx.groups.leave(group.id, [one.id for one in found])
        return _keep_change(tx, group, Changed(group.name, removed=removed), found, actor)

    return ports.ledger.transact(work)


@dataclass(frozen=True, slots=True)
class Listed:
    """A list of members against the ledger: who is known, and the school's ids that nobody has."""

    members: tuple[PersonRow, ...]
    unknown: tuple[str, ...]
    not_members: tuple[str, ...]  # guardians alone: reached through their children


def look_up(tx: Transaction, ids: Sequence[str]) -> Listed:
    """Who of a list of the school's own ids may be in a group."""
    known = tx.families.by_source_ids(list(dict.fromkeys(ids)))
    fit = tuple(one for one in known.values() if _may_be_member(one))
    lone = tuple(one.source_id for one in known.values() if not _may_be_member(one))
    return Listed(fit, tuple(one for one in dict.fromkeys(ids) if one not in known), lone)


def set_members(
    ports: Ports,
    name: str,
    ids: Sequence[str],
    *,
    actor: Actor,
    also: Callable[[Transaction], None] = lambda _: None,
) -> Changed:
    """Make a group's members equal to a list of the school's own ids, in one go; ids of nobody are passed over.

    `also` is done in the same transaction.
    """
    if len(ids) > MOST_AT_ONCE:
        raise _bad("too_many", "path", f"more than {MOST_AT_ONCE:,} people at once", "split the list")

    def work(tx: Transaction) -> Changed:
        group, listed = _with_members(tx, name, actor), look_up(tx, ids)
        if not listed.members:
            raise _bad("nobody", "path", "nobody in this list can be in a group", "give the school's own ids")
        gone = set(tx.groups.members(group.id)) - {one.id for one in listed.members}
        removed = tx.groups.leave(group.id, sorted(gone))
        added = tx.groups.enrol(group.id, {one.id: _role_of(one) for one in listed.members})
        also(tx)
        return _keep_change(
            tx, group, Changed(group.name, added, removed), listed.members, actor, listed=True
        )

    return ports.ledger.transact(work)


def look_at_list(
    tx: Transaction, name: str, ids: Sequence[str], *, actor: Actor
) -> tuple[Listed, frozenset[int]]:
    """Who of a list may be in a group kept by hand, and the numbers of who is in it now. Raises as `set_members`."""
    group, listed = _with_members(tx, name, actor), look_up(tx, ids)
    if not listed.members:
        raise _bad("nobody", "path", "nobody in this list can be in a group", "give the school's own ids")
    return listed, frozenset(tx.groups.members(group.id))


def retire(ports: Ports, name: str, *, actor: Actor) -> KeptRow:
    """Give up a group kept by hand; what was announced to it stands. Raises NotToBeChanged while others need it."""

    def work(tx: Transaction) -> KeptRow:
        group = _kept(tx, name, actor)
        for user, expression in tx.groups.made_of().items():
            if fold(group.name) in map(fold, audiences.names(audiences.parse(expression))):
                message = f"{expressions.shown(user)} is made of it"
                raise _bad("in_use", "name", message, "change that group first: carillon groups define")
        tx.groups.retire(group.id)
        tx.record.add([Entry("group.retired", actor, {"group": group.id})])
        return group

    return ports.ledger.transact(work)


def bring_back(ports: Ports, group: int, *, actor: Actor) -> KeptRow:
    """A group that was given up is there again, with the members it had. Raises NotFound, AlreadyThere, NotAllowed."""

    def work(tx: Transaction) -> KeptRow:
        known = tx.groups.given_up(group)
        if known is None or not departments.sees(actor, known.department):
            raise departments.gone("name", "group")
        departments.must_own(actor, known.department)
        operators.must_have(tx, actor, operators.ACTS, known.department)
        if tx.groups.named(fold(known.name)) is not None:
            raise name_taken()
        tx.groups.bring_back(group)
        tx.record.add([Entry("group.brought_back", actor, {"group": group})])
        return known

    return ports.ledger.transact(work)


def rename(ports: Ports, name: str, to: str, *, actor: Actor) -> KeptRow:
    """Call a group kept by hand otherwise. Raises NotToBeChanged while something yet to come names it, AlreadyThere."""

    def work(tx: Transaction) -> KeptRow:
        group = _kept(tx, name, actor)
        same = fold(to) == fold(group.name)
        called = " ".join(to.split()) if same else _free_name(tx, to)
        if not same and (uses := tx.groups.uses(fold(group.name))):
            more = f", and {len(uses) - 1} more," if len(uses) > 1 else ""
            message = f"the {uses[0].what} {expressions.shown(uses[0].name)}{more} names this group"
            raise _bad("in_use", "name", message, "change that first, or make a new group of this one")
        tx.groups.rename(group.id, called)
        tx.record.add([Entry("group.renamed", actor, {"group": group.id, "name": digest_of(called)})])
        return replace(group, name=called)

    return ports.ledger.transact(work)


def give_to(ports: Ports, name: str, department: str | None, *, actor: Actor) -> KeptRow:
    """A group kept by hand is a department's, or the whole school's (None). Raises NotToBeChanged, NotAllowed."""

    def work(tx: Transaction) -> KeptRow:
        _check_department(tx, department)
        departments.must_own(actor, department)
        operators.must_have(tx, actor, operators.ACTS, department)
        group = _kept(tx, name, actor)
        if group.department != department:
            tx.groups.change(group.id, department=department, expression=group.expression)
            tx.record.add([Entry("group.given", actor, {"group": group.id, "department": department})])
        return replace(group, department=department)

    return ports.ledger.transact(work)


def _keep_change(
    tx: Transaction,
    group: KeptRow,
    changed: Changed,
    people: Sequence[PersonRow],
    actor: Actor,
    *,
    listed: bool = False,
) -> Changed:
    """`listed`: by a list that somebody brought, which the record tells from a change by hand."""
    if changed.added or changed.removed:
        ids = [one.id for one in people]
        facts: dict[str, object] = {
            "group": group.id, "added": changed.added, "removed": changed.removed, "people": ids,
        }  # fmt: skip
        facts |= {"listed": True} if listed else {}
        tx.record.add([Entry("group.members_changed", actor, facts)])
    return changed


def _found(tx: Transaction, people: Sequence[str]) -> Sequence[PersonRow]:
    if len(people) > MOST_AT_ONCE:
        raise _bad("too_many", "people", f"more than {MOST_AT_ONCE:,} people at once", "import a list")
    found = [families.the(tx, word, "people") for word in people]
    if lone := [one for one in found if not _may_be_member(one)]:
        message = f"{lone[0].source_id} is a guardian, who is reached through the child"
        raise _bad("guardian_in_a_group", "people", message, "add the pupil")
    return found


def _may_be_member(one: PersonRow) -> bool:
    return bool(one.roles & {Role.PUPIL, Role.STAFF})


def _role_of(one: PersonRow) -> Role:
    return Role.PUPIL if Role.PUPIL in one.roles else Role.STAFF


def _kept(tx: Transaction, name: str, actor: Actor) -> KeptRow:
    row = tx.groups.named(fold(the(tx, name).name))
    if row is not None:
        departments.must_own(actor, row.department)
    if row is None or not row.kept:
        raise _not_ours()
    operators.must_have(tx, actor, operators.ACTS, row.department)
    return row


def _with_members(tx: Transaction, name: str, actor: Actor) -> KeptRow:
    row = _kept(tx, name, actor)
    if row.expression is not None:
        hint = "change what it is made of: carillon groups define"
        raise _bad(
            "is_expression", "name", "this group is made of others and has no members of its own", hint
        )
    return row


def _free_name(tx: Transaction, name: str) -> str:
    called = " ".join(name.split())
    if not (called and len(called) <= LONGEST_NAME and called.isprintable()) or '"' in called:
        message = f"a group's name is 1 to {LONGEST_NAME} printable characters, without quotation marks"
        raise _bad("bad_name", "name", message, "such as Choir")
    if fold(called) in {EVERYONE, *ROLES}:
        raise _bad("bad_name", "name", "this is a role, so no group can be called it", "choose another name")
    if tx.groups.named(fold(called)) is not None:
        raise name_taken()
    return called


def name_taken() -> AlreadyThere:
    """Of a name that is a group's, whoever asks."""
    return AlreadyThere(
        Problem("name_taken", "name", "a group is called this already", "choose another name")
    )


def _check_department(tx: Transaction, department: str | None) -> None:
    if department is not None and not (
        department.isprintable() and tx.announcements.department_exists(department)
    ):
        raise _bad(
            "unknown_department", "department", "this department is not known", "see `carillon doctor`"
        )


def _not_ours() -> NotToBeChanged:
    hint = "change it in the school's own system, or keep a group of your own: carillon groups keep"
    return _bad("from_roster", "name", "this group comes from the roster, which would undo it", hint)


def _bad(code: str, field: str, message: str, hint: str) -> NotToBeChanged:
    return NotToBeChanged(Problem(code, field, message, hint))


def the(tx: Transaction, name: str) -> GroupRow:
    """A group by name. Raises UnknownAudience, with the nearest that there is."""
    group = tx.people.group(fold(name)) if len(name) <= LONGEST and name.isprintable() else None
    if group is not None:
        return group
    nearest = "".join(tx.people.unknown_groups(Group(name)).values()) if name.isprintable() else ""
    hint = f"did you mean {nearest}?" if nearest else "import a roster, or check the name"
    raise UnknownAudience(Problem("unknown_group", "name", "there is no such group", hint))

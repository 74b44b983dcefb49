"""Operators: who may announce, agree to what others announce, change rules, or only look (R7, R13, R20).

They are names in the ledger: whoever reaches the command line is believed, and the record keeps the name; on the pages
each signs in (`broker/authority/signin.py`).
A school that has named nobody lets everybody announce, and nobody approve.
"""

from __future__ import annotations

from collections.abc import Collection

from broker.actor import Actor, ActorKind
from broker.audience import fold
from broker.disclosure.plain_letters import plain
from broker.errors import NotAllowed, NotFound, NotToBeChanged, Problem
from broker.ports import Ports, Transaction
from broker.ports.approvals import Operator, OperatorRole
from broker.record import Entry

LONGEST_NAME = 80
# Who acts on what was announced; and who may stop it, which whoever answers for what leaves the house may, too.
ACTS = (OperatorRole.AUTHOR, OperatorRole.ADMIN)
STOPS = (*ACTS, OperatorRole.APPROVER)


def add(
    ports: Ports, name: str, roles: Collection[OperatorRole], department: str | None, *, actor: Actor
) -> None:
    """Name somebody who may act, for one department or the whole school.

    The first operators may be named by anybody; once there is an admin, by admins alone.
    Raises NotToBeChanged, NotAllowed.
    """
    called = " ".join(name.split())
    _some(roles)

    def work(tx: Transaction) -> None:
        must(tx, actor, OperatorRole.ADMIN)
        _must_be_there(tx, department)
        if (fault := name_fault(tx, called)) is not None:
            raise NotToBeChanged(fault)
        tx.operators.add(called, sorted(roles), department, by=actor.id)
        facts = {"operator": called, "roles": sorted(roles), "department": department}
        tx.record.add([Entry("operator.added", actor, facts)])

    ports.ledger.transact(work)


def seen_of(roles: Collection[OperatorRole], department: str | None) -> str:
    """What somebody saw of an operator: a word that `give` and `move` compare with how it is by then."""
    return f"{' '.join(sorted(roles))}@{department or ''}"


def give(
    ports: Ports, name: str, roles: Collection[OperatorRole], *, actor: Actor, seen: str | None = None
) -> None:
    """Give an operator these roles in place of those before. `seen`: as `seen_of` has what was looked at.

    Raises NotFound, NotAllowed, NotToBeChanged.
    """
    _some(roles)

    def work(tx: Transaction) -> None:
        must(tx, actor, OperatorRole.ADMIN)
        found = the(tx, name)
        _must_be_seen(found, seen, "role")
        if OperatorRole.ADMIN not in roles:
            leave_an_admin(tx, found)
        tx.operators.set_roles(fold(found.name), sorted(roles))
        facts = {"operator": found.name, "roles": sorted(roles), "before": sorted(found.roles)}
        tx.record.add([Entry("operator.roles_changed", actor, facts)])

    ports.ledger.transact(work)


def move(ports: Ports, name: str, department: str | None, *, actor: Actor, seen: str | None = None) -> None:
    """An operator acts for another department, or for the whole school (None), from their next request on.

    `seen`: as `seen_of` has what was looked at. Raises NotFound, NotAllowed, NotToBeChanged.
    """

    def work(tx: Transaction) -> None:
        must(tx, actor, OperatorRole.ADMIN)
        found = the(tx, name)
        _must_be_seen(found, seen, "department")
        _must_be_there(tx, department)
        if department is not None and _is_schools_admin(found):
            leave_an_admin(tx, found)
        tx.operators.set_department(fold(found.name), department)
        facts = {"operator": found.name, "department": department, "before": found.department}
        tx.record.add([Entry("operator.moved", actor, facts)])

    ports.ledger.transact(work)


def remove(ports: Ports, name: str, *, actor: Actor) -> None:
    """An operator acts no more; what they did stays theirs. Raises NotFound, NotAllowed, NotToBeChanged."""

    def work(tx: Transaction) -> None:
        must(tx, actor, OperatorRole.ADMIN)
        found = the(tx, name)
        leave_an_admin(tx, found)
        tx.proofs.forget(found.name, but_mapped=True)
        tx.sessions.end_all(found.name)
        tx.operators.remove(fold(found.name), by=actor.id)
        tx.record.add([Entry("operator.removed", actor, {"operator": found.name})])

    ports.ledger.transact(work)


def must(tx: Transaction, actor: Actor, role: OperatorRole, department: str | None = None) -> None:
    """Whether this actor may act so on what is this department's; None: the whole school's. Raises NotAllowed.

    Carillon itself and machines with a token are held by other rules, but for one: who acts for one department acts
    on nothing of another's, nor of the whole school's. While no operator is named everybody may announce; while there
    is no admin everybody may name operators and change rules; to approve always wants the role.
    """
    _must_be_theirs(actor, department)
    if actor.kind is not ActorKind.PERSON:
        if role is OperatorRole.APPROVER:
            raise _not_allowed("only a person approves", "approve as an operator")
        return
    found = tx.operators.named(fold(actor.id))
    if found is not None and role in found.roles:
        _must_reach(tx, found, role, department)
        return
    known = tx.operators.all()
    if role is OperatorRole.APPROVER:
        hint = "name one: carillon operators add NAME --role approver"
        if not any(role in each.roles for each in known):
            raise _not_allowed("nobody may approve yet", hint)
    elif not known or (role is OperatorRole.ADMIN and not any(role in each.roles for each in known)):
        return
    raise _not_allowed(f"{actor.id} is not named as {role.value}", "see who is: carillon operators")


def must_have(
    tx: Transaction, actor: Actor, roles: Collection[OperatorRole], department: str | None = None
) -> None:
    """Whether this actor has one of these roles on what is this department's, as `must` has it. Raises NotAllowed.

    Nobody stands in for a role that is not given yet: only while the school has named nobody at all may everybody.
    """
    _must_be_theirs(actor, department)
    if actor.kind is not ActorKind.PERSON:
        return
    found = tx.operators.named(fold(actor.id))
    if found is None and not tx.operators.all():
        return
    if found is None or not set(roles) & set(found.roles):
        named = " or ".join(role.value for role in roles)
        raise _not_allowed(f"{actor.id} is not named as {named}", "see who is: carillon operators")
    if found.department not in {None, department}:
        message = f"{found.name} acts for {found.department} alone"
        raise _not_allowed(message, "ask an operator who acts there")


def _must_reach(tx: Transaction, who: Operator, role: OperatorRole, department: str | None) -> None:
    """Whether somebody who has the role has it there. Raises NotAllowed.

    Who acts for one department alone does nothing for the whole school: they could else name themselves anything, or
    change the rules for all. Only while there is no admin of the whole school does one of a department stand in, or
    nobody could ever name one.
    """
    if who.department is None or department == who.department:
        return
    if department is not None:
        raise _not_allowed(
            f"{who.name} acts for {who.department} alone", "ask an operator of this department"
        )
    if role is not OperatorRole.ADMIN or any(map(_is_schools_admin, tx.operators.all())):
        why = f"this is for the whole school, and {who.name} acts for {who.department} alone"
        raise _not_allowed(why, "ask an operator who acts for the whole school")


def name_fault(tx: Transaction, name: str) -> Problem | None:
    """Why nobody can be given this name; None where somebody can."""
    if not (name and name.isprintable() and len(name) <= LONGEST_NAME):
        message = f"an operator's name is 1 to {LONGEST_NAME} printable characters"
        return Problem("bad_operator", "name", message, "such as 'Mrs Bell'")
    if any(_as_read(each.name) == _as_read(name) for each in tx.operators.all()):
        message = "there is such an operator already, or one whose name looks the same"
        return Problem("known", "name", message, "see `carillon operators`")
    return None


def _is_schools_admin(one: Operator) -> bool:
    return OperatorRole.ADMIN in one.roles and one.department is None


def same(one: str, other: str) -> bool:
    """Whether two names are one operator's, however they were typed."""
    return fold(one) == fold(other)


def _as_read(name: str) -> str:
    """A name as whoever reads the record takes it: nobody is two people by an accent or a letter of another script."""
    return fold(plain(name).text)


def _must_be_there(tx: Transaction, department: str | None) -> None:
    if department is not None and not tx.announcements.department_exists(department):
        message = "this department is not known"
        raise NotToBeChanged(Problem("unknown_department", "department", message, "see `carillon doctor`"))


def _must_be_seen(now: Operator, seen: str | None, field: str) -> None:
    if seen not in {None, seen_of(now.roles, now.department)}:
        message = "somebody has changed what they may do, or where, meanwhile"
        raise NotToBeChanged(Problem("changed_since", field, message, "look at it once more, then decide"))


def _some(roles: Collection[OperatorRole]) -> None:
    if not roles:
        hint = f"say one of: {', '.join(OperatorRole)}"
        raise NotToBeChanged(Problem("no_role", "role", "an operator has at least one role", hint))


def leave_an_admin(tx: Transaction, going: Operator) -> None:
    """With the last admin gone everybody could name operators again. Raises NotToBeChanged."""
    others = [each for each in tx.operators.all() if each.name != going.name]
    left = any(OperatorRole.ADMIN in one.roles for one in others)
    if _is_schools_admin(going):
        left = any(map(_is_schools_admin, others))
    if OperatorRole.ADMIN in going.roles and others and not left:
        hint = "make somebody else an admin first, and of the whole school"
        raise NotToBeChanged(Problem("last_admin", "name", "this is the last admin", hint))


def the(tx: Transaction, name: str) -> Operator:
    """An operator by name, however it is typed. Raises NotFound."""
    found = tx.operators.named(fold(name)) if name.isprintable() else None
    if found is None:
        raise NotFound(
            Problem("not_found", "name", "there is no such operator", "list them with `carillon operators`")
        )
    return found


def _must_be_theirs(actor: Actor, department: str | None) -> None:
    """Whoever acts for one department acts on nothing of another's, nor of the whole school's. Raises NotAllowed."""
    if actor.department is not None and department != actor.department:
        whose = "the whole school" if department is None else "another department"
        hint = "ask with a token of the school's, or an operator who acts for it"
        raise _not_allowed(f"this is for {whose}, and you act for {actor.department} alone", hint)


def _not_allowed(message: str, hint: str) -> NotAllowed:
    return NotAllowed(Problem("not_allowed", "operator", message, hint))

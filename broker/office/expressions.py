"""What an expression over groups means, and who may ask it: from what somebody typed to groups that have members."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace

from broker import audience as audiences
from broker.actor import Actor
from broker.audience import ROLES, Audience, Group, fold
from broker.authority import departments
from broker.errors import InvalidAnnouncement, Problem, UnknownAudience
from broker.ports import Transaction


def parsed(expression: str, field: str) -> Audience:
    """An expression as somebody typed it into a field. Raises InvalidAnnouncement."""
    try:
        return audiences.parse(expression)
    except InvalidAnnouncement as bad:
        raise InvalidAnnouncement(replace(bad.problem, field=field)) from None


def resolve(tx: Transaction, audience: Audience, *, field: str = "to") -> Audience:
    """An audience with every group in it known and taken apart into groups that have members.

    Raises UnknownAudience, InvalidAnnouncement.
    """
    _check_no_group_is_called_like_a_role(tx, audience, field)
    return _resolved(tx, audience, tx.groups.made_of(), field)


def means(tx: Transaction, expression: str, actor: Actor, *, field: str = "to") -> Audience:
    """An expression as somebody typed it, known, seen by whoever acts, and taken apart.

    Raises InvalidAnnouncement, UnknownAudience.
    """
    tree = parsed(expression, field)
    must_see(tx, tree, actor, field=field)
    return resolve(tx, tree, field=field)


def must_see(tx: Transaction, audience: Audience, actor: Actor, *, field: str = "to") -> None:
    """Another department's group is not there for whoever acts for one, and no name that is like it is told either.

    Who names one in an audience hears by name whom nothing reaches, and who makes a group of it reads all its members.
    Raises UnknownAudience.
    """
    if actor.department is None:
        return
    for name in audiences.names(audience):
        known = tx.groups.named(fold(name)) if name.isprintable() else None
        if known is None or not departments.sees(actor, known.department):
            message = f"there is no group called {shown(name)}"
            raise UnknownAudience(Problem("unknown_group", field, message, "look it up in the list"))


def must_define(tx: Transaction, name: str, expression: str, *, field: str = "expression") -> None:
    """A group of this name may be made of these. Raises InvalidAnnouncement for a circle, UnknownAudience."""
    _check_no_group_is_called_like_a_role(tx, parsed(expression, field), field)
    _resolved(tx, Group(name), {**tx.groups.made_of(), fold(name): expression}, field)


def shown(name: str) -> str:
    """A group's name in a message to whoever typed it, where it can be printed."""
    return f"“{name[:60]}”" if name.isprintable() else "that"


def _resolved(tx: Transaction, audience: Audience, made_of: Mapping[str, str], field: str) -> Audience:
    try:
        tree = audiences.expand(audience, made_of)
    except InvalidAnnouncement as bad:
        raise InvalidAnnouncement(replace(bad.problem, field=field)) from None
    named = {fold(name) for name in audiences.names(audience)}
    for name, nearest in tx.people.unknown_groups(tree).items():
        hint = f"did you mean {nearest}?" if nearest else "import a roster, or check the name"
        message = f"there is no group called {shown(name)}"
        if fold(name) not in named:
            message += ", of which one of these groups is made"
            hint = "change what it is made of: carillon groups define"
        elif re.search(r"\S[+&−]|[+&−]\S", name):
            hint = "put a space on each side of +, & and -"
        raise UnknownAudience(Problem("unknown_group", field, message, hint))
    return tree


def _check_no_group_is_called_like_a_role(tx: Transaction, audience: Audience, field: str) -> None:
    for role in audiences.roles(audience):
        word = next(word for word, meant in ROLES.items() if meant is role)
        if tx.groups.named(word) is not None:
            message = f"“{word}” is a role, and a group is called so too"
            hint = f'write "{word}" in quotes for the group, or give the group another name'
            raise UnknownAudience(Problem("role_or_group", field, message, hint))

"""Tokens: how a program calls. Made where the operator is known, shown once, kept as a digest.

A token is `carillon_`, forty random characters, and six that check them: a scanner that finds one in somebody's source
code knows it for ours without asking, and a mistyped one is refused unread. It opens what its scopes say, for its
department or for the school, until it expires. Bound to an operator it acts as they do, and never further than their
roles reach on that day, and the record names both; else it is a machine of its own name, which approves nothing.
"""

from __future__ import annotations

import re
import secrets
import zlib
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from uuid import UUID

from uuid6 import uuid7

from broker.actor import Actor, ActorKind
from broker.audience import fold
from broker.authority import operators
from broker.authority.shown_once import digest
from broker.errors import NotFound, NotToBeChanged, Problem, RuleBroken
from broker.ports import Ports, Transaction
from broker.ports.api import Scope, TokenRow
from broker.ports.approvals import OperatorRole
from broker.record import Entry

PREFIX = "carillon_"
RANDOM, CHECK = 40, 6  # characters: 238 bits, and a CRC-32
SHORTEST, LONGEST = timedelta(hours=1), timedelta(days=400)  # a school year and its summer
LASTS = timedelta(days=365)
LONGEST_NAME = 80
# "Used last" is told so exactly: a write with every call would cost more than the call.
SEEN_EVERY = timedelta(hours=1)
TOKEN = re.compile(rf"{PREFIX}[0-9A-Za-z]{{{RANDOM + CHECK}}}", re.ASCII)
_ALPHABET = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"

READING = frozenset(scope for scope in Scope if scope.value.endswith(":read"))
_WRITING = frozenset(
    {
        Scope.ANNOUNCEMENTS_WRITE,
        Scope.DELIVERIES_WRITE,
        Scope.GROUPS_WRITE,
        Scope.TEMPLATES_WRITE,
        Scope.SCHEDULES_WRITE,
        Scope.EVENTS_WRITE,
        Scope.TIMETABLE_WRITE,
    }
)
# How far a token bound to an operator reaches by each of their roles.
REACH: Mapping[OperatorRole, frozenset[Scope]] = {
    OperatorRole.AUDITOR: READING,
    OperatorRole.AUTHOR: (READING - {Scope.RECORD_READ, Scope.TOKENS_READ}) | _WRITING,
    OperatorRole.APPROVER: (READING - {Scope.TOKENS_READ}) | {Scope.APPROVALS_WRITE},
    OperatorRole.ADMIN: frozenset(Scope) - {Scope.APPROVALS_WRITE, *_WRITING},
}
# Without an operator's name a machine approves nothing.
MACHINE = frozenset(Scope) - {Scope.APPROVALS_WRITE}


class TokenRefused(RuleBroken):
    """Raised when a call brings no token, or one that is unknown, revoked or expired."""


@dataclass(frozen=True, slots=True)
class Made:
    """A token that has just been made; `secret` is seen this once."""

    row: TokenRow
    secret: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Caller:
    """Who calls, and how far it reaches."""

    actor: Actor
    scopes: frozenset[Scope]
    token: TokenRow


def make(
    ports: Ports,
    name: str,
    scopes: Collection[Scope],
    *,
    department: str | None = None,
    operator: str | None = None,
    lasts: timedelta = LASTS,
    actor: Actor,
) -> Made:
    """Make a token. Only an admin may, once there is one. Raises NotToBeChanged, NotAllowed, NotFound."""
    called = _called(name)
    if not scopes:
        raise _bad("no_scope", "scope", "a token is for something", f"say one of: {', '.join(Scope)}")
    if not SHORTEST <= lasts <= LONGEST:
        raise _bad("bad_length", "lasts", "a token lasts an hour to 400 days", "such as 365 d")
    secret = _new()

    def work(tx: Transaction) -> TokenRow:
        operators.must(tx, actor, OperatorRole.ADMIN)
        _must_be_possible(tx, called, department)
        whose, id_ = _bound_to(tx, operator, scopes), UUID(int=uuid7().int)
        until = tx.now + lasts
        row = TokenRow(0, id_, called, frozenset(scopes), department, whose, actor.id, tx.now, until)
        tx.tokens.add(row, digest(secret))
        facts = {"token": called, "scopes": sorted(scopes), "department": department, "operator": whose}
        tx.record.add([Entry("token.made", actor, facts)])
        return row

    return Made(ports.ledger.transact(work), secret)


def revoke(ports: Ports, name: str, *, actor: Actor) -> TokenRow:
    """A token works no more, from the next call on. Anybody may stop one. Raises NotFound."""

    def work(tx: Transaction) -> TokenRow:
        row = tx.tokens.named(" ".join(name.split())) if name.isprintable() else None
        if row is None:
            hint = "list them with: carillon tokens"
            raise NotFound(Problem("not_found", "name", "there is no such token", hint))
        _revoke(tx, row, actor)
        return row

    return ports.ledger.transact(work)


def hand_in(ports: Ports, caller: Caller) -> None:
    """A program gives its own token up."""
    ports.ledger.transact(lambda tx: _revoke(tx, caller.token, caller.actor))


def caller_of(ports: Ports, secret: str) -> Caller:
    """Who calls with this token; an operator's roles are read anew each time. Raises TokenRefused."""
    if not is_whole(secret):
        raise refused()
    with ports.ledger.look() as tx:
        row, now = tx.tokens.by_digest(digest(secret)), tx.now
        if row is None or row.revoked_at is not None:
            raise refused()
        if row.expires_at <= now:
            raise refused("token_expired", "this token has expired")
        caller = _caller(tx, row)
    if row.used_at is None or now - row.used_at > SEEN_EVERY:
        ports.ledger.transact(lambda tx: tx.tokens.used(row.id))
    return caller


def is_whole(secret: str) -> bool:
    """Whether something has the form of a token with its checksum right: what has not is no guess, and costs none."""
    return bool(TOKEN.fullmatch(secret)) and secret[-CHECK:] == _check(secret[len(PREFIX) : -CHECK])


def refused(code: str = "no_token", message: str = "this wants a token that holds") -> TokenRefused:
    """What a caller without one is told; it does not say whether there ever was such a token."""
    hint = "send Authorization: Bearer carillon_…; make one: carillon tokens make"
    return TokenRefused(Problem(code, "Authorization", message, hint))


def _caller(tx: Transaction, row: TokenRow) -> Caller:
    if row.operator is None:
        return Caller(Actor(ActorKind.TOKEN, row.name, row.department), row.scopes & MACHINE, row)
    operator = tx.operators.named(fold(row.operator))
    if operator is None:
        raise refused("operator_gone", "whoever this token acts for is an operator no more")
    if row.department not in {None, operator.department} and operator.department is not None:
        raise refused("operator_gone", "whoever this token acts for acts for another department now")
    reach = frozenset[Scope]().union(*(REACH[role] for role in operator.roles))
    actor = Actor(ActorKind.PERSON, operator.name, row.department or operator.department, token=row.name)
    return Caller(actor, row.scopes & reach, row)


def _must_be_possible(tx: Transaction, called: str, department: str | None) -> None:
    if department is not None and not tx.announcements.department_exists(department):
        raise _bad(
            "unknown_department", "department", "this department is not known", "see `carillon doctor`"
        )
    if tx.tokens.named(called) is not None:
        raise _bad("known", "name", "there is a token of this name already", "choose another, or revoke that")


def _bound_to(tx: Transaction, operator: str | None, scopes: Collection[Scope]) -> str | None:
    if operator is None:
        if Scope.APPROVALS_WRITE in scopes:
            message = "a machine approves nothing"
            raise _bad("machine_approves", "scope", message, "bind it to an operator with --as")
        return None
    found = tx.operators.named(fold(operator)) if operator.isprintable() else None
    if found is None:
        hint = "list them with: carillon operators"
        raise NotFound(Problem("not_found", "operator", "there is no such operator", hint))
    return found.name


def _revoke(tx: Transaction, row: TokenRow, actor: Actor) -> None:
    tx.tokens.revoke(row.id, by=actor.id)
    tx.record.add([Entry("token.revoked", actor, {"token": row.name})])


def _called(name: str) -> str:
    called = " ".join(name.split())
    if not (called and called.isprintable() and len(called) <= LONGEST_NAME):
        message = f"a token's name is 1 to {LONGEST_NAME} printable characters"
        raise _bad("bad_name", "name", message, "such as 'timetable system'")
    return called


def _new() -> str:
    random = "".join(secrets.choice(_ALPHABET) for _ in range(RANDOM))
    return f"{PREFIX}{random}{_check(random)}"


def _check(random: str) -> str:
    number, digits = zlib.crc32(random.encode()), ""
    for _ in range(CHECK):
        number, digit = divmod(number, len(_ALPHABET))
        digits = _ALPHABET[digit] + digits
    return digits


def _bad(code: str, field: str, message: str, hint: str) -> NotToBeChanged:
    return NotToBeChanged(Problem(code, field, message, hint))

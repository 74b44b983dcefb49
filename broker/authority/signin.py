"""Signing in to the pages: a link made where the operator is known works once, and begins a session.

There are no passwords to guess or to leak. Secrets are 256 random bits; the ledger keeps their digests alone, and the
record keeps who and when.
"""

from __future__ import annotations

import hashlib
import re
import secrets
from dataclasses import dataclass, field
from datetime import timedelta

from broker.actor import Actor, ActorKind
from broker.errors import LinkSpent, Problem
from broker.ports import Ports, Transaction
from broker.record import Entry

LINK_LASTS = timedelta(minutes=10)
SESSION_LASTS = timedelta(hours=12)  # a long school day; then a new link is asked for
SECRET = re.compile(r"[A-Za-z0-9_-]{43}")  # 32 bytes in base64url: anything else is refused unread


@dataclass(frozen=True, slots=True)
class SignedIn:
    """A session that has just begun: who, and the secret that their browser keeps."""

    actor: Actor
    secret: str = field(repr=False)


def make_link(ports: Ports, *, actor: Actor) -> str:
    """The secret of a link that signs this operator in, once, within `LINK_LASTS`. Show it to nobody else."""
    secret = secrets.token_urlsafe(32)

    def work(tx: Transaction) -> None:
        tx.sessions.prune()
        tx.sessions.add_link(digest(secret), actor.id, lasts=LINK_LASTS)
        tx.record.add([Entry("sign_in.link_made", actor, {})])

    ports.ledger.transact(work)
    return secret


def sign_in(ports: Ports, link: str, *, instead_of: str | None = None) -> SignedIn:
    """Use a link up and begin a session; the session that the browser had before (`instead_of`) ends.

    Raises LinkSpent.
    """
    secret = secrets.token_urlsafe(32)

    def work(tx: Transaction) -> Actor:
        operator = tx.sessions.use_link(digest(link)) if SECRET.fullmatch(link) else None
        if operator is None:
            raise LinkSpent(
                Problem(
                    "link_spent",
                    "link",
                    "this link does not work: it was used already, or it is older than ten minutes",
                    "ask for a new one: carillon sign-in",
                )
            )
        actor = Actor(ActorKind.PERSON, operator)
        if instead_of is not None and SECRET.fullmatch(instead_of):
            tx.sessions.end(digest(instead_of))
        tx.sessions.add(digest(secret), operator, lasts=SESSION_LASTS)
        tx.record.add([Entry("session.began", actor, {})])
        return actor

    return SignedIn(ports.ledger.transact(work), secret)


def sign_out(ports: Ports, secret: str) -> None:
    """End a session; harmless when it has ended."""

    def work(tx: Transaction) -> None:
        operator = tx.sessions.end(digest(secret))
        if operator is not None:
            tx.record.add([Entry("session.ended", Actor(ActorKind.PERSON, operator), {})])

    ports.ledger.transact(work)


def sign_everybody_out(ports: Ports, *, actor: Actor, whose: str | None = None) -> int:
    """End every session and every unused link, of one operator or of all; how many sessions ended."""

    def work(tx: Transaction) -> int:
        ended = tx.sessions.end_all(whose)
        tx.record.add([Entry("session.all_ended", actor, {"whose": whose, "sessions": ended})])
        return ended

    return ports.ledger.transact(work)


def digest(secret: str) -> bytes:
    """What the ledger keeps of a secret. One round suffices: nobody guesses 256 random bits."""
    return hashlib.sha256(secret.encode()).digest()

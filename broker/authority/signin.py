"""Signing in to the pages: what begins a session, and what ends one.

A link made where the operator is known works once. So does a password (`broker/authority/passwords.py`) with its second
factor, and an identity at a provider (`broker/authority/identities.py`); all of them end here. Secrets are 256 random
bits; the ledger keeps their digests alone, and the record keeps who and when.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from broker.actor import Actor, ActorKind
from broker.audience import fold
from broker.authority.operators import must, the
from broker.authority.shown_once import SECRET, digest
from broker.errors import LinkSpent, NotAllowed, NotFound, Problem, ProofWanted
from broker.ports import Ports, Session, Stage, Transaction
from broker.ports.approvals import OperatorRole
from broker.record import Entry
from broker.rules.sign_in import IDLE, LONGEST, PROOF, PROVE_AT

LINK_LASTS = timedelta(minutes=10)
INVITATION_LASTS = timedelta(days=1)
SESSION_LASTS = timedelta(hours=12)  # the longest that the rule may say
STAGE_LASTS = timedelta(minutes=15)  # to type a code, or to choose a password
SEEN_EVERY = timedelta(minutes=5)  # how exactly it is known when a session was used
CLOCKS = timedelta(minutes=1)  # that a provider's clock, or ours before it was set, may be ahead


@dataclass(frozen=True, slots=True)
class SignedIn:
    """A session that has just begun: who, the secret that their browser keeps, and what is asked for next."""

    actor: Actor
    secret: str = field(repr=False)
    stage: Stage = Stage.WHOLE
    fresh: bool = True  # whether they have proved just now who they are


@dataclass(frozen=True, slots=True)
class Came:
    """Where somebody who signs in comes from, as a door sees it; every part of it may be made up."""

    source: str = field(default="", repr=False)  # the network address: kept as a keyed digest, for a day
    device: str | None = field(default=None, repr=False)  # the secret of a browser that has been here
    instead_of: str | None = field(default=None, repr=False)  # the session that it had, which ends
    about: str = ""  # "Firefox on Windows"


def make_link(ports: Ports, *, actor: Actor) -> str:
    """The secret of a link that signs this operator in, once, within `LINK_LASTS`. Show it to nobody else.

    Raises NotAllowed for a name that is no operator's, once the school has named any.
    """
    secret = secrets.token_urlsafe(32)

    def work(tx: Transaction) -> None:
        if tx.operators.any() and tx.operators.named(fold(actor.id)) is None:
            hint = "see who is: carillon operators"
            raise NotAllowed(Problem("not_allowed", "operator", f"{actor.id} is no operator", hint))
        tx.sessions.prune()
        tx.sessions.add_link(digest(secret), actor.id, lasts=LINK_LASTS)
        tx.record.add([Entry("sign_in.link_made", actor, {})])

    ports.ledger.transact(work)
    return secret


def invite(ports: Ports, name: str, *, actor: Actor) -> str:
    """The secret of a link by which an operator chooses a password, once, within `INVITATION_LASTS`.

    Raises NotFound, NotAllowed.
    """
    secret = secrets.token_urlsafe(32)

    def work(tx: Transaction) -> None:
        must(tx, actor, OperatorRole.ADMIN)
        found = the(tx, name)
        tx.sessions.prune()
        tx.sessions.add_link(digest(secret), found.name, lasts=INVITATION_LASTS, invites=True)
        tx.record.add([Entry("sign_in.invited", actor, {"operator": found.name})])

    ports.ledger.transact(work)
    return secret


def link_holds(ports: Ports, link: str) -> bool:
    """Whether a link would sign somebody in now; it is not used up."""
    if not SECRET.fullmatch(link):
        return False
    with ports.ledger.look() as tx:
        return tx.sessions.link_holds(digest(link))


def sign_in(
    ports: Ports, link: str, *, instead_of: str | None = None, about: str = "", came: Came | None = None
) -> SignedIn:
    """Use a link up and begin a session; the session that the browser had before (`instead_of`) ends.

    Raises LinkSpent.
    """
    came = came or Came(instead_of=instead_of, about=about)

    def work(tx: Transaction) -> SignedIn:
        used = tx.sessions.use_link(digest(link)) if SECRET.fullmatch(link) else None
        if used is None:
            message = "this link does not work: it was used already, or it is too old"
            raise LinkSpent(Problem("link_spent", "link", message, "ask for a new one: carillon sign-in"))
        operator, invites = used
        return begin(tx, operator, "link", came, stage=Stage.PASSWORD if invites else Stage.WHOLE)

    return ports.ledger.transact(work)


def begin(
    tx: Transaction,
    operator: str,
    how: str,
    came: Came,
    *,
    stage: Stage = Stage.WHOLE,
    proved_at: datetime | None = None,
) -> SignedIn:
    """Begin a session, always with a new secret: whoever knew the one before knows nothing.

    `proved_at`: when they proved who they are, where that was not just now.
    """
    secret, actor = secrets.token_urlsafe(32), Actor(ActorKind.PERSON, operator)
    if came.instead_of is not None and SECRET.fullmatch(came.instead_of):
        tx.sessions.end(digest(came.instead_of))
    rules = tx.rules.current()
    whole = stage is Stage.WHOLE
    tx.sessions.add(
        digest(secret),
        operator,
        lasts=rules.duration(LONGEST) if whole else STAGE_LASTS,
        idle=rules.duration(IDLE),
        how=how,
        stage=stage,
        about=came.about,
        proved_at=proved_at,
    )
    if whole:
        tx.record.add([Entry("session.began", actor, {"how": how})])
    fresh = proved_at is None or _is_fresh(proved_at, tx.now, rules.duration(PROOF))
    return SignedIn(actor, secret, stage, fresh)


def session_of(tx: Transaction, secret: str) -> Session | None:
    """The session that this secret is of, as it stands now."""
    return tx.sessions.of(digest(secret)) if SECRET.fullmatch(secret) else None


def used(ports: Ports, secret: str) -> None:
    """A session was used; told seldom, for it is a write."""
    ports.ledger.transact(lambda tx: tx.sessions.seen(digest(secret)))


def is_fresh(tx: Transaction, session: Session) -> bool:
    """Whether its operator has proved just now who they are."""
    return _is_fresh(session.proved_at, tx.now, tx.rules.current().duration(PROOF))


def _is_fresh(proved_at: datetime, now: datetime, lasts: timedelta) -> bool:
    """A proof from the future is one of a clock that was wrong, and would hold until then."""
    return -CLOCKS <= now - proved_at <= lasts


def must_be_fresh(tx: Transaction, session: Session, people: int | None = None) -> None:
    """Before something that a browser left open must not do. Raises ProofWanted.

    `people`: to how many an announcement would go; one to few wants nothing. None: it always wants a proof.
    """
    if people is not None and not _is_big(tx, people):
        return
    if not is_fresh(tx, session):
        message = "this wants you to prove once more who you are"
        raise ProofWanted(Problem("proof_wanted", "", message, "type your password, or sign in again"))


def must_be_small(tx: Transaction, people: int | None, *, hint: str = "say it on its page") -> None:
    """Before a yes by a token, which proves nothing of who holds it. Raises NotAllowed for one to many.

    `people`: None where nobody has counted. `hint`: where else it can be said.
    """
    if people is None or _is_big(tx, people):
        message = "this goes to so many that a yes wants a fresh proof of who says it, which no token is"
        raise NotAllowed(Problem("proof_wanted", "", message, hint))


def _is_big(tx: Transaction, people: int) -> bool:
    least = tx.rules.current().count(PROVE_AT)
    return bool(least) and people >= least


def sign_out(ports: Ports, secret: str) -> None:
    """End a session; harmless when it has ended."""

    def work(tx: Transaction) -> None:
        operator = tx.sessions.end(digest(secret))
        if operator is not None:
            tx.record.add([Entry("session.ended", Actor(ActorKind.PERSON, operator), {})])

    ports.ledger.transact(work)


def end_one(ports: Ports, handle: str, *, actor: Actor) -> None:
    """End one of one's own sessions. Raises NotFound."""

    def work(tx: Transaction) -> None:
        if not tx.sessions.end_one(actor.id, handle):
            raise NotFound(Problem("not_found", "session", "there is no such session", "it may have ended"))
        tx.record.add([Entry("session.ended", actor, {"session": handle})])

    ports.ledger.transact(work)


def sign_everybody_out(ports: Ports, *, actor: Actor, whose: str | None = None) -> int:
    """End every session and every unused link, of one operator or of all; how many sessions ended."""

    def work(tx: Transaction) -> int:
        ended = tx.sessions.end_all(whose)
        tx.record.add([Entry("session.all_ended", actor, {"whose": whose, "sessions": ended})])
        return ended

    return ports.ledger.transact(work)


def sign_out_of(ports: Ports, name: str, *, actor: Actor) -> int:
    """End every session of one operator, and their unused links: an admin's way to shut a browser left open elsewhere.

    How many sessions ended. Raises NotFound, NotAllowed.
    """

    def work(tx: Transaction) -> int:
        must(tx, actor, OperatorRole.ADMIN)
        found = the(tx, name)
        ended = tx.sessions.end_all(found.name)
        tx.record.add([Entry("session.all_ended", actor, {"whose": found.name, "sessions": ended})])
        return ended

    return ports.ledger.transact(work)

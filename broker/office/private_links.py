"""Private links: what a group is told, for whoever was given the address; each can be taken back by itself (R10, R17).

For a group that is not public: a course of the school's Moodle, a choir's own page, a parent's calendar. The secret is
256 random bits, shown once; the ledger keeps its digest, the record who made it and who took it back.
"""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from dataclasses import dataclass, field

from broker.actor import Actor
from broker.audience import fold
from broker.authority import departments, operators
from broker.authority.shown_once import SECRET, digest
from broker.errors import NotFound, NotToBeChanged, Problem, UnknownAudience
from broker.ports import Ports, Transaction
from broker.ports.approvals import OperatorRole
from broker.ports.links import OpenLink, PrivateLinkRow
from broker.record import Entry
from broker.values import StopKind

LONGEST_ABOUT = 100
MOST = 200  # links of one group that open something: a link is for a place, not for each of its readers


@dataclass(frozen=True, slots=True)
class MadeLink:
    """A link that was just made, with its secret: show it once, to whoever asked for it."""

    link: PrivateLinkRow
    secret: str = field(repr=False)


def make(ports: Ports, group: str, about: str, *, actor: Actor) -> MadeLink:
    """A new link to what a group is told. Raises UnknownAudience, NotToBeChanged, NotAllowed."""
    secret = secrets.token_urlsafe(32)
    words = " ".join(about.split())
    if not words or not words.isprintable() or len(words) > LONGEST_ABOUT:
        message = f"for whom it is has to be said, in at most {LONGEST_ABOUT} characters"
        raise NotToBeChanged(Problem("bad_about", "for", message, 'such as: --for "the Moodle course"'))

    def work(tx: Transaction) -> MadeLink:
        found = tx.groups.named(fold(group))
        if found is None or not departments.sees(actor, found.department):
            shown = f"“{group[:60]}”" if group.isprintable() else "that"
            hint = "see them: carillon groups"
            raise UnknownAudience(Problem("unknown_group", "name", f"there is no group called {shown}", hint))
        operators.must(tx, actor, OperatorRole.AUTHOR, found.department)
        standing = sum(one.revoked_at is None for one in tx.links.all(group=found.id))
        if standing >= MOST:
            message = f"{found.name} has {MOST} links already"
            raise NotToBeChanged(Problem("too_many_links", "name", message, "take some back first"))
        made = tx.links.add(digest(secret), found.id, words, by=actor.id)
        tx.record.add([Entry("private_link.made", actor, {"link": made.id, "group": found.id})])
        return MadeLink(made, secret)

    return ports.ledger.transact(work)


def revoke(ports: Ports, link: int, *, actor: Actor) -> PrivateLinkRow:
    """A link opens nothing any more, and who subscribed by it is forgotten; safe to repeat.

    Raises NotFound, NotAllowed.
    """

    def work(tx: Transaction) -> PrivateLinkRow:
        found = tx.links.by_id(link) if 0 < link < 2**63 else None
        if found is None:
            raise NotFound(
                Problem("not_found", "link", "there is no such link", "see them: carillon groups links")
            )
        operators.must(tx, actor, OperatorRole.AUTHOR, found.department)
        if found.revoked_at is None:
            tx.links.revoke(link, by=actor.id)
            tx.record.add([Entry("private_link.revoked", actor, {"link": link})])
            # Whoever was given it is told nothing more either.
            ended = tx.subscribers.end(tx.subscribers.by(link))
            tx.stops.add_all(StopKind.ADDRESS, ended)
        return found

    return ports.ledger.transact(work)


def listed(ports: Ports, *, department: str | None = None) -> Sequence[PrivateLinkRow]:
    """Every link, the newest first; of one department's groups, where it is said."""
    with ports.ledger.look() as tx:
        return [one for one in tx.links.all() if department in {None, one.department}]


def group_behind(tx: Transaction, secret: str) -> str | None:
    """The name of the group whose news a link opens; None where it opens nothing, for whatever reason."""
    return tx.links.group_of(digest(secret)) if SECRET.fullmatch(secret) else None


def link_behind(tx: Transaction, secret: str) -> OpenLink | None:
    """The link itself; None where it opens nothing."""
    return tx.links.opened(digest(secret)) if SECRET.fullmatch(secret) else None

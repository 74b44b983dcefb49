"""Groups that have a public feed, each at an address of its own; the record keeps who made them so (R5)."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass

from broker.actor import Actor
from broker.authority import operators
from broker.errors import FeedTaken, Problem
from broker.office.groups import the
from broker.ports import Ports, Transaction
from broker.record import Entry
from broker.values import GroupRow


@dataclass(frozen=True, slots=True)
class PublicGroup:
    """A group, and the slug by which its feed is asked for while it is public."""

    name: str
    slug: str
    public: bool


def slug_of(name: str) -> str:
    """A group's name as a feed's address writes it: "Year 7" is year-7; "" where nothing of it can be written."""
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode()
    return re.sub(r"[^a-z0-9]+", "-", plain.lower()).strip("-")[:63].rstrip("-")


def set_public(ports: Ports, name: str, *, public: bool, actor: Actor) -> PublicGroup:
    """Give a group a public feed, or take it away; safe to repeat.

    Raises UnknownAudience, NotAllowed, and FeedTaken when the feed's address belongs to another: nothing is changed
    then.
    """

    def work(tx: Transaction) -> PublicGroup:
        group = the(tx, name)
        operators.must_have(tx, actor, operators.ACTS, group.department)
        slug = slug_of(group.name)
        if public:
            rename = "rename the group" if group.kept else "rename the group in the roster"
            _check_free(tx, group, slug, rename)
        if group.public != public:
            tx.people.set_public(group.id, public=public)
            kind = "group.made_public" if public else "group.made_private"
            tx.record.add([Entry(kind, actor, {"group": group.id, "slug": slug})])
        return PublicGroup(group.name, slug, public)

    return ports.ledger.transact(work)


def _check_free(tx: Transaction, group: GroupRow, slug: str, rename: str) -> None:
    """A feed's slug is one school-wide, though a folder tells kinds apart: people say "the music feed"."""
    if not slug:
        raise _taken("this name has no letter or digit that an address can hold", rename)
    holder = None
    if slug == tx.school.slug:
        holder = "the school"
    elif tx.announcements.department_exists(slug):
        holder = "a department"
    elif any(slug_of(other.name) == slug for other in tx.people.public_groups() if other.id != group.id):
        holder = "another public group"
    if holder is not None:
        raise _taken(f"the feed address {slug} is taken by {holder}", rename)


def _taken(message: str, hint: str) -> FeedTaken:
    return FeedTaken(Problem("slug_taken", "name", message, hint))

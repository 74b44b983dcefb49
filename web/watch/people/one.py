"""One person: their family and how each of them hears, what they were sent, what they said yes or no to."""

from __future__ import annotations

from datetime import date
from typing import Any

from fastapi import APIRouter, Response

from broker.consent.ages import age_on
from broker.ports.approvals import OperatorRole
from broker.rosters.roster import Role
from ledger.hand import Hand
from ledger.reads import consented
from ledger.reads.group_pages import groups_of
from ledger.reads.households import kin_of
from ledger.reads.people import Known
from ledger.reads.standing import addresses_of
from ledger.reads.stopped import of_addresses
from ledger.reads.told_lately import LOOKED_THROUGH, told_lately
from web.watch.desk import At, Desk, of_the_school
from web.watch.people.common import (
    CHANGES,
    roles_of,
    the_person,
    today_and_zone,
    words,
)

router = APIRouter()


@router.get("/watch/people/{public_id}")
def one(public_id: str, at: Desk) -> Response:
    """Somebody with their family, groups, numbers and emails."""
    with at.ledger.look() as tx:
        known, when = the_person(tx.hand, public_id), today_and_zone(tx)
        kin = kin_of(tx.hand, known.person)
        theirs = groups_of(tx.hand, known.person.id, today=when[0], department=at.department)
    return at.page("people/one", kin=kin, theirs=theirs, **about(at, known, "one", when))


@router.get("/watch/people/{public_id}/messages")
def messages(public_id: str, at: Desk) -> Response:
    """What they were sent lately, and what became of it."""
    with at.ledger.look() as tx:
        known, when = the_person(tx.hand, public_id), today_and_zone(tx)
        addresses = addresses_of(tx.hand, known.person.id)
        sent = told_lately(tx.hand, known.person.id, addresses, department=at.department)
    shown = {"sent": sent, "looked_through": LOOKED_THROUGH}
    return at.page("people/messages", **shown, **about(at, known, "messages", when))


@router.get("/watch/people/{public_id}/consent")
def consent(public_id: str, at: Desk) -> Response:
    """What they said yes or no to, the newest first, and where they asked for no more."""
    of_the_school(at)
    with at.ledger.look() as tx:
        known, when = the_person(tx.hand, public_id), today_and_zone(tx)
        said, more = consented.words(tx.hand, person=known.person.id, before=at.number("before"))
        stopped = _stopped(tx.hand, known)
    shown = {"said": said, "more": more, "stopped": stopped}
    return at.page("people/person_consent", **shown, **about(at, known, "consent", when))


def about(at: At, known: Known, tab: str, when: tuple[date, str]) -> dict[str, Any]:
    """What stands above every page about one person."""
    return {
        **words(),
        "known": known,
        "person": known.person,
        "roles": roles_of(known),
        "age": age_on(known.born, when[0]) if known.born and Role.PUPIL in known.person.roles else None,
        "zone": when[1],
        "tab": tab,
        "whole": at.department is None,
        "changes": at.may(*CHANGES) and known.here,
        "writes": at.may(OperatorRole.AUTHOR),  # as the verbs want it
        "home": f"watch/people/{known.person.public_id}",
    }


def _stopped(hand: Hand, known: Known) -> Any:
    return of_addresses(hand, addresses_of(hand, known.person.id))

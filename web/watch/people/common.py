"""What the pages of people have in common: who may do what there, plain words, a person by the id in an address."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from datetime import date, datetime
from typing import Any
from zoneinfo import ZoneInfo

from broker.address import AddressKind
from broker.authority import operators
from broker.moments import day_at
from broker.ports import Transaction
from broker.rosters.roster import GroupKind, Role
from ledger.hand import Hand
from ledger.reads.people import Known, person_at
from web.watch.desk import uuid_of
from web.watch.forms import reason as reason_of
from web.watch.signing_in import NoPage

MOST_FORM = 64 * 1024  # bytes: a form of some lines, each sign sent as twelve letters
# Who only looks changes nothing here, not even what the law lets anybody do.
CHANGES, WRITES = operators.STOPS, operators.ACTS

ROLES: Mapping[Role, str] = {Role.PUPIL: "Pupil", Role.GUARDIAN: "Guardian", Role.STAFF: "Staff"}
KINDS: Mapping[AddressKind, str] = {AddressKind.MOBILE: "Mobile number", AddressKind.EMAIL: "Email"}
GROUPS: Mapping[GroupKind, str] = {
    GroupKind.YEAR: "Year group",
    GroupKind.FORM: "Form",
    GroupKind.CLASS: "Class",
    GroupKind.CLUB: "Club",
    GroupKind.KEPT: "Kept here",
}


def today_and_zone(tx: Transaction) -> tuple[date, str]:
    """The day by the school's own clock, and the zone of that clock, in one question."""
    zone = tx.school.zone  # asked for first: with it comes the time
    return day_at(tx.now, zone), zone


def the_person(hand: Hand, public_id: str) -> Known:
    """Whom an address means. Raises NoPage."""
    known = person_at(hand, uuid_of(public_id))
    if known is None:
        raise NoPage(404, "not_found")
    return known


def roles_of(known: Known) -> list[str]:
    """What somebody is to the school, in words."""
    return [words for role, words in ROLES.items() if role in known.person.roles]


def reason(text: str, field: str = "why") -> str:
    """A reason, without which nothing is done here. Raises RuleBroken."""
    return reason_of(text, field, needed="say why", hint="whoever reads it in a year shall understand it")


def typed(form: Mapping[str, str]) -> Mapping[str, str]:
    """What was typed, as a page shows it again: a field that was not there is empty."""
    return defaultdict(str, form)


def day(moment: datetime, zone: str) -> str:
    """The day of a moment, as the school's calendar has it."""
    local = moment.astimezone(ZoneInfo(zone))
    return f"{local.day} {local:%b %Y}"


def words() -> Mapping[str, Any]:
    """What every template here knows."""
    return {"ROLES": ROLES, "KINDS": KINDS, "GROUPS": GROUPS, "day": day}

"""The mail that warns an account's owners: an announcement like any other, to the staff who are named in the licence.

It goes by the ordinary way, so that it is planned, judged and recorded like everything else; where it cannot, there
is a sentence that says why, and the alarm says it too.
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from broker import intake
from broker.actor import Actor
from broker.address import AddressKind
from broker.announcement import Draft, Part, People, Step
from broker.errors import BrokerError, NotToBeChanged, RuleBroken, SetupError
from broker.licences.licence import Angle, Licence
from broker.office import groups
from broker.ports import Ports, Transaction
from broker.values import AccountRow


@dataclass(frozen=True, slots=True)
class Warned:
    """A step of warning that was just taken, and its owners are to be told: which angle lapses, when, the last day."""

    account: AccountRow
    licence: Licence
    angle: Angle
    until: datetime
    last: date
    step: timedelta
    message: str


def mail_owners(ports: Ports, news: Warned, *, actor: Actor) -> tuple[str, str]:
    """Announce to an account's owners that it falls silent: (the announcement's public id, why there is none).

    Never raises for what stands against it: one of the two is "".
    """
    account, licence = news.account, news.licence
    owners = licence.safe_use.owners if licence.safe_use else ()
    emails = [owner.email for owner in owners if owner.email]
    if not emails:
        return "", "no owner has an email in the licence"
    with ports.ledger.look() as tx:
        ids = tx.licences.staff_with(emails)
        department = account.department or tx.licences.department()
        mails = _mails(ports, tx, department)
    if not ids:
        return "", "no owner's email belongs to anybody on the staff, as the roster tells it"
    if mails is None:
        return "", "no account for mails is set up"
    try:
        group = _group_of(ports, account.name, ids, actor)
        draft = _draft(news, group, mails, department)
        return str(intake.accept(ports, draft, actor=actor).announcement.public_id), ""
    except (RuleBroken, SetupError) as broken:
        problem = broken.problem if isinstance(broken, RuleBroken) else broken.problems[0]
        return "", problem.message
    except BrokerError as broken:
        return "", str(broken)


def _mails(ports: Ports, tx: Transaction, department: str) -> str | None:
    for name in ports.channels.names():
        if ports.channels.traits(name).address_kind is not AddressKind.EMAIL:
            continue
        if tx.accounts.for_channel(name, department) is not None:
            return name
    return None


def _group_of(ports: Ports, account: str, ids: list[str], actor: Actor) -> str:
    """The owners as a group kept by hand, as the licence names them today."""
    name = f"Owners of {account}"
    with suppress(NotToBeChanged):  # it is there
        groups.keep(ports, name, department=None, actor=actor)
    groups.set_members(ports, name, ids, actor=actor)
    return name


def _draft(news: Warned, group: str, mails: str, department: str) -> Draft:
    """The step is in its key: one mail for each."""
    account, day = news.account.name, f"{news.last:%-d %B %Y}"
    said = (
        f"The licence of the account {account} lapses at the end of {day}: {news.angle.words} is to be looked at again"
        f" by then. After that nothing leaves by {account} until it is renewed."
        f" To renew it: carillon licence renew {account}"
    )
    return Draft(
        department=department,
        audience=f'"{group}"',
        people=People.STAFF,
        ways=(Step((mails,)),),
        parts={Part.TITLE: f"The licence of {account} lapses on {day}", Part.SHORT: said},
        key=f"licence of {account}, {news.last.isoformat()}, {news.step.days} days",
        expires_at=news.until,
    )

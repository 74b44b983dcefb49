"""The accounts, and one of them: how it stands, what it sent, its providers, how it looks at its provider."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from fastapi import APIRouter, Response

from broker.authority import departments, operators
from broker.capabilities import Inspects, ReadsBack
from broker.errors import NotAllowed, Problem, SetupError
from broker.licences.licensing import Shown
from broker.ports.approvals import OperatorRole
from broker.ports.licences import FoundPost
from broker.values import AccountRow
from ledger.reads import accounts as reads
from web.watch import words
from web.watch.accounts import look
from web.watch.accounts.standing import day_of
from web.watch.desk import At, Desk, Form, acting

router = APIRouter()

MOST_POSTS = 20
STOPS = operators.STOPS  # an auditor only looks
# What a fact of an account at its provider is called, and what to do when it is not as it must be.
POSTURE: Mapping[str, tuple[str, str]] = {
    "following": ("Accounts that it follows", "Unfollow them there: the school's accounts follow nobody."),
    "automated": ("Says that a program posts there", "Say so in its profile there."),
    "messages": ("Private messages", "Close them in its settings there: nobody may write to it in private."),
    "as_declared": ("Locked as the settings say", "Change the one or the other, so that both say the same."),
    "protected": ("Locked, so that only accepted readers see it", ""),
    "published": ("Published", "Publish the page there, or nobody can read it."),
}


@dataclass(frozen=True, slots=True)
class Fact:
    """One thing seen at the provider. `wanted`: how it must be; "" where it may be anything."""

    name: str
    value: str
    wanted: str
    do: str

    @property
    def well(self) -> bool:
        """Whether it is as it must be."""
        return self.wanted in ("", self.value)


@router.get("/watch/accounts")
def accounts(at: Desk) -> Response:
    """Every account that somebody may see."""
    found = look.everything(at)
    return at.page("accounts/list", look=found, switch_words=words.switch, zone=found.zone or at.zone)


@router.get("/watch/accounts/{name}")
def account(name: str, at: Desk) -> Response:
    """One account."""
    return account_page(at, name)


def account_page(
    at: At, name: str, status: int = 200, *, problem: Problem | None = None, form: Form | None = None
) -> Response:
    """The page of one account, after a form that was refused, too. Raises NoPage."""
    seen, found = look.one(at, name)
    row = seen.shown.account
    with at.reading() as hand:
        sent = reads.lately(hand, row, department=at.department)
    return at.page(
        "accounts/one",
        status,
        seen=seen,
        zone=found.zone,
        sent=sent,
        posts=_posts(at, row),
        facts=facts_of(seen.shown),
        day_of=day_of,
        alarm=words.alarm,
        looks=_can(at, row, Inspects),
        stops=may_stop(at, row),
        runs=may_run(at),
        problem=problem,
        form=form or Form(),
    )


def may_stop(at: At, row: AccountRow) -> bool:
    """Whether they may pause an account: whoever sees a fault, of their own department."""
    try:
        departments.must_own(acting(at), row.department)
    except NotAllowed:
        return False
    return at.may(*STOPS)


def may_run(at: At) -> bool:
    """Whether they answer for the accounts: admins of the whole school."""
    return at.may(OperatorRole.ADMIN) and at.department is None


def facts_of(shown: Shown) -> Sequence[Fact]:
    """How an account looked at its provider when it was last looked at, what is not as it must be first."""
    found = [
        Fact(POSTURE.get(name, (name.replace("_", " ").capitalize(), ""))[0], value, wanted, _to_do(name))
        for name, value in (shown.account.posture or {}).items()
        for wanted in (shown.terms.wants.get(name, ""),)
    ]
    return sorted(found, key=lambda fact: (fact.well, fact.name))


def _to_do(name: str) -> str:
    return POSTURE.get(name, ("", ""))[1] or "Change it there, then look again."


def _posts(at: At, row: AccountRow) -> Sequence[FoundPost] | None:
    """What was found on it that did not come from here; None where nobody can look."""
    if not _can(at, row, ReadsBack):
        return None
    with at.ledger.look() as tx:
        return tx.posts.found(row.id, limit=MOST_POSTS)


def _can(at: At, row: AccountRow, ability: type) -> bool:
    """Whether its channel can do something, as far as it opens in this process."""
    try:
        return isinstance(at.ports.channels.open(row.name), ability)
    except SetupError:
        return False

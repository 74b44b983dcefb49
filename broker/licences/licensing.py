"""What is done about licences: filled in, renewed, given by the sandbox and taken away again, judged when rules change.

A licence needs nobody to lapse: each claim reads until when it stands, and so does the brake of whatever is in hand.
How people are told of it is `broker.licences.lapsing`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from broker.actor import SYSTEM, Actor
from broker.authority import operators
from broker.channel import Traits
from broker.errors import InvalidLicence, NotFound, Problem
from broker.licences import licence_form
from broker.licences.licence import (
    Angle,
    Licence,
    Standings,
    Terms,
    angles,
    first_to_lapse,
    lacking,
    stands_until,
)
from broker.moments import today_of
from broker.policy import Hold
from broker.ports import Ports, Transaction
from broker.ports.approvals import OperatorRole
from broker.ports.licences import Judged, LicenceRow
from broker.record import Entry
from broker.rules.licence import AGAIN, CODE, NOTHING
from broker.values import AccountRow, StopKind

LAPSING, LAPSED = "licence_lapsing", "licence_lapsed"  # alarms


@dataclass(frozen=True, slots=True)
class Shown:
    """One account's licence as it stands now: `row` is None where nothing was ever settled about it."""

    account: AccountRow
    row: LicenceRow | None
    standings: Standings
    terms: Terms
    traits: Traits

    @property
    def licence(self) -> Licence:
        """What is settled, which may be nothing."""
        return self.row.licence if self.row is not None else Licence()

    @property
    def until(self) -> datetime | None:
        """Until when it stands; None while it does not."""
        return stands_until(self.standings)

    @property
    def lacking(self) -> str:
        """What keeps the account from speaking, in plain words."""
        return lacking(self.standings)


def show(ports: Ports, tx: Transaction, account: AccountRow) -> Shown:
    """How an account's licence stands at this moment, the account as it was last seen at its provider among it."""
    common = _common(tx)  # brings the time as well
    return _shown(ports, account, tx.licences.of(account.id), tx.now, common)


def show_all(ports: Ports, tx: Transaction) -> Sequence[Shown]:
    """The same of every account that is configured, by its name."""
    common = _common(tx)  # brings the time as well
    rows, now = {row.account: row for row in tx.licences.all()}, tx.now
    return [_shown(ports, each, rows.get(each.name), now, common) for each in tx.accounts.all()]


def _shown(ports: Ports, account: AccountRow, row: LicenceRow | None, now: datetime, common: Terms) -> Shown:
    traits = ports.channels.traits(account.channel)
    terms = _of_channel(common, traits)
    standings = angles(row.licence if row else Licence(), account.posture, now, terms)
    return Shown(account, row, standings, terms, traits)


def silence(tx: Transaction, account: AccountRow, *, at: datetime) -> Hold | None:
    """What keeps an account from speaking at a moment; None while its licence stands then."""
    row = tx.licences.of(account.id)
    if row is not None and row.stands_until is not None and at < row.stands_until:
        return None
    why = NOTHING if row is None else row.lacking or "it has lapsed by then"
    return Hold(at + AGAIN, CODE, f"the account {account.name} has no licence in force: {why}")


def silent(tx: Transaction) -> Mapping[str, str]:
    """Accounts that may not speak now, each with what is missing."""
    found = {account.name: silence(tx, account, at=tx.now) for account in tx.accounts.all()}
    return {name: hold.why for name, hold in found.items() if hold is not None}


def save(
    ports: Ports, name: str, form: Mapping[str, Any], *, actor: Actor, changes_version: int | None = None
) -> Shown:
    """Keep what a form settles about an account; angles that it leaves out stay as they were.

    `changes_version`: the version that the form was made from, if it was made from one; another one since is kept.
    The same form again changes nothing. What waited goes on within a second if all four hold now, and what is in hand
    stops within one if not. Raises NotFound, NotAllowed, InvalidLicence; then nothing has changed.
    """

    def work(tx: Transaction) -> Shown:
        operators.must(tx, actor, OperatorRole.ADMIN)
        account = the_account(tx, name)
        tx.licences.lock(account.id)
        before = tx.licences.of(account.id)
        wanted = _wanted(ports, tx, account, before, form, changes_version)
        digest = licence_form.digest_of(wanted)
        if before is None or before.digest != digest or before.licence.specimen:
            _keep(ports, tx, account, wanted, digest, actor)
        return show(ports, tx, account)

    return ports.ledger.transact(work)


def consider(
    ports: Ports, name: str, form: Mapping[str, Any], *, actor: Actor, changes_version: int | None = None
) -> Shown:
    """What `save` would keep of a form, and how the account would stand then; nothing is kept.

    Raises what `save` raises.
    """
    with ports.ledger.look() as tx:
        operators.must(tx, actor, OperatorRole.ADMIN)
        account = the_account(tx, name)
        before = tx.licences.of(account.id)
        wanted = _wanted(ports, tx, account, before, form, changes_version)
        judged = judge(ports, tx, account, wanted)
        row = LicenceRow(
            account.name,
            (before.version if before else 0) + 1,
            wanted,
            licence_form.digest_of(wanted),
            tx.now,
            actor.id,
            judged.stands_until,
            judged.lacking,
            judged.lapsing,
            None,
        )
        return _shown(ports, account, row, tx.now, _common(tx))


def renewals(
    today: date,
    *,
    policy: str | None = None,
    version: str | None = None,
    liability: str | None = None,
    technology: str | None = None,
    trained: Mapping[str, str] | None = None,
) -> dict[str, Any]:
    """Lines of the form by their paths, for `renew`: what was looked at today counts from today.

    Each says by which day it is looked at again; `trained`: until when an owner's new training counts, by name.
    Raises InvalidLicence where nothing is renewed.
    """
    changes: dict[str, Any] = {}
    if policy is not None:
        changes |= {"policy.adopted": today, "policy.review": policy}
    if version is not None:
        changes["policy.version"] = version
    if liability is not None:
        changes |= {"liability.assessed": today, "liability.review": liability}
    if technology is not None:
        changes |= {"technology.checked": today, "technology.review": technology}
    for name, until in (trained or {}).items():
        changes |= {f"safe_use.owners.{name}.trained": today, f"safe_use.owners.{name}.valid_until": until}
    if not changes:
        hint = "say what, and by when it is looked at again"
        raise InvalidLicence(Problem("nothing_to_renew", "policy", "nothing is renewed", hint))
    return changes


def renew(ports: Ports, name: str, changes: Mapping[str, Any], *, actor: Actor) -> Shown:
    """Change single lines, by path: {"policy.review": …, "safe_use.owners.Anna Bell.valid_until": …}; see `save`.

    An owner is named by the name in the licence. Raises what `save` raises.
    """
    with ports.ledger.look() as tx:
        row = tx.licences.of(the_account(tx, name).id)
    if row is None:
        hint = f"begin with: carillon licence start {name}"
        raise InvalidLicence(Problem("no_licence", "account", "nothing is settled about it yet", hint))
    form = licence_form.as_form(row.licence)
    for path, value in changes.items():
        _change(form, path, value)
    return save(ports, name, form, actor=actor, changes_version=row.version)


def give_specimens(ports: Ports, *, actor: Actor = SYSTEM) -> int:
    """Give every account that has none the sandbox's licence, under which nothing can leave this machine."""
    with ports.ledger.look() as seen:
        if {account.name for account in seen.accounts.all()} <= {row.account for row in seen.licences.all()}:
            return 0

    def work(tx: Transaction) -> int:
        today = today_of(tx)
        without = [account for account in tx.accounts.all() if tx.licences.of(account.id) is None]
        for account in without:
            given = specimen(account, ports.channels.traits(account.channel), today)
            _keep(ports, tx, account, given, licence_form.digest_of(given), actor)
        return len(without)

    return ports.ledger.transact(work)


def judge_again(ports: Ports, tx: Transaction) -> None:
    """What a change of the rules makes of every licence; `look_after` tells of it a moment later."""
    for account in tx.accounts.all():
        row = tx.licences.of(account.id)
        if row is None:
            continue
        judged = judge(ports, tx, account, row.licence)
        tx.licences.judge(account.id, judged, lapsed_at=row.lapsed_at)
        if judged.stands_until is not None:
            tx.licences.wake(account.id)


def take_specimens(ports: Ports, *, actor: Actor = SYSTEM) -> Sequence[str]:
    """Outside the sandbox its licences are worth nothing: they are taken away; returns of which accounts."""
    with ports.ledger.look() as seen:
        if not any(row.licence.specimen for row in seen.licences.all()):
            return ()

    def work(tx: Transaction) -> Sequence[str]:
        taken = tx.licences.drop_specimens()
        tx.record.add([Entry("licence.taken", actor, {"account": name, "why": "specimen"}) for name in taken])
        return taken

    return ports.ledger.transact(work)


def specimen(account: AccountRow, traits: Traits, today: date) -> Licence:
    """What a school that only tries it out would have settled: complete, and marked as worth nothing elsewhere."""
    begun, again = today - timedelta(days=1), today + timedelta(days=365)
    owners: list[dict[str, Any]] = [
        {"name": "Head (sandbox)", "post": "head teacher", "leadership": True},
        {"name": "IT (sandbox)", "post": "network manager"},
    ]
    form: dict[str, Any] = {
        "policy": {
            "title": f"Sandbox policy for {account.channel}",
            "version": "1",
            "adopted": begun,
            "review": again,
        },
        "liability": {
            "reviewer": "The sandbox",
            "assessed": begun,
            "review": again,
            "risks": [
                {"risk": "none: nothing leaves this machine", "mitigation": "every provider is a stand-in"}
            ],
        },
        "safe_use": {"owners": [{**owner, "trained": begun, "valid_until": again} for owner in owners]},
        "technology": {
            "checked_by": "The sandbox",
            "checked": begun,
            "review": again,
            "keeping": "made up for the sandbox",
            "assured": list(traits.asks),
        },
    }
    return replace(licence_form.read(form), specimen=True)


def _wanted(
    ports: Ports,
    tx: Transaction,
    account: AccountRow,
    before: LicenceRow | None,
    form: Mapping[str, Any],
    changes_version: int | None,
) -> Licence:
    """What a form makes of what was settled before. Raises InvalidLicence."""
    if changes_version is not None and (before is None or before.version != changes_version):
        hint = f"look at it again: carillon licence show {account.name}"
        raise InvalidLicence(Problem("changed_since", "account", "somebody changed it meanwhile", hint))
    wanted = licence_form.read(form, before.licence if before else None)
    given = specimen(account, ports.channels.traits(account.channel), today_of(tx))
    for angle in Angle:
        settled, made_up = getattr(wanted, angle.value), getattr(given, angle.value)
        if settled is not None and _without_days(asdict(settled)) == _without_days(asdict(made_up)):
            hint = "fill in what the school itself has settled"
            raise InvalidLicence(
                Problem("specimen", angle.value, "this is what the sandbox made up, and never counts", hint)
            )
    return wanted


def _without_days(values: Any) -> Any:
    """A specimen is one on whichever day it was given, and to whichever questions of the channel."""
    if isinstance(values, Mapping):
        return {n: _without_days(v) for n, v in values.items() if n != "assured" and not isinstance(v, date)}
    return [_without_days(each) for each in values] if isinstance(values, list | tuple) else values


# --- keeping --------------------------------------------------------------------------------------------------------


def _keep(
    ports: Ports, tx: Transaction, account: AccountRow, what: Licence, digest: str, actor: Actor
) -> None:
    version = tx.licences.add(account.id, what, digest=digest, by=actor.id)
    judged = judge(ports, tx, account, what)
    tx.licences.judge(account.id, judged, lapsed_at=None if judged.stands_until else tx.now)
    for kind in (LAPSING, LAPSED):
        tx.sweeps.clear_alarm(kind, account.name)
    # What is in hand was allowed by the licence before: it stops, and is judged anew by this one.
    tx.stops.add(StopKind.ACCOUNT, account.id)
    if judged.stands_until is not None:
        tx.licences.wake(account.id)
    facts = {
        "account": account.name,
        "version": version,
        "digest": digest,
        "stands_until": judged.stands_until.isoformat() if judged.stands_until else None,
        "specimen": what.specimen,
    }
    tx.record.add([Entry("licence.set", actor, facts)])


def judge(ports: Ports, tx: Transaction, account: AccountRow, what: Licence) -> Judged:
    """What the papers come to. How the account looks at its provider is the channel's own rule, before each post."""
    terms = _of_channel(_common(tx), ports.channels.traits(account.channel))
    standings = angles(what, None, tx.now, terms)
    until = stands_until(standings)
    return Judged(until, lacking(standings), first_to_lapse(standings).value if until else "")


def _common(tx: Transaction) -> Terms:
    """What every account is held to."""
    zone, rules = ZoneInfo(tx.school.zone), tx.rules.current()
    return Terms(zone, rules.count("licence.custodians"), warn=rules.duration("licence.warn"))


def _of_channel(common: Terms, traits: Traits) -> Terms:
    return replace(common, wants=traits.wants, asks=traits.asks)


def _change(form: dict[str, Any], path: str, value: Any) -> None:
    """Set one line of a form by its path. Raises InvalidLicence for a line that there is not."""
    angle, _, line = path.partition(".")
    if angle == Angle.SAFE_USE and line.startswith("owners."):
        name, _, field = line.removeprefix("owners.").rpartition(".")
        owners: list[dict[str, Any]] = form.get(angle, {}).get("owners", [])
        found = next((one for one in owners if str(one["name"]).casefold() == name.casefold()), None)
        if found is None:
            hint = ", ".join(str(one["name"]) for one in owners) or "nobody is named yet"
            raise InvalidLicence(Problem("no_such_owner", "owner", "nobody of this name holds it", hint))
        found[field] = value
        return
    if angle not in form or not line:
        hint = "fill it in whole first: carillon licence start"
        raise InvalidLicence(Problem("not_settled", path[:80], "nothing of this angle is settled yet", hint))
    form[angle][line] = value


def the_account(tx: Transaction, name: str) -> AccountRow:
    """An account by its name. Raises NotFound."""
    account = tx.accounts.named(name) if name.isprintable() else None
    if account is None:
        raise NotFound(
            Problem("not_found", "account", "there is no such account", "list them with `carillon accounts`")
        )
    return account

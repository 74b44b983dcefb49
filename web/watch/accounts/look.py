"""What the pages of accounts read: all accounts that somebody may see, or one of them, in one look at the ledger."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from broker.accounts import gateways_of
from broker.actor import Actor
from broker.authority import departments
from broker.licences import licensing
from broker.licences.licensing import Shown
from broker.ports import Transaction
from broker.rules.switches import Switch, SwitchKind
from ledger.connect import Transaction as LedgersOwn
from ledger.reads import accounts as reads
from ledger.reads.health import GatewayStands, gateways, in_order
from web.watch.accounts.standing import Seen, mark_of, providers_of
from web.watch.desk import At, acting
from web.watch.signing_in import NoPage

# What a page of an account tells by itself is not told twice by its alarm.
ALARMS = frozenset({"account_rejected", "policy_failed", "posture", "cannot_open", "render_failed"})
LONGEST_NAME = 63


@dataclass(frozen=True, slots=True)
class Look:
    """What was seen: the accounts by name, and what is switched off besides."""

    accounts: Sequence[Seen]
    off: Sequence[Switch]

    @property
    def zone(self) -> str:
        """The school's, as their terms have it; "" where nothing was seen."""
        return self.accounts[0].shown.terms.zone.key if self.accounts else ""


def everything(at: At) -> Look:
    """Every account that somebody may see."""
    with at.ledger.look() as tx:
        return _look(at, tx, None)


def one(at: At, name: str) -> tuple[Seen, Look]:
    """One account. Raises NoPage where there is none, or it is another department's."""
    with at.ledger.look() as tx:
        look = _look(at, tx, name)
    if not look.accounts:
        raise NoPage(404, "not_found")
    return look.accounts[0], look


def shown(at: At, name: str) -> Shown:
    """The licence of one account. Raises NoPage."""
    if not (name.isprintable() and len(name) <= LONGEST_NAME):
        raise NoPage(404, "not_found")
    with at.ledger.look() as tx:
        account = tx.accounts.named(name)
        if account is None or not departments.sees(acting(at), account.department):
            raise NoPage(404, "not_found")
        return licensing.show(at.ports, tx, account)


def _look(at: At, tx: LedgersOwn, name: str | None) -> Look:
    actor, hand = acting(at), tx.hand
    every = [one for one in _chosen(at, tx, name) if departments.sees(actor, one.account.department)]
    if not every:
        return Look((), ())
    several = any(len(gateways_of(at.ports, one.account.name)) > 1 for one in every)
    waiting, noted = reads.queues(hand), gateways(hand) if several else ()
    used = reads.used_last(hand) if name is None else {}
    by = reads.paused_by(hand, [one.account for one in every])
    # What a list does not show is not asked for.
    alarms, thrown = ((), reads.thrown(hand)) if name is None else reads.alarms_about(hand, name, ALARMS)
    off = [one for one in thrown if _is_theirs(one, actor)]
    return Look(
        [
            replace(
                _seen(at, one, noted, off, tx),
                queue=waiting.get(one.account.id, reads.Queue()),
                used=used.get(one.account.id),
                paused_by=by.get(one.account.name, ""),
                alarms=[alarm for alarm in alarms if alarm.subject == one.account.name],
            )
            for one in every
        ],
        off,
    )


def _is_theirs(switch: Switch, actor: Actor) -> bool:
    """Why another department was stopped is not there for whoever acts for one."""
    return switch.kind is not SwitchKind.DEPARTMENT or departments.sees(actor, switch.subject)


def _chosen(at: At, tx: Transaction, name: str | None) -> Sequence[Shown]:
    if name is None:
        return licensing.show_all(at.ports, tx)
    if not (name.isprintable() and len(name) <= LONGEST_NAME):
        return ()
    account = tx.accounts.named(name)
    return () if account is None else [licensing.show(at.ports, tx, account)]


def _seen(at: At, one: Shown, noted: Sequence[GatewayStands], off: Sequence[Switch], tx: LedgersOwn) -> Seen:
    placed = gateways_of(at.ports, one.account.name)
    stands = in_order(one.account.name, [way.name for way in placed], noted)
    providers = providers_of(placed, stands)
    names: Mapping[str, str] = at.settings.departments
    return Seen(
        shown=one,
        mark=mark_of(one, providers, off, tx.now, placed=bool(placed)),
        department=names.get(one.account.department or "", one.account.department or ""),
        pace=placed[0].pace if len(placed) == 1 else "",
        queue=reads.Queue(),
        providers=providers,
    )

"""What lapses and has lapsed, told once each: alarms, the record, and a mail to the owners 30 days before (R22).

The sending needs none of this: it reads until when a licence stands, not whether somebody noticed.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from broker.actor import SYSTEM, Actor
from broker.licences.licence import Angle, Licence, step_reached
from broker.licences.licence_notice import Warned, mail_owners
from broker.licences.licensing import LAPSED, LAPSING, judge
from broker.ports import Ports, Transaction
from broker.ports.licences import Judged, LicenceRow
from broker.record import Entry
from broker.values import AccountRow, StopKind

LATER_STEPS = (timedelta(days=14), timedelta(days=7), timedelta(days=1))


def look_after(ports: Ports, *, actor: Actor = SYSTEM) -> int:
    """Tell of what lapses and has lapsed, once each; returns for how many accounts there was something to tell."""
    with ports.ledger.look() as tx:
        rows, now = tx.licences.all(), tx.now
        warn = _steps(tx)
    told = 0
    for row in rows:
        if _is_quiet(row, now, warn):
            continue
        news = ports.ledger.transact(lambda tx, name=row.account: _look_at(ports, tx, name, actor))  # type: ignore[misc]
        told += news is not None
        if isinstance(news, Warned):
            _mail(ports, news, actor)
    return told


def _mail(ports: Ports, news: Warned, actor: Actor) -> None:
    """Tell the owners, or let the alarm say why nobody could be told."""
    by, why_not = mail_owners(ports, news, actor=actor)

    def work(tx: Transaction) -> None:
        tx.licences.mailed(news.account.id, news.last, news.step.days, by or why_not)
        if why_not:
            tx.sweeps.clear_alarm(LAPSING, news.account.name)
            tx.sweeps.raise_alarm(LAPSING, news.account.name, f"{news.message}; nobody was mailed: {why_not}")

    ports.ledger.transact(work)


def _is_quiet(row: LicenceRow, now: datetime, steps: Sequence[timedelta]) -> bool:
    """Whether nothing can have happened since it was judged: it stands, and no step of warning is near."""
    return row.stands_until is not None and row.stands_until - now > max(steps) + timedelta(minutes=1)


def _look_at(ports: Ports, tx: Transaction, name: str, actor: Actor) -> Warned | str | None:
    """What there is to tell of an account now: a warning, a word for something else, or nothing."""
    account = tx.accounts.named(name)
    row = tx.licences.of(account.id) if account is not None else None
    if account is None or row is None:
        return None
    judged = judge(ports, tx, account, row.licence)
    if judged.stands_until is None:
        return "lapsed" if _lapsed(tx, account, row, judged, actor) else None
    if row.lapsed_at is not None or row.stands_until is None:
        _stands_again(tx, account, judged)
    return _warn(tx, account, row.licence, judged, actor)


def _lapsed(tx: Transaction, account: AccountRow, row: LicenceRow, judged: Judged, actor: Actor) -> bool:
    if row.lapsed_at is not None and row.lacking == judged.lacking:
        return False
    tx.licences.judge(account.id, judged, lapsed_at=row.lapsed_at or tx.now)
    tx.stops.add(StopKind.ACCOUNT, account.id)
    tx.sweeps.clear_alarm(LAPSING, account.name)
    tx.sweeps.clear_alarm(LAPSED, account.name)
    how = f"what is to go by it waits; carillon licence show {account.name}"
    tx.sweeps.raise_alarm(LAPSED, account.name, f"{judged.lacking}: {how}")
    facts = {"account": account.name, "version": row.version, "lacking": judged.lacking}
    tx.record.add([Entry("licence.lapsed", actor, facts)])
    return True


def _stands_again(tx: Transaction, account: AccountRow, judged: Judged) -> None:
    tx.licences.judge(account.id, judged, lapsed_at=None)
    tx.sweeps.clear_alarm(LAPSED, account.name)
    tx.licences.wake(account.id)


def _warn(
    tx: Transaction, account: AccountRow, licence: Licence, judged: Judged, actor: Actor
) -> Warned | None:
    """An alarm for as long as it is near its end; each step of warning is told once."""
    until = judged.stands_until
    assert until is not None  # noqa: S101 - asked just before
    step = step_reached(until, tx.now, _steps(tx))
    if step is None:
        tx.sweeps.clear_alarm(LAPSING, account.name)
        return None
    last = _last_day(until, tx)
    if not tx.licences.warn(account.id, last, step.days):
        return None
    angle = Angle(judged.lapsing)
    tx.sweeps.clear_alarm(LAPSING, account.name)
    message = f"its licence lapses at the end of {last:%-d %B %Y}: {angle.words}; carillon licence renew {account.name}"
    tx.sweeps.raise_alarm(LAPSING, account.name, message)
    facts = {
        "account": account.name,
        "angle": judged.lapsing,
        "last_day": last.isoformat(),
        "step_days": step.days,
    }
    tx.record.add([Entry("licence.warned", actor, facts)])
    return Warned(account, licence, angle, until, last, step, message)


def _last_day(until: datetime, tx: Transaction) -> date:
    return (until - timedelta(microseconds=1)).astimezone(ZoneInfo(tx.school.zone)).date()


def _steps(tx: Transaction) -> Sequence[timedelta]:
    first = tx.rules.current().duration("licence.warn")
    return (first, *(step for step in LATER_STEPS if step < first))

"""Changing the school's rules: checked whole, kept as a new version, in force at once also for what is in hand."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from broker.actor import Actor
from broker.authority import notices, operators
from broker.diary.schedule_times import look_again
from broker.diary.terms import calendar_now
from broker.errors import Problem, RuleRefused, RulesUnreadable
from broker.licences import licensing
from broker.ports import Ports, Transaction
from broker.ports.approvals import OperatorRole
from broker.record import Entry
from broker.rules.adults import NOTICES
from broker.rules.book import parameter_named, rules_of
from broker.rules.calendar import BANK_HOLIDAYS
from broker.rules.licence import CUSTODIANS
from broker.rules.parameters import Value
from broker.rules.values import Rules
from broker.scrutiny.laid_down import rules_changed
from broker.values import StopKind

# Rules whose words name something in the ledger, as it is when they are set.
BOUND: Mapping[str, Callable[[Transaction, Any], Value]] = {NOTICES: notices.bound}
UNREADABLE = Rules(changed={"": "could not be read"})


def change(ports: Ports, key: str, value: str, why: str, *, actor: Actor, seen: int | None = None) -> Rules:
    """Set one rule. `seen`: the version that somebody looked at; where there is another by now, nothing is done.

    Raises RuleRefused for an unknown key or nonsense, NotAllowed; the rules stay as they are.
    """
    parameter = parameter_named(key)
    read = parameter.read(value)
    parameter.must_be_installed(read, ports.channels.names())

    def work(tx: Transaction) -> Rules:
        operators.must(tx, actor, OperatorRole.ADMIN)
        before = tx.rules.current()
        _must_be_seen(before, seen)
        written = parameter.written(BOUND[key](tx, read) if key in BOUND else read)
        changed = {**before.changed, key: written}
        if written == parameter.written(parameter.read(parameter.default)):
            del changed[key]
        return _keep(ports, tx, before, changed, why, actor)

    return ports.ledger.transact(work)


def preview(ports: Ports, key: str, value: str) -> tuple[str, str]:
    """How one rule is written now, and how it would be with this value. Raises RuleRefused; nothing is kept."""
    parameter = parameter_named(key)
    read = parameter.read(value)
    parameter.must_be_installed(read, ports.channels.names())
    with ports.ledger.look() as tx:
        after = parameter.written(BOUND[key](tx, read) if key in BOUND else read)
        return parameter.written(tx.rules.current().values[key]), after


def back(ports: Ports, version: int, why: str, *, actor: Actor, seen: int | None = None) -> Rules:
    """Set every rule as an earlier version had it, kept as a new version: what came between stays in the history.

    `seen`: the version that stood when somebody looked at what this would undo. Raises RuleRefused for a version that
    there is not, or that this Carillon cannot keep any more; NotAllowed.
    """

    def work(tx: Transaction) -> Rules:
        operators.must(tx, actor, OperatorRole.ADMIN)
        then = next((one for one in tx.rules.history() if one.version == version), None)
        if then is None:
            hint = "list them with: carillon rules history"
            raise RuleRefused(Problem("unknown_version", "version", "there is no such version", hint))
        for key, text in rules_of(then.changed).changed.items():
            parameter = parameter_named(key)
            parameter.must_be_installed(parameter.read(text), ports.channels.names())
        before = _readable(tx)
        _must_be_seen(before, seen)
        return _keep(ports, tx, before, then.changed, why, actor)

    return ports.ledger.transact(work)


def reset(ports: Ports, key: str | None, why: str, *, actor: Actor) -> Rules:
    """Set one rule back to its default, or with None all of them, which also mends rules that cannot be read.

    Raises RuleRefused for an unknown key.
    """
    if key is not None:
        parameter_named(key)

    def work(tx: Transaction) -> Rules:
        operators.must(tx, actor, OperatorRole.ADMIN)
        before = _readable(tx) if key is None else tx.rules.current()
        changed = {} if key is None else {name: text for name, text in before.changed.items() if name != key}
        return _keep(ports, tx, before, changed, why, actor)

    return ports.ledger.transact(work)


def _keep(
    ports: Ports, tx: Transaction, known: Rules, after: Mapping[str, str], why: str, actor: Actor
) -> Rules:
    before = known.changed
    if before == after:
        raise RuleRefused(Problem("same_rule", "rule", "the rules say this already", "see: carillon rules"))
    read = None if known is UNREADABLE else known.version
    made = tx.rules.add(rules_of(after).changed, by=actor, why=why, after=read)
    # What is in hand was judged by the version before; what waits for a rule may not have to any more.
    tx.stops.add(StopKind.EVERYTHING, 0)
    tx.cases.look_again()
    if read is None or before.get(CUSTODIANS) != after.get(CUSTODIANS):
        licensing.judge_again(ports, tx)
    if read is None or before.get(BANK_HOLIDAYS) != after.get(BANK_HOLIDAYS):
        look_again(tx, calendar_now(tx))
    facts = rules_changed(before, made.version, made.changed, why)
    tx.record.add([Entry("rules.changed", actor, facts)])
    return made


def _must_be_seen(now: Rules, seen: int | None) -> None:
    if seen not in {None, now.version}:
        message = "somebody has changed the rules meanwhile"
        raise RuleRefused(Problem("changed_since", "version", message, "look at them once more, then decide"))


def _readable(tx: Transaction) -> Rules:
    try:
        return tx.rules.current()
    except RulesUnreadable:
        return UNREADABLE

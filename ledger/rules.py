"""Versions of the school's rules: each kept whole, read in one row, and understood once a process."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import lru_cache

from sqlalchemy import func, insert, select
from sqlalchemy.exc import OperationalError, ProgrammingError

from broker.actor import Actor
from broker.errors import RuleRefused, RulesUnreadable
from broker.ports.rules import RulesVersion
from broker.rules.book import rules_of
from broker.rules.values import Rules
from ledger.hand import Hand
from ledger.tables import rules


class RuleBook:
    """See broker.ports.RuleBook."""

    def __init__(self, hand: Hand) -> None:
        self._hand = hand

    def current(self) -> Rules:
        """The rules in force."""
        newest = select(rules.c.version, rules.c.body).order_by(rules.c.version.desc()).limit(1)
        with readable():
            row = self._hand.connection.execute(newest).one_or_none()
        return understood(row.version, row.body) if row else understood(None, None)

    def add(self, changed: Mapping[str, str], *, by: Actor, why: str, after: int | None = None) -> Rules:
        """Keep a new version; of two at once the later one fails on its number and is tried again."""
        made = rules_of(changed)
        newest = after
        if newest is None:
            newest = self._hand.connection.execute(select(func.max(rules.c.version))).scalar_one() or 0
        row = {
            "version": newest + 1,
            "body": json.dumps(dict(made.changed), sort_keys=True, ensure_ascii=False),
            "at": self._hand.now,
            "by": by.id,
            "why": why,
        }
        self._hand.connection.execute(insert(rules).values(row))
        return rules_of(made.changed, newest + 1)

    def history(self) -> Sequence[RulesVersion]:
        """Every version, the newest first."""
        with readable():
            found = self._hand.connection.execute(select(rules).order_by(rules.c.version.desc())).all()
        return [RulesVersion(r.version, _changed(r.body), r.at, r.by, r.why) for r in found]


@lru_cache(maxsize=8)  # a school has one; tests many
def understood(version: int | None, body: str | None) -> Rules:
    """A stored version as rules; all defaults where there is none yet. Raises RulesUnreadable."""
    if version is None or body is None:
        return rules_of({})
    try:
        return rules_of(_changed(body), version)
    except RuleRefused as wrong:
        problem = wrong.problem
        raise RulesUnreadable.because(
            f"version {version} of the rules: {problem.field}: {problem.message}"
        ) from None


@contextmanager
def readable() -> Iterator[None]:
    """A table that is not there, or not as it should be, is one clear error. Raises RulesUnreadable."""
    try:
        yield
    except (ProgrammingError, OperationalError) as fault:
        if not isinstance(fault, ProgrammingError) and "no such" not in str(fault.orig):
            raise
        raise RulesUnreadable.because("a table of the rules is not there, or not as it should be") from fault


def _changed(body: str) -> Mapping[str, str]:
    try:
        changed = json.loads(body)
    except ValueError:
        changed = None
    if not isinstance(changed, dict) or not all(isinstance(each, str) for each in changed.values()):
        raise RulesUnreadable.because("the rules kept in the ledger cannot be read")
    return changed

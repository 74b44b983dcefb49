"""A transaction that is asked the same question once: for hundreds of announcements accepted together.

Most of what intake asks is the same for all of them: the department, its accounts, the groups, the rules. Nobody
changes any of that within one transaction, and each answer costs a round trip. What writes is never remembered.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from functools import cached_property
from typing import Any, cast

from broker import audience as audiences
from broker.announcement import People
from broker.audience import Group, fold
from broker.errors import RuleBroken
from broker.moments import today_of
from broker.ports import Transaction
from broker.values import SchoolRow

_ASKED: Mapping[str, frozenset[str]] = {
    "accounts": frozenset({"for_channel"}),
    "cases": frozenset({"norm"}),
    "groups": frozenset({"made_of", "named"}),
    "people": frozenset({"unknown_groups", "holder_of", "names"}),
    "reaches": frozenset({"count", "count_reached", "told", "pairs"}),
    "rules": frozenset({"current"}),
}


def remembering(tx: Transaction, told: Iterable[tuple[str, People]] = ()) -> Transaction:
    """The same transaction, for as long as nothing changes who there is.

    `told`: audiences, with whom of theirs is told. What is asked of each is asked of the simple ones in one go.
    """
    known = _Remembering(tx)
    _ask_ahead(tx, known, told)
    return cast(Transaction, known)


def _ask_ahead(tx: Transaction, known: _Remembering, told: Iterable[tuple[str, People]]) -> None:
    """Whether there are these groups, and how many people each tells, where an audience is one group."""
    simple: dict[People, dict[str, Group]] = {}
    for audience, people in set(told):
        try:
            tree = audiences.parse(audience)
        except RuleBroken:  # told where it is checked
            continue
        if isinstance(tree, Group):
            simple.setdefault(people, {})[fold(tree.name)] = tree
    if not simple:
        return
    today = today_of(cast(Transaction, known))  # which knows the school from now on
    for people, groups in simple.items():
        for folded, counted in tx.reaches.count_groups(set(groups), people, today).items():
            known.remember("reaches", "count", (groups[folded], people, today), counted)
            known.remember("people", "unknown_groups", (groups[folded],), {})


class _Remembering:
    def __init__(self, tx: Transaction) -> None:
        self._tx = tx
        self._ports: dict[str, _Port] = {}

    def remember(self, port: str, method: str, given: tuple[Any, ...], answer: Any) -> None:
        """An answer that was had with others, in one question."""
        self._port(port).remember(method, given, answer)

    @cached_property
    def school(self) -> SchoolRow:
        """Whose ledger this is."""
        return self._tx.school

    def __getattr__(self, name: str) -> Any:
        if name not in _ASKED:
            return getattr(self._tx, name)
        port = self.__dict__[name] = self._port(name)  # found at once from now on
        return port

    def _port(self, name: str) -> _Port:
        if name not in self._ports:
            self._ports[name] = _Port(getattr(self._tx, name), _ASKED[name])
        return self._ports[name]


class _Port:
    def __init__(self, port: Any, asked: frozenset[str]) -> None:
        self._port, self._asked = port, asked
        self._known: dict[Any, Any] = {}

    def __getattr__(self, name: str) -> Any:
        method = getattr(self._port, name)
        if name in self._asked:
            method = self.__dict__[name] = self._once(name, method)
        return method

    def _once(self, name: str, method: Callable[..., Any]) -> Callable[..., Any]:
        def ask(*given: Any) -> Any:
            key = _key(name, given)
            if key not in self._known:
                self._known[key] = method(*given)
            return self._known[key]

        return ask

    def remember(self, name: str, given: tuple[Any, ...], answer: Any) -> None:
        self._known[_key(name, given)] = answer


def _key(name: str, given: tuple[Any, ...]) -> tuple[Any, ...]:
    return (name, *(frozenset(each) if isinstance(each, set) else each for each in given))

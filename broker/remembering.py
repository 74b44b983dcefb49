"""A transaction that is asked the same question once: for hundreds of announcements accepted together.

Most of what intake asks is the same for all of them: the department, its accounts, the groups, the rules. Nobody
changes any of that within one transaction, and each answer costs a round trip. What writes is never remembered.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cached_property
from typing import Any, cast

from broker.ports import Transaction
from broker.values import SchoolRow

_ASKED: Mapping[str, frozenset[str]] = {
    "accounts": frozenset({"for_channel"}),
    "announcements": frozenset({"department_exists"}),
    "cases": frozenset({"norm"}),
    "groups": frozenset({"made_of", "named"}),
    "people": frozenset({"unknown_groups", "holder_of", "names"}),
    "reaches": frozenset({"count", "count_reached", "told", "pairs"}),
    "rules": frozenset({"current"}),
}


def remembering(tx: Transaction) -> Transaction:
    """The same transaction, for as long as nothing changes who there is."""
    return cast(Transaction, _Remembering(tx))


class _Remembering:
    def __init__(self, tx: Transaction) -> None:
        self._tx = tx
        self._ports: dict[str, _Port] = {}

    @cached_property
    def school(self) -> SchoolRow:
        """Whose ledger this is."""
        return self._tx.school

    def __getattr__(self, name: str) -> Any:
        if name not in _ASKED:
            return getattr(self._tx, name)
        if name not in self._ports:
            self._ports[name] = _Port(getattr(self._tx, name), _ASKED[name])
        return self._ports[name]


class _Port:
    def __init__(self, port: Any, asked: frozenset[str]) -> None:
        self._port, self._asked = port, asked
        self._known: dict[Any, Any] = {}

    def __getattr__(self, name: str) -> Any:
        method = getattr(self._port, name)
        return self._once(name, method) if name in self._asked else method

    def _once(self, name: str, method: Callable[..., Any]) -> Callable[..., Any]:
        def ask(*given: Any) -> Any:
            key = (name, *(frozenset(each) if isinstance(each, set) else each for each in given))
            if key not in self._known:
                self._known[key] = method(*given)
            return self._known[key]

        return ask

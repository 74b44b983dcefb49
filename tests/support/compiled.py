"""What SQLAlchemy compiled, kept for every engine of a process: half of a test's time was to compile once more."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Dialect
from sqlalchemy.util import LRUCache

KEPT = 5_000  # statements


class Compiled(LRUCache[Any, Any]):
    """As the cache of an engine, but one dialect is as good as another of its kind: all are made alike here."""

    def __init__(self) -> None:
        super().__init__(KEPT)

    def get(self, key: Any, default: Any = None) -> Any:
        return super().get(_of_any(key), default)

    def __getitem__(self, key: Any) -> Any:
        return super().__getitem__(_of_any(key))

    def __setitem__(self, key: Any, value: Any) -> None:
        super().__setitem__(_of_any(key), value)


def _of_any(key: Any) -> Any:
    dialect, *rest = key
    return (type(dialect), *rest) if isinstance(dialect, Dialect) else key

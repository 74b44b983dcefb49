"""What every column of every table holds of anybody, how long, and what becomes of it when a person is erased.

The one place that knows. Erasing (`ledger.privacy.erasure`), keeping (`ledger.privacy.pruning`), a person's copy
(`ledger.reads.copy`) and the tables of docs/privacy.md are made from it, and a test fails for a column that is not in
it: a new table cannot be forgotten.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from ledger.privacy.registry import choices, people, said, school, sent
from ledger.privacy.registry.held import (
    NOT_SHOWN,
    PERSONAL,
    TYPED,
    Empty,
    Erasure,
    Held,
    Kind,
    Whose,
)

REGISTRY: Mapping[str, Held] = MappingProxyType(
    people.TABLES | choices.TABLES | said.TABLES | sent.TABLES | school.TABLES
)

__all__ = ["NOT_SHOWN", "PERSONAL", "REGISTRY", "TYPED", "Empty", "Erasure", "Held", "Kind", "Whose"]

"""The rules as they stand: every parameter's value, under the version by which verdicts name them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from decimal import Decimal
from typing import cast

from broker.rules.hours import Opening
from broker.rules.parameters import Amounts, Value


@dataclass(frozen=True, slots=True)
class Rules:
    """One version of the school's rules. `changed` is what differs from the defaults, as written; 0 is all defaults.

    The getters raise KeyError for a key that no family declares: a fault of ours, never of the school's.
    """

    version: int = 0
    values: Mapping[str, Value] = field(default_factory=dict, repr=False)
    changed: Mapping[str, str] = field(default_factory=dict)

    def duration(self, key: str) -> timedelta:
        """A length of time."""
        return cast("timedelta", self.values[key])

    def count(self, key: str) -> int:
        """A whole number."""
        return cast("int", self.values[key])

    def ratio(self, key: str) -> Decimal:
        """A number such as 3 or 0.1."""
        return cast("Decimal", self.values[key])

    def money(self, key: str) -> Decimal:
        """An amount in the school's currency."""
        return cast("Decimal", self.values[key])

    def amounts(self, key: str) -> Amounts:
        """Amounts by name."""
        return cast("Amounts", self.values[key])

    def words(self, key: str) -> tuple[str, ...]:
        """A list of words."""
        return cast("tuple[str, ...]", self.values[key])

    def yes(self, key: str) -> bool:
        """Yes or no."""
        return cast("bool", self.values[key])

    def windows(self, key: str) -> tuple[Opening, ...]:
        """Hours of the week, by what they are for."""
        return cast("tuple[Opening, ...]", self.values[key])


NO_RULES = Rules()

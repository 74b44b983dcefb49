"""Money: budgets, what was spent, what a message was reckoned to cost. All in millionths of the currency."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from broker.values import AccountRow


@dataclass(frozen=True, slots=True)
class BudgetRow:
    """A department's budget; `month` is "" for every month that has none of its own."""

    department: str
    month: str
    amount: int


@dataclass(frozen=True, slots=True)
class SpendRow:
    """What a department's tries by one account cost in a month, begun and not proven absent."""

    department: str
    account: str
    month: str
    cost: int


class Money(Protocol):
    """Budgets and spend."""

    def reckoned(self, announcement: int, account: AccountRow, unit: int, messages: int) -> None:
        """Keep what one message of it costs by this account, and how many there would be; again is anew."""

    def reckonings(self, announcement: int) -> Mapping[str, int]:
        """By which account each of its ways was reckoned: channel → account. What costs nothing is not there."""

    def reckoned_all(self, costs: Sequence[tuple[int, AccountRow, int, int]]) -> None:
        """(announcement, account, unit, messages) of announcements that were never reckoned."""

    def give_back(self, attempts: Sequence[int]) -> None:
        """These did not leave: what was counted for them is not spent. Safe to repeat."""

    def left(self, departments: Collection[str], month: str) -> Mapping[str, int]:
        """What each department that has a budget may still spend, what is in hand counted, and locked until the end.

        Whoever else claims for the same department waits, so that two never spend the same money.
        """

    def set_budget(self, department: str, month: str, amount: int | None, *, by: str) -> None:
        """A department's budget from now on; None takes it away. What waited for money is due at once."""

    def budgets(self) -> Sequence[BudgetRow]:
        """Every budget that is set."""

    def spent(self, month: str) -> Sequence[SpendRow]:
        """What was spent in a month, by department and account."""

    def waiting(self) -> Mapping[str, int]:
        """By department, what was accepted and has not begun yet would cost."""

    def unfolded(self) -> bool:
        """Whether there is something to fold; reads only."""

    def fold(self) -> Collection[tuple[str, str]]:
        """Fold appended deltas; returns the (department, month) that they were about."""

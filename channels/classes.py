"""Which class of a platform an announcement belongs to: one account, a place for everybody, and one for each group.

A group of the school's is a class there, by its name, whatever its capitals. What is for one group goes to its class
and nowhere else; anything else goes where everybody reads, as any public post does, if there is such a place.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

from broker.audience import Audience, Group, fold, parse
from broker.errors import BrokerError, Problem

EVERYBODY = ""
MOST = 200  # classes of one account
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Classes(Generic[T]):
    """Places by the folded names of groups; `EVERYBODY` is the name of the place for all, where there is one."""

    places: Mapping[str, T]

    @classmethod
    def of(cls, everybody: T | None, groups: Mapping[str, T]) -> Classes[T]:
        """From settings."""
        places = {fold(name): place for name, place in groups.items()}
        return cls(places if everybody is None else {EVERYBODY: everybody, **places})

    def name_for(self, audience: str) -> str | None:
        """The name of the place where an expression's people read, None where they have none."""
        try:
            return self._name(parse(audience)) if audience else next(iter(self.places), None)
        except BrokerError:
            return None

    def suits(self, audience: Audience, channel: str) -> Sequence[Problem]:
        """What stands in the way of telling an audience there."""
        if self._name(audience) is not None:
            return ()
        hint = f"announce to one group that has a class there, or leave {channel} out of the ways"
        return (Problem("no_class", "via", f"these people have no class of their own on {channel}", hint),)

    def _name(self, audience: Audience) -> str | None:
        name = fold(audience.name) if isinstance(audience, Group) else EVERYBODY
        return next((known for known in (name, EVERYBODY) if known in self.places), None)

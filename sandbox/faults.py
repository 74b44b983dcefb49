"""Faults to order: which request gets which trouble, chosen by chance, by count or by recipient.

An order is written "service:kind:option=value,option=value", as in
`twilio:500-after-accept:rate=0.01,seed=7`, or as the same in JSON. Each stand-in declares the kinds it can do
as data; this module knows none of them by name.
"""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field
from datetime import timedelta
from http import HTTPStatus
from typing import Any, TypeVar

from sandbox.settings import BadSandbox

MAX_ORDERS = 256
MAX_DELAY = timedelta(minutes=10)


@dataclass(frozen=True)
class Kind:
    """One sort of trouble a stand-in can make.

    At most one order of each `group` strikes a request, so that a late callback can be had together with a
    lost answer. `stages` are where it can be ordered, the first being the usual place; `defaults` are its
    options beside the choosing.
    """

    does: str
    group: str
    stages: tuple[str, ...]
    defaults: Mapping[str, str | int] = field(default_factory=dict)


T = TypeVar("T")
Catalogue = Mapping[str, Mapping[str, Kind]]


@dataclass(frozen=True)
class Choice:
    """Which of the requests at its stage an order strikes; all that is given must hold."""

    rate: float | None = None
    seed: int = 0
    every: int | None = None
    next: int | None = None
    after: int = 0
    each: int | None = None
    to: tuple[str, ...] = ()
    to_ends: tuple[str, ...] = ()


@dataclass
class Order:
    """A fault somebody ordered, and how often it has struck."""

    id: int
    service: str
    kind: str
    group: str
    stage: str
    choice: Choice
    options: dict[str, str | int]
    seen: int = 0
    hits: int = 0

    def __post_init__(self) -> None:
        # Seeded, so that a run can be told again.
        self._chance = random.Random(self.choice.seed)
        self._hits_of: dict[str, int] = {}
        self._exact = frozenset(self.choice.to)

    @property
    def delay(self) -> timedelta:
        """The order's `ms`."""
        return timedelta(milliseconds=int(self.options["ms"]))

    def number(self, name: str) -> int:
        """An option that is a number."""
        return int(self.options[name])

    def text(self, name: str) -> str:
        """An option that is a text."""
        return str(self.options[name])

    def strikes(self, to: str) -> bool:
        """Whether this request is hit; counts it either way."""
        choice = self.choice
        named = (
            not (self._exact or choice.to_ends) or to in self._exact or to.endswith(choice.to_ends or "\0")
        )
        if not named:
            return False
        self.seen += 1
        turn = self.seen - choice.after
        spent = choice.next is not None and self.hits >= choice.next
        if turn <= 0 or spent or (choice.every is not None and turn % choice.every):
            return False
        if choice.rate is not None and self._chance.random() >= choice.rate:
            return False
        if choice.each is not None:
            if self._hits_of.get(to, 0) >= choice.each:
                return False
            self._hits_of[to] = self._hits_of.get(to, 0) + 1
        self.hits += 1
        return True

    def describe(self) -> dict[str, Any]:
        """As JSON, with how often it was looked at and how often it struck."""
        chosen = {name: value for name, value in asdict(self.choice).items() if value not in (None, (), 0)}
        return {
            "id": self.id, "service": self.service, "kind": self.kind, "stage": self.stage,
            **chosen, **self.options, "seen": self.seen, "hits": self.hits,
        }  # fmt: skip


class FaultBook:
    """The orders in force. The oldest order that strikes wins its group.

    `struck` counts every fault given since the start, by "service:kind:stage", whatever was taken back since.
    """

    def __init__(self, catalogue: Catalogue) -> None:
        self._catalogue = catalogue
        self._orders: dict[int, Order] = {}
        self._at: dict[tuple[str, str, str], list[Order]] = {}
        self._last = 0
        self.struck: Counter[str] = Counter()

    def pick(self, service: str, group: str, stage: str, to: str = "") -> Order | None:
        """The order that strikes this request, if any."""
        orders = self._at.get((service, group, stage))
        if orders is None:
            return None
        for order in orders:
            if order.strikes(to):
                self.struck[f"{service}:{order.kind}:{stage}"] += 1
                return order
        return None

    def order(self, wanted: Iterable[str | Mapping[str, Any]]) -> list[Order]:
        """Put orders in force, all of them or, when one is wrong, none."""
        parsed = [parse(self._catalogue, each) for each in wanted]
        if len(self._orders) + len(parsed) > MAX_ORDERS:
            raise BadSandbox("faults", f"at most {MAX_ORDERS} faults can be in force", "clear some first")
        for order in parsed:
            self._last += 1
            order.id = self._last
            self._orders[order.id] = order
        self._sort()
        return parsed

    def clear(self, id: int | None = None) -> bool:
        """Take back one order, or all; False when there is no such order."""
        if id is None:
            self._orders.clear()
        elif self._orders.pop(id, None) is None:
            return False
        self._sort()
        return True

    def describe(self) -> list[dict[str, Any]]:
        """All orders in force, oldest first."""
        return [order.describe() for order in self._orders.values()]

    def _sort(self) -> None:
        self._at = {}
        for order in self._orders.values():
            self._at.setdefault((order.service, order.group, order.stage), []).append(order)


def parse(catalogue: Catalogue, wanted: str | Mapping[str, Any]) -> Order:
    """One order, from its text or its JSON; raises BadSandbox naming the field that is wrong."""
    asked = dict(_from_text(wanted) if isinstance(wanted, str) else wanted)
    service, name = asked.pop("service", None), asked.pop("kind", None)
    kinds = _known("service", service, catalogue)
    kind = _known("kind", name, kinds)
    stage = asked.pop("stage", kind.stages[0])
    if stage not in kind.stages:
        raise BadSandbox(
            "stage", f"{service}:{name} cannot be ordered there", "one of " + ", ".join(kind.stages)
        )
    choice = Choice(
        rate=_rate(asked.pop("rate", None)),
        seed=_whole("seed", asked.pop("seed", 0), 0),
        every=_maybe("every", asked.pop("every", None)),
        next=_maybe("next", asked.pop("next", None)),
        after=_whole("after", asked.pop("after", 0), 0),
        each=_maybe("each", asked.pop("each", None)),
        to=_several("to", asked.pop("to", ())),
        to_ends=_several("to_ends", asked.pop("to_ends", ())),
    )
    options = {
        option: _option(option, asked.pop(option, usual), usual) for option, usual in kind.defaults.items()
    }
    for stranger in asked:
        known = [*kind.defaults, "stage", *Choice.__dataclass_fields__]
        raise BadSandbox(
            str(stranger)[:40], f"{service}:{name} has no such option", "it has " + ", ".join(known)
        )
    return Order(0, str(service), str(name), kind.group, stage, choice, options)


def _from_text(text: str) -> dict[str, str]:
    service, _, rest = text.partition(":")
    kind, _, options = rest.partition(":")
    asked = {"service": service, "kind": kind}
    for option in filter(None, options.split(",")):
        name, equals, value = option.partition("=")
        if not equals:
            raise BadSandbox(name[:40], "an option is name=value", "for example rate=0.01")
        asked[name.strip()] = value.strip()
    return asked


def _known(field: str, name: object, known: Mapping[str, T]) -> T:
    found = known.get(name) if isinstance(name, str) else None
    if found is None:
        raise BadSandbox(field, f"there is no such {field}", "one of " + ", ".join(known))
    return found


def _rate(value: object) -> float | None:
    if value is None:
        return None
    try:
        rate = float(str(value))
    except ValueError:
        rate = -1.0
    if not 0 <= rate <= 1:
        raise BadSandbox("rate", "a rate is a number from 0 to 1")
    return rate


def _whole(name: str, value: object, least: int) -> int:
    text = str(value)
    if (
        isinstance(value, bool)
        or not text.isascii()
        or not text.isdigit()
        or len(text) > 12
        or int(text) < least
    ):
        raise BadSandbox(name, f"a whole number from {least} on is needed")
    return int(text)


def _maybe(name: str, value: object) -> int | None:
    return None if value is None else _whole(name, value, 1)


def _several(name: str, value: object) -> tuple[str, ...]:
    several = value.split("|") if isinstance(value, str) else value
    if not isinstance(several, list | tuple) or not all(isinstance(each, str) and each for each in several):
        raise BadSandbox(name, "recipients are a list", "in a flag they are parted by |")
    return tuple(several)


def _option(name: str, value: object, usual: str | int) -> str | int:
    if isinstance(usual, str):
        if not isinstance(value, str) or not value.isprintable() or len(value) > 400:
            raise BadSandbox(name, "a short line of text is needed")
        return value
    number = _whole(name, value, 0)
    if name == "status" and number not in HTTPStatus.__members__.values():
        raise BadSandbox(name, "there is no such HTTP status")
    if name == "ms" and timedelta(milliseconds=number) > MAX_DELAY:
        raise BadSandbox(name, f"at most {MAX_DELAY.total_seconds() * 1000:.0f} ms", "every wait is bounded")
    return number

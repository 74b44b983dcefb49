"""A world whose texts go by two gateways: a first and a second provider, each with its own truth."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta

from sqlalchemy import select

from broker.channel import Channel
from broker.errors import Problem, SetupError
from broker.gateways import BREAKER, Breaker, Health
from broker.ports.outside import GatewayAt
from broker.testing.provider import PretendKit, PretendProvider
from ledger import tables as t
from tests.support.broker_world import SURROUNDINGS, PretendChannels, World

FIRST, SECOND = "first", "second"
QUICK = replace(BREAKER, slow_after=timedelta(milliseconds=400))


@dataclass
class TwoGateways(PretendChannels):
    """Texts by two providers; mails by one."""

    others: PretendProvider = field(default_factory=PretendProvider)
    order: tuple[str, ...] = (FIRST, SECOND)
    pace: dict[str, float] = field(default_factory=dict)

    @property
    def providers(self) -> Sequence[PretendProvider]:
        return (self.texts, self.others, self.mails)

    def open(self, account: str) -> Channel:
        return self.through(account, self.order[0]) if account == "texts" else super().open(account)

    def gateways(self, account: str) -> Sequence[GatewayAt]:
        if account != "texts":
            return super().gateways(account)
        return [GatewayAt(name, "pretend", self.pace.get(name)) for name in self.order]

    def through(self, account: str, gateway: str) -> Channel:
        if account != "texts":
            return super().open(account)
        if gateway == "sms":
            gateway = FIRST
        if gateway not in (FIRST, SECOND):
            raise SetupError(Problem("unknown_gateway", "gateways", "is named no more"))
        if gateway not in self.opened:
            provider = self.texts if gateway == FIRST else self.others
            self.opened[gateway] = PretendKit(provider, hands=8).open(account, {}, SURROUNDINGS)
            self.opened[gateway].name = "sms"  # type: ignore[misc]
        return self.opened[gateway]


def with_two(world: World, breaker: Breaker = QUICK) -> TwoGateways:
    """Give this world two gateways."""
    two = TwoGateways()
    world.channels = two
    world.ports = replace(world.ports, channels=two)
    world.tempo = replace(world.tempo, breaker=breaker)
    return two


def health(world: World) -> dict[str, Health]:
    with world.ledger.look() as tx:
        account = tx.accounts.named("texts")
        assert account is not None
        return dict(tx.gateways.of(account.id))


def tries(world: World) -> Counter[str]:
    """How many attempts each gateway had."""
    return Counter(row.gateway for row in world.rows(select(t.attempt.c.gateway)))


def who_got_it(*providers: PretendProvider) -> Counter[str]:
    """How often each address was truly written to, by all of them together."""
    return Counter(kept.address for provider in providers for kept in provider.truth)


def open_alarms(world: World) -> list[tuple[str, str]]:
    query = select(t.alarm.c.kind, t.alarm.c.subject).where(t.alarm.c.cleared_at.is_(None))
    return [(row.kind, row.subject) for row in world.rows(query)]

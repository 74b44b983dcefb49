"""A broker with everything real but the provider: a ledger, the verbs, a pretend channel, and time that can pass."""

from __future__ import annotations

import asyncio
import threading
from collections import Counter
from collections.abc import Callable, Coroutine, Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Any

from sqlalchemy import Column, Connection, Table, bindparam, select, text

from broker import confirm, fanout, intake, reconcile, retract, sweep
from broker.actor import SYSTEM
from broker.address import AddressKind
from broker.announcement import Announcement, Draft, Part, People, Step
from broker.brake import Brake, keep_fresh
from broker.channel import Channel, Surroundings, Traits
from broker.dispatch import Process, Tempo, deliver
from broker.errors import Problem, UnknownChannel
from broker.ladders import climbing
from broker.licences import licensing
from broker.ports import Ports
from broker.ports.outside import GatewayAt
from broker.rosters.imports import import_roster
from broker.testing.hints import PretendHints
from broker.testing.provider import PretendKit, PretendProvider
from broker.values import Lane
from config.signer import HmacSigner
from ledger import tables as t
from ledger.connect import Ledger
from ledger.setup import rules_for
from tests.support.school import SmallSchool
from tests.support.tampering import without_guards

SILENCE = timedelta(milliseconds=100)
SURROUNDINGS = Surroundings("St Bride's", "GB")


@dataclass
class PretendChannels:
    """The ways out of a test: texts that can be looked up, mails that cannot."""

    texts: PretendProvider = field(default_factory=lambda: PretendProvider(silence=SILENCE))
    mails: PretendProvider = field(default_factory=lambda: PretendProvider(silence=SILENCE))
    opened: dict[str, Channel] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.kits = {
            "sms": PretendKit(self.texts, askable=True, address_kind=AddressKind.MOBILE),
            "email": PretendKit(self.mails, askable=False, address_kind=AddressKind.EMAIL),
        }

    def names(self) -> Sequence[str]:
        return sorted(self.kits)

    @property
    def providers(self) -> Sequence[PretendProvider]:
        """Those that live in this process."""
        return (self.texts, self.mails)

    def traits(self, channel: str) -> Traits:
        if channel not in self.kits:
            raise UnknownChannel(Problem("unknown_channel", "channel", f"there is no channel {channel}"))
        return self.kits[channel].traits

    def open(self, account: str) -> Channel:
        if account not in self.opened:
            channel = {"texts": "sms", "mails": "email"}[account]
            self.opened[account] = self.kits[channel].open(account, {}, SURROUNDINGS)
            self.opened[account].name = channel  # type: ignore[misc]
        return self.opened[account]

    def gateways(self, account: str) -> Sequence[GatewayAt]:
        channel = self.open(account).name
        return [GatewayAt(channel, channel)]

    def through(self, account: str, gateway: str) -> Channel:
        return self.open(account)


@dataclass
class World:
    """A school that can announce, and a worker's hands."""

    ledger: Ledger
    channels: PretendChannels
    hints: PretendHints
    ports: Ports
    brake: Brake
    tempo: Tempo = field(default_factory=Tempo)
    faults: list[Exception] = field(default_factory=list)
    passed: timedelta = timedelta(0)
    run: Callable[[Coroutine[Any, Any, int]], int] = (
        asyncio.run
    )  # or a loop that outlives a turn, as a worker's

    def __post_init__(self) -> None:
        """A sandbox school: nothing waits to be undone, whatever the hour, and its accounts have licences."""
        with self.ledger.begin() as tx:
            rules_for(tx, sandbox=True)
        licensing.give_specimens(self.ports)

    @classmethod
    def over(cls, ledger: Ledger, signer: HmacSigner) -> World:
        channels, hints = PretendChannels(), PretendHints()
        return cls(ledger, channels, hints, Ports(ledger, hints, signer, channels), Brake(ledger))

    def bring(self, school: SmallSchool) -> None:
        import_roster(self.ports, school.roster(), actor=SYSTEM, expect_leaving=None)

    def draft(self, **changes: Any) -> Draft:
        plain = Draft(
            department="office",
            audience="everyone",
            people=People.GUARDIANS,
            ways=(Step(("sms",)),),
            parts={Part.SHORT: "The coach leaves at eight."},
        )
        return replace(plain, **changes)

    def announce(self, **changes: Any) -> Announcement:
        return intake.accept(self.ports, self.draft(**changes), actor=SYSTEM).announcement

    def plan(self, announcement: Announcement) -> int:
        return fanout.plan(self.ports, announcement.public_id, actor=SYSTEM)

    def send(self, account: str = "texts", lane: Lane = Lane.ROUTINE, **more: Any) -> int:
        """One worker's turn, with its brake kept fresh beside it as a worker does."""
        self.brake.refresh()
        over = threading.Event()
        reader = threading.Thread(target=keep_fresh, args=(self.brake, over, self.faults.append))
        reader.start()
        try:
            return self.run(
                deliver(
                    self.ports,
                    account,
                    lane,
                    process=Process(self.brake, SYSTEM),
                    budget=timedelta(seconds=20),
                    tempo=self.tempo,
                    **more,
                )
            )
        finally:
            over.set()
            reader.join()

    def sweep(self) -> sweep.Report:
        """All that a worker does beside sending."""
        reconcile.look_up_due(self.ports, actor=SYSTEM)
        retract.take_back_due(self.ports, actor=SYSTEM)
        climbing.climb(self.ports, actor=SYSTEM)
        sweep.hint(self.ports)
        return sweep.run(self.ports, actor=SYSTEM)

    def confirm(self) -> int:
        return confirm.drain_inbox(self.ports, actor=SYSTEM)

    def states(self, announcement: Announcement | None = None) -> dict[str, int]:
        query = select(t.delivery.c.state)
        if announcement is not None:
            query = query.where(t.delivery.c.announcement_id == announcement.id)
        return dict(Counter(row.state for row in self.rows(query)))

    def tallies(self, announcement: Announcement) -> dict[str, int]:
        """The counters, folded and not; states that nothing is in are left out."""
        summed: Counter[str] = Counter()
        for table in (t.tally, t.tally_delta):
            for row in self.rows(select(table).where(table.c.announcement_id == announcement.id)):
                summed[row.state] += row.n
        return {state: n for state, n in summed.items() if n}

    def rows(self, query: Any) -> list[Any]:
        with self.ledger.reading() as hand:
            return list(hand.connection.execute(query))

    def pass_time(self, by: timedelta) -> None:
        """Let the ledger and the providers believe that this much time went by: all they remember moves back."""
        self.passed += by
        for provider in self.channels.providers:
            provider.age(by)
        with self.ledger.begin() as tx, without_guards(tx.hand.connection):
            for table in t.metadata.sorted_tables:
                moments = [column for column in table.c if isinstance(column.type, t.Moment)]
                if moments:
                    _move_back(tx.hand.connection, table, moments, by)

    def record(self) -> list[str]:
        return [row.kind for row in self.rows(select(t.record_entry.c.kind).order_by(t.record_entry.c.id))]

    def sql(self, statement: str) -> None:
        with self.ledger.begin() as tx:
            tx.hand.connection.execute(text(statement))


def _move_back(connection: Connection, table: Table, moments: Sequence[Column[Any]], by: timedelta) -> None:
    key = list(table.primary_key)
    rows = connection.execute(select(*key, *moments)).all()
    changed = [
        {f"_{column.name}": row._mapping[column] for column in key}
        | {column.name: at - by if (at := row._mapping[column]) else None for column in moments}
        for row in rows
    ]
    if changed:
        which = [column == bindparam(f"_{column.name}") for column in key]
        connection.execute(
            table.update().where(*which).values({c: bindparam(c.name) for c in moments}), changed
        )

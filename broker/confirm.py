"""Confirm: what providers say later becomes evidence on an attempt, and evidence moves its delivery.

Order and repetition change nothing: the state after is a fold over all that is known (broker.delivery).
"""

from __future__ import annotations

import logging
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import replace
from itertools import groupby
from operator import itemgetter

from broker.actor import Actor, ActorKind
from broker.capabilities import Confirmation, ConfirmsDelivery, Heard, Hears, SignatureInvalid
from broker.consent import optouts
from broker.delivery import State, fold_attempt, fold_delivery
from broker.errors import SetupError
from broker.incoming import hearing
from broker.ports import Ports, Transaction
from broker.record import entries
from broker.values import InboxItem, KnownDelivery, Move, News

log = logging.getLogger(__name__)
CHUNK = 200


def drain_inbox(ports: Ports, *, actor: Actor) -> int:
    """Confirm the callbacks that wait, a chunk a transaction; returns how many."""
    names = _account_names(ports)
    drained = 0
    while count := ports.ledger.transact(lambda tx: _drain_chunk(ports, tx, names)):
        drained += count
    return drained


def apply_news(tx: Transaction, news: Sequence[News], *, actor: Actor) -> int:
    """Fold news into attempts and deliveries, in the caller's transaction; returns how many deliveries moved.

    News about an attempt that this ledger does not know is dropped: it is somebody else's, or from before.
    """
    found = tx.moves.known(news)
    deliveries: dict[int, KnownDelivery] = {}
    lessons: dict[int, News] = {}
    for place in sorted(found):
        delivery, attempt = found[place]
        delivery = deliveries.get(delivery.delivery, delivery)
        deliveries[delivery.delivery], lesson = _learn(delivery, attempt, news[place])
        if lesson is not None:
            lessons[attempt] = lesson
    tx.moves.learn(lessons)
    moves = [move for d in deliveries.values() if (move := _moved(d, lessons)) is not None]
    tx.moves.move(moves)
    _record(tx, moves, actor)
    return len(moves)


def suppress(tx: Transaction, address_id: int, channel: str, *, source: str, actor: Actor) -> None:
    """Keep an opt-out for an address on a channel, and brake what is in hand for it."""
    address_hash = tx.people.address_hash(address_id)
    if address_hash is not None:
        optouts.stop(tx, [address_hash], channel, source=source, actor=actor)


def _drain_chunk(ports: Ports, tx: Transaction, names: Mapping[int, str]) -> int:
    items = tx.receipts.pending(limit=CHUNK)
    if not items:
        return 0
    good: list[int] = []
    said: dict[int, list[tuple[Confirmation, str]]] = defaultdict(list)
    heard: list[tuple[int, Heard]] = []
    for item in items:
        try:
            gateway, confirmations, texts = _read(ports, names, item)
        except Exception as error:  # noqa: BLE001 - one callback that cannot be read must not keep the others waiting
            log.error("callback %s cannot be read: %s", item.id, type(error).__name__)
            tx.receipts.done([item.id], fault=type(error).__name__)
            continue
        good.append(item.id)
        said[item.account] += [(each, gateway) for each in confirmations]
        heard += [(item.account, text) for text in texts]
    for account, told in said.items():
        provider = Actor(ActorKind.PROVIDER, names[account])
        apply_news(tx, [_news(ports, each, account, gateway) for each, gateway in told], actor=provider)
        _opt_outs(ports, tx, told, account, actor=provider)
    # In the order in which they came, across accounts: a stop holds for a channel, whichever of its numbers heard it.
    for account, run in groupby(heard, key=itemgetter(0)):
        texts = [text for _, text in run]
        hearing.hear(ports, tx, account, texts, actor=Actor(ActorKind.PROVIDER, names[account]))
    tx.receipts.done(good)
    return len(items)


def _read(
    ports: Ports, names: Mapping[int, str], item: InboxItem
) -> tuple[str, Sequence[Confirmation], Sequence[Heard]]:
    """Which gateway calls, what it tells of our own, and what somebody sent us."""
    gateway, channel = calling(ports, names[item.account], item.url, item.body, item.headers)
    if channel is None:
        raise TypeError("this channel has no callbacks")
    told = (item.url, item.body, item.headers)
    news = channel.confirmations(*told) if isinstance(channel, ConfirmsDelivery) else ()
    return gateway, news, channel.heard(*told) if isinstance(channel, Hears) and not news else ()


def calling(
    ports: Ports, account: str, url: str, body: bytes, headers: Mapping[str, str]
) -> tuple[str, ConfirmsDelivery | Hears | None]:
    """The gateway of an account whose provider calls: the first that finds its signature. "", None where none may.

    Raises SignatureInvalid when it is nobody's, SetupError when the account cannot be opened.
    """
    refused: SignatureInvalid | SetupError | None = None
    for gateway in ports.channels.gateways(account):
        try:
            channel = ports.channels.through(account, gateway.name)
            if isinstance(channel, ConfirmsDelivery):
                channel.confirmations(url, body, headers)
            elif isinstance(channel, Hears):
                channel.heard(url, body, headers)
            else:
                continue
        except (SignatureInvalid, SetupError) as not_its_own:
            refused = not_its_own
            continue
        return gateway.name, channel
    if refused is not None:
        raise refused
    return "", None


def _news(ports: Ports, said: Confirmation, account: int, gateway: str) -> News:
    """By our own token where it came back, else by the provider's id."""
    value = ports.signer.verify("attempt", said.token) if said.token else None
    attempt = int(value) if value is not None and value.isdecimal() else None
    return News(said.evidence, attempt, said.provider_id, account, said.code, said.why, gateway)


def _opt_outs(
    ports: Ports,
    tx: Transaction,
    told: Sequence[tuple[Confirmation, str]],
    account: int,
    *,
    actor: Actor,
) -> None:
    asked = [_news(ports, c, account, gateway) for c, gateway in told if c.opt_out]
    for delivery, _ in tx.moves.known(asked).values():
        if delivery.address_id is not None:
            suppress(tx, delivery.address_id, delivery.channel, source="provider callback", actor=actor)


def _learn(delivery: KnownDelivery, attempt: int, news: News) -> tuple[KnownDelivery, News | None]:
    """The delivery with its attempt's evidence folded, and the lesson to keep when it is a new one."""
    attempts, lesson = [], None
    for known in delivery.attempts:
        folded = fold_attempt(known.evidence, news.evidence) if known.attempt == attempt else known.evidence
        if folded is not known.evidence:
            lesson = news
        attempts.append(replace(known, evidence=folded))
    return replace(delivery, attempts=tuple(attempts)), lesson


def _moved(delivery: KnownDelivery, lessons: Mapping[int, News]) -> Move | None:
    """The move that all that is known about a delivery asks for, or None when it stands there already."""
    state = fold_delivery(
        delivery.state,
        [(a.fence, a.evidence) for a in delivery.attempts],
        requeued_fence=delivery.requeued_fence,
    )
    if state is delivery.state:
        return None
    newest = next((lessons[a.attempt] for a in reversed(delivery.attempts) if a.attempt in lessons), None)
    rejected = state is State.REJECTED and newest is not None
    return Move(
        delivery=delivery.delivery,
        announcement=delivery.announcement,
        channel=delivery.channel,
        before=delivery.state,
        event="evidence",
        state=state,
        # A worker that still holds it must not overrule what is known by now.
        raise_fence=delivery.state is State.SENDING,
        code=newest.code if rejected and newest else "",
        why=newest.why if rejected and newest else "",
    )


def _record(tx: Transaction, moves: Sequence[Move], actor: Actor) -> None:
    told = ((m.announcement, [m.delivery, m.before.value, m.state.value, m.code]) for m in moves)
    tx.record.add(entries("deliveries.moved", actor, "moves", told, why="evidence"))


def _account_names(ports: Ports) -> Mapping[int, str]:
    with ports.ledger.look() as tx:
        return {account.id: account.name for account in tx.accounts.all()}

"""Erasing somebody, and what somebody wrote before: what the tests of erasure share."""

from __future__ import annotations

from uuid import UUID

from sqlalchemy import select

from broker.incoming import answers
from broker.incoming.answering import Inbound
from broker.privacy import erasure
from broker.privacy.erasure import Ground
from ledger import tables as t
from tests.support.broker_world import World
from tests.support.planted import OFFICE


def erase(world: World, who: str, **more: object) -> erasure.Erasing:
    return erasure.erase(world.ports, who, confirmed=who, ground=Ground.REQUEST, actor=OFFICE, **more)  # type: ignore[arg-type]


def wrote(world: World, channel: str, sender: str, words: str) -> UUID:
    """Somebody answers; the answer's id."""
    inbound = Inbound(channel, sender, words, f"{sender} {words}")
    kept = world.ledger.transact(lambda tx: answers.record_inbound(world.ports, tx, inbound, actor=OFFICE))
    assert kept.public_id is not None
    return kept.public_id


def said(world: World, answer: UUID) -> str | None:
    rows = world.rows(select(t.answer.c.text).where(t.answer.c.public_id == answer))
    return rows[0].text if rows else None

"""Urgent beside routine, in one process and on one account."""

from __future__ import annotations

import asyncio
import threading
from datetime import timedelta

from broker.actor import SYSTEM
from broker.announcement import Announcement, Part, Step, Urgency
from broker.brake import keep_fresh
from broker.channel import Item, Receipt
from broker.dispatch import Process, Tempo, deliver
from broker.rooms import Rooms
from broker.values import Lane
from tests.support.broker_world import World

URGENT = "The school is closed."


def test_urgent_texts_wait_for_no_window_of_routine_ones(thirty: World) -> None:
    """The provider answers no routine text before every urgent one is through."""
    routine, urgent = both(thirty, "sms")
    channel = thirty.channels.open("texts")
    through = asyncio.Event()

    async def send(item: Item) -> Receipt:
        if item.message.fields["body"] != URGENT:
            await through.wait()
        receipt = thirty.channels.texts.receive(item.message, item.to)
        if len(thirty.channels.texts.truth) == 30:
            through.set()
        return receipt

    channel._send_one = send  # type: ignore[attr-defined]
    assert asyncio.run(asyncio.wait_for(both_lanes(thirty, "texts"), timeout=60)) == [30, 30]
    assert thirty.states(routine) == thirty.states(urgent) == {"sent": 30}


def test_mails_of_both_lanes_share_what_a_killed_process_may_leave_in_doubt(thirty: World) -> None:
    both(thirty, "email")
    channel = thirty.channels.open("mails")
    most = 0

    async def send(item: Item) -> Receipt:
        nonlocal most

        most = max(most, in_doubt(thirty))
        return thirty.channels.mails.receive(item.message, item.to)

    channel._send_one = send  # type: ignore[attr-defined]
    asyncio.run(asyncio.wait_for(both_lanes(thirty, "mails"), timeout=60))
    assert 0 < most <= Rooms.WINDOWS * TEMPO.chunk


TEMPO = Tempo(chunk=5)


def in_doubt(world: World) -> int:
    with world.ledger.reading() as hand:
        rows = hand.run(
            "SELECT count(*) FROM delivery d JOIN attempt a ON a.delivery_id = d.id AND a.fence = d.fence"
            " WHERE d.state = 'sending'"
        )
        return int(rows.scalar_one())


def both(world: World, way: str) -> tuple[Announcement, Announcement]:
    ways = (Step((way,)),)
    routine = world.announce(ways=ways)
    urgent = world.announce(ways=ways, urgency=Urgency.URGENT, parts={Part.SHORT: URGENT})
    world.plan(routine)
    world.plan(urgent)
    return routine, urgent


async def both_lanes(world: World, account: str) -> list[int]:
    """Routine first, so that its windows are full when urgent comes."""
    process, over = Process(world.brake, SYSTEM), threading.Event()
    world.brake.refresh()
    reader = threading.Thread(target=keep_fresh, args=(world.brake, over, world.faults.append))
    reader.start()
    try:
        turns = []
        for lane in (Lane.ROUTINE, Lane.URGENT):
            budget = timedelta(seconds=30)
            turn = deliver(world.ports, account, lane, process=process, budget=budget, tempo=TEMPO)
            turns.append(asyncio.create_task(turn))
            await asyncio.sleep(0.3)
        return list(await asyncio.gather(*turns))
    finally:
        over.set()
        await asyncio.to_thread(reader.join)

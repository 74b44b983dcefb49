"""The live page: what the ledger has shows soon, once for all who watch, and nobody is held up by another."""

from __future__ import annotations

import asyncio
import re
import time
from contextlib import ExitStack
from datetime import timedelta

import pytest
from sqlalchemy import event, text
from starlette.types import Message

from broker.actor import SYSTEM
from broker.authority import signin
from broker.delivery import State
from tests.support.tower import within
from tests.support.watching import Watched, streaming
from web.watch import hub as hubs
from web.watch.counts import LONGEST
from web.watch.now.topic import Overview

SOON = 3.0  # a second is what is promised, and measured by bench/watchers.py; a busy machine is given more


def test_an_announcement_shows_soon_after_the_ledger_has_it(watched: Watched) -> None:
    with streaming(watched) as stream:
        stream.next()
        announcement = watched.announce("Snow day")
        began = time.monotonic()
        shown = stream.until(str(announcement.public_id))
    assert "Snow day" in shown.data
    assert shown.at - began < SOON


def test_a_delivery_that_fails_shows_on_its_announcements_page(watched: Watched) -> None:
    announcement = watched.plan(watched.announce())
    with streaming(watched, f"?of={announcement.public_id}&show=failed") as stream:
        assert "Nothing went wrong." in stream.next().data
        watched.move(announcement, State.REJECTED, 1, "21211", "the number is not in use")
        event = stream.until("the number is not in use")
        assert 'id="deliveries"' in event.data
        if 'id="failures"' not in event.data:  # counted a little later, by a busy machine
            later = stream.until('id="failures"', LONGEST.total_seconds() + 15)
            assert "the number is not in use" in later.data


def test_only_what_changed_is_sent(watched: Watched) -> None:
    quiet, busy = watched.announce("Quiet"), watched.announce("Busy")
    with streaming(watched) as stream:
        whole = stream.next()
        assert "Quiet" in whole.data
        assert "Busy" in whole.data
        watched.plan(busy)
        watched.move(busy, State.SENT, 3)
        changed = stream.until("sent")
    assert f'id="a-{busy.public_id}"' in changed.data
    assert f'id="a-{quiet.public_id}"' not in changed.data
    order = re.search(r'data-order="([^"]*)"', changed.data)
    assert order
    assert order[1].split() == [
        "concerns",
        "going",
        f"l-{busy.public_id}",
        "ways",
        "money",
        "newest",
        f"a-{busy.public_id}",
        f"a-{quiet.public_id}",
        "older",
    ]


def test_what_the_page_shows_and_what_the_stream_sends_are_the_same(watched: Watched) -> None:
    announcement = watched.plan(watched.announce("Both"))
    watched.move(announcement, State.SENT, 2)
    page = watched.get()
    with streaming(watched) as stream:
        sent = stream.next().data
    card = sent[sent.index("<article") : sent.index("</article>")]
    assert "".join(card.split()) in "".join(page.split())


def test_who_comes_back_is_sent_only_what_they_missed(watched: Watched) -> None:
    watched.announce("Before")
    with streaming(watched) as keeps_it_open, streaming(watched) as stream:
        keeps_it_open.next()
        last = stream.next().id
        with streaming(watched, last=last) as again:
            assert again.silent(1.5)
            watched.announce("Missed")
            missed = again.until("Missed")
        assert "Before" not in missed.data
        with streaming(watched, last="0000.99") as stranger:
            assert "Before" in stranger.next().data


def test_a_session_that_is_ended_watches_no_longer(watched: Watched) -> None:
    with streaming(watched) as stream:
        stream.next()
        signin.sign_everybody_out(watched.tower.house.ports, actor=SYSTEM)
        until = time.monotonic() + 15
        while (told := stream.next(15)).name != "ended":
            assert time.monotonic() < until
        assert told.name == "ended"
        assert stream.ended.wait(5)


def test_all_who_watch_cost_one_look(watched: Watched) -> None:
    asked: list[str] = []
    event.listen(watched.ledger.engine, "before_cursor_execute", lambda *told: asked.append(told[2]))
    with ExitStack() as held:
        streams = [held.enter_context(streaming(watched)) for _ in range(10)]
        for stream in streams:
            stream.next()
        asked.clear()
        time.sleep(2.2)
        looks = sum("record_entry" in statement and "tally_delta" in statement for statement in asked)
    assert 2 <= looks <= 10  # one alone would ask nine times


def test_when_nobody_watches_nothing_is_asked(watched: Watched) -> None:
    with streaming(watched) as stream:
        stream.next()
    watched.announce()  # whoever went is noticed when there is something to send
    assert within(20, lambda: watched.hub.watching == 0)
    time.sleep(1)
    asked: list[str] = []
    event.listen(watched.ledger.engine, "before_cursor_execute", lambda *told: asked.append(told[2]))
    time.sleep(1.2)
    assert asked == []


def test_one_session_may_not_take_every_place(watched: Watched) -> None:
    with ExitStack() as held:
        for _ in range(hubs.MOST_EACH):
            held.enter_context(streaming(watched)).next()
        refused = watched.client.get("/watch/events")
        assert refused.status_code == 503
        assert refused.headers["retry-after"]
        assert watched.client.get("/watch").status_code == 200


def test_places_are_limited_for_all(watched: Watched, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hubs, "MOST", 2)
    with streaming(watched) as first, streaming(watched) as second:
        first.next()
        second.next()
        assert watched.client.get("/watch/events").status_code == 503


async def test_one_who_takes_nothing_is_let_go(watched: Watched, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hubs, "SLOWEST", timedelta(seconds=0.3))
    hub = hubs.Hub(watched.ledger)
    response = hubs.EventStream(hub.watch(Overview(), watched.session))
    taken: list[Message] = []

    async def deaf(message: Message) -> None:
        taken.append(message)
        if len(taken) > 2:
            await asyncio.Event().wait()  # its socket's buffer is full, for ever

    await asyncio.wait_for(response({"type": "http"}, _nothing, deaf), 10)
    assert len(taken) == 3
    assert hub.watching == 0


async def test_one_who_takes_nothing_holds_up_nobody(watched: Watched) -> None:
    hub = hubs.Hub(watched.ledger)
    places = [hub.watch(Overview(), watched.session) for _ in range(2)]
    deaf, keen = (place.events() for place in places)
    assert await anext(deaf) == await anext(keen) == hubs.BEGINNING
    for n in range(3):
        title = f"Number {n}"
        await asyncio.to_thread(watched.announce, title)
        async with asyncio.timeout(10):
            while title.encode() not in await anext(keen):
                pass
    late = await asyncio.wait_for(anext(deaf), 10)
    assert all(f"Number {n}".encode() in late for n in range(3))  # one event for all that it missed
    for place in places:
        place.leave()
    assert hub.watching == 0


def test_an_end_does_not_wait_for_those_who_watch(watched: Watched) -> None:
    with streaming(watched) as stream:
        stream.next()
        watched.hub.close()
        assert stream.ended.wait(5)
    assert watched.client.get("/watch/events").status_code == 503


async def test_a_ledger_that_is_away_for_a_while_ends_no_stream(watched: Watched, caplog) -> None:
    hub = hubs.Hub(watched.ledger)
    place = hub.watch(Overview(), watched.session)
    stream = place.events()
    assert await anext(stream) == hubs.BEGINNING
    assert b"event: parts" in await asyncio.wait_for(anext(stream), 10)
    with watched.ledger.begin() as tx:
        tx.hand.connection.execute(text("ALTER TABLE announcement RENAME TO announcement_away"))
    waiting = asyncio.ensure_future(anext(stream))
    await asyncio.to_thread(signin.make_link, watched.tower.house.ports, actor=SYSTEM)  # something to look at
    await asyncio.sleep(2)
    assert not waiting.done()
    with watched.ledger.begin() as tx:
        tx.hand.connection.execute(text("ALTER TABLE announcement_away RENAME TO announcement"))
    await asyncio.to_thread(watched.announce, "Back again")
    assert b"Back again" in await asyncio.wait_for(waiting, 10)
    place.leave()
    assert len([r for r in caplog.records if "watching failed" in r.message]) == 1


async def _nothing() -> Message:
    await asyncio.Event().wait()
    raise AssertionError("unreachable")

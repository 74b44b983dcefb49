"""The small parts of a worker: one thing at a time, again and again, on one loop."""

from __future__ import annotations

import asyncio
import logging
import threading
import time
from datetime import timedelta

import pytest

from tests.support.tower import within
from workers.every import Every
from workers.hearing import STARTING, Hearing
from workers.loop import Loop
from workers.one_at_a_time import OneAtATime


def test_a_second_hint_for_work_in_hand_returns_at_once_and_is_not_forgotten() -> None:
    one = OneAtATime()
    entered, go_on = threading.Event(), threading.Event()
    runs: list[int] = []

    def work() -> None:
        runs.append(len(runs))
        entered.set()
        assert go_on.wait(5)

    thread = threading.Thread(target=one.run, args=("bell", work))
    thread.start()
    assert entered.wait(5)
    assert not one.run("bell", work)
    assert not one.run("bell", work)
    assert one.run("gong", lambda: None)
    go_on.set()
    thread.join()
    assert len(runs) == 2  # two hints came meanwhile; once more is enough for both


def test_work_that_fails_can_be_asked_for_again() -> None:
    one = OneAtATime()

    def fail() -> None:
        raise ValueError

    for _ in range(2):
        with pytest.raises(ValueError):  # noqa: PT011
            one.run("bell", fail)
    one.wait()


def test_many_threads_with_hints_for_one_work_never_run_it_side_by_side() -> None:
    one = OneAtATime()
    side_by_side, most = 0, 0
    lock = threading.Lock()

    def work() -> None:
        nonlocal side_by_side, most
        with lock:
            side_by_side += 1
            most = max(most, side_by_side)
        time.sleep(0.0002)
        with lock:
            side_by_side -= 1

    threads = [threading.Thread(target=lambda: [one.run("bell", work) for _ in range(50)]) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    one.wait()
    assert most == 1


def test_what_fails_is_told_once_and_done_again(caplog: pytest.LogCaptureFixture) -> None:
    calls: list[int] = []

    def work() -> None:
        calls.append(1)
        if len(calls) < 5:
            raise ConnectionError("to +447911123456")

    every = Every("sweep", timedelta(milliseconds=5), work)
    with caplog.at_level(logging.WARNING, logger="workers"):
        every.start()
        assert within(5, lambda: len(calls) > 6)
        every.stop()
        every.stop()
    assert [record.levelname for record in caplog.records] == ["ERROR", "WARNING"]
    assert "+447911123456" not in caplog.text


def test_what_is_done_every_so_often_is_done_so_often_and_no_more() -> None:
    calls: list[float] = []

    def work() -> None:
        calls.append(time.monotonic())
        time.sleep(0.02)

    every = Every("brake", timedelta(milliseconds=50), work)
    every.start()
    time.sleep(0.5)
    every.stop()
    assert 2 <= len(calls) <= 11


def test_the_loop_is_one_for_all_threads() -> None:
    loop = Loop()
    loops: set[int] = set()

    async def which() -> None:
        await asyncio.sleep(0.01)
        loops.add(id(asyncio.get_running_loop()))

    threads = [threading.Thread(target=lambda: loop.run(which())) for _ in range(5)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(loops) == 1
    loop.close()
    loop.close()


def test_a_worker_is_deaf_when_beats_go_unheard_and_not_while_none_can_be_sent() -> None:
    now, patience = 0.0, timedelta(seconds=10)
    hearing = Hearing(clock=lambda: now)
    hearing.came_up()
    hearing.asked(sent=True)
    now = 11.0
    assert hearing.is_deaf(patience)
    hearing.asked(sent=False)
    assert not hearing.is_deaf(patience)
    hearing.asked(sent=True)
    now = 20.0
    hearing.heard()
    assert not hearing.is_deaf(patience)


def test_a_worker_that_is_slow_to_start_is_not_deaf_and_one_that_never_starts_is() -> None:
    now, patience = 0.0, timedelta(seconds=10)
    hearing = Hearing(clock=lambda: now)
    hearing.asked(sent=True)
    now = 30.0
    assert not hearing.is_deaf(patience)
    now = STARTING.total_seconds() + 1
    assert hearing.is_deaf(patience)
    hearing.came_up()
    assert not hearing.is_deaf(patience)

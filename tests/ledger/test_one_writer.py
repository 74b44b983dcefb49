"""Writers of one process on SQLite: in the order they came, the urgent first, and nobody shut out."""

from __future__ import annotations

import threading
from datetime import timedelta

from ledger.dialect.one_writer import OneWriter

SOON = timedelta(seconds=10)


def _asking(writers: OneWriter, said: list[str], name: str, *, ahead: bool = False) -> threading.Thread:
    def write() -> None:
        assert writers.take(SOON, ahead=ahead)
        said.append(name)
        writers.give_back()

    waiting = writers.waiting
    thread = threading.Thread(target=write)
    thread.start()
    while writers.waiting == waiting:
        thread.join(0.001)
    return thread


def test_writers_take_turns_in_the_order_in_which_they_came_and_the_urgent_one_goes_first() -> None:
    writers, said = OneWriter(), list[str]()
    assert writers.take(SOON)
    threads = [
        _asking(writers, said, "first"),
        _asking(writers, said, "second"),
        _asking(writers, said, "urgent", ahead=True),
    ]
    writers.give_back()
    for thread in threads:
        thread.join()
    assert said == ["urgent", "first", "second"]


def test_whoever_does_not_wait_any_longer_holds_up_nobody() -> None:
    writers = OneWriter()
    assert writers.take(SOON)
    assert not writers.take(timedelta(0))
    writers.give_back()
    assert writers.take(timedelta(0))

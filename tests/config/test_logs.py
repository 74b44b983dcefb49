"""No number, address, name, token or body in any log: an exception's words are somebody else's."""

from __future__ import annotations

import asyncio
import gc
import io
import logging
from collections.abc import Iterator

import pytest

from config.logs import FORMAT, Discreet, OursOrSerious, told

NUMBER = "+447911123456"
LOGGERS = ("broker.test", "stranger", "websockets.server", "asyncio")


@pytest.fixture
def written() -> Iterator[io.StringIO]:
    stream = io.StringIO()
    handler = logging.StreamHandler(stream)
    handler.setFormatter(Discreet(FORMAT))
    handler.addFilter(OursOrSerious())
    for name in LOGGERS:
        logger = logging.getLogger(name)
        logger.addHandler(handler)
        logger.setLevel(logging.DEBUG)
        logger.propagate = False
    yield stream
    for name in LOGGERS:
        logging.getLogger(name).removeHandler(handler)
        logging.getLogger(name).propagate = True


def fail() -> None:
    try:
        raise KeyError(NUMBER)
    except KeyError as cause:
        raise ValueError(f"duplicate key {NUMBER}") from cause


def test_an_exception_is_logged_by_type_and_place(written: io.StringIO) -> None:
    try:
        fail()
    except ValueError:
        logging.getLogger("broker.test").exception("it failed")
    assert NUMBER not in written.getvalue()
    assert "ValueError at test_logs.py:" in written.getvalue()
    assert "from KeyError at test_logs.py:" in written.getvalue()


def test_a_strangers_line_loses_the_words_of_its_exception(written: io.StringIO) -> None:
    logging.getLogger("stranger").error("could not do it: %r", ValueError(f"for {NUMBER}"))
    assert NUMBER not in written.getvalue()
    assert "could not do it" in written.getvalue()


def test_a_stranger_whose_name_begins_as_one_of_ours_is_a_stranger(written: io.StringIO) -> None:
    logging.getLogger("websockets.server").error("could not do it: %r", ValueError(f"for {NUMBER}"))
    assert NUMBER not in written.getvalue()


def test_a_strangers_line_that_holds_the_words_of_what_it_came_with_loses_them(written: io.StringIO) -> None:
    try:
        fail()
    except ValueError as error:
        logging.getLogger("stranger").exception(f"could not do it: {error!r}")  # noqa: G004 - as some do
    assert NUMBER not in written.getvalue()
    assert "could not do it: ValueError" in written.getvalue()


def test_what_a_loop_says_of_a_task_that_nobody_asked_for_its_error_tells_no_value(
    written: io.StringIO,
) -> None:
    async def send(number: str) -> None:
        raise ValueError(f"no {number}")

    async def leave_alone() -> None:
        loop = asyncio.get_running_loop()
        lost = loop.create_task(send(NUMBER), name=NUMBER)
        loop.call_soon(int, f"no {NUMBER}")  # fails: its callback is shown with what it was given
        await asyncio.sleep(0)
        del lost
        gc.collect()

    asyncio.run(leave_alone())
    said = written.getvalue()
    assert NUMBER not in said
    assert NUMBER[:6] not in said  # nor shortened
    assert "Task exception was never retrieved" in said
    assert "Exception in callback int" in said
    assert "ValueError at test_logs.py:" in said


def test_of_strangers_only_warnings_are_written(written: io.StringIO) -> None:
    logging.getLogger("stranger").info("parameters: %s", NUMBER)
    logging.getLogger("broker.test").info("42 started")
    assert "42 started" in written.getvalue()
    assert NUMBER not in written.getvalue()


def test_a_loop_of_causes_is_told_once() -> None:
    first, second = ValueError("a"), ValueError("b")
    first.__cause__, second.__cause__ = second, first
    assert told(first).count("ValueError") == 2

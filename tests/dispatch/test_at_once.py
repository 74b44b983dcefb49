"""Several do the same in the same moment: one of them is first, and the others see what it did."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import TypeVar

import pytest
from sqlalchemy import insert, select
from sqlalchemy.exc import DBAPIError

from broker import accounts, intake
from broker.actor import SYSTEM
from broker.announcement import Attachment, Part, Step
from broker.errors import KeyConflict
from ledger import tables as t
from ledger.setup import ConfiguredAccount, School, install
from tests.support.broker_world import World

T = TypeVar("T")
HANDS = 6
MAILS = (Step(("email",)),)
NOTE = Attachment("0" * 64, "note.pdf", "application/pdf", b"%PDF-1.7")


def at_once(work: Callable[[int], T]) -> list[T]:
    """What each of several threads got, all let go in the same moment."""
    gate = threading.Barrier(HANDS)

    def one(number: int) -> T:
        gate.wait(timeout=10)
        return work(number)

    with ThreadPoolExecutor(HANDS) as hands:
        return [each.result(timeout=60) for each in [hands.submit(one, number) for number in range(HANDS)]]


def test_one_key_used_by_several_at_once_is_one_announcement(world: World) -> None:
    for round_ in range(3):
        draft = world.draft(
            ways=MAILS, key=f"k{round_}", attachments=(replace(NOTE, sha256=str(round_) * 64),)
        )
        accepted = at_once(lambda _, same=draft: intake.accept(world.ports, same, actor=SYSTEM))  # type: ignore[misc]
        assert len({one.announcement.id for one in accepted}) == 1
        assert sum(one.created for one in accepted) == 1
    assert len(world.rows(select(t.announcement.c.id))) == 3


def test_one_key_used_for_several_wordings_at_once_goes_to_one_and_is_a_conflict_for_the_rest(
    world: World,
) -> None:
    def say(number: int) -> bool:
        draft = world.draft(key="k", parts={Part.SHORT: f"Wording {number}"})
        try:
            intake.accept(world.ports, draft, actor=SYSTEM)
        except KeyConflict:
            return False
        return True

    assert sum(at_once(say)) == 1


def test_one_file_attached_by_several_at_once_is_kept_once(world: World) -> None:
    at_once(lambda _: intake.accept(world.ports, world.draft(ways=MAILS, attachments=(NOTE,)), actor=SYSTEM))
    assert len(world.rows(select(t.attachment.c.sha256))) == 1
    assert len(world.rows(select(t.content_attachment.c.name))) == HANDS


def test_an_account_stopped_by_several_at_once_raises_one_alarm(world: World) -> None:
    at_once(
        lambda _: accounts.pause(world.ports, "texts", "no credit", actor=SYSTEM, alarm="account_rejected")
    )
    assert len(world.rows(select(t.alarm.c.id))) == 1


def test_the_processes_of_a_new_school_may_start_in_one_moment(world: World) -> None:
    with world.ledger.begin() as tx:
        for table in reversed(t.metadata.sorted_tables):
            if table.name.startswith("licence") or table.name in {"account", "department", "school", "rules"}:
                tx.hand.connection.execute(table.delete())
    school = School("st-brides", "St Bride's", "Europe/London", "en-GB", "GB")
    configured = [ConfiguredAccount("texts", "sms"), ConfiguredAccount("mails", "email", "music")]
    departments = {"music": "Music", "office": "Office"}
    at_once(lambda _: install(world.ledger, school, departments, configured, sandbox=True))
    assert len(world.rows(select(t.rules.c.version))) == 1
    assert [row.name for row in world.rows(select(t.account.c.name).order_by(t.account.c.name))] == [
        "mails",
        "texts",
    ]


def test_an_error_of_the_database_repeats_no_parameter(world: World) -> None:
    secret = "a wording that nobody else should read"
    with pytest.raises(DBAPIError) as caught, world.ledger.begin() as tx:
        tx.hand.connection.execute(
            insert(t.content).values(announcement_id=1, version=1, language="", part="no part", text=secret)
        )
    assert caught.value.hide_parameters
    assert "[SQL parameters hidden" in str(caught.value)

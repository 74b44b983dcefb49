"""Rules that raise, whose tables are gone or that cannot be read: nothing leaves, nothing is lost."""

from __future__ import annotations

import threading
import time
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import select

from broker.announcement import Step
from broker.authority import rule_changes, switching
from broker.errors import RuleBroken
from broker.policy import ALLOW
from broker.rules import book
from broker.rules.case import AnnouncementCase
from broker.rules.switches import SwitchKind
from ledger import tables as t
from tests.support.broker_world import World
from tests.support.under_rules import BELL, held, setting

# --- broken rules ---------------------------------------------------------------------------------------------------


def _fails(case: AnnouncementCase) -> Any:
    raise ZeroDivisionError(case.account)


def test_a_rule_that_raises_holds_its_account_says_so_and_loses_nothing(
    thirty: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    def only_texts(case: AnnouncementCase) -> Any:
        return _fails(case) if case.channel == "sms" else ALLOW

    said = thirty.announce(ways=(Step(("sms", "email")),))
    thirty.plan(said)
    with monkeypatch.context() as broken:
        broken.setattr(book, "EACH_TIME", (*book.EACH_TIME, only_texts))
        for _ in range(3):
            thirty.send()
        assert thirty.record().count("account.paused") == 1  # what is paused does not meet the rule again
        thirty.send("mails")
        assert thirty.states(said) == {"queued": 30, "sent": 30}
        other = thirty.announce(ways=(Step(("sms",)),))  # accepted all the same, and held
        assert held(thirty, other) == "policy_failed"
    alarms = thirty.rows(select(t.alarm.c.kind, t.alarm.c.subject, t.alarm.c.cleared_at))
    assert [tuple(row) for row in alarms] == [("policy_failed", "texts", None)]
    switching.go(thirty.ports, SwitchKind.ACCOUNT, "texts", "mended", actor=BELL)
    thirty.pass_time(timedelta(minutes=2))
    thirty.plan(other)
    thirty.send()
    assert thirty.states() == {"sent": 90}


@pytest.mark.parametrize("table", ["rules", "verdict", "switch", "headcount"])
def test_with_a_table_of_the_rules_gone_nothing_leaves_nothing_is_lost_and_it_goes_on_when_mended(
    thirty: World, table: str
) -> None:
    said = thirty.announce()
    thirty.plan(said)
    thirty.sql(f"ALTER TABLE {table} RENAME TO broken")
    assert thirty.send() == 0
    assert thirty.states(said) == {"queued": 30}
    assert thirty.sweep().failed["rules"] == "RulesUnreadable"
    assert [row.kind for row in thirty.rows(select(t.alarm.c.kind))] == ["rules_unreadable"]
    thirty.sql(f"ALTER TABLE broken RENAME TO {table}")
    assert thirty.sweep().clean
    assert [row.cleared_at is None for row in thirty.rows(select(t.alarm.c.cleared_at))] == [False]
    thirty.send()
    assert thirty.states(said) == {"sent": 30}


def test_a_table_of_the_rules_that_breaks_under_load_stops_it_and_it_goes_on_when_mended(
    thirty: World,
) -> None:
    said = thirty.announce()
    thirty.plan(said)
    thirty.tempo = replace(thirty.tempo, chunk=5)
    texts = thirty.channels.texts
    texts.answer_in = timedelta(milliseconds=200)
    broken: list[datetime] = []

    def breaking() -> None:
        until = time.monotonic() + 20
        while not texts.truth and time.monotonic() < until:
            time.sleep(0.01)
        thirty.sql("ALTER TABLE verdict RENAME TO broken")
        broken.append(datetime.now(UTC))

    hand = threading.Thread(target=breaking)
    hand.start()
    thirty.send()
    hand.join()
    left = len(texts.truth)
    # What a claim had taken by then was judged; nothing else is taken any more.
    assert 0 < left < 30
    assert thirty.send() == 0
    assert thirty.states(said) == {"sent": left, "queued": 30 - left}
    thirty.sql("ALTER TABLE broken RENAME TO verdict")
    thirty.send()
    assert thirty.states(said) == {"sent": 30}
    assert len(texts.truth) == 30


@pytest.mark.parametrize(
    "body", ["nonsense", "[]", '{"undo.window": "-1 s"}', '{"undo.windwo": "1 s"}', '{"undo.window": 5}']
)
def test_rules_that_cannot_be_read_stop_everything_until_they_are_reset(thirty: World, body: str) -> None:
    said = thirty.announce()
    thirty.plan(said)
    with thirty.ledger.begin() as tx:
        tx.hand.connection.execute(t.rules.update().values(body=body))
    assert thirty.send() == 0
    with pytest.raises(RuleBroken) as unreadable:
        thirty.announce()
    assert unreadable.value.problem.code == "rules_unreadable"
    rule_changes.reset(thirty.ports, None, "begin anew", actor=BELL)
    for rule, value in (("undo.window", "0"), ("windows.open", "")):
        setting(thirty, rule, value)
    thirty.send()
    assert thirty.states(said) == {"sent": 30}

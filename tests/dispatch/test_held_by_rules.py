"""What the rules hold, refuse and let go: over the real verbs and ledgers, at fan-out, in the claim and in mid-send."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import select

from broker import intake
from broker.actor import SYSTEM
from broker.announcement import Announcement, Part, Purpose, Step, Urgency
from broker.authority import approvals, second_thoughts
from broker.authority.second_thoughts import TooLate
from broker.errors import InvalidAnnouncement, RuleBroken
from broker.policy import ALLOW
from broker.rules import book
from broker.rules.case import AnnouncementCase
from broker.values import Lane
from ledger import tables as t
from tests.support.broker_world import World
from tests.support.under_rules import BELL, go_through, held, setting


def verdicts(world: World, announcement: Announcement) -> list[tuple[str, str]]:
    with world.ledger.look() as tx:
        return [(each.answer, each.code) for each in tx.verdicts.of(announcement)]


# --- the undo window ------------------------------------------------------------------------------------------------


def test_a_routine_announcement_waits_out_its_undo_window_and_then_leaves(thirty: World) -> None:
    setting(thirty, "undo.window", "60 s")
    told = thirty.hints.published
    accepted = intake.accept(thirty.ports, thirty.draft(), actor=BELL)
    assert accepted.hold is not None
    assert accepted.hold.code == "undo_window"
    assert thirty.hints.published == told  # nobody is hurried to what has to wait
    said = accepted.announcement
    go_through(thirty, said)
    assert thirty.states(said) == {}
    thirty.pass_time(timedelta(seconds=61))
    thirty.sweep()
    go_through(thirty, said)
    assert thirty.states(said) == {"sent": 30}
    assert verdicts(thirty, said) == [("hold", "undo_window"), ("allow", "")]
    assert thirty.record().count("announcement.judged") == 2


def test_other_words_wait_out_a_window_of_their_own(thirty: World) -> None:
    setting(thirty, "undo.window", "60 s")
    said = intake.accept(thirty.ports, thirty.draft(), actor=BELL).announcement
    thirty.pass_time(timedelta(seconds=61))
    approvals.reword(thirty.ports, said.public_id, {Part.SHORT: "The coach leaves at nine."}, actor=BELL)
    thirty.sweep()
    go_through(thirty, said)
    assert thirty.states(said) == {}
    assert verdicts(thirty, said) == [("hold", "undo_window")]
    thirty.pass_time(timedelta(seconds=61))
    thirty.sweep()
    go_through(thirty, said)
    assert thirty.states(said) == {"sent": 30}


def test_what_is_undone_in_time_never_leaves(thirty: World) -> None:
    setting(thirty, "undo.window", "60 s")
    said = thirty.announce()
    second_thoughts.undo(thirty.ports, said.public_id, actor=BELL)
    second_thoughts.undo(thirty.ports, said.public_id, actor=BELL)  # safe to repeat
    thirty.pass_time(timedelta(seconds=61))
    thirty.sweep()
    go_through(thirty, said)
    assert thirty.states(said) == {}
    assert thirty.record().count("announcement.withdrawn") == 1


def test_what_has_begun_to_go_out_cannot_be_undone(thirty: World) -> None:
    said = thirty.announce()
    thirty.plan(said)
    with pytest.raises(TooLate) as late:
        second_thoughts.undo(thirty.ports, said.public_id, actor=BELL)
    assert late.value.problem.code == "too_late"
    thirty.send()
    assert thirty.states(said) == {"sent": 30}


def test_an_urgent_one_does_not_wait_and_that_is_kept(thirty: World) -> None:
    setting(thirty, "undo.window", "60 s")
    setting(thirty, "windows.open", closed_now(thirty))
    said = thirty.announce(urgency=Urgency.URGENT)
    go_through(thirty, said, Lane.URGENT)
    assert thirty.states(said) == {"sent": 30}
    assert verdicts(thirty, said) == [("allow", "undo_skipped window_skipped")]


# --- hours ----------------------------------------------------------------------------------------------------------


def closed_now(world: World, opens_in: timedelta = timedelta(hours=26), channel: str = "sms") -> str:
    """Hours of a minute, a day and more from now."""
    with world.ledger.look() as tx:
        wall = (tx.now + opens_in).astimezone(ZoneInfo(tx.school.zone))
    begins = min(wall.hour * 60 + wall.minute, 1438)
    day = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")[wall.weekday()]
    return f"{channel} {day} {begins // 60:02d}:{begins % 60:02d}-{(begins + 1) // 60:02d}:{(begins + 1) % 60:02d}"


def test_outside_its_hours_an_announcement_waits_as_a_whole_where_no_other_way_is_open(thirty: World) -> None:
    setting(thirty, "windows.open", closed_now(thirty))
    said = thirty.announce(expires_at=soon(thirty, days=3))
    assert held(thirty, said) == "window_closed"
    go_through(thirty, said)
    assert thirty.states(said) == {}


def test_a_way_that_is_open_does_not_wait_for_one_that_is_not(thirty: World) -> None:
    setting(thirty, "windows.open", closed_now(thirty))
    said = thirty.announce(ways=(Step(("sms", "email")),), expires_at=soon(thirty, days=3))
    assert held(thirty, said) == ""
    go_through(thirty, said)
    thirty.send("mails")
    assert thirty.states(said) == {"queued": 30, "sent": 30}
    waiting = thirty.rows(select(t.delivery.c.code).where(t.delivery.c.state == "queued").distinct())
    assert [row.code for row in waiting] == ["window_closed"]


def test_what_would_be_over_before_it_may_leave_is_refused_at_once_and_the_record_knows(
    thirty: World,
) -> None:
    setting(thirty, "windows.open", closed_now(thirty))
    with pytest.raises(InvalidAnnouncement) as refused:
        intake.accept(thirty.ports, thirty.draft(expires_at=soon(thirty, hours=2)), actor=BELL)
    assert refused.value.problem.code == "window_too_late"
    assert thirty.rows(select(t.announcement)) == []
    assert thirty.record()[-1] == "announcement.refused"


def test_a_bulk_under_way_is_held_when_its_hours_end(thirty: World) -> None:
    said = thirty.announce(expires_at=soon(thirty, days=3))
    thirty.plan(said)
    setting(thirty, "windows.open", closed_now(thirty))
    thirty.send()
    assert thirty.states(said) == {"queued": 30}
    setting(thirty, "windows.open", "")  # what waited for a rule is judged again at once
    thirty.send()
    assert thirty.states(said) == {"sent": 30}
    assert verdicts(thirty, said) == [("allow", ""), ("hold", "window_closed"), ("allow", "")]


def soon(world: World, **by: float) -> Any:
    with world.ledger.look() as tx:
        return tx.now + timedelta(**by)


# --- size -----------------------------------------------------------------------------------------------------------


def test_an_audience_beyond_the_size_waits_until_somebody_typed_its_number(thirty: World) -> None:
    setting(thirty, "blast.size", "20")
    accepted = intake.accept(thirty.ports, thirty.draft(), actor=BELL)
    said = accepted.announcement
    assert accepted.hold is not None
    assert accepted.hold.evidence["counted"] == 30
    go_through(thirty, said)
    assert thirty.states(said) == {}
    with pytest.raises(RuleBroken) as differs:
        second_thoughts.expect(thirty.ports, said.public_id, 29, actor=BELL)
    assert "30 people, not 29" in differs.value.problem.message
    second_thoughts.expect(thirty.ports, said.public_id, 30, actor=BELL)
    go_through(thirty, said)
    assert thirty.states(said) == {"sent": 30}


def test_what_is_planned_or_over_waits_for_no_number_any_more(thirty: World) -> None:
    said, over = thirty.announce(), thirty.announce()
    thirty.plan(said)
    intake.withdraw(thirty.ports, over.public_id, actor=BELL)
    for each in (said, over):
        with pytest.raises(TooLate):
            second_thoughts.expect(thirty.ports, each.public_id, 30, actor=BELL)


def test_a_number_typed_at_once_lets_it_go_and_a_wrong_one_is_refused(thirty: World) -> None:
    setting(thirty, "blast.size", "20")
    with pytest.raises(InvalidAnnouncement) as refused:
        thirty.announce(expected=300)
    assert refused.value.problem.field == "expect"
    said = thirty.announce(expected=30)
    go_through(thirty, said)
    assert thirty.states(said) == {"sent": 30}


def test_far_more_than_the_department_usually_tells_waits(thirty: World) -> None:
    setting(thirty, "blast.ratio", "3")
    setting(thirty, "blast.floor", "5")
    for _ in range(5):
        go_through(thirty, thirty.announce(audience="Choir - Choir"))
    said = thirty.announce()
    assert held(thirty, said) == "size_unconfirmed"
    [row] = thirty.rows(select(t.headcount).where(t.headcount.c.announcement_id == said.id))
    assert (row.counted, row.norm) == (30, 0)


# --- what it costs --------------------------------------------------------------------------------------------------


def test_an_answer_that_is_no_other_is_kept_once(thirty: World) -> None:
    said = thirty.announce()
    for _ in range(3):
        go_through(thirty, said)
    assert verdicts(thirty, said) == [("allow", "")]


def test_purpose_and_department_reach_the_rules_as_they_were_said(
    thirty: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[AnnouncementCase] = []

    def look(case: AnnouncementCase) -> Any:
        seen.append(case)
        return ALLOW

    monkeypatch.setattr(book, "ONCE", (*book.ONCE, look))
    said = intake.accept(thirty.ports, thirty.draft(purpose=Purpose.SERVICE), actor=BELL).announcement
    go_through(thirty, said)
    go_through(thirty, thirty.announce())
    asked, planned, claimed = seen[0], seen[1], seen[2]
    assert (asked.announcement, asked.accepted_at) == (None, None)
    assert asked.author == planned.author == claimed.author == BELL
    assert asked.contents == planned.contents == claimed.contents != ()
    assert asked.counted == planned.counted == claimed.counted == 30
    assert SYSTEM.id

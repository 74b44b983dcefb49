"""Two people at the same thing, or one with two pages of it: nobody writes over what they have not seen."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import pytest

from broker.actor import SYSTEM, Actor
from broker.announcement import Announcement, Part
from broker.authority import operators, rule_changes, spending
from broker.delivery import State
from broker.diary import schedules
from broker.ports.approvals import OperatorRole
from tests.support.diary import Diary
from tests.support.forms import press
from tests.support.staff import name
from tests.support.watching import Serve, Watched, streaming
from tests.web.watch.announcement.test_announcement_actions import failing, one_of
from tests.web.watch.announcement.test_announcement_pages import text_of

ADMIN, AUTHOR, AUDITOR = OperatorRole.ADMIN, OperatorRole.AUTHOR, OperatorRole.AUDITOR


@pytest.fixture
def here(serve: Serve) -> Watched:
    """An admin at their browser, and another one elsewhere."""
    found = serve(CARILLON_DEPARTMENTS='{"office": "Office", "music": "Music"}')
    found.tower.bring(6)
    found.sign_in(actor=name(found, "Head", ADMIN, AUTHOR))
    name(found, "Deputy", ADMIN)
    return found


def number_of(here: Watched, who: Actor) -> int:
    with here.ledger.look() as tx:
        found = tx.operators.named(who.id.casefold())
    assert found is not None
    rows = here.get("/watch/staff")
    return int(rows.split(f">{found.name}</a>")[0].rpartition("staff/")[2].partition('"')[0])


def set_rule(here: Watched, key: str, value: str) -> None:
    rule_changes.change(here.tower.house.ports, key, value, "the other one", actor=SYSTEM)


def test_going_back_to_old_rules_does_not_undo_what_was_changed_since_somebody_looked(here: Watched) -> None:
    set_rule(here, "undo.window", "1 min")
    set_rule(here, "undo.window", "2 min")
    looked = here.get("/watch/rules/history/1")
    set_rule(here, "undo.window", "9 min")
    answer = press(here, "/watch/rules/history/1", "Go back to this", looked, why="as it was")
    assert answer.status_code == 422
    assert "Somebody has changed the rules meanwhile" in text_of(answer.text)
    with here.ledger.look() as tx:
        assert tx.rules.current().changed["undo.window"] == "9 min"
    again = press(here, "/watch/rules/history/1", "Go back to this", answer.text, why="as it was")
    assert again.status_code == 303


def test_a_rule_that_somebody_else_changed_meanwhile_is_shown_anew_before_it_is_kept(here: Watched) -> None:
    where = "/watch/rules/undo.window"
    looked = press(here, where, "Show me what would change", value="3", unit="min")
    assert looked.status_code == 200
    set_rule(here, "undo.window", "9 min")
    answer = press(here, where, "Change it", looked.text, why="mine")
    assert "Somebody has changed the rules meanwhile" in text_of(answer.text)
    with here.ledger.look() as tx:
        assert tx.rules.current().changed["undo.window"] == "9 min"


def test_a_budget_that_somebody_else_set_meanwhile_is_not_written_over_unseen(here: Watched) -> None:
    where, ports = "/watch/budgets/music", here.tower.house.ports
    looked = press(here, where, "Show me what would change", amount="120")
    assert looked.status_code == 200
    spending.set_budget(ports, "music", Decimal(30), actor=SYSTEM)
    answer = press(here, where, "Change it", looked.text)
    assert answer.status_code == 422
    assert "Somebody has set another budget meanwhile" in text_of(answer.text)
    with here.ledger.look() as tx:
        assert spending.budget_of(tx, "music", "2026-01") == Decimal(30)
    again = press(here, where, "Show me what would change", amount="120")
    assert press(here, where, "Change it", again.text).status_code == 303
    with here.ledger.look() as tx:
        assert spending.budget_of(tx, "music", "2026-01") == Decimal(120)


def test_two_admins_who_change_one_persons_roles_do_not_write_over_each_other(here: Watched) -> None:
    who, ports = name(here, "Mr Reed", AUTHOR), here.tower.house.ports
    where = f"/watch/staff/{number_of(here, who)}"
    looked = here.get(where)
    operators.give(ports, who.id, [AUDITOR], actor=SYSTEM)
    answer = press(here, where, "Keep this", looked)
    assert answer.status_code == 422
    assert "Somebody has changed what they may do, or where, meanwhile" in text_of(answer.text)
    operators.move(ports, who.id, "music", actor=SYSTEM)
    assert press(here, where, "Let them act there", looked, department="office").status_code == 422
    with here.ledger.look() as tx:
        found = tx.operators.named("mr reed")
    assert found is not None
    assert (set(found.roles), found.department) == ({AUDITOR}, "music")
    assert press(here, where, "Let them act there", department="office").status_code == 303


def test_a_message_that_may_have_arrived_by_now_is_not_tried_again_from_an_old_page(here: Watched) -> None:
    said: Announcement = failing(here)
    number = one_of(here, said, State.REJECTED)
    where = f"/watch/{said.public_id}/deliveries/{number}"
    looked = here.get(where)
    rejected = press(here, where, "Try it again", looked, state=State.UNCERTAIN.value)
    assert rejected.status_code == 422
    assert "look at it once more" in text_of(rejected.text).lower()
    assert here.tower.states(said)["rejected"] == 2
    assert press(here, where, "Try it again", looked).status_code == 303


def test_whoever_loses_a_role_while_they_watch_is_no_longer_shown_what_it_offers(here: Watched) -> None:
    """The stream ends, and the page is read anew as they may see it now."""
    with streaming(here) as stream:
        stream.next()
        operators.give(here.tower.house.ports, "Head", [AUDITOR], actor=SYSTEM)
        while (event := stream.next(20.0)).name != "ended":
            assert event.name == "parts"


def test_a_schedule_that_somebody_else_changed_meanwhile_is_not_written_over_unseen(here: Watched) -> None:
    diary = Diary(here)
    diary.school_year()
    made, ports = diary.weekly(), here.tower.house.ports
    where = f"/watch/calendar/schedules/{made.public_id}/change"
    opened = here.get(where)
    words = {Part.SHORT: "{pupil}: choir in the hall."}
    schedules.change(ports, made.name, draft=replace(made.draft, parts=words), actor=SYSTEM)
    looked = press(here, where, "Show its next dates", opened, short="Mine.")
    assert looked.status_code == 200
    answer = press(here, where, "Change it so", looked.text)
    assert answer.status_code == 422
    assert "Somebody has changed this schedule since you opened it" in text_of(answer.text)
    with here.ledger.look() as tx:
        assert schedules.the(tx, made.name).draft.parts == words

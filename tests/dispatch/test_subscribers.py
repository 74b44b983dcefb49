"""Subscribers: told with a group through the real verbs, by real encryption, until they are gone."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import func, select

from broker import fanout, intake, reconcile
from broker.actor import SYSTEM
from broker.announcement import Part, People, Purpose, Step, Urgency
from broker.audience import parse
from broker.corrections import verbs
from broker.errors import InvalidAnnouncement, NotFound, RuleBroken
from broker.office import private_links, reach, subscribers
from broker.office.reach import Question
from broker.rosters.imports import import_roster
from broker.values import Lane
from ledger import tables as t
from sandbox.client import RunningSandbox, start_sandbox
from sandbox.stand_ins import webpush as stand_in
from tests.support.press import Press, a_press
from tests.support.school import SmallSchool

LONG_AGO = datetime(2026, 1, 1, tzinfo=UTC)
WEBPUSH = (Step(("webpush",)),)


@pytest.fixture(scope="module")
def sandbox(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningSandbox]:
    with start_sandbox(tmp_path_factory.mktemp("sandbox") / "truth.jsonl", []) as running:
        yield running


@pytest.fixture
def press(ledger_url: str, tmp_path: Path, sandbox: RunningSandbox) -> Iterator[Press]:
    sandbox.control.clear()
    account = stand_in.account(sandbox.url("webpush"))
    settings = {f"CARILLON_ACCOUNTS__PUSH__{name.upper()}": str(value) for name, value in account.items()}
    with a_press(ledger_url, tmp_path, settings) as made:
        made.bring("Choir", "Band", "Year 7")
        yield made


def link(press: Press, group: str = "Choir") -> tuple[int, str]:
    made = private_links.make(press.house.ports, group, "parents", actor=SYSTEM)
    return made.link.id, made.secret


def subscribe(press: Press, sandbox: RunningSandbox, secret: str, browser: str) -> dict[str, Any]:
    told = stand_in.subscription(sandbox.url("webpush"), browser)
    subscribers.begin(press.house.ports, secret, told)
    return told


def told(sandbox: RunningSandbox, since: int) -> list[dict[str, Any]]:
    return [{**json.loads(entry["body"]), "to": entry["to"].partition(" ")[0].rpartition("/")[2],
             **entry["headers"]} for entry in sandbox.truth("webpush")[since:]]  # fmt: skip


def announce(press: Press, audience: str = "Choir", **more: Any) -> Any:
    made = press.announce("Rehearsal", "It begins at six.", audience=audience, ways=WEBPUSH, **more)
    fanout.plan(press.house.ports, made.public_id, actor=SYSTEM)
    return made


def send(press: Press) -> None:
    press.send("push")
    assert not press.faults


def states(press: Press, announcement: int | None = None) -> list[tuple[str, str]]:
    query = select(t.delivery.c.state, t.delivery.c.code).where(t.delivery.c.channel == "webpush")
    if announcement is not None:
        query = query.where(t.delivery.c.announcement_id == announcement)
    with press.house.ledger.begin() as tx:
        return [tuple(row) for row in tx.hand.connection.execute(query.order_by(t.delivery.c.id))]


def count(press: Press, table: Any, *where: Any) -> int:
    with press.house.ledger.begin() as tx:
        return int(
            tx.hand.connection.execute(select(func.count()).select_from(table).where(*where)).scalar_one()
        )


def test_an_announcement_reaches_each_subscriber_once_encrypted_and_covers_nobody(
    press: Press, sandbox: RunningSandbox
) -> None:
    began = len(sandbox.truth("webpush"))
    _, secret = link(press)
    for browser in ("a", "b"):
        subscribe(press, sandbox, secret, browser)
        subscribe(press, sandbox, secret, browser)  # said twice it is the same
    made = announce(press)
    send(press)
    came = told(sandbox, began)
    assert sorted(one["to"] for one in came) == ["a", "b"]
    assert {(one["id"], one["title"], one["body"]) for one in came} == {
        (str(made.public_id), "Rehearsal", "It begins at six.")
    }
    assert {one["urgency"] for one in came} == {"normal"}
    assert 0 < int(came[0]["ttl"]) <= 28 * 86_400
    assert len({one["topic"] for one in came}) == 1
    assert states(press) == [("sent", ""), ("sent", "")]
    assert count(press, t.delivery_covers) == 0
    assert count(press, t.duty, t.duty.c.acknowledged_at.is_(None)) == 1  # Ann's, still to be met


@pytest.mark.parametrize(
    ("audience", "browsers"),
    [
        ("Choir", ["choir"]),
        ("Choir + Band", ["band", "choir"]),
        ("everyone", ["band", "choir"]),
        ("Year 7", []),
    ],
)
def test_whole_groups_are_told_and_no_others(
    press: Press, sandbox: RunningSandbox, audience: str, browsers: list[str]
) -> None:
    began = len(sandbox.truth("webpush"))
    for group in ("Choir", "Band"):
        subscribe(press, sandbox, link(press, group)[1], group.lower())
    announce(press, audience)
    send(press)
    assert sorted(one["to"] for one in told(sandbox, began)) == browsers


@pytest.mark.parametrize("audience", ["Choir - Band", "Choir & Band", "pupils"])
def test_where_part_of_a_group_is_left_out_the_way_is_refused(press: Press, audience: str) -> None:
    with pytest.raises(InvalidAnnouncement) as refused:
        announce(press, audience)
    assert refused.value.problem.code == "not_whole"


def test_what_is_for_staff_alone_goes_to_no_subscriber(press: Press, sandbox: RunningSandbox) -> None:
    subscribe(press, sandbox, link(press)[1], "a")
    announce(press, "everyone", people=People.STAFF)
    assert states(press) == []


def test_public_words_are_judged_and_a_personal_part_is_refused(
    press: Press, sandbox: RunningSandbox
) -> None:
    with pytest.raises(InvalidAnnouncement) as refused:
        press.announce("Trip", "{pupil} may come.", audience="Choir", ways=WEBPUSH)
    assert refused.value.problem.code == "personal_part"
    with pytest.raises(RuleBroken) as exposed:
        press.announce("Trip", "Call 07911 123456.", audience="Choir", ways=WEBPUSH)
    assert exposed.value.problem.code == "phone_number"


def test_promotion_is_refused_for_nobody_can_have_agreed(press: Press, sandbox: RunningSandbox) -> None:
    subscribe(press, sandbox, link(press)[1], "a")
    announce(press, purpose=Purpose.PROMOTIONAL)
    send(press)
    assert states(press) == [("refused", "no_consent")]


def test_a_urgent_one_says_so(press: Press, sandbox: RunningSandbox) -> None:
    began = len(sandbox.truth("webpush"))
    subscribe(press, sandbox, link(press)[1], "a")
    announce(press, urgency=Urgency.URGENT)
    press.send("push", Lane.URGENT)
    (came,) = told(sandbox, began)
    assert came["urgency"] == "high"


@pytest.mark.parametrize(("fault", "code"), [("410", "410"), ("404", "404"), ("403", "403"), ("302", "302")])
def test_a_browser_that_is_gone_is_forgotten_and_tried_no_more(
    press: Press, sandbox: RunningSandbox, fault: str, code: str
) -> None:
    _, secret = link(press)
    for browser in ("gone", "here"):
        subscribe(press, sandbox, secret, browser)
    sandbox.control.order(f"webpush:{fault}:to=gone")
    first = announce(press)
    send(press)
    assert sorted(states(press, first.id)) == [("rejected", code), ("sent", "")]
    assert count(press, t.subscriber) == 1
    assert count(press, t.address, t.address.c.kind == "push", t.address.c.value.like("http%")) == 1
    assert count(press, t.suppression) == 0  # nothing is kept of it, not even that it is gone
    second = announce(press)
    send(press)
    assert states(press, second.id) == [("sent", "")]


def test_a_key_that_is_not_accepted_pauses_the_account_and_loses_nobody(
    press: Press, sandbox: RunningSandbox
) -> None:
    subscribe(press, sandbox, link(press)[1], "a")
    sandbox.control.order("webpush:401")
    announce(press)
    send(press)
    with press.house.ledger.begin() as tx:
        paused = tx.accounts.named("push")
    assert paused is not None
    assert paused.paused_at is not None
    assert [state for state, _ in states(press)] == ["queued"]
    assert count(press, t.subscriber) == 1


def test_a_lost_answer_is_sent_again_and_the_browser_has_it_once(
    press: Press, sandbox: RunningSandbox
) -> None:
    began = len(sandbox.truth("webpush"))
    subscribe(press, sandbox, link(press)[1], "a")
    sandbox.control.order("webpush:reset-after-accept")
    announce(press)
    send(press)
    assert [state for state, _ in states(press)] == ["uncertain"]
    sandbox.control.clear()
    for _ in range(2):  # twice the grace
        press.sql(t.delivery.update().values(lookup_at=LONG_AGO))
        reconcile.look_up_due(press.house.ports, actor=SYSTEM)
    send(press)
    assert [state for state, _ in states(press)] == ["sent"]
    assert len(told(sandbox, began)) == 1


def test_who_ends_it_is_told_nothing_of_what_is_queued_and_is_forgotten(
    press: Press, sandbox: RunningSandbox
) -> None:
    began = len(sandbox.truth("webpush"))
    _, secret = link(press)
    browser = subscribe(press, sandbox, secret, "a")
    announce(press)
    assert subscribers.is_subscribed(press.house.ports, secret, browser)
    subscribers.end(press.house.ports, secret, browser)
    subscribers.end(press.house.ports, secret, browser)
    assert not subscribers.is_subscribed(press.house.ports, secret, browser)
    send(press)
    assert states(press) == [("refused", "unsubscribed")]
    assert told(sandbox, began) == []
    assert count(press, t.address, t.address.c.kind == "push", t.address.c.value.not_like("erased~%")) == 0


def test_a_link_that_is_taken_back_takes_its_subscribers_along(press: Press, sandbox: RunningSandbox) -> None:
    began = len(sandbox.truth("webpush"))
    number, secret = link(press)
    other, kept = link(press)
    browser = subscribe(press, sandbox, secret, "a")
    subscribe(press, sandbox, kept, "b")
    assert {one.id: one.subscribers for one in private_links.listed(press.house.ports)} == {
        number: 1,
        other: 1,
    }
    announce(press)
    private_links.revoke(press.house.ports, number, actor=SYSTEM)
    send(press)
    assert [one["to"] for one in told(sandbox, began)] == ["b"]
    assert count(press, t.subscriber) == 1
    with pytest.raises(NotFound):
        subscribers.begin(press.house.ports, secret, browser)


def test_a_group_that_is_gone_tells_nobody(press: Press, sandbox: RunningSandbox) -> None:
    subscribe(press, sandbox, link(press)[1], "a")
    announce(press)
    press.sql(t.people_group.update().where(t.people_group.c.name == "Choir").values(active=False))
    send(press)
    assert states(press) == [("refused", "unsubscribed")]


def test_a_correction_reaches_who_was_told_and_who_subscribed_since(
    press: Press, sandbox: RunningSandbox
) -> None:
    _, secret = link(press)
    subscribe(press, sandbox, secret, "before")
    first = announce(press)
    send(press)
    subscribe(press, sandbox, secret, "since")
    began = len(sandbox.truth("webpush"))
    draft = verbs.correction(
        press.house.ports, first.public_id, {Part.TITLE: "Rehearsal", Part.SHORT: "At seven."}
    )
    made = intake.accept(press.house.ports, draft, actor=SYSTEM).announcement
    fanout.plan(press.house.ports, made.public_id, actor=SYSTEM)
    send(press)
    came = {one["to"]: one["title"] + " " + one["body"] for one in told(sandbox, began)}
    assert set(came) == {"before", "since"}
    assert "orrect" in came["before"]
    assert "orrect" not in came["since"]


def test_the_reach_statement_counts_a_subscriber_for_nobody(press: Press, sandbox: RunningSandbox) -> None:
    subscribe(press, sandbox, link(press)[1], "a")
    with press.house.ledger.begin() as tx:
        question = Question(parse("Choir"), People.GUARDIANS, ("webpush",), "music")
        said = reach.before(press.house.ports, tx, question)
    assert (said.reached, said.public, said.ways) == (0, ("webpush",), {})


def test_a_subscriber_survives_an_import_and_the_nights_pruning(
    press: Press, sandbox: RunningSandbox
) -> None:
    subscribe(press, sandbox, link(press)[1], "a")
    school = SmallSchool()
    school.pupil("Ann", "Choir", "Band", "Year 7")
    import_roster(press.house.ports, school.roster(), actor=SYSTEM, expect_leaving=None)
    with press.house.ledger.begin() as tx:
        tx.prunings.leavers_addresses(datetime.now(UTC) + timedelta(days=900), limit=100)
    announce(press)
    send(press)
    assert [state for state, _ in states(press)] == ["sent"]


def test_more_than_a_partition_of_subscribers_are_planned_each_once(
    press: Press, sandbox: RunningSandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fanout, "PARTITION", 2)
    _, secret = link(press)
    for number in range(5):
        subscribe(press, sandbox, secret, f"browser-{number}")
    made = announce(press)
    fanout.plan(press.house.ports, made.public_id, actor=SYSTEM)
    assert states(press) == [("queued", "new")] * 5


def test_a_link_takes_so_many_and_no_more(
    press: Press, sandbox: RunningSandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(subscribers, "MOST", 1)
    _, secret = link(press)
    subscribe(press, sandbox, secret, "a")
    with pytest.raises(RuleBroken) as refused:
        subscribe(press, sandbox, secret, "b")
    assert refused.value.problem.code == "too_many"


def test_the_record_tells_of_it_without_where_the_browser_is(press: Press, sandbox: RunningSandbox) -> None:
    _, secret = link(press)
    browser = subscribe(press, sandbox, secret, "a")
    subscribers.end(press.house.ports, secret, browser)
    with press.house.ledger.begin() as tx:
        entries = [str(row) for row in tx.hand.connection.execute(select(t.record_entry))]
    assert any("subscriber.began" in entry for entry in entries)
    assert any("subscriber.ended" in entry for entry in entries)
    assert not any(browser["endpoint"] in entry or browser["keys"]["auth"] in entry for entry in entries)

"""What waits for a second person, on its pages: announcements, what is said again and again, what went without one."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest

from broker.actor import Actor, ActorKind
from broker.announcement import Announcement, Draft, Part, People, Step, Urgency
from broker.authority import approvals, rule_changes
from broker.diary import reminders, schedules
from broker.diary.recurrence import Pattern
from broker.diary.reminders import WAITS as REMINDER_WAITS
from broker.diary.scheduler import WAITS
from broker.intake import accept
from broker.ports.approvals import OperatorRole
from broker.ports.calendar import ScheduleRow
from broker.ports.events import ReminderRule
from ledger.reads.approvals import looked_at
from tests.support.staff import Browser, name, passed, quick, record_kinds
from tests.support.watching import Serve, Watched

ADMIN, AUTHOR, APPROVER, AUDITOR = (
    OperatorRole.ADMIN,
    OperatorRole.AUTHOR,
    OperatorRole.APPROVER,
    OperatorRole.AUDITOR,
)
HIDDEN = re.compile(r'name="(token|seen)" value="([^"]*)"')


@pytest.fixture
def here(serve: Serve) -> Watched:
    found = serve(CARILLON_DEPARTMENTS="office,music")
    quick(found)
    found.tower.bring(3)
    admin = name(found, "The admin", ADMIN)
    rule_changes.change(found.tower.house.ports, "approval.needed", "any/any/any", "a test", actor=admin)
    return found


@pytest.fixture
def bell(here: Watched) -> Actor:
    return name(here, "Mrs Bell", AUTHOR, department="music")


def signed(here: Watched, who: str | Actor, *roles: OperatorRole, department: str | None = None) -> Browser:
    actor = who if isinstance(who, Actor) else name(here, who, *roles, department=department)
    browser = Browser(here)
    browser.post("/watch/sign-in", link=here.link(actor))
    return browser


@pytest.fixture
def head(here: Watched) -> Browser:
    return signed(here, "Head", APPROVER)


def draft(**more: object) -> Draft:
    parts = {Part.TITLE: "Concert", Part.SHORT: "At six."}
    return Draft("music", "everyone", People.GUARDIANS, (Step(("bell",)),), parts, **more)  # type: ignore[arg-type]


def announced(here: Watched, author: Actor, **more: object) -> Announcement:
    return accept(here.tower.house.ports, draft(**more), actor=author).announcement


def hidden(browser: Browser, path: str) -> dict[str, str]:
    page = browser.get(path)
    assert page.status_code == 200, page.text
    return dict(HIDDEN.findall(page.text))


def waits(here: Watched, said: Announcement) -> bool:
    with here.ledger.reading() as hand:
        looked = looked_at(hand, said.public_id)
    assert looked is not None
    return looked.waits


def test_nothing_that_waits_says_so(head: Browser) -> None:
    assert "Nothing waits." in head.get("/watch/waiting").text


def test_a_yes_is_said_from_the_list_and_what_follows_is_told(
    here: Watched, bell: Actor, head: Browser
) -> None:
    said = announced(here, bell)
    where = f"/watch/{said.public_id}/decide"
    assert f"watch/{said.public_id}/decide" in head.get("/watch/waiting").text
    page = head.get(where).text
    assert "At six." in page
    assert "Mrs Bell" in page
    answer = head.form(where, do="approve", why="good")
    assert answer.status_code == 303
    assert "You said yes" in head.get(answer.headers["location"].replace("../../", "/")).text
    assert not waits(here, said)


def test_whoever_may_only_look_sees_what_waits_and_no_way_to_decide(here: Watched, bell: Actor) -> None:
    said = announced(here, bell)
    page = signed(here, "Dr Okafor", AUDITOR).get("/watch/waiting").text
    assert "Concert" in page
    assert f"{said.public_id}/decide" not in page
    assert "You may look" in page


def test_words_are_changed_by_their_author_alone_and_a_yes_to_those_before_counts_no_more(
    here: Watched, bell: Actor, head: Browser
) -> None:
    said = announced(here, bell)
    where = f"/watch/{said.public_id}/reword"
    author = signed(here, bell)
    page = author.get(where).text
    assert "At six." in page
    looked = hidden(head, f"/watch/{said.public_id}/decide")
    empty = author.post(where, **hidden(author, where), title="", short="", long="")
    assert empty.status_code == 422
    assert "There is nothing to say instead" in empty.text
    done = author.post(where, **hidden(author, where), title="Concert", short="At seven.")
    assert done.status_code == 303, done.text
    stale = head.post(f"/watch/{said.public_id}/decide", do="approve", **looked)
    assert stale.status_code == 422
    assert "changed since you looked" in stale.text
    assert "carillon " not in re.sub(r"<[^>]+>", "", stale.text)
    assert "At seven." in head.get(f"/watch/{said.public_id}/decide").text
    other = signed(here, "Mr Reed", AUTHOR)
    refused = other.post(where, **hidden(other, where), short="Mine.")
    assert refused.status_code == 422
    assert "only its author" in refused.text.lower()
    assert "Mine." in refused.text
    assert head.get(where).status_code == 403


def test_an_urgent_one_goes_without_a_second_person_for_a_reason_and_is_looked_at_afterwards(
    here: Watched, bell: Actor, head: Browser
) -> None:
    said = announced(here, bell, urgency=Urgency.URGENT)
    author, where = signed(here, bell), f"/watch/{said.public_id}/without"
    assert "What has left cannot be called back" in author.get(where).text
    refused = author.post(where, **hidden(author, where), why="  ")
    assert refused.status_code == 422
    assert 'id="wrong-why"' in refused.text
    assert author.post(where, **hidden(author, where), why="the boiler has failed").status_code == 303
    assert not waits(here, said)
    listed = head.get("/watch/waiting").text
    assert "the boiler has failed" in listed
    back = f"/watch/{said.public_id}/review"
    assert "the boiler has failed" in head.get(back).text
    nothing = head.post(back, **hidden(head, back), note="")
    assert nothing.status_code == 422
    assert head.post(back, **hidden(head, back), note="right to send it").status_code == 303
    assert "the boiler has failed" not in head.get("/watch/waiting").text
    again = head.post(back, **hidden(head, back), note="once more")
    assert again.status_code == 422
    assert "approval.reviewed" in record_kinds(here, "approval.")


def test_an_ordinary_one_does_not_go_without(here: Watched, bell: Actor) -> None:
    said = announced(here, bell)
    author, where = signed(here, bell), f"/watch/{said.public_id}/without"
    page = author.get(where).text
    assert "Only an urgent announcement" in page
    refused = author.post(where, token=dict(HIDDEN.findall(page))["token"], why="I am in a hurry")
    assert refused.status_code == 422
    assert waits(here, said)


def test_nobody_of_another_department_meets_it(here: Watched, bell: Actor) -> None:
    said = announced(here, bell, urgency=Urgency.URGENT)
    approvals.override(here.tower.house.ports, said.public_id, "a reason of ours", actor=bell)
    office = signed(here, "Mr Ink", APPROVER, AUTHOR, department="office")
    assert "a reason of ours" not in office.get("/watch/waiting").text
    for page in ("decide", "review", "reword", "without"):
        assert office.get(f"/watch/{said.public_id}/{page}").status_code == 404, page
    assert office.get("/watch/rubbish/decide").status_code == 404


def scheduled(here: Watched, author: Actor) -> ScheduleRow:
    ports = here.tower.house.ports
    with here.ledger.reading() as hand:
        starts = (hand.now + timedelta(days=2)).replace(tzinfo=None, microsecond=0)
    row = schedules.save(
        ports, "Choir", draft(), Pattern(starts, "Europe/London"), lasts=timedelta(hours=2), actor=author
    )
    ports.ledger.transact(lambda tx: tx.sweeps.raise_alarm(WAITS, str(row.public_id), "waits"))
    return row


def test_one_yes_to_all_that_a_schedule_will_say_wants_a_fresh_proof(
    here: Watched, bell: Actor, head: Browser
) -> None:
    row = scheduled(here, bell)
    where = f"/watch/waiting/schedule/{row.public_id}"
    assert where.removeprefix("/") in head.get("/watch/waiting").text
    page = head.get(where).text
    assert "At six." in page
    assert "Mrs Bell" in page
    looked = hidden(head, where)
    passed(here, 60 * 11)
    proof = head.post(where, **looked)
    assert f"account/prove?to=watch/waiting/schedule/{row.public_id}" in proof.headers["location"]
    fresh = signed(here, Actor(ActorKind.PERSON, "Head"))
    assert fresh.post(where, **hidden(fresh, where)).status_code == 303
    with here.ledger.look() as tx:
        kept = tx.schedules.named("Choir")
    assert kept is not None
    assert kept.approved is not None
    assert kept.approved.by == "Head"
    assert "Choir" not in fresh.get("/watch/waiting").text.partition("<main")[2]
    assert "has said yes to all of it" in fresh.get(where).text


def test_a_yes_to_a_schedule_that_was_changed_meanwhile_counts_for_nothing(
    here: Watched, bell: Actor, head: Browser
) -> None:
    row = scheduled(here, bell)
    where = f"/watch/waiting/schedule/{row.public_id}"
    looked = hidden(head, where)
    other = draft()
    schedules.change(
        here.tower.house.ports,
        "Choir",
        draft=Draft(other.department, other.audience, other.people, other.ways, {Part.SHORT: "At nine."}),
        actor=bell,
    )
    refused = head.post(where, **looked)
    assert refused.status_code == 422
    assert "At nine." in refused.text


def test_a_reminder_is_agreed_to_as_a_whole(here: Watched, bell: Actor, head: Browser) -> None:
    ports = here.tower.house.ports
    rule = reminders.add_rule(
        ports,
        ReminderRule(
            0, "music", "Day before", "everyone", timedelta(days=1), People.GUARDIANS, (Step(("bell",)),),
            {Part.SHORT: "{title} at {starts}"},
        ),
        actor=bell,
    )  # fmt: skip
    ports.ledger.transact(lambda tx: tx.sweeps.raise_alarm(REMINDER_WAITS, str(rule.id), "waits"))
    where = f"/watch/waiting/reminder/{rule.id}"
    assert where.removeprefix("/") in head.get("/watch/waiting").text
    assert head.post(where, **hidden(head, where)).status_code == 303
    with here.ledger.look() as tx:
        assert tx.events.rules()[0].approved is not None
    office = signed(here, "Mr Ink", APPROVER, department="office")
    assert office.get(where).status_code == 404
    assert head.get("/watch/waiting/reminder/99").status_code == 404
    assert head.get("/watch/waiting/nothing/1").status_code == 404
    assert signed(here, bell).get(where).status_code == 403

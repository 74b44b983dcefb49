"""The requirement's rules, a sentence each: beside a real `carillon up`, against what the stand-ins truly accepted."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select

from broker import intake
from broker.actor import SYSTEM, Actor, ActorKind
from broker.announcement import Announcement, Draft, Part, People, Step, Urgency
from broker.authority import approvals, operators, rule_changes
from broker.errors import NotToBeChanged, RuleBroken
from broker.licences import licensing
from broker.ports.approvals import OperatorRole
from broker.rosters.imports import import_roster
from config.assembly import House, assemble
from config.settings import load
from ledger import tables as t
from ledger.reads.approvals import waiting
from sandbox.client import RunningSandbox, start_sandbox
from sandbox.settings import XCredentials
from tests.support.installed import Installed, wait_until
from tests.support.licences import SOON, YESTERDAY, form
from tests.support.school import SmallSchool

FAMILIES = 30
WITHIN = timedelta(seconds=40)
BELL, HEAD, DEPUTY = (Actor(ActorKind.PERSON, name) for name in ("Mrs Bell", "The Head", "The Deputy"))

pytestmark = pytest.mark.runs_on("sqlite")


@dataclass
class School:
    """A school that runs: the office's hand beside its worker, and the stand-ins' truth."""

    house: House
    sandbox: RunningSandbox

    @property
    def ports(self) -> Any:
        return self.house.ports

    def announce(self, words: str, *ways: str, **more: Any) -> Announcement:
        draft = Draft(
            "office", "Choir", People.GUARDIANS, (Step(ways or ("sms",)),), {Part.SHORT: words}, **more
        )
        return intake.accept(self.ports, draft, actor=BELL).announcement

    def rule(self, key: str, value: str) -> None:
        with self.house.ledger.look() as tx:
            if dict(tx.rules.current().changed).get(key, "") != value:
                rule_changes.change(self.ports, key, value, "the journey", actor=HEAD)

    def left(self, words: str, channel: str = "sms") -> int:
        """How many messages with these words a provider truly took."""
        return sum(words in str(entry["body"]) for entry in self.sandbox.truth(channel))

    def waits(self, said: Announcement) -> bool:
        with self.house.ledger.reading() as hand:
            return said.public_id in {each.id for each in waiting(hand)}

    def has_left(self, words: str, channel: str = "sms", count: int = FAMILIES) -> None:
        wait_until(lambda: self.left(words, channel) == count, within=WITHIN, what=f"{count} of {words!r}")

    def code_of(self, said: Announcement, channel: str) -> str:
        """Why its delivery by a channel waits, or ended."""
        with self.house.ledger.reading() as hand:
            its = select(t.delivery.c.code).where(
                t.delivery.c.announcement_id == said.id, t.delivery.c.channel == channel
            )
            row = hand.connection.execute(its.limit(1)).one_or_none()
        return row.code if row else ""


@pytest.fixture(scope="module")
def sandbox(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningSandbox]:
    with start_sandbox(tmp_path_factory.mktemp("stand-ins") / "truth.jsonl") as running:
        yield running


@pytest.fixture(scope="module")
def school(tmp_path_factory: pytest.TempPathFactory, sandbox: RunningSandbox) -> Iterator[School]:
    x = XCredentials()
    at_x = {
        "CHANNEL": "twitter",
        "CONSUMER_KEY": x.consumer_key,
        "CONSUMER_SECRET": x.consumer_secret,
        "ACCESS_TOKEN": x.access_token,
        "ACCESS_TOKEN_SECRET": x.access_token_secret,
        "NOTICE_ROUTE": "the notice board at the gate",
        "API_BASE_URL": sandbox.x_url,
    }
    more = {f"CARILLON_ACCOUNTS__X__{name}": value for name, value in at_x.items()}
    more["CARILLON_PUBLIC_URL"] = "https://news.school.example"
    installed = Installed(tmp_path_factory.mktemp("school"), sandbox, more)
    with assemble(load(environ=installed.environ, env_file=None), upgrade=True) as house:
        people = SmallSchool()
        for n in range(FAMILIES):
            pupil = people.pupil(f"Pupil{n}", "Choir")
            people.guardian(f"Parent{n}", pupil, mobiles=(f"+4479110000{n:02d}",))
        import_roster(house.ports, people.roster(), actor=SYSTEM, expect_leaving=None)
        for who, roles in (
            (HEAD, [OperatorRole.ADMIN, OperatorRole.APPROVER]),
            (DEPUTY, [OperatorRole.APPROVER]),
            (BELL, [OperatorRole.AUTHOR, OperatorRole.APPROVER]),
        ):
            operators.add(house.ports, who.id, roles, None, actor=HEAD)
        with installed.started("up"):
            yield School(house, sandbox)


def refused(what: Callable[[], object]) -> RuleBroken:
    with pytest.raises(RuleBroken) as broken:
        what()
    return broken.value


def test_an_account_that_follows_somebody_says_nothing(school: School) -> None:
    school.sandbox.control.account_at_x(following=1)
    said = school.announce("Sports day is on Friday.", "sms", "twitter")
    school.has_left("Sports day")
    wait_until(lambda: school.code_of(said, "twitter") == "follows", within=WITHIN, what="the post waits")
    assert school.left("Sports day", "twitter") == 0
    school.sandbox.control.account_at_x(following=0)


def test_with_its_risk_assessment_lapsed_an_account_says_nothing(school: School) -> None:
    licensing.save(school.ports, "texts", form(liability={"review": YESTERDAY}), actor=HEAD)
    problem = refused(lambda: school.announce("The hall is shut.")).problem
    assert "liability: the risk assessment" in problem.message
    licensing.renew(school.ports, "texts", {"liability.review": SOON}, actor=HEAD)
    school.announce("The hall is open.")
    school.has_left("The hall is open.")
    assert school.left("The hall is shut.") == 0


def test_x_alone_is_refused_with_what_to_add(school: School) -> None:
    problem = refused(lambda: school.announce("Sports day is off.", "twitter")).problem
    assert (problem.code, problem.field) == ("never_alone", "via")
    assert problem.hint == "add sms or email, so that each of them is told without an account there"
    assert school.left("Sports day is off.", "twitter") == 0


def test_an_author_does_not_approve_their_own(school: School) -> None:
    school.rule("approval.needed", "any/any/any")
    said = school.announce("The concert is at seven.")
    broken = refused(lambda: approvals.approve(school.ports, said.public_id, actor=BELL))
    assert broken.problem.code == "own_announcement"
    assert school.waits(said)
    assert school.left("The concert is at seven.") == 0
    approvals.approve(school.ports, said.public_id, actor=HEAD)
    school.has_left("The concert is at seven.")


def test_of_two_approvals_at_once_one_counts_and_each_family_hears_it_once(school: School) -> None:
    school.rule("approval.needed", "any/any/any")
    said = school.announce("The concert is at eight.")
    ends, ready = [], threading.Barrier(2)

    def approve(who: Actor) -> None:
        ready.wait()
        try:
            approvals.approve(school.ports, said.public_id, actor=who)
            ends.append("")
        except NotToBeChanged as broken:
            ends.append(broken.problem.code)

    hands = [threading.Thread(target=approve, args=(who,)) for who in (HEAD, DEPUTY)]
    for hand in hands:
        hand.start()
    for hand in hands:
        hand.join()
    assert sorted(ends) == ["", "decided"]
    school.has_left("The concert is at eight.")


def test_words_changed_between_the_look_and_the_yes_are_not_agreed_to(school: School) -> None:
    school.rule("approval.needed", "any/any/any")
    said = school.announce("Bring a coat.")
    with school.house.ledger.look() as tx:
        looked = tx.approvals.binding(said).digest
    approvals.reword(school.ports, said.public_id, {Part.SHORT: "Bring a hat."}, actor=BELL)
    broken = refused(lambda: approvals.approve(school.ports, said.public_id, actor=HEAD, seen=looked))
    assert broken.problem.code == "changed_since"
    with school.house.ledger.look() as tx:
        looked = tx.approvals.binding(said).digest
    approvals.approve(school.ports, said.public_id, actor=HEAD, seen=looked)
    school.has_left("Bring a hat.")
    assert school.left("Bring a coat.") == 0


def test_an_audience_that_differs_by_more_than_a_tenth_when_it_goes_out_waits_again(school: School) -> None:
    school.rule("approval.needed", "any/any/any")
    with school.house.ledger.look() as tx:
        later = tx.now + timedelta(seconds=4)
    said = school.announce("Rehearsal at noon.", send_at=later)
    approvals.approve(school.ports, said.public_id, actor=HEAD)
    assert not school.waits(said)
    people = SmallSchool()
    for n in range(FAMILIES + 4):
        pupil = people.pupil(f"Pupil{n}", "Choir")
        people.guardian(f"Parent{n}", pupil, mobiles=(f"+4479110000{n:02d}",))
    import_roster(school.ports, people.roster(), actor=SYSTEM, expect_leaving=None)
    wait_until(lambda: school.waits(said), within=WITHIN, what="it waits again")
    assert school.left("Rehearsal at noon.") == 0
    approvals.approve(school.ports, said.public_id, actor=DEPUTY)
    school.has_left("Rehearsal at noon.", count=FAMILIES + 4)


def test_an_urgent_one_that_went_without_a_second_person_is_listed_until_reviewed(school: School) -> None:
    school.rule("approval.needed", "any/any/any")
    said = school.announce("Gas: leave by the east gate.", urgency=Urgency.URGENT)
    assert school.left("Gas") == 0
    approvals.override(school.ports, said.public_id, "the head is out of reach", actor=BELL)
    wait_until(lambda: school.left("Gas") >= FAMILIES, within=WITHIN, what="all of it")
    assert school.waits(said)  # listed
    approvals.review(school.ports, said.public_id, "right to send it", actor=DEPUTY)
    assert not school.waits(said)

"""What everybody may read, over the real verbs: refused at the door, held for a second person, judged anew."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from hashlib import sha256
from typing import Any

import pytest
from sqlalchemy import select

from broker import intake
from broker.actor import Actor, ActorKind
from broker.announcement import Announcement, Attachment, Part, Purpose, Step
from broker.authority import approvals, operators, rule_changes
from broker.brake import Brake
from broker.channel import Channel
from broker.errors import InvalidAnnouncement
from broker.licences import licensing
from broker.ports import Ports
from broker.ports.approvals import OperatorRole
from broker.testing.hints import PretendHints
from broker.testing.provider import PretendKit, PretendProvider
from config.signer import HmacSigner
from ledger import tables as t
from ledger.connect import open_ledger
from ledger.setup import ConfiguredAccount, School, install
from tests.support.broker_world import SURROUNDINGS, PretendChannels, World
from tests.support.school import SmallSchool

BELL, HEAD = (Actor(ActorKind.PERSON, name) for name in ("Mrs Bell", "The Head"))
SCHOOL = School("st-brides", "St Bride's", "Europe/London", "en-GB", "GB")


@dataclass
class WithFeed(PretendChannels):
    """Pretended texts, mails and a feed."""

    feed: PretendProvider = field(default_factory=PretendProvider)

    def __post_init__(self) -> None:
        super().__post_init__()
        self.kits["rss"] = PretendKit(self.feed, askable=False, address_kind=None)

    def open(self, account: str) -> Channel:
        if account == "feed" and account not in self.opened:
            self.opened[account] = self.kits["rss"].open(account, {}, SURROUNDINGS)
            self.opened[account].name = "rss"  # type: ignore[misc]
        return self.opened[account] if account == "feed" else super().open(account)


@pytest.fixture
def public(ledger_url: str) -> Iterator[World]:
    """A school with a feed, whose roster has Zoë Kowalski of 7B in it."""
    signer, hints, channels = HmacSigner(b"a secret of the tests"), PretendHints(), WithFeed()
    ledger = open_ledger(ledger_url, signer)
    accounts = [ConfiguredAccount("texts", "sms"), ConfiguredAccount("feed", "rss")]
    install(ledger, SCHOOL, {"office": "School office"}, accounts)
    ports = Ports(ledger, hints, signer, channels)
    licensing.give_specimens(ports)
    world = World(ledger, channels, hints, ports, Brake(ledger))
    school = SmallSchool()
    mobiles = ("+447911100009",)
    school.guardian("Mum", school.pupil("Zoë", "7B", mobiles=mobiles), mobiles=("+447911100001",))
    school.people["zoë"] = replace(school.people["zoë"], family_name="Kowalski", form="7B")
    world.bring(school)
    operators.add(ports, "The Head", [OperatorRole.APPROVER], None, actor=HEAD)
    operators.add(ports, "Mrs Bell", [OperatorRole.AUTHOR], None, actor=HEAD)
    yield world
    ledger.close()


def said(world: World, text: str, **changes: Any) -> intake.Accepted:
    draft = world.draft(ways=(Step(("rss",)),), parts={Part.SHORT: text}, **changes)
    return intake.accept(world.ports, draft, actor=BELL)


def go(world: World, announcement: Announcement) -> dict[str, int]:
    world.plan(announcement)
    world.send("feed")
    return world.states(announcement)


@pytest.mark.parametrize(
    "text", ["Bravo, Zoe Kowalski!", "KOWALSKI, ZOË", "Bravo Zo\u0435\u0308 K\u043ewalski"]
)
def test_a_full_name_is_refused_at_the_door_and_kept_nowhere(public: World, text: str) -> None:
    with pytest.raises(InvalidAnnouncement) as refused:
        said(public, text)
    problem = refused.value.problem
    assert problem.code in {"full_name", "look_alike"}
    assert problem.field == "short"
    assert "character" in problem.message
    assert public.rows(select(t.announcement)) == []
    bodies = b"".join(row.body for row in public.rows(select(t.record_entry.c.body)))
    assert b"announcement.refused" in bodies
    assert "kowalski" not in f"{problem} {bodies!r}".casefold()


def test_the_name_of_a_file_is_read_like_the_words(public: World) -> None:
    data = b"%PDF-1.4"
    file = Attachment(sha256(data).hexdigest(), "Zoe Kowalski.pdf", "application/pdf", data)
    kit = public.channels.kits["rss"]
    kit.traits = replace(kit.traits, links_files=True)
    public.channels.open("feed").traits = kit.traits  # type: ignore[misc]
    with pytest.raises(InvalidAnnouncement) as refused:
        said(public, "The programme is here.", attachments=(file,))
    assert (refused.value.problem.code, refused.value.problem.field) == ("full_name", "attachments")


def test_a_first_name_with_a_form_leaves_when_a_second_person_has_agreed(public: World) -> None:
    accepted = said(public, "Bravo, Zoë (7B)!")
    assert accepted.hold is not None
    assert accepted.hold.code == "first_name"
    assert go(public, accepted.announcement) == {}
    approvals.approve(public.ports, accepted.announcement.public_id, actor=HEAD)
    assert go(public, accepted.announcement) == {"sent": 1}


def test_what_was_accepted_under_other_rules_is_judged_by_those_in_force_when_it_would_leave(
    public: World,
) -> None:
    accepted = said(public, "See https://elsewhere.example/")
    public.plan(accepted.announcement)
    rule_changes.change(public.ports, "public.hosts", "school.example", "the test", actor=HEAD)
    public.send("feed")
    assert public.states(accepted.announcement) == {"refused": 1}
    assert {row.code for row in public.rows(select(t.delivery.c.code))} == {"link_not_listed"}


def test_a_pupil_who_came_since_is_not_named_by_what_was_accepted_before(public: World) -> None:
    accepted = said(public, "Bravo, Ana Lopez!")
    school = SmallSchool()
    school.guardian("Mum", school.pupil("Zoë", "7B", mobiles=("+447911100009",)), mobiles=("+447911100001",))
    school.pupil("Ana", "7B")
    school.people["ana"] = replace(school.people["ana"], family_name="López")
    public.bring(school)
    assert go(public, accepted.announcement) == {"refused": 1}


def test_the_same_words_may_go_to_a_family(public: World) -> None:
    draft = public.draft(parts={Part.SHORT: "Zoë Kowalski has a lesson at four."})
    accepted = intake.accept(public.ports, draft, actor=BELL)
    public.plan(accepted.announcement)
    public.send()
    assert public.states(accepted.announcement) == {"sent": 1}


def test_promotion_to_families_says_how_to_have_no_more_of_it(public: World) -> None:
    draft = public.draft(purpose=Purpose.PROMOTIONAL, parts={Part.SHORT: "A gala!"})
    with pytest.raises(InvalidAnnouncement) as refused:
        intake.accept(public.ports, draft, actor=BELL)
    assert refused.value.problem.code == "no_opt_out"

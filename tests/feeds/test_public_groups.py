"""Which groups have a public feed, and that no two feeds share an address."""

from __future__ import annotations

from pathlib import Path

import pytest
from sqlalchemy import select, update

from broker.actor import Actor, ActorKind
from broker.errors import FeedTaken, MissingSetting, NotAllowed, SetupError, UnknownAudience
from broker.office import groups as kept
from broker.office.public_groups import set_public, slug_of
from config.assembly import assemble
from config.settings import Settings
from ledger import tables as t
from ledger.reads.feeds import Kind, Scope, newest
from ledger.reads.groups import groups
from tests.support.press import Press

HEAD = Actor(ActorKind.PERSON, "the head")


def publish(press: Press, name: str, *, public: bool = True) -> str:
    return set_public(press.house.ports, name, public=public, actor=HEAD).slug


@pytest.mark.parametrize(
    ("name", "slug"),
    [
        ("Year 7", "year-7"),
        ("7B", "7b"),
        ("Café – Band!", "cafe-band"),
        ("Ἀθήνα", ""),
        ("---", ""),
        ("x" * 99, "x" * 63),
    ],
)
def test_a_slug_is_the_name_as_an_address_writes_it(name: str, slug: str):
    assert slug_of(name) == slug


def test_a_group_has_a_feed_once_somebody_says_so_and_the_record_keeps_who(press: Press):
    press.bring("Year 7")
    assert press.get("/feeds/groups/year-7.rss").status_code == 404
    assert publish(press, "year 7") == "year-7"
    assert publish(press, "Year 7") == "year-7"
    assert press.get("/feeds/groups/year-7.rss").status_code == 200
    publish(press, "Year 7", public=False)
    assert press.get("/feeds/groups/year-7.rss").status_code == 404
    with press.house.ledger.reading() as hand:
        kinds = hand.connection.execute(select(t.record_entry.c.kind).order_by(t.record_entry.c.id)).scalars()
        assert [kind for kind in kinds if kind.startswith("group.")] == [
            "group.made_public",
            "group.made_private",
        ]
        (listed,) = groups(hand, today=hand.now.date())
    assert (listed.name, listed.people, listed.slug, listed.public) == ("Year 7", 1, "year-7", False)


@pytest.mark.parametrize(
    ("name", "other"), [("Music", ()), ("St Brides", ()), ("Year 7", ("Year-7",)), ("Ἀθήνα", ())]
)
def test_an_address_that_is_taken_is_refused_and_nothing_changes(
    press: Press, name: str, other: tuple[str, ...]
):
    press.bring(name, *other, public=other)
    with pytest.raises(FeedTaken) as refused:
        publish(press, name)
    problem = refused.value.problem
    assert (problem.code, problem.field) == ("slug_taken", "name")
    assert problem.hint
    with press.house.ledger.reading() as hand:
        assert not next(one for one in groups(hand, today=hand.now.date()) if one.name == name).public


def test_a_group_that_is_not_there_is_refused_with_the_nearest(press: Press):
    press.bring("Orchestra")
    with pytest.raises(UnknownAudience) as refused:
        publish(press, "Orchestr")
    assert refused.value.problem.hint == "did you mean Orchestra?"


def test_what_would_stand_in_a_groups_feed_is_known_before_it_is_public(press: Press):
    press.bring("Choir", "Band")
    for title, audience in (("Old", "Choir"), ("Both", "Choir + Band"), ("New", "choir")):
        press.publish(title, audience=audience)
    press.withdraw(press.publish("Gone", audience="Choir"), taken_back=True)
    with press.house.ledger.reading() as hand:
        scope = Scope(Kind.GROUP, "choir", "Choir")
        assert [one.title for one in newest(hand, scope, limit=5)] == ["New", "Old"]
        assert [one.title for one in newest(hand, scope, limit=1)] == ["New"]
    publish(press, "Choir")
    shown = press.get("/feeds/groups/choir.json").json()["items"]
    assert [one["title"] for one in shown] == ["New", "Old"]


def test_whoever_acts_for_a_department_publishes_its_own_groups_alone(press: Press):
    press.bring("Choir")
    ports, hers = press.house.ports, Actor(ActorKind.PERSON, "Mrs Bell", department="music")
    kept.keep(ports, "Quartet", department="music", actor=HEAD)
    assert set_public(ports, "Quartet", public=True, actor=hers).public
    with pytest.raises(NotAllowed):
        set_public(ports, "Choir", public=True, actor=hers)
    with press.house.ledger.reading() as hand:
        assert {one.name: one.public for one in groups(hand, today=hand.now.date())} == {
            "Choir": False,
            "Quartet": True,
        }


def test_a_department_cannot_have_the_schools_slug():
    with pytest.raises(MissingSetting) as refused:
        Settings.of(school={"slug": "music"}, departments={"music": "Music"})
    assert [problem.code for problem in refused.value.problems] == ["slug_taken"]


def test_a_department_cannot_take_a_public_groups_slug(press: Press, tmp_path: Path):
    press.bring("Drama")
    publish(press, "Drama")
    values = press.settings.model_dump() | {
        "departments": {"music": "Music", "drama": "Drama"},
        "accounts": {},
    }
    with pytest.raises(SetupError) as refused:
        assemble(Settings.of(**values), serves=True)
    (problem,) = refused.value.problems
    assert (problem.code, problem.field) == ("slug_taken", "CARILLON_DEPARTMENTS")
    with press.house.ledger.reading() as hand:
        assert not hand.connection.execute(select(t.department).where(t.department.c.slug == "drama")).all()


def test_two_public_groups_that_a_roster_renames_alike_leave_the_address_to_the_older(press: Press):
    press.bring("Choir A", "Choir B", public=("Choir A", "Choir B"))
    press.sql(update(t.people_group).where(t.people_group.c.name == "Choir B").values(name="Choir  A!"))
    assert press.get("/feeds/groups/choir-a.json").json()["title"].startswith("Choir A,")

"""What a delivery costs in statements and messages: exact, unlike time, so it is held here and not in bench/ alone."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from sqlalchemy import event

from broker.announcement import Part, Step
from ledger.connect import Ledger
from tests.support.broker_world import World
from tests.support.school import SmallSchool

FAMILIES = 1_000


@pytest.fixture
def thousand(world: World) -> World:
    """A thousand families, each with a number and an email."""
    school = SmallSchool()
    for n in range(FAMILIES):
        pupil = school.pupil(f"Pupil{n}", "Choir")
        school.guardian(f"Parent{n}", pupil, mobiles=(f"+44791{1100000 + n}",), emails=(f"p{n}@example.org",))
    world.bring(school)
    return world


@contextmanager
def statements(ledger: Ledger) -> Iterator[list[str]]:
    """Every statement but those of the brake, which reads five times a second however much is sent."""
    told: list[str] = []

    def tell(_c: object, _cursor: object, statement: str, *_: object) -> None:
        if not re.search(r"\bstop\b", statement):
            told.append(statement)

    event.listen(ledger.engine, "before_cursor_execute", tell)
    try:
        yield told
    finally:
        event.remove(ledger.engine, "before_cursor_execute", tell)


@pytest.mark.parametrize("ledger_url", ["postgresql"], indirect=True)  # on SQLite nothing travels
@pytest.mark.parametrize(
    ("channel", "account", "most"), [("sms", "texts", 0.05), ("email", "mails", 0.3)], ids=["texts", "mails"]
)
def test_a_delivery_costs_few_statements_and_next_to_no_messages(
    thousand: World, channel: str, account: str, most: float
) -> None:
    said = thousand.announce(ways=(Step((channel,)),), parts={Part.SHORT: "The coach leaves at eight."})
    thousand.plan(said)
    with statements(thousand.ledger) as told:
        assert thousand.send(account) == FAMILIES
    assert thousand.states(said) == {"sent": FAMILIES}
    assert len(told) / FAMILIES <= most
    assert thousand.hints.published / FAMILIES <= 0.01


@pytest.mark.parametrize("ledger_url", ["postgresql"], indirect=True)  # on SQLite nothing travels
def test_an_announcement_is_accepted_in_few_statements(thousand: World) -> None:
    thousand.announce(parts={Part.SHORT: "The coach leaves at eight."})
    with statements(thousand.ledger) as told:
        thousand.announce(parts={Part.SHORT: "The coach leaves at nine."}, key="coach")
    assert len(told) <= 14

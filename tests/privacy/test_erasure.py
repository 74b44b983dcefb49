"""One person is erased: no trace in any column of any table, the record verifies, and a stop holds."""

from __future__ import annotations

from broker import families, privacy
from broker.privacy import Ground
from tests.support.broker_world import World
from tests.support.planted import GUARDIAN, OFFICE, OTHER, PUPIL, Planted


def erase(world: World, who: str, **more: object) -> privacy.Erasing:
    return privacy.erase(world.ports, who, confirmed=who, ground=Ground.REQUEST, actor=OFFICE, **more)  # type: ignore[arg-type]


def test_everything_planted_is_there_before(planted: Planted) -> None:
    """The search finds what it looks for: else finding nothing afterwards would say nothing."""
    for person, traces in planted.of.items():
        found = planted.everywhere(person)
        assert {place.partition(": ")[2] for place in found} >= traces.keys()
    places = {place.partition(":")[0] for place in planted.everywhere(GUARDIAN)}
    assert places >= {
        "person.given_name",
        "address.value",
        "content.text",
        "template.text",
        "people_group.name",
        "remark.words",
        "answer.text",
        "answer.sender",
        "consent_entry.evidence",
        "content_attachment.name",
        "announcement.idempotency_key",
    }


def test_no_trace_of_a_guardian_is_in_any_column_of_any_table(planted: Planted) -> None:
    erase(planted.world, GUARDIAN)
    hashes = [place for place in planted.everywhere(GUARDIAN) if ": hash " in place]
    assert planted.everywhere(GUARDIAN) == hashes
    assert {place.partition(":")[0] for place in hashes} <= {"suppression.hash"}


def test_no_trace_of_a_pupil_is_in_any_column_of_any_table(planted: Planted) -> None:
    families.unblock(planted.world.ports, OTHER, PUPIL, why="over", actor=OFFICE)
    erase(planted.world, PUPIL)
    assert planted.everywhere(PUPIL) == []

"""Announcements and events written straight into a press's ledger: what stands on a board, whatever its words."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy import insert, select, update
from uuid6 import uuid7

from broker.actor import SYSTEM
from broker.announcement import FollowUp, People, Purpose, Urgency
from broker.delivery import State
from broker.diary import event_book
from broker.diary.events import ToldEvent
from broker.values import Lane
from ledger import tables as t
from tests.support.press import Press

LONDON = ZoneInfo("Europe/London")


def told_event(
    uid: str, starts: datetime, title: str, place: str = "", *, cancelled: bool = False
) -> ToldEvent:
    """One event of two hours, as a calendar tells it."""
    wall = starts.astimezone(LONDON).replace(tzinfo=None)
    first = datetime(2000, 1, 1)  # noqa: DTZ001 - a wall time has no zone
    return ToldEvent(uid, first, wall, starts, starts + timedelta(hours=2), title, place, cancelled=cancelled)


def bring_events(press: Press, audience: str, *titles: str, department: str = "music") -> None:
    """Events of these names on the coming days, each at half past two."""
    noon = datetime.now(UTC).replace(hour=14, minute=30, second=0, microsecond=0)
    told = [told_event(str(n), noon + timedelta(days=n + 2), title, "Hall") for n, title in enumerate(titles)]
    event_book.bring(
        press.house.ports,
        f"{department} {audience}",
        told,
        department=department,
        audience=audience,
        actor=SYSTEM,
    )


def put_up(
    press: Press,
    *words: tuple[str, str, str],
    audience: str = "everyone",
    channel: str = "rss",
    people: People = People.GUARDIANS,
    state: State = State.SENT,
    follows: tuple[str, FollowUp] | None = None,
    version: int = 1,
) -> Sequence[str]:
    """Announcements of the music department that have left, each (title, short, long); gives their public ids.

    `follows`: the public id of what they follow up, and as what. `version`: of the wording that left, the first one's
    texts behind its number.
    """
    now = datetime.now(UTC) - timedelta(hours=1)
    with press.house.ledger.reading() as hand:
        music = hand.connection.execute(
            select(t.department.c.id).where(t.department.c.slug == "music")
        ).scalar_one()
        first = (
            follows
            and hand.connection.execute(
                select(t.announcement.c.id).where(t.announcement.c.public_id == UUID(follows[0]))
            ).scalar_one()
        )
    if follows and follows[1] is FollowUp.CORRECTION:
        press.sql(update(t.announcement).where(t.announcement.c.id == first).values(corrected_at=now))
    made = []
    for n, texts in enumerate(words):
        at, public_id = now + timedelta(seconds=n), uuid7()
        values = {
            "public_id": public_id, "department_id": music, "digest": "0" * 64, "actor_kind": "person",
            "actor_id": "test", "purpose": Purpose.SERVICE.value, "urgency": Urgency.ROUTINE.value,
            "audience": audience, "people": people.value, "ways": f'[["{channel}"]]', "accepted_at": at,
            "approved_at": at, "due_at": at, "expires_at": at + timedelta(days=30), "fanned_out_at": at,
            "corrects": first, "follow_up": follows and follows[1].value,
        }  # fmt: skip
        press.sql(insert(t.announcement).values(values))
        with press.house.ledger.reading() as hand:
            of = select(t.announcement.c.id).where(t.announcement.c.public_id == public_id)
            number = hand.connection.execute(of).scalar_one()
        parts = [
            {
                "announcement_id": number, "version": each, "language": "", "part": part,
                "text": text if each == 1 else f"{each}: {text}",
            }
            for part, text in zip(("title", "short", "long"), texts, strict=True)
            for each in range(1, version + 1)
            if text
        ]  # fmt: skip
        delivery = {
            "announcement_id": number, "channel": channel, "account_id": 1,
            "address_id": None if channel == "rss" else 1, "lane": Lane.ROUTINE.value, "state": state.value,
            "due_at": at, "expires_at": at + timedelta(days=30), "created_at": at, "changed_at": at,
            "content_version": version,
        }  # fmt: skip
        press.sql(*(insert(t.content).values(part) for part in parts), insert(t.delivery).values(delivery))
        made.append(str(public_id))
    return made

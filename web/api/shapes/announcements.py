"""What is sent and told of announcements."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Annotated
from uuid import UUID

from fastapi import Header
from pydantic import Field, JsonValue

from broker.announcement import People, Purpose, Stage, Urgency
from broker.delivery import State
from broker.duty import DutyState
from broker.intake import Accepted
from web.api.calling import Reason
from web.api.drafting import Drafted
from web.api.shapes import HeldTold, Instant, NewFile, held
from web.api.strict import Shape, Told, example

MOST_NAMED = 500

Key = Annotated[
    str,
    Header(
        alias="Idempotency-Key",
        min_length=1,
        max_length=200,
        pattern=r"^[\x21-\x7e]+$",
        description="Makes the call safe to repeat: the same key with the same body is done once.",
        examples=["9f1c1e5e-5b8a-4a56-9a3f-0f6f3c0a4f11"],
    ),
]
EXAMPLE: JsonValue = {
    "to": "Choir",
    "ways": ["sms", "email"],
    "words": {"title": "Rehearsal", "long": "{pupil}: rehearsal at 15:30."},
}


class NewAnnouncement(Drafted):
    """What is to be announced. Words or a template, or a template and words that stand instead of some of its."""

    model_config = example(EXAMPLE)

    purpose: Purpose = Purpose.SERVICE
    urgency: Urgency = Urgency.ROUTINE
    send_at: Instant | None = None
    expires_at: Instant | None = None
    copies: list[Annotated[str, Field(max_length=100)]] = Field(default_factory=list, max_length=50)
    files: list[NewFile] = Field(default_factory=list, max_length=20)


class AcceptedTold(Told):
    """An announcement that was accepted; `created` is false where the key had been used for the same before."""

    id: UUID
    created: bool
    due_at: datetime
    expires_at: datetime
    held: HeldTold | None


def accepted_told(accepted: Accepted) -> AcceptedTold:
    """What was accepted, told."""
    it = accepted.announcement
    return AcceptedTold(
        id=it.public_id,
        created=accepted.created,
        due_at=it.due_at,
        expires_at=it.expires_at,
        held=held(accepted.hold),
    )


class CostTold(Told):
    """What a way would cost, as reckoned."""

    unit: Decimal
    messages: int
    total: Decimal
    currency: str
    left: Decimal | None


class VerdictTold(Told):
    """How the rules judge one way."""

    answer: str
    code: str
    why: str
    until: datetime | None


class ReadTold(Told):
    """What somebody would read: a mail has a subject, a post a text."""

    subject: str | None = None
    body: str | None = None
    text: str | None = None


class WayTold(Told):
    """One way: what an example family would read, and what it counts as."""

    account: str
    example_to: str = Field(description="Masked.")
    example: ReadTold
    parts: int
    notes: Sequence[str]
    addresses: int | None
    people: int | None
    verdict: VerdictTold
    cost: CostTold | None


class UntoldTold(Told):
    """Somebody whom no way reaches, and why."""

    name: str
    group: str
    why: str


class PreviewTold(Told):
    """What would go to whom; nothing was kept."""

    due_at: datetime
    expires_at: datetime
    people: int
    counted: int
    unreached: int
    untold: Sequence[UntoldTold] = Field(description=f"The first {MOST_NAMED}.")
    held: HeldTold | None
    ways: Mapping[str, WayTold]


class AnnouncementTold(Told):
    """An announcement as a list shows it. `channels`: channel → state → how many deliveries."""

    id: UUID
    department: str
    title: str
    to: str
    people: People
    purpose: Purpose
    urgency: Urgency
    ways: Sequence[str]
    stage: Stage
    settled: bool
    accepted_at: datetime
    due_at: datetime
    expires_at: datetime
    withdrawn_at: datetime | None
    channels: Mapping[str, Mapping[State, int]]


class StatusTold(AnnouncementTold):
    """Where it stands. `duties`: of the people who must be told, how many were.

    Where all its ways are for anybody to read, nobody is addressed, and nobody is counted.
    """

    author: str
    duties: Mapping[DutyState, int]
    retracting: int
    held: HeldTold | None


class WithdrawnTold(Told):
    """It was taken back: how many deliveries had not left."""

    id: UUID
    withdrawn: int
    retracting: int


class DutyWayTold(Told):
    """One delivery that covers somebody."""

    delivery: int
    channel: str
    address: str = Field(description="Masked.")
    state: State
    why: str


class DutyTold(Told):
    """One person who must be told, and how it stands."""

    person: UUID
    name: str
    state: DutyState
    ways: Sequence[DutyWayTold]
    why: str


class Override(Shape):
    """Why it cannot wait."""

    model_config = example({"why": "the coach leaves in ten minutes"})

    why: Reason

"""What follows up something said: corrections, edits, withdrawals that are told, and saying it once more."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, BackgroundTasks, Response
from pydantic import Field

from broker import judging
from broker.announcement import AS_CORRECTION, RIGHT_TEXT, Draft, FollowUp, Stage
from broker.corrections import verbs
from broker.corrections.law import LEAD
from broker.delivery import State
from broker.office import families
from broker.ports.api import Scope
from ledger.reads.threads import thread as thread_of
from web.api.calling import Call, Page, wants
from web.api.drafting import accept, answered
from web.api.errors import THERE, answers
from web.api.shapes import MOST_WITH_FILES, HeldTold, Instant, NewFile, Words, held
from web.api.shapes.announcements import AcceptedTold, Key, VerdictTold, accepted_told
from web.api.strict import Sent, Shape, StrictRoute, Told, example

router = APIRouter(tags=["announcements"], route_class=StrictRoute)
SAYS = answers(401, 403, 404, 409, 413, 422, 503)
WRITES = {"x-scope": Scope.ANNOUNCEMENTS_WRITE}
WITH_FILES = {**WRITES, "x-most": MOST_WITH_FILES}
CREATED = {200: {"model": AcceptedTold, "description": THERE}, **SAYS}


class Said(Shape):
    """What somebody says about it beside its words; what is left out is as it was the first time."""

    urgent: bool = False
    expires_at: Instant | None = None
    expect: Annotated[int, Field(ge=0, le=10_000_000)] | None = None
    files: list[NewFile] = Field(default_factory=list, max_length=20)

    def wanted(self, key: str | None, lead: str = LEAD) -> verbs.Wanted:
        """As the law has it."""
        return verbs.Wanted(
            urgent=self.urgent,
            lead=lead,
            key=key,
            expires_at=self.expires_at,
            expected=self.expect,
            attachments=tuple(file.attachment() for file in self.files),
        )


class Correction(Said):
    """What is right. `lead`: what those read first who have the wrong text. A `typo` is mended where it is shown."""

    model_config = example({"words": {"long": "The coach leaves at nine."}, "urgent": True})

    words: Words
    lead: Annotated[str, Field(min_length=1, max_length=200)] = LEAD.strip()
    typo: bool = False


class Withdrawal(Said):
    """What those read whom it had reached."""

    model_config = example({"words": {"long": "There is no rehearsal today, whatever we wrote."}})

    words: Words


class Resend(Shape):
    """To whom it is said again: people by the school's own ids or ours, or all who joined its groups since."""

    model_config = example({"people": ["P0417"]})

    people: list[Annotated[str, Field(min_length=1, max_length=200)]] = Field(
        default_factory=list, max_length=500
    )
    joined: bool = False
    new_addresses: bool = Field(False, description="Only by addresses that nothing of it went to.")
    copies: list[Annotated[str, Field(min_length=1, max_length=200)]] = Field(
        default_factory=list, max_length=20
    )
    urgent: bool = False


class CountedTold(Told):
    """By one way: how many read that it is corrected, and how many the right text alone."""

    corrections: int
    right_text: int


class WayAgainTold(Told):
    """One delivery that would be. `new`: nothing of it went there before."""

    channel: str
    address: str = Field(description="Masked.")
    new: bool


class ToldAgainTold(Told):
    """Somebody to whom it would be said again."""

    person: UUID
    name: str
    ways: Sequence[WayAgainTold]


class OnAccountTold(VerdictTold):
    """What the rules say to it on one account."""

    account: str
    channel: str


class FollowUpTold(Told):
    """What it would do at this moment. `undecided`: messages that are not settled; decided when they are."""

    people: int
    ways: Mapping[str, CountedTold]
    undecided: int
    to: Sequence[ToldAgainTold]
    verdicts: Sequence[OnAccountTold]
    held: HeldTold | None
    expires_at: datetime


class WithdrawnAndToldTold(AcceptedTold):
    """It was taken back: how many deliveries had not left; and what tells of it."""

    withdrawn: int


class SaidTold(Told):
    """One announcement of a thread. `follow_up` is null for the first."""

    id: UUID
    follow_up: FollowUp | None
    first: UUID | None
    corrected_by: UUID | None
    accepted_at: datetime
    stage: Stage
    channels: Mapping[str, Mapping[State, int]]


@router.post(
    "/announcements/{id}/correct",
    operation_id="correct_announcement",
    status_code=201,
    responses=CREATED,
    openapi_extra=WITH_FILES,
)
def correct(
    id: UUID,
    said: Sent[Correction],
    response: Response,
    later: BackgroundTasks,
    key: Key,
    call: Call = wants(Scope.ANNOUNCEMENTS_WRITE),
) -> AcceptedTold:
    """Say rightly what it said wrongly, to all whom it told or was to tell; what has not left never will."""
    call.announcement(id)
    return accepted_told(accept(call, _correction(call, id, said, key), response, later))


@router.post(
    "/announcements/{id}/correct/preview",
    operation_id="preview_correction",
    responses=SAYS,
    openapi_extra=WITH_FILES,
)
def preview_correction(
    id: UUID, said: Sent[Correction], call: Call = wants(Scope.ANNOUNCEMENTS_WRITE)
) -> FollowUpTold:
    """Say who would read which text. Nothing is kept."""
    call.announcement(id)
    return _shown(call, _correction(call, id, said, None))


@router.post(
    "/announcements/{id}/withdraw-and-tell",
    operation_id="withdraw_announcement_and_tell",
    status_code=201,
    responses={200: {"model": WithdrawnAndToldTold, "description": THERE}, **SAYS},
    openapi_extra=WITH_FILES,
)
def withdraw_and_tell(
    id: UUID,
    said: Sent[Withdrawal],
    response: Response,
    key: Key,
    call: Call = wants(Scope.ANNOUNCEMENTS_WRITE),
) -> WithdrawnAndToldTold:
    """Take it back, and tell those whom it had reached."""
    call.announcement(id)
    draft = verbs.withdrawal(call.ports, id, said.words.parts(), said.wanted(key))
    withdrawn, accepted = verbs.withdraw_and_tell(call.ports, draft, actor=call.actor)
    told = accepted_told(answered(accepted, response))
    return WithdrawnAndToldTold(**told.model_dump(), withdrawn=withdrawn)


@router.post(
    "/announcements/{id}/resend",
    operation_id="resend_announcement",
    status_code=201,
    responses=CREATED,
    openapi_extra=WRITES,
)
def resend(
    id: UUID,
    said: Sent[Resend],
    response: Response,
    later: BackgroundTasks,
    key: Key,
    call: Call = wants(Scope.ANNOUNCEMENTS_WRITE),
) -> AcceptedTold:
    """Say it once more: to people named, by new addresses, or to those who joined since."""
    call.announcement(id)
    return accepted_told(accept(call, _again(call, id, said, key), response, later))


@router.post(
    "/announcements/{id}/resend/preview",
    operation_id="preview_resend",
    responses=SAYS,
    openapi_extra=WRITES,
)
def preview_resend(
    id: UUID, said: Sent[Resend], call: Call = wants(Scope.ANNOUNCEMENTS_WRITE)
) -> FollowUpTold:
    """Say who would get it by which way. Nothing is kept."""
    call.announcement(id)
    return _shown(call, _again(call, id, said, None))


@router.get(
    "/announcements/{id}/thread",
    operation_id="get_thread",
    responses=answers(401, 403, 404, 422, 503),
    openapi_extra={"x-scope": Scope.ANNOUNCEMENTS_READ},
)
def thread(id: UUID, call: Call = wants(Scope.ANNOUNCEMENTS_READ)) -> Page[SaidTold]:
    """List all that was said in one matter: the first announcement, its corrections, edits and resends."""
    call.announcement(id)
    with call.ledger.reading() as hand:
        found = thread_of(hand, id)
    return Page(items=[SaidTold.model_validate(one) for one in found], next=None)


def _correction(call: Call, id: UUID, said: Correction, key: str | None) -> Draft:
    make: Callable[..., Draft] = verbs.edit if said.typo else verbs.correction
    return make(call.ports, id, said.words.parts(), said.wanted(key, said.lead))


def _again(call: Call, id: UUID, said: Resend, key: str | None) -> Draft:
    with call.ledger.look() as tx:
        people = [families.the(tx, who, "people").public_id for who in said.people]
    wanted = verbs.Wanted(urgent=said.urgent, key=key, copies=tuple(dict.fromkeys(said.copies)))
    return verbs.resend(
        call.ports, id, people, joined=said.joined, new_addresses=said.new_addresses, wanted=wanted
    )


def _shown(call: Call, draft: Draft) -> FollowUpTold:
    found = verbs.shown(call.ports, draft, actor=call.actor)
    return FollowUpTold(
        people=found.counted,
        ways={
            channel: CountedTold(
                corrections=counted.get(AS_CORRECTION, 0), right_text=counted.get(RIGHT_TEXT, 0)
            )
            for channel, counted in found.ways.items()
        },
        undecided=found.undecided,
        to=[
            ToldAgainTold(
                person=one.person,
                name=one.name,
                ways=[
                    WayAgainTold(channel=way.channel, address=way.address, new=bool(way.replaces))
                    for way in one.ways
                ],
            )
            for one in found.people
        ],
        verdicts=[_ruling(one) for one in found.rulings],
        held=held(found.hold),
        expires_at=found.expires_at,
    )


def _ruling(one: judging.Ruling) -> OnAccountTold:
    return OnAccountTold(
        account=one.account.name,
        channel=one.account.channel,
        answer=one.answer,
        code=one.verdict.code,
        why=one.verdict.why,
        until=getattr(one.verdict, "until", None),
    )

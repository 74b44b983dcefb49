"""An announcement's pages: how it stands, live; its people; its ways in order; its deliveries; its history."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Path, Response
from markupsafe import Markup

from broker.announcement import Stage
from broker.delivery import REQUEUEABLE
from broker.duty import DutyState
from broker.ladders.ladder import IN_WORDS
from broker.office.reach import kinds_of
from broker.ports.approvals import OperatorRole
from ledger.authority.approvals import Approvals
from ledger.corrections.threads import chain
from ledger.hand import Hand
from ledger.reads.approvals import decided
from ledger.reads.deliveries import Listed, Wanted, deliveries
from ledger.reads.duties import is_for_anybody
from ledger.reads.files import files_of
from ledger.reads.ladders import climbers, laddered
from ledger.reads.reached import reached_in_order, unmet_in_order
from ledger.reads.threads import thread
from ledger.reads.timeline import held, timeline
from ledger.reads.tries import tries
from ledger.reads.watch import MOST_WORDING, Shown, one, zone
from web.watch.announcement import acting, words
from web.watch.announcement.history import moments
from web.watch.announcement.offers import offers
from web.watch.announcement.person import person as person_of
from web.watch.announcement.topic import SHOWS, Detail
from web.watch.desk import LARGEST, At, Desk, uuid_of
from web.watch.hub import Hub
from web.watch.signing_in import NoPage

router = APIRouter()
Number = Annotated[int, Path(ge=1, le=LARGEST)]
NAMES = 100
CLIMBERS = 50
# What the record tells of a decision by: only then is there one to look for.
DECIDED = frozenset({"announcement.approved", "announcement.rejected", "announcement.overridden"})
# Whom the page of people shows, by a word in its address.
WHO: dict[str, tuple[str, DutyState | None]] = {
    "": ("Not told", None),
    "open": ("Still open", DutyState.OPEN),
    "never": ("Could not be told", DutyState.LAPSED),
    "told": ("Told", DutyState.MET),
}


@router.get("/watch/{public_id:uuid}")
def announcement(public_id: UUID, at: Desk) -> Response:
    """One announcement and its deliveries, live."""
    topic = detail_of(at, public_id)
    hub: Hub = at.request.app.state.hub
    with at.reading() as hand:
        row = one(hand, public_id, at.department, most=MOST_WORDING)
        if row is None:
            raise NoPage(404, "not_found")
        local = zone(hand)
        painted = topic.of(hand, hub.counts, row, local, exact=True)
        decides = at.may(OperatorRole.APPROVER) and _waits(hand, row)
        files = files_of(hand, row.announcement.id)
        # A no and its reason stand where its author looks; of what went on, the history tells.
        decisions = decided(hand, public_id) if row.stage is Stage.WITHDRAWN else ()
    asked = f"events?of={public_id}&show={topic.show}"
    asked += f"&channel={topic.channel}" if topic.channel else ""
    return at.page(
        "announcement/detail",
        parts=[Markup(part) for part in painted.parts.values()],  # noqa: S704 - escaped when it was painted
        live=asked if topic.before is None else None,
        shown=row,
        decides=decides,
        decisions=decisions,
        files=files,
        zone=local,
    )


@router.get("/watch/{public_id:uuid}/people")
def people(public_id: UUID, at: Desk) -> Response:
    """Who was told and who was not, by name and with the reason: somebody has to ring them.

    On a page of its own, asked for on purpose, and not on the one that hangs open on a wall.
    """
    show, after = at.query("show"), at.number("after") or 0
    if show not in WHO:
        raise NoPage(404, "not_found")
    with at.reading() as hand:
        row = the(hand, at, public_id)
        kinds = kinds_of(at.ports.channels, row.announcement)
        only = WHO[show][1]
        look = reached_in_order if only is DutyState.MET else unmet_in_order
        told, more = look(hand, row.announcement, after=after, limit=NAMES, only=only, kinds=kinds)
        for_anybody = not told and is_for_anybody(hand, row.announcement)
    return at.page(
        "announcement/people",
        shown=row,
        told=told,
        more=more,
        after=after,
        show=show,
        who={key: label for key, (label, _) in WHO.items()},
        for_anybody=for_anybody,
        offers=acting.offered(at, row),
        words=words,
    )


@router.get("/watch/{public_id:uuid}/people/{duty}")
def person(public_id: UUID, duty: Number, at: Desk) -> Response:
    """One person: every way in its order, when it was tried, and which comes next and when."""
    return show_person(at, public_id, duty)


def show_person(at: At, public_id: UUID, duty: int, status: int = 200, **known: object) -> Response:
    """The page of one person; `known`: what was refused."""
    with at.ledger.look() as tx:
        row = the(tx.hand, at, public_id)
        found = person_of(tx, row.announcement, duty, kinds_of(at.ports.channels, row.announcement))
    if found is None:
        raise NoPage(404, "not_found")
    return at.page(
        "announcement/person",
        status,
        shown=row,
        person=found,
        offers=acting.offered(at, row),
        words=words,
        IN_WORDS=IN_WORDS,
        **known,
    )


@router.get("/watch/{public_id:uuid}/ladder")
def ladder(public_id: UUID, at: Desk) -> Response:
    """The ways in order: how many stand on each, and by name who does, what came of each way, and why the next."""
    step, after, unmet = at.number("step"), at.number("after") or 0, at.query("unmet") == "1"
    with at.reading() as hand:
        row = the(hand, at, public_id)
        whole = laddered(hand, public_id)
        if whole is None or whole.ladder is None:
            raise NoPage(404, "not_found")
        kinds = kinds_of(at.ports.channels, row.announcement)
        found = climbers(
            hand, row.announcement, rung=step, unmet=unmet, after=after, limit=CLIMBERS, kinds=kinds
        )
    return at.page(
        "announcement/ladder",
        shown=row,
        whole=whole,
        found=found,
        step=step,
        unmet=unmet,
        after=after,
        more=found[-1].duty if len(found) == CLIMBERS else None,
        words=words,
        IN_WORDS=IN_WORDS,
    )


@router.get("/watch/{public_id:uuid}/deliveries/{delivery}")
def delivery(public_id: UUID, delivery: Number, at: Desk) -> Response:
    """One delivery: each try of it, and what a person may decide about it."""
    return show_delivery(at, public_id, delivery)


@router.get("/watch/{public_id:uuid}/history")
def history(public_id: UUID, at: Desk) -> Response:
    """What happened, from the record; what was decided; what was said about it since; what is held for the law."""
    return show_history(at, public_id)


def show_history(at: At, public_id: UUID, status: int = 200, **known: object) -> Response:
    """The same; `known`: what was refused."""
    with at.ledger.look() as tx:
        row = the(tx.hand, at, public_id)
        found = timeline(tx.hand, row.announcement.id)
        told = moments(row, found, tx.now)
        said = thread(tx.hand, public_id) if len(chain(tx.hand, row.announcement.id)) > 1 else ()
        holds = held(tx.hand, row.announcement.id) if at.may(OperatorRole.ADMIN) else ()
        decisions = decided(tx.hand, public_id) if DECIDED & found.spans.keys() else ()
    return at.page(
        "announcement/history",
        status,
        shown=row,
        moments=told,
        more=found.more,
        thread=said,
        decisions=decisions,
        holds=holds,
        words=words,
        **known,
    )


def show_delivery(at: At, public_id: UUID, number: int, status: int = 200, **known: object) -> Response:
    """The page of one delivery; `known`: what was refused, or shown in full."""
    with at.reading() as hand:
        row, found = the_delivery(hand, at, public_id, number)
        tried = tries(hand, number)
    return at.page(
        "announcement/delivery",
        status,
        shown=row,
        delivery=found,
        tried=tried,
        offers=acting.offered(at, row),
        words=words,
        **{"full": "", "tried_again": False, "requeueable": REQUEUEABLE, **known},
    )


def the(hand: Hand, at: At, public_id: UUID) -> Shown:
    """An announcement that is there for whoever looks. Raises NoPage."""
    row = one(hand, public_id, at.department)
    if row is None:
        raise NoPage(404, "not_found")
    return row


def the_delivery(hand: Hand, at: At, public_id: UUID, number: int) -> tuple[Shown, Listed]:
    """A delivery of an announcement that is there for whoever looks. Raises NoPage."""
    row = the(hand, at, public_id)
    found = deliveries(hand, Wanted(public_id, delivery=number, department=at.department), limit=1)
    if not found:
        raise NoPage(404, "not_found")
    return row, found[0]


def detail_of(at: At, public_id: UUID) -> Detail:
    """What is watched of one announcement, with the filters of the address. Raises NoPage."""
    show, channel = at.query("show") or "all", at.query("channel") or None
    if show not in SHOWS or (channel is not None and not acting.is_name(channel)):
        raise NoPage(404, "not_found")
    return Detail(
        public_id,
        show,
        channel,
        at.number("before"),
        at.department,
        acts=at.may(*acting.ACTS),
        stops=at.may(*acting.STOPS),
    )


def there(at: At, public_id: str) -> Detail:
    """What is to be watched, if it is there for whoever looks. Raises NoPage."""
    topic = detail_of(at, uuid_of(public_id))
    with at.reading() as hand:
        the(hand, at, topic.announcement)
    return topic


def _waits(hand: Hand, row: Shown) -> bool:
    """Whether a second person is asked; of what goes out already, whether some of it was stopped on its way."""
    if offers(row, hand.now, acts=False, stops=False).waits:
        return True
    if row.announcement.fanned_out_at is None or row.settled:
        return False
    return Approvals(hand).waits_in_mid_send(row.announcement.id)

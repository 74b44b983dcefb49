"""What became of announcements and deliveries, and what a person decides about them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from typing import Annotated, Any
from uuid import UUID
from zoneinfo import ZoneInfo

import typer

from broker import intake, recover
from broker.actor import Actor
from broker.announcement import Part, stage_in_words
from broker.corrections import verbs
from broker.delivery import FAILED, REACHED, State
from broker.errors import RuleBroken
from broker.privacy import erasure
from cli import show
from cli.follow import as_told, follow, looking, show_status
from cli.house import reading, writing, zone_of
from cli.options import Json, Operator, asking
from cli.reading import LARGEST_ID, announcement_id, bad, delivery_number, short_words
from cli.who import everybody, show_who
from config.assembly import House
from ledger.reads.announcements import latest
from ledger.reads.deliveries import Listed, Wanted
from ledger.reads.deliveries import deliveries as listed

AnnouncementId = Annotated[str, typer.Argument(metavar="ID", help="The announcement.", show_default=False)]
DeliveryId = Annotated[
    int,
    typer.Argument(
        metavar="DELIVERY",
        parser=delivery_number,
        help="Its number in `carillon deliveries`.",
    ),
]
Why = Annotated[str, typer.Option(metavar="WORDS", help="The reason, for the record.")]


def status(
    id: Annotated[
        str | None, typer.Argument(help="The announcement; left out, the latest are listed.")
    ] = None,
    watch: Annotated[bool, typer.Option("--watch", help="Follow it live until all is settled.")] = False,
    who: Annotated[
        bool, typer.Option("--who", help="List everybody, told or not, with the way or why.")
    ] = False,
    json: Json = False,
) -> None:
    """Where an announcement stands: deliveries by channel and state, people told and not.

    Examples:

    * `carillon status`
    * `carillon status 0193… --watch`
    * `carillon status 0193… --who --json`
    """
    with reading() as house:
        if id is None:
            _list_latest(house, json=json)
            return
        look = looking(house.ledger, announcement_id(id))
        changed = (lambda now: show.as_json(as_told(now))) if json and watch else None
        found = follow(look, until=lambda now: now.settled or not watch, quiet=json, changed=changed)
        if not json:
            show_status(found)
            show_who(house, found, everyone=who)
        elif not watch:
            people = [asdict(one) for one in everybody(house, found.announcement)] if who else None
            show.as_json({**as_told(found), **({"who": people} if who else {})})


@dataclass(frozen=True, slots=True, kw_only=True)
class Listing:
    """Which deliveries were asked for."""

    failed: Annotated[
        bool, typer.Option("--failed", help="Refused, rejected, given up or uncertain: what needs a person.")
    ] = False
    announcement: Annotated[str | None, typer.Option(metavar="ID", help="Of one announcement.")] = None
    channel: Annotated[str | None, typer.Option(metavar="NAME", help="By one channel.")] = None
    state: Annotated[list[State] | None, typer.Option(help="In this state; may be repeated.")] = None
    before: Annotated[
        int | None, typer.Option(min=1, max=LARGEST_ID, metavar="DELIVERY", help="Older than this one.")
    ] = None
    limit: Annotated[int, typer.Option(min=1, max=1000, help="How many at most.")] = 100
    reveal: Annotated[
        str | None,
        typer.Option(metavar="WORDS", help="Show addresses in full, for this reason; the record keeps it."),
    ] = None
    operator: Operator = None
    json: Json = False


@asking(Listing)
def deliveries(asked: Listing) -> None:
    """List deliveries, the newest first; addresses are masked, unless a reason is given that the record keeps.

    Examples:

    * `carillon deliveries --failed`
    * `carillon deliveries --failed --reveal "which numbers bounced, for the form tutors"`
    * `carillon deliveries --announcement 0193… --channel email --state uncertain`
    """
    wanted = Wanted(
        announcement_id(asked.announcement) if asked.announcement is not None else None,
        short_words(asked.channel, "channel") if asked.channel is not None else None,
        _states(asked.failed, asked.state),
    )
    with reading() as house:
        if asked.channel is not None:
            house.ways_out.traits(asked.channel)
        with house.ledger.reading() as hand:
            found = listed(hand, wanted, before=asked.before, limit=asked.limit)
        zone = zone_of(house)
    if asked.reveal is not None:
        found = _revealed(found, asked.reveal, asked.operator)
    following = found[-1].id if len(found) == asked.limit else None
    if asked.json:
        show.as_json({"deliveries": found, "next": following})
    else:
        _show(found, following, zone)


def _revealed(found: Sequence[Listed], why: str, operator: str | None) -> Sequence[Listed]:
    """With their addresses in full, which the record is told first."""
    reason = short_words(why, "reveal")
    with writing(operator) as (house, actor):
        full = erasure.reveal_deliveries(house.ports, [one.id for one in found], why=reason, actor=actor)
    return [replace(one, address=full.get(one.id, one.address)) for one in found]


def _show(found: Sequence[Listed], following: int | None, zone: ZoneInfo) -> None:
    show.table(
        ("delivery", "channel", "to", "state", "why", "changed"),
        [
            (
                d.id,
                d.channel,
                d.address,
                show.state(d.state, short=True),
                d.why or d.code,
                show.wall(d.changed_at, zone, "%m-%d %H:%M"),
            )
            for d in found
        ],
        none="there are none",
    )
    if following is not None:
        show.hint(f"more with: --before {following}")


def withdraw(
    id: AnnouncementId,
    tell: Annotated[
        str | None,
        typer.Option(metavar="TEXT", help="Tell those whom it reached, or may have, by the same ways."),
    ] = None,
    operator: Operator = None,
    json: Json = False,
) -> None:
    """Take an announcement back: nothing of it starts more than a second from now.

    A worker deletes what was posted in public; texts and mails that have left cannot be called back. `carillon status`
    shows how much that is. What corrects it or says it again is taken back with it.

    Examples:

    * `carillon withdraw 0193…`
    * `carillon withdraw 0193… --tell "There is no rehearsal today after all."`
    """
    public_id = announcement_id(id)
    told: intake.Accepted | None = None
    with writing(operator) as (house, actor):
        if tell is None:
            withdrawn = intake.withdraw(house.ports, public_id, actor=actor)
        else:
            withdrawn, told = _withdraw_and_tell(house, public_id, tell, actor=actor)
        now = looking(house.ledger, public_id)()
    if json:
        facts = {"announcement": public_id, "withdrawn": withdrawn, "retracting": now.retracting}
        show.as_json({**facts, **({"told_by": told.announcement.public_id} if told else {})})
        return
    left = sum(n for counted in now.channels.values() for state, n in counted.items() if state in REACHED)
    stopped = f"{show.many(withdrawn, 'delivery', 'deliveries')} stopped before leaving" if withdrawn else ""
    gone = (
        f"{show.many(left, 'message')} had left already" if left else "" if withdrawn else "nothing had left"
    )
    show.say(f"withdrawn: {', '.join(filter(None, (stopped, gone)))}")
    if now.retracting:
        show.say(f"taken back from the public by a worker: {now.retracting}")
    if told is not None:
        show.say(f"those whom it reached are told by: {told.announcement.public_id}")


def _withdraw_and_tell(
    house: House, public_id: UUID, tell: str, *, actor: Actor
) -> tuple[int, intake.Accepted]:
    try:
        draft = verbs.withdrawal(house.ports, public_id, {Part.LONG: tell})
        return verbs.withdraw_and_tell(house.ports, draft, actor=actor)
    except RuleBroken as broken:
        if broken.problem.field in {"long", "short"}:  # called as it was typed
            broken.problem = replace(broken.problem, field="tell")
        raise


def requeue(delivery: DeliveryId, why: Why = "", operator: Operator = None, json: Json = False) -> None:
    """Try a refused, rejected, given-up or uncertain delivery again; the rules judge it anew.

    Example: `carillon requeue 4711 --why "number corrected at the provider"`
    """
    reason = short_words(why, "why") if why else ""
    with writing(operator) as (house, actor):
        recover.requeue(house.ports, delivery, actor=actor, why=reason)
    _done({"delivery": delivery, "state": State.QUEUED}, f"delivery {delivery} is queued again", json=json)


def settle(delivery: DeliveryId, why: Why = "", operator: Operator = None, json: Json = False) -> None:
    """Leave an uncertain delivery as it is: it may have left, and nobody will try again.

    Example: `carillon settle 4711 --why "the family says that it came"`
    """
    reason = short_words(why, "why") if why else ""
    with writing(operator) as (house, actor):
        recover.settle(house.ports, delivery, actor=actor, why=reason)
    _done(
        {"delivery": delivery, "state": State.UNCERTAIN, "settled_by": actor.id},
        f"delivery {delivery} stays uncertain and is settled",
        json=json,
    )


def _states(failed: bool, named: list[State] | None) -> frozenset[State] | None:
    if failed and named:
        raise bad(
            "states_twice", "state", "--failed names states already", "give one of --failed and --state"
        )
    return FAILED if failed else frozenset(named) if named else None


def _list_latest(house: House, *, json: bool) -> None:
    with house.ledger.reading() as hand:
        found = latest(hand)
    if json:
        show.as_json({"announcements": found})
        return
    zone = zone_of(house)
    show.table(
        ("announcement", "accepted", "stage", "what"),
        [
            (
                a.id,
                show.wall(a.accepted_at, zone, "%m-%d %H:%M"),
                stage_in_words(a.stage, settled=a.settled, went_out=a.went_out),
                f"{a.audience}: {a.title}",
            )
            for a in found
        ],
        none="nothing has been announced yet",
        short="what",
    )


def _done(told: dict[str, Any], sentence: str, *, json: bool) -> None:
    show.as_json(told) if json else show.say(sentence)

"""`carillon correct`, `carillon resend` and `carillon thread`: what follows up something said."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Annotated, Any

import typer

from broker import intake
from broker.actor import Actor, ActorKind
from broker.announcement import AS_CORRECTION, RIGHT_TEXT, Draft, Part, stage_in_words
from broker.corrections import verbs
from broker.corrections.law import LEAD
from broker.corrections.verbs import Shown, Wanted
from broker.duty import Unreached
from broker.errors import NotFound, Problem, RuleBroken
from broker.moments import instant
from broker.office import families
from broker.ports.threads import PlannedFor, PlannedWay
from cli import show
from cli.held import held_as_told
from cli.house import reading, writing, zone_of
from cli.options import Json, Operator, Zone, asking
from cli.reading import STDIN, announcement_id, attachment_from, short_words, text_from
from cli.rehearsal import MOST_NAMED
from config.assembly import House
from ledger.reads.threads import thread as thread_of

Id = Annotated[str, typer.Argument(metavar="ID", help="The announcement.", show_default=False)]
Expires = Annotated[
    str | None, typer.Option(metavar="TIME", help="Nothing starts after this; else as the first one.")
]
Expect = Annotated[
    int | None, typer.Option(min=0, max=10_000_000, metavar="N", help="How many people it is meant to tell.")
]


@dataclass(frozen=True, slots=True, kw_only=True)
class Correcting:
    """A correction as it was typed."""

    id: Id
    text: Annotated[str, typer.Argument(help="What is right, Markdown allowed; - reads standard input.")]
    title: Annotated[str | None, typer.Option(help="The subject of mails.")] = None
    short: Annotated[str | None, typer.Option(help="A shorter wording for texts and posts.")] = None
    lead: Annotated[
        str, typer.Option(metavar="WORDS", help="What those read first who have the wrong text.")
    ] = LEAD.strip()
    typo: Annotated[
        bool, typer.Option("--typo", help="A slip of the pen: change it in feeds, and tell nobody.")
    ] = False
    urgent: Annotated[bool, typer.Option("--urgent", help="Ahead of everything, without a wait.")] = False
    attach: Annotated[
        list[Path] | None, typer.Option(metavar="PATH", help="A file that goes with mails; may be repeated.")
    ] = None
    expires: Expires = None
    zone: Zone = None
    expect: Expect = None
    key: Annotated[str | None, typer.Option(help="Makes the call safe to repeat.")] = None
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Show who would get which text; keep nothing.")
    ] = False
    operator: Operator = None
    json: Json = False


@asking(Correcting)
def correct(asked: Correcting) -> None:
    """Say rightly what an announcement said wrongly, to all whom it told or was to tell.

    Who has the wrong text, or may have, reads that it is corrected; the others get the right text instead. What has not
    left never will. Posts are replaced, feeds change in place.

    Examples:

    * `carillon correct 0193… "The coach leaves at nine." --dry-run`
    * `carillon correct 0193… "The coach leaves at nine." --urgent`
    * `carillon correct 0193… "Rehearsal on Thursday" --typo`
    """
    with _asked(asked.operator, kept=not asked.dry_run) as (house, actor):
        draft = _correction(house, asked)
        if asked.dry_run:
            _show(house, verbs.shown(house.ports, draft, actor=actor), json=asked.json)
            return
        accepted = intake.accept(house.ports, draft, actor=actor)
    _answer(house, accepted, json=asked.json)


@dataclass(frozen=True, slots=True, kw_only=True)
class Resending:
    """To whom something is sent again, as it was typed."""

    id: Id
    person: Annotated[
        list[str] | None,
        typer.Option(metavar="WHO", help="A pupil or member of staff, by id or name; may be repeated."),
    ] = None
    joined: Annotated[bool, typer.Option("--joined", help="All who joined its groups since.")] = False
    new_addresses: Annotated[
        bool, typer.Option("--new-addresses", help="Only by addresses that nothing of it went to.")
    ] = False
    all_ways: Annotated[
        bool,
        typer.Option("--all-ways", help="Of ways in order by all at once, not only by those that opened."),
    ] = False
    copy: Annotated[
        list[str] | None,
        typer.Option(metavar="ID", help="A member of staff who reads it too (the roster's id)."),
    ] = None
    urgent: Annotated[bool, typer.Option("--urgent", help="Ahead of everything, without a wait.")] = False
    send: Annotated[bool, typer.Option("--send", help="Send it; without this it is only shown.")] = False
    key: Annotated[str | None, typer.Option(help="Makes the call safe to repeat.")] = None
    operator: Operator = None
    json: Json = False


@asking(Resending)
def resend(asked: Resending) -> None:
    """Say something once more: to people named, by new addresses, or to those who joined since.

    First it is shown who would get it by which way, and what the rules say to so few; `--send` sends it. Of ways in
    order it goes to each by those that have opened for them, and the others open in their turn; `--all-ways` waits for
    none.

    Examples:

    * `carillon resend 0193… --person "Amy Bell"`
    * `carillon resend 0193… --person 4711 --new-addresses --send`
    * `carillon resend 0193… --joined --send`
    """
    with _asked(asked.operator, kept=asked.send) as (house, actor):
        draft = _again(house, asked)
        if not asked.send:
            _show(house, verbs.shown(house.ports, draft, actor=actor), json=asked.json)
            if not asked.json:
                show.hint("to send it, say the same with --send")
            return
        accepted = intake.accept(house.ports, draft, actor=actor)
    _answer(house, accepted, json=asked.json)


def thread(id: Id, json: Json = False) -> None:
    """All that was said in one matter: the first announcement, its corrections, edits and resends.

    Example: `carillon thread 0193…`
    """
    with reading() as house:
        with house.ledger.reading() as hand:
            found = thread_of(hand, announcement_id(id))
        zone = zone_of(house)
    if not found:
        hint = "list the latest with: carillon status"
        raise NotFound(Problem("not_found", "id", "there is no such announcement", hint))
    if json:
        show.as_json({"thread": found})
        return
    rows = [
        (
            one.id,
            show.wall(one.accepted_at, zone, "%m-%d %H:%M"),
            one.follow_up or "the first",
            stage_in_words(one.stage, settled=one.settled, went_out=bool(one.channels)),
            "; ".join(f"{channel}: {show.states(states)}" for channel, states in one.channels.items()),
        )
        for one in found
    ]
    headers = ("announcement", "accepted", "what", "stage", "deliveries")
    show.table(headers, rows, below=("deliveries",))


@contextmanager
def _asked(operator: str | None, *, kept: bool) -> Iterator[tuple[House, Actor]]:
    """The house, and who asks; nobody has to be named for what is only shown. Fields are called as they were typed."""
    try:
        if kept:
            with writing(operator) as (house, actor):
                yield house, actor
            return
        with reading() as house:
            yield house, Actor(ActorKind.PERSON, operator or house.settings.operator or "somebody")
    except RuleBroken as broken:
        names = {"long": "text", "short": "text", "urgency": "urgent", "people": "person"}
        broken.problem = replace(broken.problem, field=names.get(broken.problem.field, broken.problem.field))
        raise


def _correction(house: House, asked: Correcting) -> Draft:
    typed = text_from(STDIN) if asked.text == str(STDIN) else asked.text
    given = {Part.TITLE: asked.title, Part.SHORT: asked.short, Part.LONG: typed}
    parts = {part: words for part, words in given.items() if words is not None}
    where = asked.zone or str(zone_of(house))
    wanted = Wanted(
        urgent=asked.urgent,
        lead=asked.lead,
        key=asked.key,
        expires_at=instant(asked.expires, zone=where, field="expires") if asked.expires else None,
        expected=asked.expect,
        attachments=tuple(attachment_from(path) for path in asked.attach or ()),
    )
    make = verbs.edit if asked.typo else verbs.correction
    return make(house.ports, announcement_id(asked.id), parts, wanted)


def _again(house: House, asked: Resending) -> Draft:
    with house.ledger.look() as tx:
        people = [
            families.the(tx, short_words(who, "person"), "person").public_id for who in asked.person or ()
        ]
    wanted = Wanted(urgent=asked.urgent, key=asked.key, copies=tuple(dict.fromkeys(asked.copy or ())))
    return verbs.resend(
        house.ports,
        announcement_id(asked.id),
        people,
        joined=asked.joined,
        new_addresses=asked.new_addresses,
        at_once=asked.all_ways,
        wanted=wanted,
    )


def _show(house: House, found: Shown, *, json: bool) -> None:
    """What it would do, with nothing kept."""
    if json:
        show.as_json(_as_told(found))
        return
    show.say(f"This is about {show.many(found.counted, 'person', 'people')}.")
    for channel, counted in found.ways.items():
        show.say(f"  {channel}: {_in_words(found, counted)}")
    if found.undecided:
        show.say(f"  not settled yet: {show.many(found.undecided, 'message')}; decided when they are")
    if found.people:
        show.table(("who", "by"), [(one.name, _ways(one)) for one in found.people])
        if missed := sum(not one.ways and not one.knows for one in found.people):
            show.say(f"  nothing would go to {missed} of them by these ways")
    _show_untold(found)
    if found.in_order:
        show.say("  in order: by the ways that have opened for each of them, the others in their turn")
        show.hint("by all its ways at once: --all-ways")
    zone = zone_of(house)
    for ruling in found.rulings:
        if ruling.answer != "allow":
            show.say(f"  {ruling.account.name}: {ruling.answer}: {show.plain(ruling.verdict.why)}")
    if found.hold is not None:
        show.say(f"it would wait until {show.wall(found.hold.until, zone)}: {found.hold.told}")
    show.hint("nothing was kept")


def _show_untold(found: Shown) -> None:
    lost = len(found.untold)
    if not lost:
        return
    show.say(f"  {show.many(lost, 'person is', 'people are')} not reached:")
    show.table(("who", "why"), [(one.name, one.why) for one in found.untold[:MOST_NAMED]])
    if lost > MOST_NAMED:
        show.hint(f"and {lost - MOST_NAMED:,} more: --json has them all")
    if any(one.why == Unreached.WAY_GONE.value for one in found.untold):
        show.hint("set that account up again first (`carillon doctor` checks it), or tell them yourself")


def _in_words(found: Shown, counted: Mapping[int, int]) -> str:
    corrected, right = counted.get(AS_CORRECTION, 0), counted.get(RIGHT_TEXT, 0)
    said = [f"{show.many(corrected, 'correction')}"] if corrected else []
    if right or not said:
        said.append(show.many(right, "message") if found.people else f"{right:,} with the right text")
    return ", ".join(said)


def _ways(one: PlannedFor) -> str:
    return ", ".join(map(_way, one.ways)) or ("none: it was seen already" if one.knows else "no way")


def _way(way: PlannedWay) -> str:
    return f"{way.channel} {way.address}{' (new)' if way.replaces else ''}"


def _as_told(found: Shown) -> dict[str, Any]:
    return {
        "dry_run": True,
        "people": found.counted,
        "channels": {
            channel: {"corrections": counted.get(AS_CORRECTION, 0), "right_text": counted.get(RIGHT_TEXT, 0)}
            for channel, counted in found.ways.items()
        },
        "undecided": found.undecided,
        "in_order": found.in_order,
        "untold": found.untold,
        "to": found.people,
        "verdicts": [
            {
                "account": one.account.name,
                "channel": one.account.channel,
                "answer": one.answer,
                "code": one.verdict.code,
                "why": one.verdict.why,
            }
            for one in found.rulings
        ],
        "held": held_as_told(found.hold),
        "expires_at": found.expires_at,
    }


def _answer(house: House, accepted: intake.Accepted, *, json: bool) -> None:
    said = accepted.announcement
    if json:
        show.as_json(
            {
                "announcement": said.public_id,
                "as": said.follow_up,
                "created": accepted.created,
                "expires_at": said.expires_at,
                "held": held_as_told(accepted.hold),
            }
        )
        return
    show.say(f"accepted: {said.public_id}, as {said.follow_up}")
    if accepted.hold is not None:
        show.say(f"it waits: {accepted.hold.told}; to take it back: carillon undo {said.public_id}")
    show.hint(f"follow it with: carillon status {said.public_id} --watch")

"""`carillon approvals`: what waits for a second person, and what that person says."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any
from uuid import UUID

import typer

from broker.announcement import Part
from broker.authority import approvals
from broker.authority.approvals import SHORT
from broker.errors import NotFound, Problem
from broker.ports.approvals import Decision
from cli import show
from cli.house import reading, writing, zone_of
from cli.options import Json, Operator
from cli.reading import announcement_id, bad, short_words
from ledger.reads.approvals import Looked, Waiting, looked_at, waiting

app = typer.Typer(help="What waits for a second person.", invoke_without_command=True)

Id = Annotated[str, typer.Argument(metavar="ID", help="The announcement, as the list shows it.")]
Seen = Annotated[
    str | None,
    typer.Option(
        metavar="DIGEST",
        help="What `show` ended with: refused if anything was changed since; must be said once it was reworded.",
    ),
]


@app.callback()
def list_(context: typer.Context, json: Json = False) -> None:
    """List what waits for a second person, and what was sent without one and nobody has reviewed.

    Examples:

    * `carillon approvals show ID`
    * `carillon approvals approve ID --operator "Head teacher"`
    * `carillon approvals reject ID --why "the date is wrong" --operator "Head teacher"`
    """
    if context.invoked_subcommand is None:
        list_waiting(json=json)


@app.command("list")
def list_waiting(json: Json = False) -> None:
    """List what waits for a second person, and what was sent without one and nobody has reviewed.

    Example: `carillon approvals list`
    """
    with reading() as house:
        with house.ledger.reading() as hand:
            found = waiting(hand)
        zone = zone_of(house)
    if json:
        show.as_json({"waiting": [_as_told(each) for each in found]})
        return
    show.table(
        ("id", "until", "people", "department", "by", "why"),
        [
            (
                each.id,
                "to be reviewed" if each.overridden else show.wall(each.expires_at, zone),
                "" if each.counted is None else each.counted,
                each.department,
                each.author,
                each.why,
            )
            for each in found
        ],
        none="nothing waits for a second person",
        below=("by", "why"),
    )


@app.command("show")
def show_(id_: Id, json: Json = False) -> None:
    """Show what somebody should see before they decide: the words, to whom, by which ways, and why it waits.

    Example: `carillon approvals show 0198…`
    """
    public_id = announcement_id(id_)
    with reading() as house:
        with house.ledger.reading() as hand:
            found = _the(looked_at(hand, public_id))
        zone = zone_of(house)
    if json:
        show.as_json(_looked_as_told(found))
        return
    said, binding = found.announcement, found.binding
    ways = ", ".join(way for step in binding.ways for way in step)
    counted = "" if binding.counted is None else f", {show.many(binding.counted, 'person', 'people')}"
    show.say(f"{said.department}, by {found.author.told}: {said.purpose}, {said.urgency}")
    show.say(
        f"to {said.audience} ({said.people}{counted}) by {ways}, until {show.wall(said.expires_at, zone)}"
    )
    for content in found.contents:
        for part, text in content.parts.items():
            show.say("", f"{part}{f' ({content.language})' if content.language else ''}:", text)
    show.say("")
    for each in found.decisions:
        gone = f", until {each.void_why}" if each.void_at else ""
        show.say(f"{each.decided} by {each.by}, {show.wall(each.at, zone)}{gone}{_because(each)}")
    if found.waits:
        show.say(f"it waits: {found.why}")
        show.hint(f"carillon approvals approve {said.public_id} --seen {binding.digest[:SHORT]}")


@app.command()
def approve(
    id_: Id,
    seen: Seen = None,
    why: Annotated[str, typer.Option(metavar="WORDS", help="A remark, for the record.")] = "",
    operator: Operator = None,
    json: Json = False,
) -> None:
    """Say yes, as somebody other than its author. It is bound to the words, audience, ways and rules of this moment.

    Example: `carillon approvals approve 0198… --operator "Head teacher"`
    """
    public_id, remark = announcement_id(id_), short_words(why, "why") if why else ""
    with writing(operator) as (house, actor):
        decision = approvals.approve(house.ports, public_id, actor=actor, seen=seen, why=remark)
    _answer(public_id, decision, json=json)


@app.command()
def reject(
    id_: Id,
    why: Annotated[str, typer.Option(metavar="WORDS", help="The reason, for its author and the record.")],
    seen: Seen = None,
    operator: Operator = None,
    json: Json = False,
) -> None:
    """Say no: nothing of it will leave. Its author may announce it anew.

    Example: `carillon approvals reject 0198… --why "the date is wrong" --operator "Head teacher"`
    """
    public_id, reason = announcement_id(id_), short_words(why, "why")
    with writing(operator) as (house, actor):
        decision = approvals.reject(house.ports, public_id, reason, actor=actor, seen=seen)
    _answer(public_id, decision, json=json)


@app.command()
def override(
    id_: Id,
    why: Annotated[str, typer.Option(metavar="WORDS", help="Why it cannot wait.")],
    operator: Operator = None,
    json: Json = False,
) -> None:
    """Send an urgent announcement without a second person: all approvers are told, and it is listed until reviewed.

    Example: `carillon approvals override 0198… --why "the boiler has failed, coaches leave at two"`
    """
    public_id, reason = announcement_id(id_), short_words(why, "why")
    with writing(operator) as (house, actor):
        decision = approvals.override(house.ports, public_id, reason, actor=actor)
    _answer(public_id, decision, json=json)


@app.command()
def review(
    id_: Id,
    note: Annotated[str, typer.Option(metavar="WORDS", help="What you found, for the record.")],
    operator: Operator = None,
    json: Json = False,
) -> None:
    """Say that you have looked at what was sent without a second person; it is listed no more.

    Example: `carillon approvals review 0198… --note "right to send it" --operator "Head teacher"`
    """
    public_id, words = announcement_id(id_), short_words(note, "note")
    with writing(operator) as (house, actor):
        approvals.review(house.ports, public_id, words, actor=actor)
    show.as_json({"announcement": public_id, "reviewed": True}) if json else show.say("reviewed")


@app.command()
def reword(
    id_: Id,
    text: Annotated[str | None, typer.Argument(help="The message.")] = None,
    title: Annotated[str | None, typer.Option(help="The subject of mails.")] = None,
    short: Annotated[str | None, typer.Option(help="A shorter wording for texts and posts.")] = None,
    operator: Operator = None,
    json: Json = False,
) -> None:
    """Change the words of an announcement that has not gone out. Whoever had agreed has to agree again.

    Example: `carillon approvals reword 0198… "The rehearsal is at 16:00."`
    """
    given = {Part.TITLE: title, Part.SHORT: short, Part.LONG: text}
    parts = {part: words for part, words in given.items() if words is not None}
    if not parts:
        raise bad("empty_text", "text", "there is nothing to say instead", "write the message")
    public_id = announcement_id(id_)
    with writing(operator) as (house, actor):
        version = approvals.reword(house.ports, public_id, parts, actor=actor)
    if json:
        show.as_json({"announcement": public_id, "content_version": version})
    else:
        show.say(f"version {version} of its words is kept")


def _answer(public_id: UUID, decision: Decision, *, json: bool) -> None:
    if json:
        show.as_json({"announcement": public_id, "decision": decision.decided, "by": decision.by})
    else:
        show.say(f"{decision.decided} by {decision.by}")


def _the(found: Looked | None) -> Looked:
    if found is None:
        hint = "list what waits: carillon approvals"
        raise NotFound(Problem("not_found", "id", "there is no such announcement", hint))
    return found


def _because(decision: Decision) -> str:
    reviewed = f"; reviewed by {decision.reviewed_by}" if decision.reviewed_by else ""
    return f": {decision.why}{reviewed}" if decision.why else reviewed


def _as_told(each: Waiting) -> Mapping[str, Any]:
    return {
        "announcement": each.id,
        "department": each.department,
        "by": each.author,
        "audience": each.audience,
        "counted": each.counted,
        "accepted_at": each.accepted_at,
        "expires_at": each.expires_at,
        "why": each.why,
        "overridden": each.overridden,
    }


def _looked_as_told(found: Looked) -> Mapping[str, Any]:
    said, binding = found.announcement, found.binding
    return {
        "announcement": said.public_id,
        "department": said.department,
        "by": found.author.id,
        "on_behalf_of": found.author.on_behalf_of,
        "audience": said.audience,
        "people": said.people,
        "ways": binding.ways,
        "counted": binding.counted,
        "content_version": binding.content_version,
        "rules_version": binding.rules_version,
        "seen": binding.digest[:SHORT],
        "waits": found.waits,
        "why": found.why,
        "contents": [
            {
                "language": content.language,
                "parts": {part.value: text for part, text in content.parts.items()},
            }
            for content in found.contents
        ],
        "decisions": [
            {
                "decision": each.decided,
                "by": each.by,
                "at": each.at,
                "why": each.why,
                "void": each.void_why if each.void_at else None,
                "reviewed_by": each.reviewed_by,
            }
            for each in found.decisions
        ],
    }

"""`carillon templates`: named wordings of a department, their versions, and what a real family would read."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Any

import typer

from broker.address import mask
from broker.announcement import Content, Part, People
from broker.channel import Recipient
from broker.errors import InvalidAnnouncement
from broker.moments import today_of
from broker.office import families
from broker.office import templates as verbs
from broker.ports.office import TemplateRow
from broker.wording import check_parts
from cli import show
from cli.house import department_of, reading, writing, zone_of
from cli.options import Json, Operator
from cli.reading import attachment_from, bad, fills, short_words, text_from
from config.assembly import House
from ledger.reads.example import Example, examples_of
from ledger.reads.templates import listed, versions

READ = ("subject", "body", "text")  # the fields of a rendering that people read, in this order

app = typer.Typer(help="Named wordings, as versions.", invoke_without_command=True)

Name = Annotated[str, typer.Argument(help="The template, as `carillon templates` lists it.")]
Department = Annotated[str | None, typer.Option(help="Whose template it is.")]
Language = Annotated[str, typer.Option(metavar="TAG", help="Its language, such as cy.")]
Version = Annotated[int | None, typer.Option(min=1, help="An older version.")]
Fill = Annotated[
    list[str] | None, typer.Option(metavar="GAP=WORDS", help="What stands in a gap, such as time=15:30.")
]


@app.callback()
def list_(context: typer.Context, department: Department = None, json: Json = False) -> None:
    """List the templates. Save one, look at one, see what a real family would read.

    `{pupil}`, `{guardian}` and `{class}` become each family's own words; any other gap, such as `{time}`, is filled in
    when it is announced: `carillon announce --template Rehearsal --fill time=15:30 --to Choir`.

    Example: `carillon templates --department music`
    """
    if context.invoked_subcommand is not None:
        return
    with reading() as house:
        with house.ledger.reading() as hand:
            found = listed(hand, owner=department)
        zone = zone_of(house)
    if json:
        show.as_json({"templates": [_as_told(one) for one in found]})
        return
    show.table(
        ("template", "department", "language", "version", "gaps", "files", "made", "by"),
        [
            (
                one.name,
                one.department,
                one.language,
                one.version,
                ", ".join(verbs.gaps_of(one)),
                len(one.attachments) or "",
                show.wall(one.made_at, zone, "%Y-%m-%d"),
                one.made_by,
            )
            for one in found
        ],
        none="there are none",
    )


@app.command()
def save(
    name: Name,
    text: Annotated[
        str | None, typer.Argument(help="The message, Markdown allowed; - reads standard input.")
    ] = None,
    file: Annotated[Path | None, typer.Option(metavar="PATH", help="Take it from a file (UTF-8).")] = None,
    title: Annotated[str | None, typer.Option(help="The subject of mails.")] = None,
    short: Annotated[str | None, typer.Option(help="A shorter wording for texts and posts.")] = None,
    attach: Annotated[
        list[Path] | None,
        typer.Option(metavar="PATH", help="A file that goes with mails each time; may be repeated."),
    ] = None,
    department: Department = None,
    language: Language = "",
    operator: Operator = None,
    json: Json = False,
) -> None:
    """Save a wording with its files under a name: a new version, unless it says the same already.

    Examples:

    * `carillon templates save Rehearsal "{pupil}: rehearsal at {time}." --department music`
    * `carillon templates save Trip --file trip.md --short "{pupil}: see your email." --attach consent.pdf`
    """
    if (text is None) == (file is None):
        raise bad("empty_text", "text", "give the message once", "as an argument, or with --file")
    long = text if text is not None and text != "-" else text_from(file or Path("-"))
    given = {Part.TITLE: title, Part.SHORT: short, Part.LONG: long}
    parts = {part: words for part, words in given.items() if words is not None}
    files = tuple(attachment_from(path) for path in attach or ())
    with _fields_as_typed(), writing(operator) as (house, actor):
        owner = department_of(house, department)
        made = verbs.save(house.ports, owner, name, parts, language=language, attachments=files, actor=actor)
    gaps = ", ".join(verbs.gaps_of(made))
    with_files = f"; with {show.many(len(files), 'file')}" if files else ""
    told = f"{made.name}, version {made.version}{'; to fill in: ' + gaps if gaps else ''}{with_files}"
    show.as_json(_as_told(made)) if json else show.say(told)


@app.command("show")
def show_(
    name: Name,
    department: Department = None,
    language: Language = "",
    version: Version = None,
    json: Json = False,
) -> None:
    """Show a template's words, and which versions there are.

    Example: `carillon templates show Rehearsal --version 2`
    """
    with reading() as house:
        found = _the(house, name, department, language, version)
        with house.ledger.reading() as hand:
            known = versions(hand, found)
        zone = zone_of(house)
    if json:
        show.as_json({**_as_told(found), "versions": [one.version for one in known]})
        return
    show.say(f"{found.name}, version {found.version} of {len(known)}, {found.department}")
    for part, words in found.parts.items():
        show.say("", *(f"  | {show.plain(line)}" for line in f"{part.value}: {words}".splitlines()))
    show.say("", *(f"  with {show.plain(file.name)}, {len(file.data):,} bytes" for file in found.attachments))
    show.table(
        ("version", "made", "by"),
        [(one.version, show.wall(one.made_at, zone), one.made_by) for one in known],
    )


@app.command()
def preview(
    name: Name,
    family: Annotated[
        str, typer.Option(metavar="WHO", help="A pupil, by the school's own id or whole name.")
    ],
    via: Annotated[str, typer.Option(metavar="WAYS", help="Channels.")] = "sms,email",
    people: Annotated[People, typer.Option(metavar="WHO", help="Who would be told.")] = People.GUARDIANS,
    fill: Fill = None,
    department: Department = None,
    language: Language = "",
    version: Version = None,
    json: Json = False,
) -> None:
    """Show what each address of a real family would get; nothing is sent.

    Example: `carillon templates preview Rehearsal --family P0417 --fill time=15:30`
    """
    with reading() as house:
        template = _the(house, name, department, language, version)
        parts = check_parts(verbs.filled(template, fills(fill)))
        content = Content(1, language, parts, template.attachments)
        shown = _renderings(house, template.department, content, family, via, people)
    if json:
        show.as_json({"template": template.name, "version": template.version, "messages": shown})
        return
    for one in shown:
        show.say(
            f"{one['channel']} to {one['to']}{', in ' + show.many(one['parts'], 'part') if one['parts'] > 1 else ''}:"
        )
        for field, words in one["fields"].items():
            show.say(*(f"  | {show.plain(line)}" for line in f"{field}: {words}".splitlines()))
    if not shown:
        show.say("no address of this family can be reached by these ways")


@app.command()
def retire(name: Name, department: Department = None, operator: Operator = None, json: Json = False) -> None:
    """Offer a template no more. What was announced with it stands.

    Example: `carillon templates retire Rehearsal --department music`
    """
    with writing(operator) as (house, actor):
        owner = department_of(house, department)
        retired = verbs.retire(house.ports, owner, short_words(name, "name"), actor=actor)
    show.as_json({"name": name, "versions": retired}) if json else show.say(f"{name} is offered no more")


@contextmanager
def _fields_as_typed() -> Iterator[None]:
    """A rule names what files are called in a draft; here they are an option."""
    try:
        yield
    except InvalidAnnouncement as broken:
        if broken.problem.field == "attachments":
            broken.problem = replace(broken.problem, field="attach")
        raise


def _the(house: House, name: str, department: str | None, language: str, version: int | None) -> TemplateRow:
    with house.ledger.look() as tx:
        return verbs.the(tx, department_of(house, department), name, language=language, version=version)


def _renderings(
    house: House, department: str, content: Content, family: str, via: str, people: People
) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    for name in filter(None, (way.strip() for way in via.split(","))):
        traits = house.ways_out.traits(name)
        kind = None if traits.for_anybody else traits.address_kind
        with house.ledger.look() as tx:
            account = tx.accounts.for_channel(name, department)
            person = families.the(tx, family, "family")
            today = today_of(tx)
            each = examples_of(tx.hand, person.id, people, kind, today=today) if kind else ()
        if account is None:
            raise bad(
                "no_account",
                "via",
                f"no {name} account is set up for this department",
                "`carillon channels` says what one needs, `carillon doctor` checks it",
            )
        channel = house.ways_out.open(account.name)
        if problems := channel.check(content, content.attachments):
            raise bad(problems[0].code, problems[0].field, problems[0].message, problems[0].hint)
        for one in each:
            message = channel.render(content, recipient(one, content.language))
            shown = mask(kind, one.address) if kind else ""
            fields = readable(message.fields)
            found.append({"channel": name, "to": shown, "parts": message.parts, "fields": fields})
    return found


def recipient(one: Example, language: str) -> Recipient:
    """The example as whom a channel renders for."""
    return Recipient(one.address, one.names, language, guardians=one.guardians, classes=one.classes)


def readable(fields: Mapping[str, Any]) -> dict[str, str]:
    """What of a rendering people read."""
    return {name: str(fields[name]) for name in READ if name in fields}


def _as_told(one: TemplateRow) -> dict[str, Any]:
    return {
        "name": one.name,
        "department": one.department,
        "language": one.language,
        "version": one.version,
        "parts": {part.value: text for part, text in one.parts.items()},
        "gaps": list(verbs.gaps_of(one)),
        "files": [{"name": file.name, "sha256": file.sha256} for file in one.attachments],
        "made_at": one.made_at,
        "made_by": one.made_by,
    }

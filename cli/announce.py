"""`carillon announce`: say something to the school."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Annotated

import typer

from broker import intake, templates
from broker.announcement import Announcement, Draft, Part, People, Purpose, Step, Urgency
from broker.duty import DutyState
from broker.errors import RuleBroken
from broker.moments import instant, zone_named
from cli import show
from cli.follow import as_told, follow, looking, show_status
from cli.house import department_of, reading, seal, writing, zone_of
from cli.options import Json, Operator, Zone
from cli.reading import STDIN, attachment_from, bad, fills, text_from
from cli.rehearsal import rehearsal, show_rehearsal
from cli.who import show_who
from config.assembly import House
from config.doctor import Health, worker
from ledger.reads.status import Status


def announce(
    to: Annotated[str, typer.Option(metavar="EXPR", help='Groups: "Year 7", "Choir + 7B", "Year 7 - 7B".')],
    text: Annotated[
        str | None, typer.Argument(help="The message, Markdown allowed; - reads standard input.")
    ] = None,
    people: Annotated[
        People,
        typer.Option(metavar="WHO", help="guardians, first (contact), pupils, both; or the groups' staff."),
    ] = People.GUARDIANS,
    via: Annotated[str, typer.Option(metavar="WAYS", help="Channels, all at once.")] = "sms,email",
    file: Annotated[
        Path | None, typer.Option(metavar="PATH", help="Take the message from a file (UTF-8).")
    ] = None,
    title: Annotated[
        str | None, typer.Option(help="The subject of mails; else the message's beginning.")
    ] = None,
    short: Annotated[str | None, typer.Option(help="A shorter wording for texts and posts.")] = None,
    quote: Annotated[
        str | None,
        typer.Option(metavar="URL-OR-ID", help="A post to show on X, with --short as its comment."),
    ] = None,
    department: Annotated[str | None, typer.Option(help="Whose announcement it is.")] = None,
    urgent: Annotated[bool, typer.Option("--urgent", help="Ahead of everything routine.")] = False,
    promotional: Annotated[
        bool, typer.Option("--promotional", help="Not a service message: goes to those who consented.")
    ] = False,
    at: Annotated[
        str | None, typer.Option(metavar="TIME", help='When: "2026-11-30 08:15"; else now.')
    ] = None,
    expires: Annotated[
        str | None, typer.Option(metavar="TIME", help="Nothing starts after this; else a day after --at.")
    ] = None,
    zone: Zone = None,
    language: Annotated[str, typer.Option(metavar="TAG", help="The message's language, such as cy.")] = "",
    key: Annotated[
        str | None, typer.Option(help="Makes the call safe to repeat: the same key is the same announcement.")
    ] = None,
    template: Annotated[
        str | None, typer.Option(metavar="NAME", help="Take the wording from a template of the department's.")
    ] = None,
    fill: Annotated[
        list[str] | None,
        typer.Option(metavar="GAP=WORDS", help="What stands in a gap of the template; may be repeated."),
    ] = None,
    attach: Annotated[
        list[Path] | None, typer.Option(metavar="PATH", help="A file that goes with mails; may be repeated.")
    ] = None,
    wait: Annotated[
        bool, typer.Option("--wait", help="Wait until all is settled; exit 1 if somebody could not be told.")
    ] = False,
    dry_run: Annotated[
        bool,
        typer.Option("--dry-run", help="Show what would go to whom and who is not reached; keep nothing."),
    ] = False,
    operator: Operator = None,
    json: Json = False,
) -> None:
    """Announce something to the families, pupils or staff of some groups.

    Checked whole before anything is kept. `{pupil}` in the message becomes the child's name, or the names of all
    children that one text is about. A worker (`carillon up`) sends it.

    Examples:

    * `carillon announce "Rehearsal moves to 15:30. {pupil} knows where." --to Choir`
    * `carillon announce --file letter.md --short "See your email." --to "Year 7" --at "2026-11-30 08:15"`
    * `echo "Snow: no school today" | carillon announce - --to everyone --people both --urgent --wait`
    * `carillon announce --template Rehearsal --fill time=15:30 --to Choir`
    * `carillon announce "Concert tonight" --to Choir --dry-run`
    """

    def wording(house: House) -> Mapping[Part, str]:
        if template is None:
            return _parts(_wording(text, file), title, short, quote)
        if text is not None or file is not None:
            raise bad("text_twice", "text", "the message is given twice", "leave out the text or --template")
        owner = department_of(house, department)
        with house.ledger.look() as tx:
            found = templates.the(tx, owner, template, language=language)
        return {**templates.filled(found, fills(fill)), **_parts(None, title, short, quote)}

    def draft(house: House) -> Draft:
        moment = _moments(house, zone)
        return Draft(
            department=department_of(house, department),
            audience=to,
            people=people,
            ways=(Step(tuple(way for way in (w.strip() for w in via.split(",")) if way)),),
            parts=wording(house),
            purpose=Purpose.PROMOTIONAL if promotional else Purpose.SERVICE,
            urgency=Urgency.URGENT if urgent else Urgency.ROUTINE,
            language=language,
            key=key,
            send_at=moment(at, "at"),
            expires_at=moment(expires, "expires"),
            attachments=tuple(attachment_from(path) for path in attach or ()),
        )

    with _fields_as_typed(short_given=short is not None or quote is not None):
        if dry_run:
            with reading() as house:
                found = rehearsal(house, draft(house))
            show_rehearsal(found, json=json)
            return
        with writing(operator) as (house, actor):
            accepted = intake.accept(house.ports, draft(house), actor=actor)
            seal(house.ports)
            _tell(house, accepted, quiet=json)
            if not wait:
                _answer(house, accepted, json=json)
                return
            ended = _waited(house, accepted.announcement, quiet=json)
            _answer_waited(house, ended, accepted, json=json)
    if any(n for state, n in ended.duties.items() if state is not DutyState.MET):
        raise typer.Exit(1)


def _wording(text: str | None, file: Path | None) -> str:
    if (text is None) == (file is None):
        message = "there is nothing to announce" if text is None else "the message is given twice"
        raise bad("empty_text" if text is None else "text_twice", "text", message,
                  "write it as an argument, name a --file, or give - for standard input")  # fmt: skip
    if text is not None and text != str(STDIN):
        return text
    return text_from(file or STDIN)


def _parts(text: str | None, title: str | None, short: str | None, quote: str | None) -> dict[Part, str]:
    given = {Part.TITLE: title, Part.SHORT: short, Part.LONG: text, Part.QUOTE: quote}
    return {part: words for part, words in given.items() if words is not None}


def _moments(house: House, zone: str | None) -> Callable[[str | None, str], datetime | None]:
    """How times are read here: wall time of the zone that was named, else of the school."""
    if zone is not None:
        zone_named(zone)
    with house.ledger.begin() as tx:
        where = zone or tx.school.zone

    def moment(typed: str | None, field: str) -> datetime | None:
        return None if typed is None else instant(typed, zone=where, field=field)

    return moment


@contextmanager
def _fields_as_typed(*, short_given: bool) -> Iterator[None]:
    """A rule names the announcement's parts; whoever typed the command knows its options."""
    names = {"long": "text", "audience": "to", "attachments": "attach", "urgency": "urgent"}
    if not short_given:
        names["short"] = "text"
    try:
        yield
    except RuleBroken as broken:
        field = broken.problem.field
        broken.problem = replace(broken.problem, field=names.get(field, field))
        raise


def _tell(house: House, accepted: intake.Accepted, *, quiet: bool) -> None:
    if quiet:
        return
    if not accepted.created:
        show.hint("this key was used before for the same announcement; nothing was added")
    for finding in worker(house.settings):
        if finding.health is not Health.WELL:
            show.hint(f"{finding.says}; {finding.hint}")


def _answer(house: House, accepted: intake.Accepted, *, json: bool) -> None:
    said = accepted.announcement
    if json:
        show.as_json(
            {
                "announcement": said.public_id,
                "created": accepted.created,
                "due_at": said.due_at,
                "expires_at": said.expires_at,
            }
        )
        return
    later = said.due_at > said.accepted_at
    due = f", to go out {show.wall(said.due_at, zone_of(house))}" if later else ""
    show.say(f"accepted: {said.public_id}{due}")
    show.hint(f"follow it with: carillon status {said.public_id} --watch")


def _waited(house: House, said: Announcement, *, quiet: bool) -> Status:
    if not quiet:
        show.hint(
            f"accepted: {said.public_id}; it goes on without this command (Ctrl-C ends the waiting alone)"
        )
    look = looking(house.ledger, said.public_id)
    return follow(look, until=lambda now: now.settled, quiet=quiet)


def _answer_waited(house: House, ended: Status, accepted: intake.Accepted, *, json: bool) -> None:
    if json:
        show.as_json({**as_told(ended), "created": accepted.created})
    else:
        show_status(ended)
        show_who(house, ended, everyone=False)

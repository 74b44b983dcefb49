"""`carillon announce`: say something to the school."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import typer

from broker import intake
from broker.actor import Actor, ActorKind
from broker.announcement import Attachment, Draft, Part, Purpose, Urgency
from broker.authority import approvals
from broker.duty import DutyState
from broker.errors import RuleBroken
from broker.moments import instant, zone_named
from broker.office import templates
from broker.rules.approval import SECOND_PERSON
from broker.rules.blast import SIZE_CODES
from cli import show
from cli.announce_options import Asked
from cli.follow import as_told, follow, looking, show_status
from cli.held import held_as_told
from cli.house import department_of, reading, seal, writing, zone_of
from cli.options import asking
from cli.reading import STDIN, attachment_from, bad, fills, short_words, text_from
from cli.rehearsal import show_rehearsal
from cli.then import in_order
from cli.who import show_who
from config.assembly import House
from config.doctor import worker
from config.findings import Health
from config.rehearsal import rehearsal
from ledger.reads.status import Status


@asking(Asked)
def announce(asked: Asked) -> None:
    """Announce something to the families, pupils or staff of some groups.

    Checked whole before anything is kept. `{pupil}` in the message becomes the child's name, or the names of all
    children that one text is about. A worker (`carillon up`) sends it.

    Examples:

    * `carillon announce "Rehearsal moves to 15:30. {pupil} knows where." --to Choir`
    * `carillon announce --file letter.md --short "See your email." --to "Year 7" --at "2026-11-30 08:15"`
    * `echo "Snow: no school today" | carillon announce - --to everyone --people both --urgent --wait`
    * `carillon announce --template Rehearsal --fill time=15:30 --to Choir`
    * `carillon announce "Concert tonight" --to Choir --dry-run`
    * `carillon announce "Closed at noon" --to everyone --via sms --then "email after 30 min" --then "sheet after 2 h"`
    """
    with _fields_as_typed(short_given=asked.short is not None or asked.quote is not None):
        reason = _reason(asked)
        if asked.dry_run:
            with reading() as house:
                # Nothing is kept, so nobody has to be named; the rules want to know that it is a person.
                author = Actor(ActorKind.PERSON, asked.operator or house.settings.operator or "somebody")
                draft = _draft(house, asked)
                currency = house.settings.school.currency
                found = rehearsal(house.ports, draft, currency=currency, actor=author)
            show_rehearsal(found, json=asked.json)
            return
        with writing(asked.operator) as (house, actor):
            accepted = _accepted(house, _draft(house, asked), reason, actor)
            seal(house.ports)
            _tell(house, accepted, quiet=asked.json)
            if not asked.wait:
                _answer(house, accepted, json=asked.json)
                return
            ended = _waited(house, accepted, quiet=asked.json)
            _answer_waited(house, ended, accepted, json=asked.json)
    if any(n for state, n in ended.duties.items() if state is not DutyState.MET):
        raise typer.Exit(1)


def _reason(asked: Asked) -> str | None:
    """Why it goes without a second person, checked before anything is kept."""
    if asked.without_approval is None:
        return None
    if not asked.urgent:
        message = "only an urgent announcement goes without a second person"
        raise bad("not_urgent", "without_approval", message, "let it wait, or add --urgent")
    return short_words(asked.without_approval, "without_approval")


def _accepted(house: House, draft: Draft, why: str | None, actor: Actor) -> intake.Accepted:
    """Accepted; without a second person where somebody says why, or else not at all."""
    if why is None:
        return intake.accept(house.ports, draft, actor=actor)
    return approvals.accept_overridden(house.ports, draft, why, actor=actor)


def _draft(house: House, asked: Asked) -> Draft:
    moment = _moments(house, asked.zone)
    parts, files = _worded(house, asked)
    send_at = moment(asked.at, "at")
    starts = send_at or datetime.now(UTC)
    zone = zone_named(asked.zone) if asked.zone else zone_of(house)
    then = tuple(asked.then or ())
    ways, ladder = in_order(asked.via, then, seen=asked.seen, moment=moment, starts=starts, zone=zone)
    return Draft(
        department=department_of(house, asked.department),
        audience=asked.to,
        people=asked.people,
        ways=ways,
        parts=parts,
        purpose=Purpose.PROMOTIONAL if asked.promotional else Purpose.SERVICE,
        urgency=Urgency.URGENT if asked.urgent else Urgency.ROUTINE,
        language=asked.language,
        key=asked.key,
        send_at=send_at,
        expires_at=moment(asked.expires, "expires"),
        attachments=files,
        expected=asked.expect,
        template=asked.template or "",
        copies=tuple(dict.fromkeys(asked.copy or ())),
        ladder=ladder,
    )


def _worded(house: House, asked: Asked) -> tuple[Mapping[Part, str], tuple[Attachment, ...]]:
    """The wording and its files: as typed, or from a template with its gaps filled."""
    files = tuple(attachment_from(path) for path in asked.attach or ())
    if asked.template is None:
        return _parts(_text(asked.text, asked.file), asked.title, asked.short, asked.quote), files
    if asked.text is not None or asked.file is not None:
        raise bad("text_twice", "text", "the message is given twice", "leave out the text or --template")
    owner = department_of(house, asked.department)
    typed = _parts(None, asked.title, asked.short, asked.quote)
    with house.ledger.look() as tx:
        return templates.worded(
            tx,
            owner,
            asked.template,
            language=asked.language,
            fills=fills(asked.fill),
            typed=typed,
            files=files,
        )


def _text(text: str | None, file: Path | None) -> str:
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
    names["id"] = "without_approval"  # all that is refused of an announcement which is not there yet
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
                "held": held_as_told(accepted.hold),
            }
        )
        return
    later = said.due_at > said.accepted_at
    due = f", to go out {show.wall(said.due_at, zone_of(house))}" if later else ""
    show.say(f"accepted: {said.public_id}{due}")
    if accepted.hold is not None:
        show.say(f"it waits until {show.wall(accepted.hold.until, zone_of(house))}: {accepted.hold.told}")
        show.hint(_to_go_on(accepted))
    show.hint(f"follow it with: carillon status {said.public_id} --watch")


def _to_go_on(accepted: intake.Accepted) -> str:
    said, hold = accepted.announcement, accepted.hold
    if hold is not None and hold.code in SECOND_PERSON - SIZE_CODES:
        return f"somebody else looks with: carillon approvals show {said.public_id}"
    if hold is not None and hold.code in SIZE_CODES:
        return f"if so many are meant: carillon expect {said.public_id} {hold.evidence.get('counted')}"
    return f"to take it back: carillon undo {said.public_id}"


def _waited(house: House, accepted: intake.Accepted, *, quiet: bool) -> Status:
    said = accepted.announcement
    if not quiet:
        show.hint(
            f"accepted: {said.public_id}; it goes on without this command (Ctrl-C ends the waiting alone)"
        )
        if accepted.hold is not None:
            until = show.wall(accepted.hold.until, zone_of(house))
            show.hint(f"it waits until {until}: {accepted.hold.told}; {_to_go_on(accepted)}")
    look = looking(house.ledger, said.public_id)
    return follow(look, until=lambda now: now.settled, quiet=quiet)


def _answer_waited(house: House, ended: Status, accepted: intake.Accepted, *, json: bool) -> None:
    if json:
        show.as_json({**as_told(ended), "created": accepted.created})
    else:
        show_status(ended)
        show_who(house, ended, everyone=False)

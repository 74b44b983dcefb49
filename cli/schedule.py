"""`carillon schedule`: what is announced again and again, term after term, with nobody watching."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Annotated, Any

import typer

from broker.announcement import Draft, Part, People, Step
from broker.diary import schedules as verbs
from broker.diary.calendar import DayKind
from broker.diary.recurrence import Double, Missing, Pattern, upcoming
from broker.diary.recurrence_rule import Rule, read_rule
from broker.diary.terms import calendar_now
from broker.diary.typed import day_from, wall_from
from broker.office import templates
from cli import show
from cli.house import department_of, reading, writing
from cli.options import Json, Operator, asking
from cli.reading import attachment_from, bad, fills, length_from
from cli.schedule_reads import Name, coming, show_
from cli.schedule_told import as_told, first, show_dates, tell_waits
from config.assembly import House

OFTEN = {
    "once": "",
    "daily": "FREQ=DAILY",
    "weekly": "FREQ=WEEKLY",
    "fortnightly": "FREQ=WEEKLY;INTERVAL=2",
    "monthly": "FREQ=MONTHLY",
}

app = typer.Typer(help="What is announced again and again.", invoke_without_command=True)

On = Annotated[str, typer.Argument(metavar="DAY", help="The day on which it falls, such as 2026-11-30.")]


@app.callback()
def list_(context: typer.Context, json: Json = False) -> None:
    """List the schedules and when each comes next.

    Examples:

    * `carillon schedule`
    * `carillon schedule add "Choir" "{pupil}: choir at 15:30." --to Choir --starts "2026-09-01 08:00" --every weekly`
    * `carillon schedule coming`
    """
    if context.invoked_subcommand is not None:
        return
    with reading() as house, house.ledger.look() as tx:
        calendar = calendar_now(tx)
        rows = [
            as_told(row, first(upcoming(row.pattern, calendar, now=tx.now, count=1)))
            for row in tx.schedules.all()
        ]
    if json:
        show.as_json({"schedules": rows})
        return
    show.table(
        ("schedule", "department", "to", "every", "next", ""),
        [
            (row["name"], row["department"], row["to"], row["every"] or "once", row["next"] or "nothing",
             "paused" if row["paused"] else "")
            for row in rows
        ],
        none="there are none",
    )  # fmt: skip


@dataclass(frozen=True, slots=True)
class AddAsked:
    """What `carillon schedule add` is told."""

    name: Annotated[str, typer.Argument(help="What to call it, such as 'Choir'.")]
    to: Annotated[str, typer.Option(metavar="GROUPS", help="Whom to tell: groups, joined by + & -.")]
    starts: Annotated[str, typer.Option(metavar="TIME", help="Its first time, by the school's clock.")]
    text: Annotated[str | None, typer.Argument(help="The message.")] = None
    every: Annotated[
        str, typer.Option(metavar="RULE", help="once, daily, weekly, fortnightly, monthly, or an RRULE.")
    ] = "once"
    template: Annotated[str | None, typer.Option(help="A template's wording, in place of a message.")] = None
    fill: Annotated[list[str] | None, typer.Option(metavar="GAP=WORDS", help="Fill a gap of it.")] = None
    title: Annotated[str | None, typer.Option(help="The subject of mails.")] = None
    short: Annotated[str | None, typer.Option(help="A shorter wording for texts and posts.")] = None
    via: Annotated[str, typer.Option(metavar="WAYS", help="Channels, tried at once.")] = "sms,email"
    people: Annotated[People, typer.Option(metavar="WHO", help="Who hears of it.")] = People.GUARDIANS
    department: Annotated[str | None, typer.Option(help="Whose it is.")] = None
    language: Annotated[str, typer.Option(help="Its language, such as cy.")] = ""
    attach: Annotated[
        list[Path] | None, typer.Option(metavar="PATH", help="A file that goes with mails; may be repeated.")
    ] = None
    expect: Annotated[
        int | None, typer.Option(min=0, metavar="NUMBER", help="How many people it is meant to tell.")
    ] = None
    any_day: Annotated[bool, typer.Option("--any-day", help="In the holidays too.")] = False
    also: Annotated[
        list[DayKind] | None,
        typer.Option(metavar="DAYS", help="Days it is kept on beside those of term: inset …"),
    ] = None
    lasts: Annotated[str, typer.Option(metavar="LENGTH", help="How long it may still go out if late.")] = (
        "4 h"
    )
    if_missing: Annotated[Missing | None, typer.Option(help="In the hour that does not exist in March.")] = (
        None
    )
    if_double: Annotated[Double | None, typer.Option(help="In the hour that comes twice in October.")] = None
    yes: Annotated[bool, typer.Option("--yes", help="Keep it; without this its dates are only shown.")] = (
        False
    )
    operator: Operator = None
    json: Json = False


@app.command()
@asking(AddAsked)
def add(asked: AddAsked) -> None:
    """Announce something again and again, on days of term. Its next ten dates are shown; --yes keeps it.

    Examples:

    * `carillon schedule add Choir "{pupil}: choir." --to Choir --starts "2026-09-01 08:00" --every weekly --yes`
    * `carillon schedule add Staff --template Meeting --to Staff --people staff --starts "2026-09-07 07:45"
      --every "FREQ=MONTHLY;BYDAY=1MO" --also inset`
    """
    lasts = length_from(asked.lasts, "lasts")
    if not asked.yes:
        with reading() as house:
            pattern = _pattern(house, asked)
            draft = _draft(house, asked)
            dates = verbs.preview(house.ports, asked.name, draft, pattern, lasts=lasts)
        show_dates(dates, json=asked.json, kept=False)
        return
    with writing(asked.operator) as (house, actor):
        pattern = _pattern(house, asked)
        draft = _draft(house, asked)
        made = verbs.save(house.ports, asked.name, draft, pattern, lasts=lasts, actor=actor)
        waits = verbs.waits(house.ports, draft, actor=actor)
        with house.ledger.look() as tx:
            dates = upcoming(made.pattern, calendar_now(tx), now=tx.now, count=verbs.SHOWN)
    show_dates(dates, json=asked.json, kept=True)
    tell_waits(made.name, waits)


@app.command()
def change(
    name: Name,
    text: Annotated[str | None, typer.Argument(help="A new message.")] = None,
    to: Annotated[str | None, typer.Option(metavar="GROUPS", help="Whom to tell from now on.")] = None,
    starts: Annotated[str | None, typer.Option(metavar="TIME", help="Its first time from now on.")] = None,
    every: Annotated[str | None, typer.Option(metavar="RULE", help="How often from now on.")] = None,
    lasts: Annotated[str | None, typer.Option(metavar="LENGTH", help="How long it may still go out.")] = None,
    attach: Annotated[
        list[Path] | None,
        typer.Option(metavar="PATH", help="A file in place of those it has; may be repeated."),
    ] = None,
    no_files: Annotated[
        bool, typer.Option("--no-files", help="None of its files goes with it any more.")
    ] = False,
    operator: Operator = None,
    json: Json = False,
) -> None:
    """Change what a schedule says, with which files, or when, for all that is still to come.

    Examples:

    * `carillon schedule change Choir "{pupil}: choir is at 16:00 now."`
    * `carillon schedule change Choir --attach programme.pdf`
    """
    if attach and no_files:
        raise bad("both", "attach", "files come in place of others, or there are none", "say one of the two")
    with writing(operator) as (house, actor):
        with house.ledger.look() as tx:
            row = verbs.the(tx, name)
        draft = row.draft
        if text is not None:
            draft = replace(draft, parts={Part.LONG: text}, template="")
        if to is not None:
            draft = replace(draft, audience=to)
        if attach or no_files:
            draft = replace(draft, attachments=tuple(attachment_from(path) for path in attach or ()))
        pattern = row.pattern
        if starts is not None or every is not None:
            wall = wall_from(starts, "starts") if starts is not None else pattern.starts
            written = pattern.rule.text if every is None else OFTEN.get(every.strip().lower(), every)
            pattern = replace(pattern, starts=wall, rule=_rule(written, pattern.zone, wall))
        made = verbs.change(
            house.ports,
            name,
            draft=draft if draft != row.draft else None,
            pattern=pattern if pattern != row.pattern else None,
            lasts=length_from(lasts, "lasts") if lasts is not None else None,
            actor=actor,
        )
        with house.ledger.look() as tx:
            dates = upcoming(verbs.the(tx, name).pattern, calendar_now(tx), now=tx.now, count=verbs.SHOWN)
        waits = "" if made.approved else verbs.waits(house.ports, made.draft, actor=actor)
    show_dates(dates, json=json, kept=True)
    tell_waits(made.name, waits)


app.command("show")(show_)


@app.command()
def approve(
    name: Name,
    seen: Annotated[
        str | None,
        typer.Option(
            metavar="DIGEST",
            help="What `show` ended with: refused if what it says was changed since; must be said once it was.",
        ),
    ] = None,
    operator: Operator = None,
    json: Json = False,
) -> None:
    """Say yes, as a second person, to all that a schedule announces until somebody changes what it says.

    Example: `carillon schedule approve Choir --operator "Mr Reed"`
    """
    with writing(operator) as (house, actor):
        row = verbs.approve(house.ports, name, actor=actor, seen=seen)
    show.as_json({"name": row.name, "approved": True}) if json else show.say("approved, until it is changed")


@app.command()
def move(
    name: Name,
    on: On,
    to: Annotated[str, typer.Option(metavar="TIME", help="The new time, by the school's clock.")],
    operator: Operator = None,
    json: Json = False,
) -> None:
    """Move one date of a schedule to another time; the others stay.

    Example: `carillon schedule move Choir 2026-11-03 --to "2026-11-04 08:00"`
    """
    wall = wall_from(to, "to")
    with writing(operator) as (house, actor):
        one = verbs.move(house.ports, name, day_from(on, "on"), wall, actor=actor)
    told = {"original": one.original, "moved_to": one.wall, "at": one.at}
    show.as_json(told) if json else show.say(f"moved to {one.wall:%a %Y-%m-%d %H:%M}")


@app.command()
def cancel(name: Name, on: On, operator: Operator = None, json: Json = False) -> None:
    """Skip one date of a schedule; what was announced of it already is taken back.

    Example: `carillon schedule cancel Choir 2026-11-03`
    """
    with writing(operator) as (house, actor):
        taken_back = verbs.cancel(house.ports, name, day_from(on, "on"), actor=actor)
    words = "cancelled, and what was announced is taken back" if taken_back else "cancelled"
    show.as_json({"name": name, "taken_back": taken_back}) if json else show.say(words)


@app.command("put-back")
def put_back(name: Name, on: On, operator: Operator = None, json: Json = False) -> None:
    """Let one date that was moved or cancelled be again as the rule says.

    Example: `carillon schedule put-back Choir 2026-11-03`
    """
    with writing(operator) as (house, actor):
        verbs.put_back(house.ports, name, day_from(on, "on"), actor=actor)
    show.as_json({"name": name}) if json else show.say("it is again as the rule says")


@app.command()
def pause(name: Name, operator: Operator = None, json: Json = False) -> None:
    """Announce nothing of a schedule until it is resumed; what falls due meanwhile is passed over.

    Example: `carillon schedule pause Choir`
    """
    with writing(operator) as (house, actor):
        verbs.pause(house.ports, name, actor=actor)
    show.as_json({"name": name, "paused": True}) if json else show.say("paused")


@app.command()
def resume(name: Name, operator: Operator = None, json: Json = False) -> None:
    """Let a schedule go on, from now.

    Example: `carillon schedule resume Choir`
    """
    with writing(operator) as (house, actor):
        verbs.resume(house.ports, name, actor=actor)
    show.as_json({"name": name, "paused": False}) if json else show.say("it goes on")


@app.command()
def end(
    name: Name,
    after: Annotated[str | None, typer.Option(metavar="DAY", help="Its last day; else from now on.")] = None,
    operator: Operator = None,
    json: Json = False,
) -> None:
    """End a schedule, now or after a day. What was announced stands.

    Example: `carillon schedule end Choir --after 2027-07-16`
    """
    last = day_from(after, "after") if after is not None else None
    with writing(operator) as (house, actor):
        verbs.end(house.ports, name, actor=actor, after=last)
    show.as_json({"name": name, "after": last}) if json else show.say("it ends")


app.command()(coming)


def _pattern(house: House, asked: AddAsked) -> Pattern:
    with house.ledger.look() as tx:
        zone = tx.school.zone
    starts = wall_from(asked.starts, "starts")
    rule = _rule(OFTEN.get(asked.every.strip().lower(), asked.every), zone, starts)
    kinds = frozenset(DayKind) if asked.any_day else frozenset({DayKind.TERM, *(asked.also or ())})
    return Pattern(starts, zone, rule, on=kinds, missing=asked.if_missing, double=asked.if_double)


def _rule(text: str, zone: str, starts: Any) -> Rule:
    return read_rule(text, zone=zone, starts=starts)


def _draft(house: House, asked: AddAsked) -> Draft:
    owner = department_of(house, asked.department)
    if (asked.text is None) == (asked.template is None):
        raise bad("empty_text", "text", "give the message once", "as an argument, or with --template")
    typed = {Part.TITLE: asked.title, Part.SHORT: asked.short, Part.LONG: asked.text}
    parts = {part: words for part, words in typed.items() if words is not None}
    files = tuple(attachment_from(path) for path in asked.attach or ())
    if asked.template is not None:
        with house.ledger.look() as tx:
            parts, files = templates.worded(
                tx,
                owner,
                asked.template,
                language=asked.language,
                fills=fills(asked.fill),
                typed=parts,
                files=files,
            )
    return Draft(
        department=owner,
        audience=asked.to,
        people=asked.people,
        ways=(Step(tuple(way for way in (w.strip() for w in asked.via.split(",")) if way)),),
        parts=parts,
        language=asked.language,
        template=asked.template or "",
        attachments=files,
        expected=asked.expect,
    )

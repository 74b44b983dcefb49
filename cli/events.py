"""`carillon events`: rehearsals, concerts, trips; who is reminded of them, and who is told when they change."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Annotated, Any
from uuid import UUID, uuid4

import typer

from broker.announcement import Part, People, Step
from broker.diary import event_book as verbs
from broker.diary import event_telling, reminders
from broker.diary.event_changes import Changed
from broker.diary.events import ALONE, ToldCalendar, ToldEvent
from broker.diary.recurrence import HORIZON
from broker.diary.typed import clock_from, wall_from
from broker.moments import instant, today_of
from broker.ports.events import EventRow, ReminderRule
from broker.rules.parameters import duration_written
from cli import show
from cli.calendar_files import calendar_bytes, is_address, tell_problems
from cli.event_calendars import calendars, subscribe, unsubscribe
from cli.house import department_of, reading, writing
from cli.options import Json, Operator
from cli.reading import bad, length_from, short_words
from config.assembly import House
from sources.calendars import events_of_csv, events_of_ics, looks_like_ics

app = typer.Typer(help="What takes place, and who is reminded.", invoke_without_command=True)

Id = Annotated[str, typer.Argument(metavar="ID", help="The event's id, as `carillon events` lists it.")]
To = Annotated[
    str, typer.Option(metavar="GROUPS", help="Whose event it is: a group, or several joined by + & -.")
]
Department = Annotated[str | None, typer.Option(help="Whose it is.")]


@app.callback()
def list_(
    context: typer.Context,
    days: Annotated[int, typer.Option(min=1, max=400, help="How far to look ahead.")] = 60,
    json: Json = False,
) -> None:
    """List what takes place in the next 60 days.

    Examples:

    * `carillon events --days 14`
    * `carillon events import concerts.csv --to Choir --department music`
    * `carillon events remind "3 h" "{title} at {starts}, {place}." --name Text --via sms --department music`
    """
    if context.invoked_subcommand is not None:
        return
    with reading() as house, house.ledger.look() as tx:
        found = [_as_told(one) for one in tx.events.between(tx.now, tx.now + timedelta(days=days))]
    if json:
        show.as_json({"events": found})
        return
    show.table(
        ("event", "when", "what", "where", "for", ""),
        [
            (one["id"], f"{one['wall']:%a %Y-%m-%d %H:%M}", one["title"], one["place"], one["to"],
             "cancelled" if one["cancelled"] else "")
            for one in found
        ],
        none="there are none",
    )  # fmt: skip


@app.command()
def add(
    title: Annotated[str, typer.Argument(help="What takes place, such as 'Spring concert'.")],
    to: To,
    starts: Annotated[str, typer.Option(metavar="TIME", help="When, by the school's clock.")],
    ends: Annotated[str | None, typer.Option(metavar="TIME", help="Until when; else an hour.")] = None,
    place: Annotated[str, typer.Option(help="Where.")] = "",
    department: Department = None,
    operator: Operator = None,
    json: Json = False,
) -> None:
    """Add one event.

    Example: `carillon events add "Spring concert" --to Choir --starts "2027-03-18 19:00" --place Hall`
    """
    wall = wall_from(starts, "starts")
    with writing(operator) as (house, actor):
        with house.ledger.look() as tx:
            zone = tx.school.zone
        begins = instant(starts, zone=zone, field="starts")
        until = instant(ends, zone=zone, field="ends") if ends is not None else begins + timedelta(hours=1)
        if until < begins:
            raise bad("ends_first", "ends", "it ends before it begins", "check its times")
        told = ToldEvent(str(uuid4()), ALONE, wall, begins, until, short_words(title, "title"), place.strip())
        owner = department_of(house, department)
        row = verbs.add(house.ports, told, department=owner, audience=to, actor=actor)
    show.as_json(_as_told(row)) if json else show.say(f"{row.title}: {event_telling.starts_in_words(row)}")


@app.command("import")
def import_(
    file: Annotated[
        str,
        typer.Argument(
            metavar="FILE",
            help="iCalendar or CSV (title,begins,ends,place,group,uid,cancelled), or an address.",
        ),
    ],
    to: To,
    department: Department = None,
    source: Annotated[
        str | None, typer.Option(metavar="NAME", help="What to know this calendar by; else the file's name.")
    ] = None,
    in_term: Annotated[
        bool, typer.Option("--in-term", help="Leave out what falls on no day of term.")
    ] = False,
    skip_bad: Annotated[
        bool, typer.Option("--skip-bad", help="Take the rest where some cannot be read; none is gone then.")
    ] = False,
    expect_gone: Annotated[
        bool, typer.Option("--expect-gone", help="It is right that all of the events before are gone.")
    ] = False,
    operator: Operator = None,
    json: Json = False,
) -> None:
    """Bring a calendar of events; bring it again whenever it changes. What is new, moved or gone is found by itself.

    Examples:

    * `carillon events import choir.ics --to Choir --department music --in-term`
    * `carillon events import https://calendar.example.org/choir.ics --to Choir --source choir`
    """
    if source is None and is_address(file):  # many end alike, and some hold a secret
        raise bad("no_source", "source", "what shall this calendar be known by?", "such as --source choir")
    named = short_words(source if source is not None else Path(file).name, "source")
    data = calendar_bytes(file)
    with writing(operator) as (house, actor):
        told = _read(house, data)
        tell_problems(told.problems, skip=skip_bad)
        brought = verbs.bring(
            house.ports,
            named,
            told.events,
            department=department_of(house, department),
            audience=to,
            problems=told.problems,
            in_term=in_term,
            expect_gone=expect_gone,
            actor=actor,
        )
    counts = {
        "new": brought.new,
        "moved": brought.moved,
        "cancelled": brought.cancelled,
        "unchanged": brought.unchanged,
        "left_out": brought.left_out,
    }
    words = ", ".join(f"{count} {what.replace('_', ' ')}" for what, count in counts.items())
    show.as_json({**counts, "problems": len(told.problems)}) if json else show.say(words)


@app.command()
def move(
    id_: Id,
    to: Annotated[str, typer.Option(metavar="TIME", help="When it takes place now, by the school's clock.")],
    place: Annotated[str | None, typer.Option(help="Where it takes place now.")] = None,
    operator: Operator = None,
    json: Json = False,
) -> None:
    """Move an event. Its reminders move; whoever was reminded already is told once.

    Example: `carillon events move 0190f9c2-0000-7000-8000-000000000000 --to "2026-11-04 15:30"`
    """
    wall = wall_from(to, "to")
    with writing(operator) as (house, actor):
        with house.ledger.look() as tx:
            zone = tx.school.zone
        starts = instant(to, zone=zone, field="to")
        row = verbs.move(house.ports, _id(id_), wall=wall, starts_at=starts, place=place, actor=actor)
    show.as_json(_as_told(row)) if json else show.say(f"{row.title}: {event_telling.starts_in_words(row)}")


@app.command()
def change(
    id_: Id,
    to: Annotated[
        str | None, typer.Option(metavar="GROUPS", help="Whose event it is now; a calendar's says it itself.")
    ] = None,
    title: Annotated[str | None, typer.Option(help="What it is called now.")] = None,
    place: Annotated[str | None, typer.Option(help="Where it takes place now.")] = None,
    operator: Operator = None,
    json: Json = False,
) -> None:
    """Have an event for other groups, or name it anew. Whoever was reminded and has to hear of it is told once.

    Those whom it is for from now on are reminded of it, as far as nothing has told them yet.

    Example: `carillon events change 0190f9c2-0000-7000-8000-000000000000 --to "Choir + Orchestra"`
    """
    if to is None and title is None and place is None:
        raise bad("nothing_said", "to", "it is not said what changes", "such as --to Choir")
    wanted = Changed(
        audience=to, title=short_words(title, "title") if title is not None else None, place=place
    )
    with writing(operator) as (house, actor):
        row = verbs.change(house.ports, _id(id_), wanted, actor=actor)
    show.as_json(_as_told(row)) if json else show.say(f"{row.title}: for {row.audience}")


@app.command()
def cancel(id_: Id, operator: Operator = None, json: Json = False) -> None:
    """Cancel an event. Its reminders go; whoever was reminded already is told once.

    Example: `carillon events cancel 0190f9c2-0000-7000-8000-000000000000`
    """
    with writing(operator) as (house, actor):
        done = verbs.cancel(house.ports, _id(id_), actor=actor)
    show.as_json({"cancelled": done}) if json else show.say(
        "cancelled" if done else "it was cancelled already"
    )


@app.command()
def remind(
    before: Annotated[str, typer.Argument(metavar="LENGTH", help="How long before an event: 2 d, 3 h.")],
    text: Annotated[str, typer.Argument(help="The words; {title}, {starts} and {place} are the event's.")],
    name: Annotated[str, typer.Option(help="What to call this reminder.")],
    to: Annotated[
        str, typer.Option(metavar="GROUPS", help="Of whose events; else of all of the department.")
    ] = "",
    at: Annotated[
        str | None, typer.Option(metavar="TIME", help="At this time of so many whole days before: 16:00.")
    ] = None,
    via: Annotated[str, typer.Option(metavar="WAYS", help="Channels, tried at once.")] = "sms",
    people: Annotated[People, typer.Option(metavar="WHO", help="Who is reminded.")] = People.GUARDIANS,
    title: Annotated[str | None, typer.Option(help="The subject of mails.")] = None,
    replace: Annotated[bool, typer.Option("--replace", help="Change the reminder of this name.")] = False,
    department: Department = None,
    operator: Operator = None,
    json: Json = False,
) -> None:
    """Say how long before its events a department reminds whom, and in which words. Several may stand side by side.

    With --replace the reminder of this name is changed: it goes on, and reminds nobody of an event twice.

    Examples:

    * `carillon events remind "2 d" "{pupil}: {title}, {starts}, {place}." --name Mail --via email`
    * `carillon events remind "3 h" "{title} today, {place}." --name Text --via sms --to Choir`
    * `carillon events remind "2 d" "{title}: {starts}, {place}." --at 16:00 --name Before --via sms`
    """
    words = {Part.LONG: text, **({Part.TITLE: title} if title is not None else {})}
    ways = (Step(tuple(way for way in (w.strip() for w in via.split(",")) if way)),)
    with writing(operator) as (house, actor):
        owner = department_of(house, department)
        rule = ReminderRule(
            0, owner, short_words(name, "name"), to, length_from(before, "before"), people, ways, words,
            clock=clock_from(at, "at") if at is not None else None,
        )  # fmt: skip
        if replace:
            made = reminders.change_rule(house.ports, rule.name, rule, actor=actor)
        else:
            made = reminders.add_rule(house.ports, rule, actor=actor)
        waits = reminders.waits(house.ports, made, actor=actor)
    show.as_json(_rule_as_told(made)) if json else show.say(f"{made.name}: kept")
    if waits:
        show.hint(f"{waits}; for all it will say somebody else says: carillon events approve {made.name!r}")


@app.command("approve")
def approve_rule(
    name: Annotated[str, typer.Argument(help="The reminder, as `carillon events rules` lists it.")],
    operator: Operator = None,
    json: Json = False,
) -> None:
    """Say yes, as a second person, to all that a reminder will say.

    Example: `carillon events approve Text --operator "Mr Reed"`
    """
    with writing(operator) as (house, actor):
        reminders.approve_rule(house.ports, short_words(name, "name"), actor=actor)
    show.as_json({"name": name, "approved": True}) if json else show.say("approved")


@app.command()
def rules(json: Json = False) -> None:
    """List the reminders.

    Example: `carillon events rules`
    """
    with reading() as house, house.ledger.look() as tx:
        found = [_rule_as_told(one) for one in tx.events.rules()]
    if json:
        show.as_json({"rules": found})
        return
    show.table(
        ("reminder", "department", "of", "before", "via", "words"),
        [
            (
                r["name"],
                r["department"],
                r["to"] or "all",
                f"{r['before']} {r['at'] or ''}".strip(),
                ",".join(r["via"]),
                r["text"],
            )
            for r in found
        ],
        none="nobody is reminded of anything",
    )


@app.command()
def unremind(
    name: Annotated[str, typer.Argument(help="The reminder, as `carillon events rules` lists it.")],
    operator: Operator = None,
    json: Json = False,
) -> None:
    """Remind nobody by this reminder any more.

    Example: `carillon events unremind Text`
    """
    with writing(operator) as (house, actor):
        reminders.retire_rule(house.ports, short_words(name, "name"), actor=actor)
    show.as_json({"name": name}) if json else show.say(f"{name} reminds nobody any more")


app.command()(subscribe)
app.command()(calendars)
app.command()(unsubscribe)


def _read(house: House, data: bytes) -> ToldCalendar:
    with house.ledger.look() as tx:
        zone, today = tx.school.zone, today_of(tx)
    reader = events_of_ics if looks_like_ics(data) else events_of_csv
    return reader(data, zone=zone, begins=today, ends=today + HORIZON)


def _id(text: str) -> UUID:
    try:
        return UUID(text)
    except ValueError:
        raise bad("bad_id", "id", "this is no event's id", "list them with: carillon events") from None


def _as_told(row: EventRow) -> dict[str, Any]:
    return {
        "id": row.public_id,
        "title": row.title,
        "place": row.place,
        "wall": row.wall,
        "starts_at": row.starts_at,
        "to": row.audience,
        "department": row.department,
        "source": row.source,
        "sequence": row.sequence,
        "cancelled": row.cancelled_at is not None,
    }


def _rule_as_told(rule: ReminderRule) -> dict[str, Any]:
    return {
        "name": rule.name,
        "department": rule.department,
        "to": rule.audience,
        "before": duration_written(rule.before),
        "at": f"{rule.clock:%H:%M}" if rule.clock is not None else None,
        "via": [channel for step in rule.ways for channel in step.channels],
        "approved": rule.approved is not None,
        "text": rule.parts.get(Part.LONG, ""),
    }

"""`carillon holds`: what must not go, neither by age nor by anybody's wish."""

from __future__ import annotations

from typing import Annotated

import typer

from broker.privacy import erasure
from cli import show
from cli.house import reading, writing, zone_of
from cli.options import Json, Operator
from cli.reading import announcement_id, bad, short_words

app = typer.Typer(help="What is held for the law: nothing of it goes.", no_args_is_help=True)


@app.command("place")
def place_(
    why: Annotated[str, typer.Option(metavar="WORDS", help="The reason: a claim, an inquiry.")],
    who: Annotated[
        str | None, typer.Option("--who", metavar="WHO", help="A person: id, or whole name.")
    ] = None,
    announcement: Annotated[str | None, typer.Option(metavar="ID", help="An announcement.")] = None,
    operator: Operator = None,
    json: Json = False,
) -> None:
    """Hold a person or an announcement: no retention and no erasure touches it until the hold is lifted.

    Examples:

    * `carillon holds place --who P0417 --why "claim of 3 March"`
    * `carillon holds place --announcement 0193… --why "complaint to the governors"`
    """
    if (who is None) == (announcement is None):
        raise bad(
            "one_subject",
            "who",
            "a hold is on one person or one announcement",
            "give --who or --announcement",
        )
    reason = short_words(why, "why")
    with writing(operator) as (house, actor):
        number = erasure.hold(
            house.ports,
            who=short_words(who, "who") if who is not None else None,
            announcement=announcement_id(announcement) if announcement is not None else None,
            why=reason,
            actor=actor,
        )
    show.as_json({"hold": number}) if json else show.say(f"held: {number}")


@app.command("lift")
def lift_(
    number: Annotated[int, typer.Argument(min=1, max=2**31, help="Its number in `carillon holds list`.")],
    operator: Operator = None,
    json: Json = False,
) -> None:
    """Lift a hold.

    Example: `carillon holds lift 3`
    """
    with writing(operator) as (house, actor):
        erasure.lift(house.ports, number, actor=actor)
    show.as_json({"lifted": number}) if json else show.say(f"lifted: {number}")


@app.command("list")
def list_(
    every: Annotated[bool, typer.Option("--all", help="Those that were lifted, too.")] = False,
    json: Json = False,
) -> None:
    """List what is held.

    Example: `carillon holds list`
    """
    with reading() as house:
        found = erasure.holds(house.ports, standing=not every)
        zone = zone_of(house)
    if json:
        rows = [
            {
                "hold": one.id,
                "person": one.person.source_id if one.person else None,
                "announcement": one.announcement,
                "why": one.words,
                "held_by": one.held_by,
                "held_at": one.held_at,
                "lifted_by": one.lifted_by,
                "lifted_at": one.lifted_at,
            }
            for one in found
        ]
        show.as_json({"holds": rows})
        return
    show.table(
        ("hold", "what", "why", "since", "by", "lifted"),
        [
            (
                one.id,
                one.person.name if one.person else f"announcement {one.announcement}",
                one.words,
                show.wall(one.held_at, zone, "%Y-%m-%d"),
                one.held_by,
                f"{show.wall(one.lifted_at, zone, '%Y-%m-%d')} {one.lifted_by}" if one.lifted_at else "",
            )
            for one in found
        ],
        none="nothing is held",
        short="why",
    )

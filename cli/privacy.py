"""`carillon people reveal | erase | readmit | export`: one person's data, each act of which the record keeps."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Annotated, Any

import typer

from broker.errors import Problem, RuleBroken
from broker.privacy import erasure
from broker.privacy.erasure import Erasing, Ground
from cli import show
from cli.house import reading, writing
from cli.options import Json, Operator
from cli.reading import bad, short_words
from config.assembly import House
from ledger.reads.copy import copy
from web import copy_page

Who = Annotated[str, typer.Argument(metavar="WHO", help="The school's own id, or a whole name.")]
Why = Annotated[str, typer.Option(metavar="WORDS", help="The reason, for the record.")]
Because = Annotated[Ground, typer.Option(help="The ground (UK GDPR art. 17), for the record.")]
Confirm = Annotated[
    str | None, typer.Option(metavar="ID", help="The person's id, typed again; asked for at the terminal.")
]
FirstNames = Annotated[
    bool,
    typer.Option(
        "--first-names",
        help="Strike the first name out of wordings too, where it stands alone, and “Mrs” and the family name.",
    ),
]
SharedAnswers = Annotated[
    bool,
    typer.Option(
        "--shared-answers", help="Also what was answered from numbers and emails that others hold too."
    ),
]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Show what would go and change nothing.")]


def reveal_(who: Who, why: Why, operator: Operator = None, json: Json = False) -> None:
    """Show somebody's numbers and emails in full. Everywhere else they are masked; that you saw them is in the record.

    Example: `carillon people reveal P0417 --why "her mother rang from another number"`
    """
    reason = short_words(why, "why")
    with writing(operator) as (house, actor):
        found = erasure.reveal(house.ports, short_words(who, "who"), why=reason, actor=actor)
    if json:
        addresses = [{"kind": kind, "address": value} for kind, value in found.addresses]
        show.as_json({"id": found.person.source_id, "addresses": addresses})
        return
    show.table(("kind", "address"), found.addresses, none="there is no address of theirs")


def erase_(
    who: Who,
    because: Because = Ground.REQUEST,
    confirm: Confirm = None,
    first_names: FirstNames = False,
    shared_answers: SharedAnswers = False,
    dry_run: DryRun = False,
    operator: Operator = None,
    json: Json = False,
) -> None:
    """Erase one person for good: emptied, struck out of words, forgotten by the providers; the record verifies still.

    Shows what would go, then wants the id typed. A stop of theirs holds on, and no roster brings them back.

    Examples:

    * `carillon people erase P0417 --dry-run`
    * `carillon people erase P0417 --because request`
    """
    asked = short_words(who, "who")
    if dry_run:
        with reading() as house:
            _tell(erasure.look(house.ports, asked), done=False, json=json, shared=shared_answers)
        return
    with writing(operator) as (house, actor):
        done = erasure.erase(
            house.ports,
            asked,
            confirmed=_typed(house, asked, json=json, shared=shared_answers) if confirm is None else confirm,
            ground=because,
            called=first_names,
            shared=shared_answers,
            actor=actor,
        )
        house.ledger.forget()
    _tell(done, done=True, json=json, shared=shared_answers)


def readmit_(
    source_id: Annotated[str, typer.Argument(metavar="ID", help="The id that the roster gives them.")],
    operator: Operator = None,
    json: Json = False,
) -> None:
    """Let the next roster bring back somebody who was erased.

    Example: `carillon people readmit P0417`
    """
    with writing(operator) as (house, actor):
        erasure.readmit(house.ports, short_words(source_id, "id"), actor=actor)
    show.as_json({"readmitted": True}) if json else show.say("the next roster may bring them back")


def export_(
    who: Who,
    to: Annotated[
        Path,
        typer.Option(
            metavar="FOLDER", help="Where the copy goes: a page and a JSON file, for your eyes alone."
        ),
    ],
    why: Why,
    operator: Operator = None,
    json: Json = False,
) -> None:
    """Make somebody's copy of everything that is held of them: a page to read and a JSON file (UK GDPR art. 15).

    Others are struck out of it as far as a rule can; read it before you hand it over.

    Example: `carillon people export P0417 --to request/ --why "her letter of 3 March"`
    """
    reason = short_words(why, "why")
    with writing(operator) as (house, actor):
        with house.ledger.begin() as tx:
            person, subject = erasure.subject_of_copy(tx, short_words(who, "who"), why=reason, actor=actor)
            found = copy(tx.hand, subject)
            told = copy_page.facts(tx.hand, tx.rules.current(), house.settings.school.name)
        name = copy_page.file_name(person.source_id)
        written = [
            _write(to / f"{name}.html", copy_page.page(found, **told)),
            _write(to / f"{name}.json", copy_page.as_json(found, told)),
        ]
    if json:
        show.as_json({"files": [str(path) for path in written], "messages_not_shown": found.more})
        return
    show.say(*(f"written: {path}" for path in written))
    show.hint("read it before you hand it over: what was noted, and words in which others may be meant")


def _typed(house: House, who: str, *, json: bool, shared: bool) -> str:
    """The id as somebody at the terminal types it, once they have been shown what would go. Raises RuleBroken."""
    looked = erasure.look(house.ports, who)
    if looked.hindered is not None:
        raise RuleBroken(looked.hindered)
    if json or not sys.stdin.isatty():
        hint = "look at what would go with --dry-run, then type the id with --confirm"
        raise RuleBroken(Problem("not_confirmed", "confirm", "nobody is there to confirm the erasure", hint))
    _tell(looked, done=False, json=False, shared=shared)
    return str(typer.prompt("This cannot be undone. Type the id to erase them"))


def _tell(found: Erasing, *, done: bool, json: bool, shared: bool) -> None:
    footprint = found.footprint
    if json:
        hindered = found.hindered.as_dict() if found.hindered else None
        told: dict[str, Any] = {"erased": done, "rows": dict(footprint.rows), "hindered": hindered}
        counts = (
            *("named", "called", "files", "shared", "at_providers"),
            *("holds", "under_way", "blocks", "concerns"),
        )
        show.as_json({**told, **{name: getattr(footprint, name) for name in counts}})
        return
    if not done:
        show.say(f"{found.person.name} ({found.person.source_id})", "")
    rows = [(what, n) for what, n in footprint.rows.items()]
    rows += [("wordings that name them whole: struck out", footprint.named)] if footprint.named else []
    rows += [("answers from what others hold too", footprint.shared)] if shared and footprint.shared else []
    rows += (
        [("messages that providers are asked to forget", footprint.at_providers)]
        if footprint.at_providers
        else []
    )
    show.table(("erased" if done else "would be erased", "how many"), rows)
    if footprint.called:
        left = f"{show.many(footprint.called, 'wording')} with the first name alone, or a title and the family name"
        show.hint(f"{left}: they stay, unless --first-names is given")
    if footprint.shared and not shared:
        left = f"{show.many(footprint.shared, 'answer')} from numbers or emails that others hold too"
        show.hint(f"{left}: they go with the last of them, unless --shared-answers is given")
    if footprint.files:
        show.hint(f"{show.many(footprint.files, 'file')} went to or about them; nobody has looked into those")
    if found.hindered is not None:
        show.say("", f"it cannot be done now: {found.hindered.message}")
        show.hint(found.hindered.hint)


def _write(path: Path, what: str) -> Path:
    """For the owner alone, and never over what is there."""
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        with os.fdopen(
            os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8"
        ) as file:
            file.write(what)
    except FileExistsError:
        raise bad(
            "file_there", "to", "there is a copy in this folder already", "name another folder"
        ) from None
    except OSError:
        raise bad(
            "cannot_write", "to", "the copy cannot be written there", "name a folder of yours"
        ) from None
    return path

"""`carillon licence`: what a school settles before an account may speak, and what it tells parents."""

from __future__ import annotations

import json as json_
import tomllib
from collections.abc import Mapping, Sequence
from datetime import timedelta
from pathlib import Path
from typing import Annotated, Any

import typer

from broker.licences import letter as letters
from broker.licences import licence_form, licensing
from broker.licences.licence_sheet import sheet
from broker.licences.licensing import Shown
from broker.moments import today_of
from broker.values import AccountRow
from cli import show
from cli.house import reading, writing
from cli.licence_walk import walk
from cli.options import Json, Operator
from cli.reading import bad, short_words, text_from
from config.assembly import House
from config.letters import who_speaks
from web import papers

app = typer.Typer(help="What is settled about an account before it may speak.", invoke_without_command=True)

Account = Annotated[str, typer.Argument(help="The account, as `carillon accounts` lists it.")]


@app.callback()
def list_(context: typer.Context, json: Json = False) -> None:
    """List which accounts may speak, until when, and what is missing.

    Examples:

    * `carillon licence`
    * `carillon licence start sms`
    * `carillon licence renew sms --policy 2027-09-01`
    """
    if context.invoked_subcommand is not None:
        return
    with reading() as house, house.ledger.look() as tx:
        found = licensing.show_all(house.ports, tx)
    if json:
        show.as_json({"licences": [_as_told(one) for one in found]})
        return
    show.table(
        ("account", "channel", "may speak", "until", "missing"),
        [(one.account.name, one.account.channel, *_in_short(one)) for one in found],
    )


@app.command("show")
def show_(
    account: Account,
    html: Annotated[Path | None, typer.Option(metavar="PATH", help="Write it as a page to print.")] = None,
    json: Json = False,
) -> None:
    """Show the four angles of one account: what holds until when, what is missing, and what to do.

    Examples:

    * `carillon licence show sms`
    * `carillon licence show sms --html sms.html`
    """
    with reading() as house:
        found = _shown(house, account)
        if html is not None:
            _write(html, _page(house, f"The licence of {found.account.name}", sheet(found)))
    if json:
        show.as_json(_as_told(found, whole=True))
        return
    _tell(found)


@app.command()
def start(
    account: Account,
    form: Annotated[
        Path | None,
        typer.Option(metavar="PATH", help="Write an empty form there, to be filled in and `set`."),
    ] = None,
    operator: Operator = None,
    json: Json = False,
) -> None:
    """Settle the four angles one after the other, with a question for each line; or write a form to fill in.

    Each angle is kept as soon as it is whole, so that you can stop and go on another day.

    Examples:

    * `carillon licence start sms`
    * `carillon licence start sms --form sms-licence.toml`
    """
    if form is not None:
        with reading() as house:
            found = _shown(house, account)
        _write(form, _as_form(found))
        written = f"written: {form}; fill it in, then: carillon licence set {found.account.name} {form}"
        show.as_json({"account": found.account.name, "form": str(form)}) if json else show.say(written)
        return
    with writing(operator) as (house, actor):
        found = _shown(house, account)
        for part in walk(found):
            found = licensing.save(house.ports, found.account.name, part, actor=actor)
    show.as_json(_as_told(found)) if json else _tell(found)


@app.command("set")
def set_(
    account: Account,
    form: Annotated[Path, typer.Argument(help="The form, TOML or JSON; - reads standard input.")],
    operator: Operator = None,
    json: Json = False,
) -> None:
    """Keep what a form settles; angles that it leaves out stay as they were.

    Example: `carillon licence set sms sms-licence.toml`
    """
    told = _read(form)
    with writing(operator) as (house, actor):
        found = licensing.save(house.ports, short_words(account, "account"), told, actor=actor)
    show.as_json(_as_told(found)) if json else _tell(found)


@app.command()
def renew(
    account: Account,
    policy: Annotated[
        str | None, typer.Option(metavar="DAY", help="The policy is looked at again by then.")
    ] = None,
    version: Annotated[str | None, typer.Option(help="The policy's new version.")] = None,
    liability: Annotated[
        str | None,
        typer.Option(metavar="DAY", help="The risk assessment was done anew; and is again by then."),
    ] = None,
    technology: Annotated[
        str | None, typer.Option(metavar="DAY", help="The set-up was looked over; and is again by then.")
    ] = None,
    trained: Annotated[
        list[str] | None,
        typer.Option(metavar="NAME=DAY", help="An owner was trained; valid until then. May be repeated."),
    ] = None,
    operator: Operator = None,
    json: Json = False,
) -> None:
    """Renew what is about to lapse, today counting as the day on which it was looked at.

    Examples:

    * `carillon licence renew sms --policy 2027-09-01 --version 4`
    * `carillon licence renew x --liability 2027-06-30 --trained "Anna Bell=2028-09-01"`
    """
    with writing(operator) as (house, actor):
        with house.ledger.look() as tx:
            today = today_of(tx)
        changes = licensing.renewals(
            today,
            policy=policy,
            version=version,
            liability=liability,
            technology=technology,
            trained=_trained(trained or ()),
        )
        found = licensing.renew(house.ports, short_words(account, "account"), changes, actor=actor)
    show.as_json(_as_told(found)) if json else _tell(found)


@app.command()
def export(
    account: Account,
    to: Annotated[Path | None, typer.Option(metavar="PATH", help="A file; else standard output.")] = None,
    json: Json = False,
) -> None:
    """Write the licence as the form that `set` reads: TOML, or JSON with --json.

    Example: `carillon licence export sms --to sms-licence.toml`
    """
    with reading() as house:
        found = _shown(house, account)
    text = json_.dumps(licence_form.as_form(found.licence)) + "\n" if json else _as_form(found)
    if to is None:
        typer.echo(text, nl=False)
        return
    _write(to, text)
    show.say(f"written: {to}")


@app.command()
def letter(
    accounts: Annotated[
        list[str] | None,
        typer.Argument(metavar="[ACCOUNT]…", help="Which accounts; else all that may speak."),
    ] = None,
    html: Annotated[Path | None, typer.Option(metavar="PATH", help="Write it as a page to print.")] = None,
    to: Annotated[Path | None, typer.Option(metavar="PATH", help="Write it as plain text.")] = None,
    json: Json = False,
) -> None:
    """Print the letter to parents: which ways, what risks, that none is the only one and nobody is worse off.

    Made of the licences that stand; an account without one is left out, and said so.

    Examples:

    * `carillon licence letter`
    * `carillon licence letter sms x --html letter.html`
    """
    with reading() as house:
        left_out, ways = who_speaks(house.settings, house.ports, accounts or [])
        with house.ledger.look() as tx:
            blocks = letters.letter(tx.school.name, ways)
        if html is not None:
            _write(html, _page(house, "How the school keeps in touch", blocks))
    text = letters.as_text(blocks)
    if to is not None:
        _write(to, text)
    if json:
        show.as_json({"accounts": [way.account for way in ways], "left_out": [one.account.name for one in left_out],
                      "text": text})  # fmt: skip
    elif html is None and to is None:
        typer.echo(text, nl=False)
    for one in left_out:
        show.hint(f"{one.account.name} is left out, for it may not speak: {one.lacking}")


# --- reading what was typed -----------------------------------------------------------------------------------------


def _read(path: Path) -> Mapping[str, Any]:
    text = text_from(path)
    try:
        told = json_.loads(text) if text.lstrip().startswith("{") else tomllib.loads(text)
    except (ValueError, RecursionError) as fault:  # both kinds of fault say where, and repeat nothing of it
        where = f"line {fault.lineno}" if isinstance(fault, json_.JSONDecodeError) else _where(fault)
        hint = "a form to fill in: carillon licence start ACCOUNT --form PATH"
        raise bad("not_a_form", "form", f"this is neither TOML nor JSON: {where}", hint) from None
    if not isinstance(told, dict):
        raise bad("not_a_form", "form", "this is no form", "it begins with [policy]")
    return told


def _where(fault: Exception) -> str:
    _, at, place = str(fault).rpartition("(at ")
    return place.rstrip(")") if at else "it cannot be read"


def _trained(told: Sequence[str]) -> dict[str, str]:
    """Until when each owner's training counts, by name."""
    found: dict[str, str] = {}
    for each in told:
        name, equals, day = each.rpartition("=")
        if not equals or not name.strip():
            raise bad(
                "bad_trained", "trained", "say who and until when", 'such as --trained "Anna Bell=2028-09-01"'
            )
        found[name.strip()] = day.strip()
    return found


def _shown(house: House, name: str) -> Shown:
    with house.ledger.look() as tx:
        account: AccountRow | None = tx.accounts.named(short_words(name, "account"))
        if account is None:
            raise bad(
                "not_found", "account", "there is no such account", "list them with `carillon accounts`"
            )
        return licensing.show(house.ports, tx, account)


# --- telling --------------------------------------------------------------------------------------------------------


def _tell(found: Shown) -> None:
    name = found.account.name
    show.table(
        ("angle", "holds", "until", "why not"),
        [
            (angle.words, "yes" if one.holds else "no", _last_day(found, one.until), one.why)
            for angle, one in found.standings.items()
        ],
    )
    if found.licence.specimen:
        show.hint("given by the sandbox: outside it the account has no licence")
    if found.until is not None:
        show.say(f"{name} may speak until the end of {_last_day(found, found.until)}")
        return
    show.say(f"{name} may not speak")
    show.hint(f"go on with: carillon licence start {name}")
    for code, sentence in found.terms.asks.items():
        if found.licence.technology is None or code not in found.licence.technology.assured:
            show.hint(f"to be assured under technology: {code}: {sentence}")


def _in_short(found: Shown) -> tuple[str, str, str]:
    missing = "from the sandbox" if found.licence.specimen else found.lacking
    return ("no" if found.until is None else "yes", _last_day(found, found.until), missing)


def _last_day(found: Shown, until: Any) -> str:
    if until is None:
        return ""
    return str((until - timedelta(microseconds=1)).astimezone(found.terms.zone).date())


def _as_told(found: Shown, *, whole: bool = False) -> dict[str, Any]:
    told: dict[str, Any] = {
        "account": found.account.name,
        "channel": found.account.channel,
        "may_speak": found.until is not None,
        "until": found.until,
        "missing": found.lacking,
        "specimen": found.licence.specimen,
        "version": found.row.version if found.row else None,
        "angles": {
            angle.value: {"holds": one.holds, "why": one.why, "until": one.until}
            for angle, one in found.standings.items()
        },
    }
    if whole:
        told |= {"asks": dict(found.terms.asks), "licence": licence_form.as_form(found.licence)}
    return told


def _page(house: House, title: str, blocks: Sequence[letters.Block]) -> str:
    with house.ledger.look() as tx:
        school, today = tx.school, today_of(tx)
    paper = papers.Paper(school.name, school.locale, f"{today.day} {today:%B %Y}", title)
    return papers.blocks(paper, blocks)


def _as_form(found: Shown) -> str:
    return licence_form.as_toml(found.licence, account=found.account.name, asks=found.terms.asks)


def _write(path: Path, text: str) -> None:
    try:
        path.write_text(text, encoding="utf-8")
    except OSError:
        raise bad(
            "cannot_write", "path", "this file cannot be written", "check the folder and the name"
        ) from None

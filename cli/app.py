"""The `carillon` command: every door opens here, and every error leaves by here in one shape."""

from __future__ import annotations

import errno
import os
import sys
import tempfile
import traceback
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import cache
from importlib import metadata
from pathlib import Path
from typing import Annotated, Any

import typer
from sqlalchemy.exc import OperationalError
from typer.main import get_command

from broker.consent.consents import ConsentRefused
from broker.errors import Problem, RuleBroken, SetupError
from cli import (
    accounts,
    announce,
    answers,
    approvals,
    audit,
    bounces,
    budget,
    channels,
    consent,
    deliveries,
    demo,
    events,
    follow_ups,
    groups,
    holds,
    keeping,
    ladder,
    licence,
    operators,
    optouts,
    people,
    reach,
    rules,
    running,
    schedule,
    second_thoughts,
    show,
    sign_in,
    switches,
    templates,
    terms,
    timetable,
    tokens,
)
from config.logs import told
from config.reading import DEBUG
from ledger.trouble import problem_of

WRONG_USE = 2
UNFORESEEN = os.EX_SOFTWARE
NOT_WRITTEN = frozenset({errno.EPIPE, errno.ENOSPC, errno.EIO})
# What a wrong command line raises: typer carries its own copy of click, and gives no other name to this.
UsageError: Any = typer.BadParameter.__base__


def _version(asked: bool) -> None:
    if asked:
        show.say(f"carillon {metadata.version('carillon')}")
        raise typer.Exit


def carillon(
    version: Annotated[
        bool, typer.Option("--version", help="Show the version.", is_eager=True, callback=_version)
    ] = False,
) -> None:
    """A school's announcement broker: written once, sent by every way that suits it, every delivery accounted for."""


COMMANDS: Sequence[Callable[..., None]] = (
    announce.announce,
    deliveries.status,
    reach.reach,
    ladder.ladder,
    ladder.seen,
    deliveries.deliveries,
    second_thoughts.undo,
    second_thoughts.expect,
    second_thoughts.why,
    deliveries.withdraw,
    follow_ups.correct,
    follow_ups.resend,
    follow_ups.thread,
    deliveries.requeue,
    deliveries.settle,
    switches.stop,
    switches.go,
    running.up,
    running.web,
    running.worker,
    running.sandbox,
    running.doctor,
    channels.channels,
    sign_in.sign_in,
    sign_in.sign_out,
    demo.demo,
)
GROUPS = {
    "answers": answers.app,
    "bounces": bounces.app,
    "people": people.app,
    "consent": consent.app,
    "optouts": optouts.app,
    "accounts": accounts.app,
    "groups": groups.app,
    "templates": templates.app,
    "rules": rules.app,
    "schedule": schedule.app,
    "events": events.app,
    "terms": terms.app,
    "licence": licence.app,
    "operators": operators.app,
    "approvals": approvals.app,
    "audit": audit.app,
    "budget": budget.app,
    "holds": holds.app,
    "keeping": keeping.app,
    "timetable": timetable.app,
    "tokens": tokens.app,
    "db": running.db,
}


def _of(commands: Iterable[Callable[..., None]], groups: Mapping[str, typer.Typer]) -> typer.Typer:
    made = typer.Typer(
        name="carillon",
        no_args_is_help=True,
        add_completion=False,
        rich_markup_mode="markdown",
        pretty_exceptions_enable=False,
    )
    made.callback()(carillon)
    for command in commands:
        made.command()(command)
    for name, group in groups.items():
        made.add_typer(group, name=name)
    return made


app = _of(COMMANDS, GROUPS)


@cache
def command_of(first: str) -> Any:
    """The command as far as a line needs it that begins with this word: all of it when that is none of its names.

    To make every command and every option of them takes longer than most of them run.
    """
    named = {command.__name__.replace("_", "-"): command for command in COMMANDS}
    if first in named:
        return get_command(_of([named[first]], {}))
    if first in GROUPS:
        return get_command(_of([], {first: GROUPS[first]}))
    return get_command(app)


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command; the exit code. 0 done, 1 not as wished, 2 wrong use, 70 unforeseen."""
    arguments = list(sys.argv[1:] if argv is None else argv)
    json = "--json" in arguments
    show.set_up()
    try:
        code = command_of(arguments[0] if arguments else "").main(
            args=arguments, prog_name="carillon", standalone_mode=False
        )
    except UsageError as wrong:
        return _wrong_use(wrong, json=json)
    except (RuleBroken, SetupError) as broken:
        problems = broken.problems if isinstance(broken, SetupError | ConsentRefused) else [broken.problem]
        return _refused(problems, json=json)
    except OperationalError as fault:
        _refused([problem_of(fault)], json=json)
        return UNFORESEEN
    except typer.Abort:
        show.hint("stopped")
        return 130
    except OSError as fault:
        return _unwritten(fault, json=json)
    except Exception as error:  # noqa: BLE001 - whatever it was, a person gets one sentence and a place to look
        return _unforeseen(error, json=json)
    return code if isinstance(code, int) else 0


def _unwritten(fault: OSError, *, json: bool) -> int:
    """Nobody reads the answer any more, or its disk is full."""
    if fault.filename is not None or fault.errno not in NOT_WRITTEN:
        return _unforeseen(fault, json=json)
    # What is still buffered must not fail once more when Python ends.
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    if fault.errno != errno.EPIPE:
        show.hint("the answer could not be written; look with `carillon status` whether it was done")
    return 1


def _refused(problems: Sequence[Problem], *, json: bool) -> int:
    (show.problem_as_json if json else show.problem_in_words)(problems)
    return WRONG_USE


def _wrong_use(wrong: Any, *, json: bool) -> int:
    """A wrong command line, in the shape of every other error."""
    if type(wrong).__name__ == "NoArgsIsHelpError":  # it has shown the help already
        return WRONG_USE
    command = wrong.ctx.command_path if wrong.ctx else "carillon"
    parameter = getattr(wrong, "param", None)
    field = parameter.name if parameter else getattr(wrong, "option_name", "") or ""
    problem = Problem("wrong_use", field, wrong.format_message(), f"see: {command} --help")
    return _refused([problem], json=json)


def _unforeseen(error: Exception, *, json: bool) -> int:
    if os.environ.get(DEBUG):
        traceback.print_exception(error)
    hint = _keep(told(error))
    problem = Problem("unforeseen", "", "something went wrong that Carillon did not foresee", hint)
    _refused([problem], json=json)
    return UNFORESEEN


def _keep(what: str) -> str:
    """Types and places alone, never an exception's words: they may hold a number or a name."""
    folder = Path(os.environ.get("CARILLON_DATA_DIR", "var"))
    try:
        number, path = tempfile.mkstemp(
            prefix="fault-", suffix=".log", dir=folder if folder.is_dir() else None, text=True
        )
        with os.fdopen(number, "w") as file:
            file.write(what + "\n")
    except OSError:
        return "what is known of it could not be kept: is the disk full?"
    return f"what is known of it: {path}"


if __name__ == "__main__":
    sys.exit(main())

"""Opt-outs: who asked for no more, by which channel and since when; kept, and lifted only as the law allows."""

from __future__ import annotations

from collections.abc import Mapping

from fastapi import APIRouter, Request, Response

from broker.consent import optouts
from broker.errors import Problem, RuleBroken, SetupError
from broker.ports.approvals import OperatorRole
from broker.ports.consents import OptOutRow
from ledger.consent.consents import OptOuts
from ledger.reads import stopped
from web.watch.desk import At, Desk, Form, acting, of_the_school, posted
from web.watch.people.common import CHANGES, MOST_FORM, reason, typed, words
from web.watch.people.consent import ways
from web.watch.signing_in import NoPage

router = APIRouter()
LIFTS = OperatorRole.AUTHOR  # as the verb wants it
HASH = 64  # letters that a keyed hash is written in
# How whoever holds an address may have asked: nobody else's word lifts it (PECR reg. 22, UK GDPR art. 7).
HOW = {"telephone": "on the telephone", "desk": "at the desk", "writing": "in writing"}
FIELDS = {"via": "channel"}  # the law's names of fields, and this page's


@router.get("/watch/optouts")
def list_(at: Desk) -> Response:
    """The opt-outs, the newest first."""
    of_the_school(at)
    channel = at.query("channel", 63)
    with at.reading() as hand:
        shown, more = stopped.newest(hand, channel=channel, after=_mark(at.query("after")))
        channels = stopped.channels(hand)
    known = {"shown": shown, "more": f"{more[0].hex()}.{more[1]}" if more else "", "channels": channels}
    may = {"changes": at.may(*CHANGES), "writes": at.may(LIFTS)}
    return at.page("people/optouts", channel=channel, **known, **may, **words())


@router.get("/watch/optouts/new")
def ask_new(at: Desk) -> Response:
    """A form for an address that asked for no more."""
    of_the_school(at)
    at.must(*CHANGES)
    return _new(at, {}, None)


@router.post("/watch/optouts/new")
async def new(request: Request) -> Response:
    """Keep it."""
    return await posted(request, _add, most=MOST_FORM)


@router.get("/watch/optouts/{channel}/{keyed}")
def ask_lift(channel: str, keyed: str, at: Desk) -> Response:
    """What lifting it means, and who may ask for it."""
    return _lift_page(at, _the(at, channel, keyed), {}, None)


@router.post("/watch/optouts/{channel}/{keyed}")
async def lift(channel: str, keyed: str, request: Request) -> Response:
    """Let the address hear again."""
    return await posted(request, lambda at, form: _lift(at, form, channel, keyed), most=MOST_FORM)


def _add(at: At, form: Form) -> Response:
    of_the_school(at)
    at.must(*CHANGES)
    said = {key: form[key] for key in ("address", "channel", "why")}
    try:
        why = reason(form["why"])
        done = optouts.add(at.ports, form["address"], form["channel"], why=why, actor=acting(at))
    except RuleBroken as refused:
        problem = refused.problem
        field = FIELDS.get(problem.field, problem.field)
        # The way that stands there first may not be the one that takes what was typed.
        hint = f"{problem.hint}, or choose another way below" if field == "address" else problem.hint
        return _new(at, said, Problem(problem.code, field, problem.message, hint))
    except SetupError as unknown:
        first = unknown.problems[0]
        return _new(at, said, Problem(first.code, "channel", first.message, "choose one of the ways"))
    word = "stopped" if done.changed else "stopped_already"
    return at.done("watch/optouts", word if done.on_file else f"{word}_not_on_file")


def _lift(at: At, form: Form, channel: str, keyed: str) -> Response:
    row = _the(at, channel, keyed)
    said = {key: form[key] for key in ("how", "why", "asked")}
    try:
        if form["asked"] != "yes":
            message, hint = "only whoever holds the address can ask for it", "tick the box if they did"
            raise RuleBroken(Problem("not_asked", "asked", message, hint))
        if form["how"] not in HOW:
            raise RuleBroken(Problem("missing", "how", "how did they ask?", "choose one"))
        why = reason(f"asked {HOW[form['how']]}: {form['why']}" if form["why"] else "")
        optouts.lift(at.ports, row.hash.hex(), row.channel, why=why, actor=acting(at))
    except (RuleBroken, SetupError) as refused:
        return _lift_page(at, row, said, _problem(refused))
    return at.done("watch/optouts", "heard_again")


def _problem(refused: RuleBroken | SetupError) -> Problem:
    return refused.problems[0] if isinstance(refused, SetupError) else refused.problem


def _the(at: At, channel: str, keyed: str) -> OptOutRow:
    """One opt-out. Raises NoPage."""
    of_the_school(at)
    at.must(LIFTS)
    mark = _mark(f"{keyed}.{channel}")
    with at.reading() as hand:
        row = OptOuts(hand).of(*mark) if mark is not None else None
    if row is None:
        raise NoPage(404, "not_found")
    return row


def _mark(text: str) -> tuple[bytes, str] | None:
    """A keyed hash and a channel, as an address holds them; the hash tells nothing of whose it is. Raises NoPage."""
    if not text:
        return None
    keyed, _, channel = text.partition(".")
    plain = channel.isascii() and channel.replace("_", "").replace("-", "").isalnum() and len(channel) < 64
    if len(keyed) != HASH or set(keyed) - set("0123456789abcdef") or not plain:
        raise NoPage(404, "not_found")
    return bytes.fromhex(keyed), channel


def _new(at: At, form: Mapping[str, str], problem: Problem | None) -> Response:
    known = {"form": typed(form), "problem": problem, "ways": ways(at.ports, at)}
    return at.page("people/optout_new", 422 if problem else 200, **known, **words())


def _lift_page(at: At, row: OptOutRow, form: Mapping[str, str], problem: Problem | None) -> Response:
    known = {"row": row, "form": typed(form), "problem": problem, "HOW": HOW}
    return at.page("people/optout_lift", 422 if problem else 200, **known, **words())

"""Saying something rightly, or once more: written, looked at with all that it would do, and only then sent."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from uuid import UUID

from fastapi import APIRouter, Request, Response

from broker import intake
from broker.announcement import AS_CORRECTION, RIGHT_TEXT, Attachment, Draft, FollowUp, Part
from broker.corrections import verbs
from broker.corrections.binding import tip_of
from broker.corrections.law import LEAD, LONGEST_LEAD
from broker.errors import NotFound, Problem, RuleBroken
from broker.moments import instant
from broker.office import families
from broker.ports import Transaction
from ledger.connect import Transaction as LedgerTransaction
from ledger.reads.reached import unmet_in_order
from ledger.reads.watch import Shown
from web.watch.announcement import acting, binding, words
from web.watch.announcement.difference import Piece, difference
from web.watch.announcement.pages import the
from web.watch.compose import files
from web.watch.desk import At, Desk, Form, posted
from web.watch.form_key import key_of, new_key
from web.watch.forms import called
from web.watch.signing_in import NoPage

router = APIRouter()
WRITTEN = (Part.TITLE, Part.SHORT, Part.LONG)  # a quoted post is nothing that is corrected here
MOST_AGAIN = 500  # people to whom something is said again at once, as the API takes them
MOST_SHOWN = 100  # of them by name
LONGEST_WHO = 100
AGAIN = ("unmet", "joined", "named")
DONE = {FollowUp.EDIT: "edited", FollowUp.CORRECTION: "corrected"}


@dataclass(frozen=True, slots=True)
class Says:
    """What it says now, a slip of the pen that was put right included; and the files that go with it."""

    parts: Mapping[Part, str] = field(repr=False)
    files: tuple[Attachment, ...] = ()

    @property
    def widest(self) -> Part:
        """The part that says all of it."""
        return Part.LONG if self.parts.get(Part.LONG) or not self.parts.get(Part.SHORT) else Part.SHORT


@dataclass(frozen=True, slots=True)
class Changed:
    """One part of a wording: as it was and as it would be, piece by piece."""

    part: Part
    pieces: Sequence[Piece] = field(repr=False)


@router.get("/watch/{public_id:uuid}/correct")
def ask_what_is_right(public_id: UUID, at: Desk) -> Response:
    """What it says now, to be put right."""
    at.must(*acting.ACTS)
    with at.ledger.look() as tx:
        row = the(tx.hand, at, public_id)
        said = _says(tx, row)
    values = {part.value: [text] for part, text in said.parts.items()} | {"lead": [LEAD.strip()]}
    form = Form(values | {"kept": [files.stored_file(file) for file in said.files]})
    return _correct_page(at, row, said, form=form)


@router.post("/watch/{public_id:uuid}/correct")
async def correct(public_id: UUID, request: Request) -> Response:
    """Show who would read which text; or send it."""
    return await posted(request, partial(_correct, public_id), most=files.MOST_WITH_FILES)


@router.get("/watch/{public_id:uuid}/again")
def ask_to_whom(public_id: UUID, at: Desk) -> Response:
    """To whom it is said again."""
    at.must(*acting.ACTS)
    who, person = at.query("who") or "unmet", at.query("person")
    ticked = {"new": ["yes"]} if at.query("new") == "1" else {}
    form = Form({"who": [who if who in AGAIN else "unmet"], **ticked})
    with at.ledger.look() as tx:
        row = the(tx.hand, at, public_id)
        if person:
            form = Form({**form.values, "people": [_name_of(tx, person)]})
    return _again_page(at, row, form=form)


@router.post("/watch/{public_id:uuid}/again")
async def again(public_id: UUID, request: Request) -> Response:
    """Show who would get it by which way; or send it."""
    return await posted(request, partial(_again, public_id))


def _correct(public_id: UUID, at: At, form: Form) -> Response:
    at.must(*acting.ACTS)
    with at.ledger.look() as tx:
        row = the(tx.hand, at, public_id)
        said = _says(tx, row)
    if form["do"] == "change":
        return _correct_page(at, row, said, form=form)
    try:
        attached = _attached(form, said)
        found = _answered(at, form, lambda: _correction(at, public_id, form, attached))
    except RuleBroken as refused:
        names = {"text": said.widest.value, "urgency": "urgent", "attachments": files.FIELDS[0]}
        problem = called(refused.problem, names)
        return _correct_page(at, row, said, 422, problem=problem, form=form)
    if found.accepted is not None:
        kept = found.accepted.announcement
        done = DONE.get(kept.follow_up or FollowUp.CORRECTION, "corrected")
        return at.done(f"watch/{kept.public_id}", done)
    changed = [
        Changed(part, difference(said.parts.get(part, ""), acting.text_of(form, part.value)))
        for part in WRITTEN
    ]
    more = {
        "preview": found.preview,
        "problem": found.problem,
        "changed": [one for one in changed if any(piece.how != "same" for piece in one.pieces)],
        "gone": _but(said.files, attached),
        "new": _but(attached, said.files),
    }
    return _correct_page(at, row, said, found.status, form=form, **more)


def _again(public_id: UUID, at: At, form: Form) -> Response:
    at.must(*acting.ACTS)
    with at.reading() as hand:
        row = the(hand, at, public_id)
    if form["do"] == "change":
        return _again_page(at, row, form=form)
    try:
        found = _answered(at, form, lambda: _resend(at, row, form))
    except RuleBroken as refused:
        problem = called(refused.problem, {"person": "people", "id": "who"})
        return _again_page(at, row, 422, problem=problem, form=form)
    if found.accepted is not None:
        return at.done(f"watch/{found.accepted.announcement.public_id}", "said_again")
    return _again_page(at, row, found.status, form=form, preview=found.preview, problem=found.problem)


def _answered(at: At, form: Form, make: Callable[[], Draft]) -> binding.Answer:
    """What was accepted, where the form says to send it; else what it would do. Raises RuleBroken, NoPage."""
    try:
        return binding.answer(
            at.ports,
            make(),
            form,
            lambda draft: intake.accept(at.ports, draft, actor=at.actor),
            actor=at.actor,
        )
    except NotFound as gone:
        if gone.problem.field == "id":
            raise NoPage(404, "not_found") from None
        raise


def _attached(form: Form, said: Says) -> tuple[Attachment, ...]:
    """The files that go with what is right. Raises RuleBroken."""
    attached = files.attachments_of(form, said.files)
    if "typo" in form and _but(attached, said.files):
        message, hint = (
            "a slip of the pen changes words, and no file",
            "leave the file out, or tell them of it",
        )
        raise RuleBroken(Problem("file_of_a_typo", files.FIELDS[0], message, hint))
    return attached


def _but(some: Sequence[Attachment], others: Sequence[Attachment]) -> list[str]:
    """The names of the files that are not among others."""
    known = {(one.name, one.sha256) for one in others}
    return [one.name for one in some if (one.name, one.sha256) not in known]


def _correction(at: At, public_id: UUID, form: Form, attached: tuple[Attachment, ...]) -> Draft:
    parts = {part: acting.text_of(form, part.value) for part in WRITTEN if form[part.value]}
    expires = instant(form["expires"], zone=at.zone, field="expires") if form["expires"] else None
    typo = "typo" in form
    wanted = verbs.Wanted(
        urgent="urgent" in form,
        lead=form.get("lead", LEAD),
        key=key_of(form),
        expires_at=expires,
        attachments=() if typo else attached,  # where a slip of the pen is mended no file ever stood
    )
    make = verbs.edit if typo else verbs.correction
    return make(at.ports, public_id, parts, wanted)


def _resend(at: At, row: Shown, form: Form) -> Draft:
    who = form["who"]
    people: Sequence[UUID] = ()
    with at.ledger.look() as tx:
        if who == "unmet":
            people = _unmet(tx, row)
        elif who == "named":
            people = _named(tx, form["people"])
    return verbs.resend(
        at.ports,
        row.announcement.public_id,
        people,
        joined=who == "joined",
        new_addresses="new" in form,
        at_once="all_ways" in form,
        wanted=verbs.Wanted(urgent="urgent" in form, key=key_of(form)),
    )


def _unmet(tx: LedgerTransaction, row: Shown) -> Sequence[UUID]:
    """Whom nothing has reached. Raises RuleBroken for more than are told again at once."""
    unmet, _ = unmet_in_order(tx.hand, row.announcement, limit=MOST_AGAIN + 1)
    found = [one.person for one in unmet]
    if len(found) > MOST_AGAIN:
        message = f"more than {MOST_AGAIN:,} people are not told"
        raise RuleBroken(Problem("too_many", "who", message, "announce it anew to them"))
    if not found:
        raise RuleBroken(Problem("nobody", "who", "everybody was told", "there is nobody to say it to again"))
    return found


def _named(tx: Transaction, text: str) -> Sequence[UUID]:
    """Whom somebody named, one a line or with commas between. Raises RuleBroken."""
    typed = [" ".join(each.split()) for line in text.splitlines() for each in line.split(",")]
    names = [each for each in typed if each]
    if not names:
        hint = "one name or school id on each line"
        raise RuleBroken(Problem("nobody", "people", "nobody is named yet", hint))
    if len(names) > MOST_AGAIN or any(len(each) > LONGEST_WHO for each in names):
        message = f"name at most {MOST_AGAIN:,} people, each in {LONGEST_WHO} characters"
        raise RuleBroken(Problem("too_many", "people", message))
    return list(dict.fromkeys(families.the(tx, each, "people").public_id for each in names))


def _name_of(tx: Transaction, public_id: str) -> str:
    """By which words one person is meant: their name, or the school's own id where others are called the same."""
    try:
        found = families.the(tx, public_id, "people")
        return found.name if families.the(tx, found.name, "people").id == found.id else found.source_id
    except NotFound:
        return public_id if acting.is_name(public_id) else ""


def _says(tx: LedgerTransaction, row: Shown) -> Says:
    said, tip = row.announcement, tip_of(tx, row.announcement)
    first = tx.announcements.content(said.id, 1)
    kept = first if tip.id == said.id else tx.announcements.content(tip.id, 1)
    parts = {part: text for part, text in kept[0].parts.items() if part in WRITTEN} if kept else {}
    return Says(parts, files.bare(first[0].attachments) if first else ())


def _correct_page(
    at: At, row: Shown, said: Says, status: int = 200, *, form: Form, **known: object
) -> Response:
    return at.page(
        "announcement/correct",
        status,
        **{
            "shown": row,
            "said": said,
            "form": form,
            "kept": files.kept_of(form, said.files),
            "longest_lead": LONGEST_LEAD,
            **_common(at, row),
            **known,
        },
    )


def _again_page(at: At, row: Shown, status: int = 200, **known: object) -> Response:
    more = {"most": MOST_AGAIN, "most_shown": MOST_SHOWN, "has_order": len(row.announcement.ways) > 1}
    return at.page("announcement/again", status, **{"shown": row, **more, **_common(at, row), **known})


def _common(at: At, row: Shown) -> dict[str, object]:
    return {
        "offers": acting.offered(at, row),
        "key": new_key(),
        "preview": None,
        "changed": (),
        "words": words,
        "AS_CORRECTION": AS_CORRECTION,
        "RIGHT_TEXT": RIGHT_TEXT,
    }

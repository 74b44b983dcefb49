"""What somebody filled in, as the law has it: a draft. A field that cannot be read is told by its name on the form."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import TypeVar
from zoneinfo import ZoneInfo

from broker.announcement import Attachment, Draft, Part, People, Purpose, Step, Urgency
from broker.audience import EVERYONE, all_of
from broker.errors import Problem, RuleBroken
from broker.ladders.in_order import in_turn
from broker.ladders.ladder import SHEET, Ladder, Need, Opening
from broker.moments import either_of, instant
from broker.office import families, templates
from broker.ports import Transaction
from broker.rules.parameters import duration_of
from web.watch.compose.choices import MOST_LATER, WAITS, Choices
from web.watch.compose.files import attachments_of
from web.watch.desk import At, Form
from web.watch.form_key import key_of
from web.watch.forms import people_meant

PARTS = (Part.TITLE, Part.SHORT, Part.LONG)
MOST_COPIES = 20
SEVERAL = " + "
_Choice = TypeVar("_Choice", bound=StrEnum)


def draft_of(at: At, form: Form, offered: Choices) -> Draft:
    """What was filled in. Raises RuleBroken."""
    send_at = _send_at(at, form)
    ways, ladder = ways_of(at, form, send_at or datetime.now(UTC))
    with at.ports.ledger.look() as tx:
        parts, files = worded(tx, form, offered)
        copies = _copies(tx, form)
    return Draft(
        department=offered.department,
        audience=audience_of(form),
        people=_one_of(People, form["people"], People.GUARDIANS),
        ways=ways,
        parts=parts,
        purpose=Purpose.PROMOTIONAL if "promotional" in form else Purpose.SERVICE,
        urgency=Urgency.URGENT if "urgent" in form else Urgency.ROUTINE,
        language=language_of(form, offered),
        key=key_of(form),
        send_at=send_at,
        expires_at=moment_of(at, form, "until_") if form["until_day"] or form["until_time"] else None,
        attachments=files,
        expected=count_of(form["expect"]),
        template=offered.template.name if offered.template is not None else "",
        copies=copies,
        ladder=ladder,
    )


def switched(form: Form) -> Form | None:
    """All that was filled in, for another department or with another template; None where nobody asks for either.

    A department has templates of its own.
    """
    do, _, what = form["do"].partition(":")
    if do == "for":
        changed = {"department": what, "template": "", "template_language": ""}
    elif do == "template":
        language, _, name = what.partition(":")
        changed = {"template": name, "template_language": language}
    else:
        return None
    return replace(form, values={**form.values, **{name: [value] for name, value in changed.items()}})


def begun(form: Form, offered: Choices) -> Draft:
    """What was filled in so far, while somebody still writes: nothing is refused, gaps stand as gaps."""
    draft = Draft(
        department=offered.department,
        audience=audience_of(form),
        people=_one_of(People, form["people"], People.GUARDIANS),
        ways=(Step(tuple(dict.fromkeys((*form.all("ways"), *later_of(form))))),),
        parts=typed(form),
        purpose=Purpose.PROMOTIONAL if "promotional" in form else Purpose.SERVICE,
        urgency=Urgency.URGENT if "urgent" in form else Urgency.ROUTINE,
        language=language_of(form, offered),
    )
    if offered.template is None:
        return draft
    known = {gap: words for gap, words in fills(form, offered).items() if words}
    begun_with = templates.begun(offered.template, known)
    return replace(
        draft, parts={**begun_with, **draft.parts}, attachments=tuple(offered.template.attachments)
    )


def audience_of(form: Form) -> str:
    """The expression: the groups that were ticked, and what was written beside; everyone has everybody."""
    if "everyone" in form:
        return EVERYONE
    ticked = all_of(form.all("groups"))
    return SEVERAL.join(filter(None, (ticked, f"({form['to']})" if ticked and form["to"] else form["to"])))


def language_of(form: Form, offered: Choices) -> str:
    """The template's, where there is one."""
    return offered.template.language if offered.template is not None else form["language"]


def typed(form: Form) -> dict[Part, str]:
    """The parts that were typed."""
    return {part: form[part.value] for part in PARTS if form[part.value]}


def fills(form: Form, offered: Choices) -> dict[str, str]:
    """What was typed for each gap of the template."""
    return {gap: form[f"fill_{gap}"] for gap in offered.gaps}


def worded(
    tx: Transaction, form: Form, offered: Choices, there: Sequence[Attachment] = ()
) -> tuple[Mapping[Part, str], tuple[Attachment, ...]]:
    """The wording and its files: as typed, or from a template with its gaps filled. Raises RuleBroken.

    `there`: the files that are stored with what is changed.
    """
    files, parts = attachments_of(form, there), typed(form)
    if offered.template is None:
        return parts, files
    filled = fills(form, offered)
    lacking = next((gap for gap, words in filled.items() if not words), None)
    if lacking is not None:
        raise bad("missing_fill", f"fill_{lacking}", "this is still to be filled in", "")
    return templates.worded(
        tx,
        offered.department,
        offered.template.name,
        language=offered.template.language,
        fills=filled,
        typed=parts,
        files=files,
    )


# --- ways -----------------------------------------------------------------------------------------------------------


def later_of(form: Form) -> Sequence[str]:
    """The channels that come after the first ones."""
    named = (form[f"then{n}"] for n in range(1, MOST_LATER + 1))
    return [name for name in named if name and name != SHEET]


def ways_of(at: At, form: Form, starts: datetime) -> tuple[tuple[Step, ...], Ladder | None]:
    """The ways and when each later one opens; one that comes later is none of the first. Raises RuleBroken."""
    after = later_of(form)
    first = tuple(dict.fromkeys(name for name in form.all("ways") if name not in after))
    if not first:
        raise bad("no_way", "ways", "no way is chosen that goes first", "tick one, such as text messages")
    later = [
        ((form[f"then{n}"],), _opening(at, form, n, starts))
        for n in range(1, MOST_LATER + 1)
        if form[f"then{n}"]
    ]
    return in_turn(first, later, seen="seen" in form)


def _opening(at: At, form: Form, place: int, starts: datetime) -> Opening:
    unless = _one_of(Need, form[f"unless{place}"], Need.REACHED)
    if clock := form[f"by{place}"]:
        day = starts.astimezone(ZoneInfo(at.zone))
        return Opening(instant(f"{day:%Y-%m-%d} {clock:0>5}", zone=at.zone, field=f"by{place}"), unless)
    length: timedelta | None = None
    if wait := form[f"after{place}"]:
        length = duration_of(wait) if wait in WAITS else None
        if length is None:
            raise bad("bad_then", f"after{place}", "this is no time to wait", "choose one of the list")
    return Opening(length, unless)


# --- times ----------------------------------------------------------------------------------------------------------


def moment_of(at: At, form: Form, which: str) -> datetime:
    """A day and a time of the school's clock; of the hour that comes twice, the chosen one. Raises RuleBroken."""
    day, clock = form[f"{which}day"], form[f"{which}time"]
    if not day:
        raise bad("no_day", f"{which}day", "no day is chosen", "choose one")
    if not clock:
        raise bad("no_hour", f"{which}time", "no time is chosen", "choose one, such as 08:15")
    text = f"{day} {clock}"
    if form[f"{which}meant"] in (either_of(text, zone=at.zone) or ()):
        text = form[f"{which}meant"]
    return instant(text, zone=at.zone, field=f"{which}time")


def _send_at(at: At, form: Form) -> datetime | None:
    """None for at once. Raises RuleBroken; also where a day is filled in and “Now” stands: nobody guesses there."""
    if form["when"] == "later":
        return moment_of(at, form, "")
    if form["day"] or form["time"]:
        hint = "tick the day and time, or empty them to send it now"
        raise bad("now_or_later", "when", "a day or a time is filled in, but “Now” is ticked", hint)
    return None


def twice(at: At, form: Form, which: str) -> Mapping[str, str]:
    """The two moments of an hour that comes twice, in words; empty where it comes once."""
    both = either_of(f"{form[f'{which}day']} {form[f'{which}time']}", zone=at.zone)
    if both is None:
        return {}
    clock = form[f"{which}time"]
    return {
        both[0]: f"the first {clock}, before the clocks go back",
        both[1]: f"the second {clock}, after they went back",
    }


# --- the rest -------------------------------------------------------------------------------------------------------


def _copies(tx: Transaction, form: Form) -> tuple[str, ...]:
    lines = [line.strip() for line in form["copies"].splitlines() if line.strip()]
    if len(lines) > MOST_COPIES:
        raise bad("too_many", "copies", f"these are more than {MOST_COPIES} people", "make a group of them")
    return tuple(dict.fromkeys(families.the(tx, line, "copies").source_id for line in lines))


def count_of(text: str) -> int | None:
    """How many people somebody typed; None for nothing. Raises RuleBroken."""
    return people_meant(text, "expect") if text else None


def _one_of(kind: type[_Choice], text: str, otherwise: _Choice) -> _Choice:
    return kind(text) if text in set(kind) else otherwise


def bad(code: str, field: str, message: str, hint: str) -> RuleBroken:
    """What was filled in cannot be used."""
    return RuleBroken(Problem(code, field, message, hint))

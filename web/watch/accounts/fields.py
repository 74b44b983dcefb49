"""A licence's angle as fields of a form: what stands there, what was typed, and back to what the law reads."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from broker.errors import InvalidLicence, Problem
from broker.licences import licence_form
from broker.licences.licence import Angle
from broker.licences.licence_form import Line, lines_of
from broker.licences.licence_sheet import lines
from broker.licences.licensing import Shown
from web.watch.desk import Form

MOST_ROWS = licence_form.MOST
LEAST_ROWS: Mapping[str, int] = {"safe_use.owners": 2, "liability.risks": 3}
# What a line is called on a page, by its path.
LABELS: Mapping[str, str] = {
    "policy.title": "The policy's name",
    "policy.version": "Version",
    "policy.adopted": "Adopted by the governors on",
    "policy.review": "Looked at again by",
    "policy.url": "Where everybody may read it",
    "policy.digest": "Fingerprint of the file (SHA-256)",
    "liability.reviewer": "Who made or reviewed the risk assessment",
    "liability.assessed": "On",
    "liability.review": "Done again by",
    "liability.title": "The document's name",
    "liability.url": "Where it may be read",
    "liability.risks.risk": "What may go wrong",
    "liability.risks.mitigation": "What the school does about it",
    "safe_use.owners.name": "Name",
    "safe_use.owners.post": "Post, such as head teacher",
    "safe_use.owners.trained": "Trained on",
    "safe_use.owners.valid_until": "Counts until",
    "safe_use.owners.leadership": "One of the senior leadership",
    "safe_use.owners.email": "Email, as the school's list of staff has it",
    "technology.checked_by": "Who looked over how it is set up",
    "technology.checked": "On",
    "technology.review": "Looked over again by",
    "technology.keeping": "Where its passwords lie, and who can get at them",
}
ROWS: Mapping[str, tuple[str, str]] = {
    "liability.risks": ("Risk", "The risks"),
    "safe_use.owners": ("Owner", "Who holds the account"),
}


@dataclass(frozen=True, slots=True)
class Field:
    """One field: its name in the form, what it is called, why it is asked, and what stands in it."""

    name: str
    label: str
    why: str
    value: str
    kind: str  # text, date, url, email, yes
    needed: bool


@dataclass(frozen=True, slots=True)
class Rows:
    """Several of the same: each a group of fields."""

    path: str
    each: str
    title: str
    rows: Sequence[Sequence[Field]]


@dataclass(frozen=True, slots=True)
class Sheet:
    """All fields of an angle."""

    fields: Sequence[Field]
    rows: Rows | None
    assured: Sequence[str]

    @property
    def names(self) -> Sequence[str]:
        """Of every field, for what is said beside one."""
        inner = [field.name for row in (self.rows.rows if self.rows else ()) for field in row]
        return [*(field.name for field in self.fields), *inner]


def settled(shown: Shown, angle: Angle) -> dict[str, Any]:
    """What stands of an angle; nothing of what the sandbox made up."""
    if shown.licence.specimen:
        return {}
    found: dict[str, Any] = licence_form.as_form(shown.licence).get(angle.value, {})
    return found


def said(shown: Shown, angle: Angle) -> Sequence[str]:
    """The same in lines for people; what was assured in the sentence that was asked."""
    stands = settled(shown, angle)
    assured = stands.pop("assured", ())
    return [*lines(stands), *(f"It is so that {shown.terms.asks.get(code, code)}" for code in assured)]


def must_say_something(told: Mapping[str, Any], angle: Angle) -> None:
    """An empty form would leave the angle as it was, and look as if it had been signed. Raises InvalidLicence."""
    if not any(value not in ("", False, []) for value in told.values()):
        hint = "begin with this line"
        raise InvalidLicence(Problem("missing", lines_of(angle)[0].path, "nothing is filled in yet", hint))


def typed(form: Form, angle: Angle) -> dict[str, Any]:
    """What somebody filled in, as the law reads it; rows in which nothing stands are left out."""
    told: dict[str, Any] = {}
    for line in lines_of(angle):
        if line.inner:
            rows = [_row(form, line, place) for place in range(_count(form, line))]
            told[line.name] = [row for row in rows if any(value not in ("", False) for value in row.values())]
        elif line.several:
            told[line.name] = form.all(line.path)
        else:
            told[line.name] = _value(form, line, line.path)
    return told


def sheet(angle: Angle, told: Mapping[str, Any], *, more: int = 0) -> Sheet:
    """The fields with what stands there or was typed; `more`: so many empty rows besides."""
    fields, rows, assured = [], None, []
    for line in lines_of(angle):
        if line.inner:
            rows = _rows(line, told.get(line.name, ()), more)
        elif line.several:
            assured = list(told.get(line.name, ()))
        else:
            fields.append(_field(line, line.path, told.get(line.name, "")))
    return Sheet(fields, rows, assured)


def beside(refused: InvalidLicence, form: Form, angle: Angle) -> Problem:
    """A problem under the name of its field: which of several rows it is about, counted with the empty ones."""
    problem, line = refused.problem, next((one for one in lines_of(angle) if one.inner), None)
    if problem.message == "is empty":  # the law's words follow the name of a field; here it stands above them
        problem = replace(problem, message="this is empty")
    if refused.place is None or line is None or not problem.field.startswith(line.path):
        return problem
    filled = [place for place in range(_count(form, line)) if any(_row(form, line, place).values())]
    place = filled[refused.place] if refused.place < len(filled) else 0
    inner = problem.field.removeprefix(line.path).lstrip(".") or line.inner[0].name
    return replace(problem, field=f"{line.path}.{place}.{inner}")


def _rows(line: Line, told: Sequence[Mapping[str, Any]], more: int) -> Rows:
    count = min(max(len(told), LEAST_ROWS.get(line.path, 1)) + more, MOST_ROWS)
    each, title = ROWS.get(line.path, (line.name, line.name))
    rows = [
        [
            _field(
                inner,
                f"{line.path}.{place}.{inner.name}",
                (told[place] if place < len(told) else {}).get(inner.name, ""),
            )
            for inner in line.inner
        ]
        for place in range(count)
    ]
    return Rows(line.path, each, title, rows)


def _field(line: Line, name: str, value: object) -> Field:
    kind = (
        "yes"
        if line.yes_no
        else "date"
        if line.day
        else line.name
        if line.name in ("url", "email")
        else "text"
    )
    stands = ("yes" if value else "") if line.yes_no else str(value)
    return Field(name, LABELS.get(line.path, line.words), line.why, stands, kind, line.needed)


def _row(form: Form, line: Line, place: int) -> dict[str, Any]:
    return {inner.name: _value(form, inner, f"{line.path}.{place}.{inner.name}") for inner in line.inner}


def _value(form: Form, line: Line, name: str) -> Any:
    return form[name] == "yes" if line.yes_no else form[name]


def _count(form: Form, line: Line) -> int:
    """How many rows were sent, bounded: the names of the form tell."""
    return next(
        (place for place in range(MOST_ROWS) if f"{line.path}.{place}.{line.inner[0].name}" not in form),
        MOST_ROWS,
    )

"""The school: what it is, who speaks for it, its settings as they stand, and how long what is kept."""

from __future__ import annotations

from collections.abc import Mapping

from fastapi import APIRouter, Response

from broker.rules.keeping import PARAMETERS
from config.as_they_stand import as_they_stand
from web.watch.desk import At, Desk
from web.watch.navigation import LOOKS
from web.watch.signing_in import NoPage

router = APIRouter()

_UNITS: Mapping[str, str] = {"d": "day", "h": "hour", "min": "minute", "s": "second"}


@router.get("/watch/school")
def school(at: Desk) -> Response:
    """What the school is, and where the rest stands."""
    at.must(*LOOKS)
    with at.ports.ledger.look() as tx:
        row = tx.school
    settings = at.settings
    departments = {slug: name for slug, name in settings.departments.items() if at.department in {None, slug}}
    return at.page(
        "school/school",
        row=row,
        currency=settings.school.currency,
        public_url=settings.public_url or "",
        departments=departments,
        whole=at.department is None,
    )


@router.get("/watch/school/settings")
def settings(at: Desk) -> Response:
    """Every setting as it stands; of a secret only that it is set."""
    whole_school(at)
    return at.page("school/settings", groups=as_they_stand(at.settings))


@router.get("/watch/school/keeping")
def keeping(at: Desk) -> Response:
    """How long each kind of data is kept, and what went in the last night."""
    whole_school(at)
    with at.ports.ledger.look() as tx:
        rules, last = tx.rules.current(), tx.prunings.last_night()
    rows = [
        (p, in_words(p.written(rules.values[p.key])), p.default == p.written(rules.values[p.key]))
        for p in PARAMETERS
    ]
    day, ended, went = last or (None, None, {})
    return at.page("school/keeping", rows=rows, day=day, ended=ended, went=went)


def whole_school(at: At) -> None:
    """For those who answer for the whole school, or look at all of it. Raises NoPage."""
    at.must(*LOOKS)
    if at.department is not None:
        raise NoPage(403, "not_yours")


def in_words(length: str) -> str:
    """A length of time as people say it: "730 d" is 730 days."""
    number, _, unit = length.partition(" ")
    word = _UNITS.get(unit)
    return length if word is None else f"{number} {word}{'' if number == '1' else 's'}"

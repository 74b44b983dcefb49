"""The school: what it is, who speaks for it, its settings as they stand, and how long what is kept."""

from __future__ import annotations

from collections.abc import Mapping

from fastapi import APIRouter, Response

from broker.rules.keeping import PARAMETERS
from config.as_they_stand import as_they_stand
from web.watch.desk import At, Desk, of_the_school
from web.watch.navigation import LOOKS
from web.watch.rules.words import origin, value_said

router = APIRouter()

# What stands in the settings as a code; what is not here is shown as it stands there.
PLACES: Mapping[str, str] = {
    "en-GB": "English, United Kingdom",
    "en-IE": "English, Ireland",
    "cy-GB": "Welsh, United Kingdom",
    "GB": "the United Kingdom",
    "IE": "Ireland",
    "GBP": "pounds (GBP)",
    "EUR": "euros (EUR)",
}


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
        PLACES=PLACES,
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
    values = rules.values
    rows = [
        (p, ", ".join(value_said(p, values[p.key])), p.default == p.written(values[p.key]))
        for p in PARAMETERS
    ]
    day, ended, went = last or (None, None, {})
    return at.page("school/keeping", rows=rows, day=day, ended=ended, went=went, origin=origin)


def whole_school(at: At) -> None:
    """For those who answer for the whole school, or look at all of it. Raises NoPage."""
    of_the_school(at, *LOOKS)

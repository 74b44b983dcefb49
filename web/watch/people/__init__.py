"""People: who there is, families, groups, addresses in doubt, consent and opt-outs.

Who looks for somebody sends a form, and a list goes on from a number: no name ever stands in an address, which proxies,
browsers and logs keep.
"""

from __future__ import annotations

from fastapi import APIRouter

from web.routers import join
from web.watch.people import (
    consent,
    doubtful,
    families,
    group_changes,
    groups,
    members,
    one,
    optouts,
    pages,
    person_acts,
    private,
    readers,
)

router = APIRouter()
# Fixed words before what takes any word for somebody's id.
for each in (
    pages,
    person_acts,
    private,
    one,
    families,
    group_changes,
    members,
    readers,
    groups,
    doubtful,
    consent,
    optouts,
):
    join(router, each.router)

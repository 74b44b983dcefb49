"""The pages of people as somebody reads them: who is there, who hears, what they were sent; and what no page shows."""

from __future__ import annotations

from broker.actor import SYSTEM
from broker.office import groups
from tests.support.watching import Watched
from tests.web.watch.people.conftest import address_of, group_of, id_of

NUMBER = "+447911100001"


def places(here: Watched) -> list[str]:
    """Every page of the family that is asked for by an address."""
    gwen, rick, choir = id_of(here, "gwen"), id_of(here, "rick"), group_of(here, "Choir")
    kept = groups.keep(here.tower.house.ports, "Band", department=None, actor=SYSTEM).id
    made = groups.define(here.tower.house.ports, "Trip", "Choir & 7B", department=None, actor=SYSTEM).id
    return [
        "people", "people?role=pupil&in=Choir", "people?role=guardian&in=Choir+%26+7B", "people?role=staff",
        f"people/{gwen}", f"people/{gwen}/messages", f"people/{gwen}/consent", f"people/{gwen}/consent/new",
        f"people/{gwen}/data", f"people/{gwen}/erase", f"people/{gwen}/block", f"people/{gwen}/block/{rick}",
        "families", "families?in=7B", "families?without=1",
        "groups", "groups?kind=kept&q=b", "groups/try", "groups/try?expression=Choir+%26+7B", "groups/new",
        f"groups/{choir}", f"groups/{choir}/members", f"groups/{kept}", f"groups/{kept}/change",
        f"groups/{kept}/members", f"groups/{kept}/list", f"groups/{made}", f"groups/{made}/change",
        "doubtful", "doubtful?doubt=failing", "doubtful?doubt=bounced", "doubtful?doubt=unconfirmed",
        "doubtful/twice", f"doubtful/{address_of(here, NUMBER)}",
        "consent", "consent?channel=bell&said=no", "consent/sheet", "consent/import",
        "optouts", "optouts?channel=bell", "optouts/new",
    ]  # fmt: skip


def test_every_page_answers_and_shows_no_number_or_email_in_full(here):
    for place in places(here):
        html = here.get(f"/watch/{place}")
        assert "79111000" not in html, place
        assert "bells@example.org" not in html.casefold(), place
        assert "Undefined" not in html

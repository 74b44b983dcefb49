"""Private links, as each page that offers them makes and ends them, and the addresses of one that was just made."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from broker.errors import Problem
from broker.office import private_links, subscribers
from broker.office.private_links import MadeLink
from broker.ports.approvals import OperatorRole
from broker.ports.links import PrivateLinkRow
from channels.rss.feed import Format
from config.private_feeds import ICS, PAGE, addresses
from web.watch.desk import At, Form, acting
from web.watch.forms import called
from web.watch.signing_in import NoPage

MAKES = (OperatorRole.AUTHOR,)  # as the verb wants it
FIELDS = {"name": "group", "for": "about"}  # what the verb calls them → the forms
CALLED = {
    PAGE: "A page to read",
    ICS: "A calendar to subscribe to",
    **{form.value: f"A feed, for a course or a site ({form.value})" for form in Format},
}


def make(at: At, form: Form, group: str) -> MadeLink:
    """A new one. Its address is shown on the answer alone: nobody keeps it, and none can be shown again.

    Raises RuleBroken, NoPage.
    """
    at.must(*MAKES)
    return private_links.make(at.ports, group, form["about"], actor=acting(at))


def end(at: At, link: int, *, among: Sequence[PrivateLinkRow]) -> None:
    """Take one of those back that the page lists. Raises RuleBroken, NoPage."""
    at.must(*MAKES)
    if link not in {one.id for one in among}:
        raise NoPage(404, "not_found")
    private_links.revoke(at.ports, link, actor=acting(at))


def beside(problem: Problem) -> Problem:
    """What was wrong, beside the field of the form."""
    return called(problem, FIELDS)


def known(at: At, made: MadeLink | None) -> Mapping[str, object]:
    """What a page with links shows: whether one may be made here, and the one that just was."""
    return {
        "makes": at.may(*MAKES),
        "made": made,
        "addresses": _addresses_of(at, made) if made else (),
        "base": at.settings.public_url or "",
        "endings": [form.value for form in Format],
        "calendar": ICS,
    }


def _addresses_of(at: At, made: MadeLink) -> Sequence[tuple[str, str]]:
    """What each is called, and where it is; below no school where nobody has said the public address."""
    base = at.settings.public_url or ""
    found = addresses(base, made.secret)
    told = [(CALLED[ending], found[ending]) for ending in CALLED]
    if subscribers.offer(at.ports, made.secret):
        told.append(("Notifications in a browser", f"{base}/push/{made.secret}"))
    return told

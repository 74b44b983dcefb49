"""The addresses of a private link that was just made, for each place where one can be put."""

from __future__ import annotations

from collections.abc import Sequence

from broker.office import subscribers
from broker.office.private_links import MadeLink
from channels.rss.feed import Format
from config.private_feeds import ICS, PAGE, addresses
from web.watch.desk import At

CALLED = {
    PAGE: "A page to read",
    ICS: "A calendar to subscribe to",
    **{form.value: f"A feed, for a course or a site ({form.value})" for form in Format},
}


def addresses_of(at: At, made: MadeLink) -> Sequence[tuple[str, str]]:
    """What each is called, and where it is; below no school where nobody has said the public address."""
    base = at.settings.public_url or ""
    found = addresses(base, made.secret)
    told = [(CALLED[ending], found[ending]) for ending in CALLED]
    if subscribers.offer(at.ports, made.secret):
        told.append(("Notifications in a browser", f"{base}/push/{made.secret}"))
    return told

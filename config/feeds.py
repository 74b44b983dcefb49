"""The public feeds, as bytes ready to give out: read from the ledger, written by channels.rss, kept while they hold.

Once a second at most the ledger is asked for its pulse. While that is the same, and for a minute at most, every feed is
what it was, and a reader who has it already costs a comparison of two strings.
"""

from __future__ import annotations

import gzip
import re
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from uuid import NAMESPACE_URL, UUID, uuid5

from broker.announcement import Content
from channels.rss import write
from channels.rss.feed import MEDIA_TYPES, Feed, Format, Gone, Item
from channels.rss.settings import Settings as FeedSettings
from config.accounts import Account
from config.settings import Settings
from ledger.connect import Ledger
from ledger.reads import feeds as reads
from ledger.reads.feeds import CHANNEL, Kind, Page, Pulse, Scope

ASK_EVERY = timedelta(seconds=1)
READ_EVERY = timedelta(minutes=1)  # whatever the pulse: what erasure strikes out of a text moves no delivery
PACKING = 6  # of gzip: nine takes thrice as long for a hundredth less
FOLDERS = {Kind.SCHOOL: "", Kind.DEPARTMENT: "departments/", Kind.GROUP: "groups/"}
# Of a feed or a calendar, after /feeds/.
PATH = re.compile(r"(?:(departments|groups)/)?([a-z0-9-]{1,63})\.(rss|atom|json|ics)")
BEGINNING = datetime(2000, 1, 1, tzinfo=UTC)  # of a feed in which nothing ever stood

Key = tuple[Kind, str, Format]


@dataclass(frozen=True, slots=True)
class Served:
    """One feed in one format. `tag` is a digest of the body: the same feed has the same tag in every process."""

    media_type: str
    body: bytes
    packed: bytes  # the same, by gzip
    tag: str
    updated: datetime | None  # None: something may leave it and leave no trace, so that a date would mislead
    links: str = ""  # the header by which a hub and its readers find each other (WebSub §4)


@dataclass(frozen=True, slots=True)
class _Known:
    """What was found at one pulse; when (monotonic) it was read, and last known to hold. `before`: what was before."""

    pulse: Pulse
    scopes: Mapping[tuple[Kind, str], Scope]
    served: dict[Key, tuple[Feed, Served]]
    before: Mapping[Key, tuple[Feed, Served]]
    read: float
    asked: float


class Feeds:
    """The feeds of one school, for any number of threads."""

    def __init__(self, ledger: Ledger, settings: Settings) -> None:
        self._ledger = ledger
        self._settings = settings
        self._known: _Known | None = None
        self._asking = threading.Lock()

    @property
    def any(self) -> bool:
        """Whether the school has feeds at all: an account for them."""
        return bool(_accounts(self._settings))

    def at_hand(self, kind: Kind, slug: str, format: Format) -> Served | None:
        """The feed, if it is known to hold just now: never waits. Ask `fetch` when it is None."""
        known = self._known
        if known is None or time.monotonic() - known.asked > ASK_EVERY.total_seconds():
            return None
        found = known.served.get((kind, slug, format))
        return found[1] if found is not None else None

    def fetch(self, kind: Kind, slug: str, format: Format) -> Served | None:
        """The feed, from the ledger if need be; None when there is none of this name. Blocks: not for an event loop."""
        if not self.any:
            return None
        with self._asking:
            known = self._look()
            scope = known.scopes.get((kind, slug))
            if scope is None:
                return None
            key = (kind, slug, format)
            if key not in known.served:
                known.served[key] = self._serve(scope, known, format)
            return known.served[key][1]

    def feed(self, kind: Kind, slug: str) -> Feed | None:
        """What stands in a feed, before it is written in any format. Blocks."""
        if self.fetch(kind, slug, Format.JSON) is None or self._known is None:
            return None
        found = self._known.served.get((kind, slug, Format.JSON))
        return found[0] if found is not None else None

    def scopes(self) -> Sequence[Scope]:
        """Every feed that there is, the school's first. Blocks."""
        if not self.any:
            return ()
        with self._asking:
            return self._look().pulse.scopes

    def page(self, public_id: UUID) -> Page | None:
        """What may be shown of an announcement. Blocks."""
        with self._ledger.reading() as hand:
            return reads.page(hand, public_id)

    def address(self, scope: Scope, format: Format) -> str:
        """Where a feed is fetched."""
        return f"{self._home}/feeds/{path_of(scope, format)}"

    def link(self, announcement: UUID) -> str:
        """The page of an announcement."""
        return f"{self._home}/a/{announcement}"

    @property
    def language(self) -> str:
        """The school's, which a wording without one is in."""
        return self._settings.school.locale

    @property
    def _home(self) -> str:
        return self._settings.public_url or ""

    def _look(self) -> _Known:
        """What is known, looked at again when that is a second ago."""
        now, known = time.monotonic(), self._known
        if known is not None and now - known.asked <= ASK_EVERY.total_seconds():
            return known
        with self._ledger.reading() as hand:
            pulse = reads.pulse(hand)
        young = known is not None and now - known.read <= READ_EVERY.total_seconds()
        if known is not None and young and known.pulse.signature == pulse.signature:
            known = replace(known, asked=now)
        else:
            scopes = {(scope.kind, scope.slug): scope for scope in pulse.scopes}
            known = _Known(pulse, scopes, {}, known.served if known is not None else {}, now, now)
        self._known = known
        return known

    def _serve(self, scope: Scope, known: _Known, format: Format) -> tuple[Feed, Served]:
        feed = self._feed(scope, known.pulse.school)
        before = known.before.get((scope.kind, scope.slug, format))
        if before is not None and before[0] == feed:  # it was another feed that changed
            return before
        links = f'<{feed.addresses[format]}>; rel="self"' + (f', <{feed.hub}>; rel="hub"' if feed.hub else "")
        return feed, served(MEDIA_TYPES[format], write(feed, format), feed.updated, links)

    def _feed(self, scope: Scope, school: Scope) -> Feed:
        rules = self._rules(scope)
        with self._ledger.reading() as hand:
            published = reads.published(hand, scope, limit=rules.items)
            withdrawn = reads.withdrawn(hand, scope, limit=rules.items)
        moments = [*(one.updated_at for one in published), *(one.at for one in withdrawn)]
        name = school.name if scope.kind is Kind.SCHOOL else f"{scope.name}, {school.name}"
        return Feed(
            id=uuid5(NAMESPACE_URL, f"carillon:{school.slug}/{scope.kind}/{scope.slug}"),
            title=name,
            description=f"Announcements of {name}",
            author=school.name,
            language=self.language,
            home=f"{self._home}/feeds",
            addresses={form: self.address(scope, form) for form in Format},
            updated=max(moments, default=BEGINNING),
            items=[
                Item(
                    one.id,
                    self.link(one.id),
                    one.department,
                    in_language(one.content, self.language),
                    one.published_at,
                    one.updated_at,
                )
                for one in published
            ],
            gone=[Gone(one.id, one.at) for one in withdrawn],
            hub=rules.hub,
        )

    def _rules(self, scope: Scope) -> FeedSettings:
        """The settings of the account that rules a feed: the department's own, else the school's, else any."""
        accounts = _accounts(self._settings)
        own = [account for account in accounts if account.department == scope.department]
        whole = [account for account in accounts if account.department is None]
        ruling = (own + whole + accounts)[0]
        assert isinstance(ruling.own, FeedSettings)  # noqa: S101 - validated by the kit of this channel
        return ruling.own


def served(media_type: str, body: bytes, updated: datetime | None = None, links: str = "") -> Served:
    """Bytes made ready to be given out."""
    packed = gzip.compress(body, PACKING, mtime=0)
    return Served(media_type, body, packed, sha256(body).hexdigest()[:32], updated, links)


def path_of(scope: Scope, format: Format) -> str:
    """The part of a feed's address, and of its file, after `feeds/`."""
    return f"{FOLDERS[scope.kind]}{scope.slug}.{format}"


def in_language(contents: Sequence[Content], locale: str) -> Content:
    """The wording in the school's language, else the one that says no language, else any."""
    spoken = locale.partition("-")[0]

    def fitness(content: Content) -> int:
        if content.language == locale:
            return 0
        return 1 if content.language.partition("-")[0] == spoken else 2 if not content.language else 3

    return min(contents, key=fitness)


def _accounts(settings: Settings) -> list[Account]:
    return [account for account in settings.accounts.values() if account.channel == CHANNEL]

"""What the school says: the announcement, its wording, and the stage it has reached."""

from __future__ import annotations

import hashlib
import mimetypes
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from uuid import UUID

from broker.ladders.ladder import Ladder

# Holds of a whole announcement that end with a second person's yes.
AWAITING = frozenset({"needs_approval", "first_name", "street_address", "sale_words"})
UNSETTLED = "unsettled"  # the hold of a follow-up that waits for what it follows up, half planned
LINKED_FOR = timedelta(days=60)  # after it is due, a link to a file leads nowhere


class Purpose(StrEnum):
    """Why it is said; promotional wants consent and is never urgent (R15, PECR)."""

    SERVICE = "service"
    PROMOTIONAL = "promotional"


class Urgency(StrEnum):
    """Urgent goes in a lane of its own and skips the waits of design §9, never a refusal."""

    ROUTINE = "routine"
    URGENT = "urgent"


class People(StrEnum):
    """Who hears about a pupil: all guardians, the first that a way can reach, the pupil, guardians and pupil; or staff.

    Staff are the members of staff of the groups, told as themselves.
    """

    GUARDIANS = "guardians"
    FIRST = "first"
    PUPILS = "pupils"
    STAFF = "staff"
    BOTH = "both"

    @property
    def covers(self) -> frozenset[str]:
        """Whose rules hold for these: a rule about pupils is one about guardians and pupils together too."""
        return _COVERS.get(self, frozenset({self.value}))


_COVERS = {
    People.BOTH: frozenset({"both", "pupils", "guardians"}),
    People.FIRST: frozenset({"first", "guardians"}),
}


class Part(StrEnum):
    """The parts of a wording: a title, a short text for texts and posts, a long one in Markdown for mails.

    `quote` names a post (its address or id) that a channel of posts shows with the short text as its comment (R11).
    """

    TITLE = "title"
    SHORT = "short"
    LONG = "long"
    QUOTE = "quote"


@dataclass(frozen=True, slots=True)
class Step:
    """One step of the ways: channels tried at once. Later steps open when an earlier one fails (R16)."""

    channels: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Attachment:
    """A file that goes with a mail; stored once by its digest.

    `token` is the random word under which a way that carries no files gives a link to it; "" until it is accepted.
    """

    sha256: str
    name: str = field(repr=False)
    media_type: str
    data: bytes = field(repr=False)
    token: str = field(default="", repr=False)

    @classmethod
    def of(cls, name: str, data: bytes, media_type: str | None = None) -> Attachment:
        """A file as somebody hands it over; what kind it is its name says, where nobody else does."""
        kind = media_type or mimetypes.guess_type(name)[0] or "application/octet-stream"
        return cls(hashlib.sha256(data).hexdigest(), name, kind, data)


@dataclass(frozen=True, slots=True)
class Content:
    """One version of the wording in one language, with its files. `language` is "" when the school has not said."""

    version: int
    language: str
    parts: Mapping[Part, str] = field(repr=False)
    attachments: tuple[Attachment, ...] = ()
    automatic: bool = False  # the house itself says it, to one address: no machine must answer it
    seen: bool = False  # each message of it carries a link by which somebody says that it was seen

    @property
    def title(self) -> str:
        """The subject line; the short text's beginning where nobody wrote a title."""
        return self.parts.get(Part.TITLE) or _clip(self.parts.get(Part.SHORT) or self.long, 78)

    @property
    def short(self) -> str:
        """The text for texts and posts; the long part where nobody wrote a short one."""
        return self.parts.get(Part.SHORT) or self.long

    @property
    def long(self) -> str:
        """The Markdown for mails; the short text where nobody wrote a long one."""
        return self.parts.get(Part.LONG) or self.parts.get(Part.SHORT, "")


RIGHT_TEXT, AS_CORRECTION = 1, 2  # the versions of a correction's wording


class FollowUp(StrEnum):
    """What an announcement is to the one that it follows up; together they are a thread (decision 35)."""

    CORRECTION = "correction"  # says rightly what the thread said wrongly
    EDIT = "edit"  # mends a slip of the pen in feeds, and nowhere else
    WITHDRAWAL = "withdrawal"  # tells those who were reached that it is taken back
    RESEND = "resend"  # says it once more, to people named or to those who joined since
    REDIRECT = "redirect"  # the same, by those of their addresses that nothing of it went to


@dataclass(frozen=True, slots=True)
class Follows:
    """What a draft follows up, and as what.

    `lead` begins what those read who have the wrong text, or may have. `people` (public ids) and `joined` say to whom
    it is sent again.
    """

    first: UUID
    kind: FollowUp
    lead: str = ""
    people: tuple[UUID, ...] = ()
    joined: bool = False


@dataclass(frozen=True, slots=True)
class ToldBefore:
    """For exactly those whom earlier announcements told, at the same addresses; or for all of its audience but them.

    Told: what was sent, delivered, or may have left. Somebody told by one way of several counts as told.
    """

    announcements: tuple[UUID, ...]
    again: bool  # else: but them


@dataclass(frozen=True, slots=True)
class Draft:
    """What somebody wants announced, as a door hands it to intake: still unchecked.

    `audience` is an expression over groups ("Year 7", "Choir + Orchestra"); `send_at` and `expires_at` are
    aware instants (the door has resolved wall time and zone with `broker.moments`), None for now / the default.
    `key` makes the call safe to repeat.
    """

    department: str
    audience: str
    people: People
    ways: tuple[Step, ...]
    parts: Mapping[Part, str] = field(repr=False)
    purpose: Purpose = Purpose.SERVICE
    urgency: Urgency = Urgency.ROUTINE
    language: str = ""
    key: str | None = None
    send_at: datetime | None = None
    expires_at: datetime | None = None
    attachments: tuple[Attachment, ...] = ()
    expected: int | None = None  # how many people it should tell, as somebody typed it
    template: str = ""  # the name of the department's template that it was made from
    copies: tuple[str, ...] = ()  # members of staff who read it too, by their ids in the roster
    # Of what Carillon announces for somebody: since when its words stand, so that there was time for second thoughts.
    settled_at: datetime | None = None
    told_before: ToldBefore | None = None
    follows: Follows | None = None
    ladder: Ladder | None = None  # an opening for each way after the first step, and for the slip sheet


@dataclass(frozen=True, slots=True)
class Announcement:
    """An accepted announcement. Its stage is derived from these times; there is no state column."""

    id: int
    public_id: UUID
    department: str
    purpose: Purpose
    urgency: Urgency
    audience: str
    people: People
    ways: tuple[Step, ...]
    accepted_at: datetime
    approved_at: datetime | None
    due_at: datetime
    expires_at: datetime
    fanned_out_at: datetime | None
    withdrawn_at: datetime | None
    held_until: datetime | None = None  # by the rules: not planned before this
    hold_code: str = ""
    hold_why: str = ""
    corrects: int | None = None  # what it follows up, and as what
    follow_up: FollowUp | None = None
    corrected_by: int | None = None  # what says it rightly; it waits meanwhile
    corrected_at: datetime | None = None  # from when on that speaks instead


class Stage(StrEnum):
    """How far an announcement has come."""

    AWAITING_APPROVAL = "awaiting approval"
    HELD = "held"
    SCHEDULED = "scheduled"
    PLANNING = "being planned"
    SENDING = "going out"
    WITHDRAWN = "withdrawn"
    CORRECTED = "corrected"
    EXPIRED = "expired"


def stage(announcement: Announcement, now: datetime) -> Stage:
    """Where it stands at `now`, from its times alone."""
    if announcement.withdrawn_at is not None:
        return Stage.WITHDRAWN
    if announcement.corrected_at is not None:
        return Stage.CORRECTED
    if announcement.expires_at <= now:
        return Stage.EXPIRED
    if announcement.approved_at is None:
        return Stage.AWAITING_APPROVAL
    if announcement.fanned_out_at is not None:
        return Stage.SENDING
    if announcement.hold_code == UNSETTLED:
        return Stage.PLANNING
    if announcement.held_until is not None and announcement.held_until > now:
        return Stage.AWAITING_APPROVAL if announcement.hold_code in AWAITING else Stage.HELD
    return Stage.SCHEDULED if announcement.due_at > now else Stage.PLANNING


def stage_in_words(stage: Stage, *, settled: bool, went_out: bool = False) -> str:
    """How far it has come, wherever it is told; what went out and is settled is finished.

    `went_out`: it has deliveries. Its expiry is no news then: only what never went out has expired.
    """
    finished = settled and (stage is Stage.SENDING or (stage is Stage.EXPIRED and went_out))
    return "finished" if finished else stage.value


def _clip(text: str, length: int) -> str:
    line = " ".join(text.split())
    return line if len(line) <= length else line[: length - 1].rstrip() + "…"

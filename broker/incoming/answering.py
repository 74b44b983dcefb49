"""What people write back: an answer as a door hands it in, the inboxes that answers go to, and what the house answers.

Nothing here knows a door: a text's callback, a mailbox and a pipe all hand in an `Inbound`.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import cache
from importlib.resources import files
from uuid import UUID

LONGEST_TEXT = 10_000  # characters kept of an answer; the longest text message has 1,600
LONGEST_SUBJECT = 200
MOST_WORDS = 2_000
LONGEST_WORDS = 80
HELP = "In danger now, call 999. To talk to somebody, Childline: 0800 1111, free, day and night."
OVERDUE_AFTER = timedelta(hours=24)
SAFEGUARDING = "safeguarding"  # the lead's own inbox


@dataclass(frozen=True, slots=True)
class Inbound:
    """Something that somebody sent us, as a door hands it in: bounded, otherwise unchecked.

    `key` names it at its source (the provider's id, a mail's digest), so that hearing of it twice records it once.
    `attempt` is the try that it answers, where a signed token told; `reply_to` (a delivery and the beginning of its
    text's digest) what an unsigned Message-ID claims. `automatic`: a machine wrote it, and nobody need read it.
    `quiet`: no machine should answer it, for it says so or has lain for days. `settled`: all that it asks is done
    (STOP, START): it is kept, nobody need read it and nothing is answered.
    """

    channel: str
    sender: str = field(repr=False)
    text: str = field(repr=False)
    key: str = field(repr=False)
    account: int | None = None
    subject: str = field(default="", repr=False)
    attempt: int | None = None
    reply_to: tuple[int, str] | None = None
    automatic: bool = False
    quiet: bool = False
    settled: bool = False


@dataclass(frozen=True, slots=True)
class Inbox:
    """Where answers wait: who watches it, and where they are told that one is there. `departments` send theirs here."""

    name: str
    watchers: tuple[str, ...] = ()  # operators' names
    email: str = field(default="", repr=False)
    departments: frozenset[str] = frozenset()


OFFICE = Inbox("office")  # of a school that has said nothing yet


class WordList:
    """Words and phrases that bring an answer to the safeguarding lead; a star ends a word's beginning: `suicid*`."""

    def __init__(self, phrases: Iterable[str]) -> None:
        kept = {told for phrase in phrases if (told := _plain(phrase, stars=True))}
        self.phrases = frozenset(kept)
        alternatives = "|".join(re.escape(one).replace(r"\*", r"\w*") for one in sorted(kept))
        self._pattern = re.compile(rf"(?<!\w)(?:{alternatives})(?!\w)") if kept else None

    def heard_in(self, *texts: str) -> bool:
        """Whether any of them says one of the words, however it is written."""
        return self._pattern is not None and any(self._pattern.search(_plain(each)) for each in texts)

    @classmethod
    def of(cls, lines: str) -> WordList:
        """From the lines of a file; what follows a # is a remark."""
        return cls(line.partition("#")[0] for line in lines.splitlines())


def _plain(text: str, *, stars: bool = False) -> str:
    """Letters and digits in one case with single spaces: no capital, accent, apostrophe or line break hides a word."""
    folded = unicodedata.normalize("NFKD", text.casefold())
    kept = (c for c in folded if not unicodedata.combining(c) and c not in "'’‘`´")
    return " ".join(re.sub(r"[^\w*]+" if stars else r"[\W_]+", " ", "".join(kept)).split())


@cache
def shipped_words() -> WordList:
    """The list that comes with Carillon."""
    return WordList.of((files("broker.incoming") / "data" / "safeguarding-words.txt").read_text("utf-8"))


@dataclass(frozen=True, slots=True)
class Answering:
    """How a school answers: settings, as a value. `lead` is the safeguarding lead's inbox."""

    inboxes: tuple[Inbox, ...] = (OFFICE,)  # the first takes what no other is for
    lead: Inbox = Inbox(SAFEGUARDING)
    help: str = HELP
    overdue_after: timedelta = OVERDUE_AFTER
    words: WordList = field(default_factory=shipped_words)
    replies: bool = True  # whether anything is answered by itself
    own_addresses: frozenset[str] = frozenset()  # what our mails come from: never answered

    def inbox_of(self, department: str | None) -> Inbox:
        """Where a department's answers go."""
        return next((one for one in self.inboxes if department in one.departments), self.inboxes[0])

    def named(self, name: str) -> Inbox | None:
        """One inbox, the lead's among them."""
        return next((one for one in (*self.inboxes, self.lead) if one.name == name), None)


@dataclass(frozen=True, slots=True)
class AnswerRow:
    """One answer as kept. Its sender, subject and text are for whoever may read it, never for a log."""

    id: int
    public_id: UUID
    channel: str
    inbox: str
    sender: str = field(repr=False)
    subject: str = field(repr=False)
    text: str = field(repr=False)
    received_at: datetime
    announcement: UUID | None
    automatic: bool
    concern: bool  # for the safeguarding lead alone, until it is released
    opened_at: datetime | None  # when somebody first read it
    opened_by: str
    done_at: datetime | None
    done_by: str
    released_by: str
    reply: str  # what became of the automatic answer: a sentence


@dataclass(frozen=True, slots=True)
class Answered:
    """What an answer is about, as far as the ledger can tell: the attempt's delivery and its announcement."""

    delivery: int
    announcement: int
    department: str
    account: str


@dataclass(frozen=True, slots=True)
class Waiting:
    """One inbox's open answers. `newest` is when the last of them came there, from outside or from the lead."""

    inbox: str
    open: int
    oldest: datetime
    newest: datetime


def by_inbox(waiting: Iterable[Waiting]) -> Mapping[str, Waiting]:
    """Found by the inbox's name."""
    return {one.inbox: one for one in waiting}

"""How long things are kept: one rule for each kind of data, counted from when its purpose was over.

Storage limitation (UK GDPR art. 5(1)(e)): nothing about anybody is kept for ever because nobody thought of it. The
nightly job (`broker.privacy.keeping`) takes away what has had its time; a legal hold keeps it. docs/privacy.md
shows how a school decides.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum

from broker.rules.case import Family
from broker.rules.parameters import Kind, Parameter
from broker.rules.values import Rules


class Kept(StrEnum):
    """How long what a table holds is kept: by a rule of that name, or as said."""

    CONTENT = "content"
    MESSAGES = "messages"
    RECEIPTS = "receipts"
    ANSWERS = "answers"
    ADDRESSES = "addresses"
    PEOPLE = "people"
    RECORD = "record"
    SIGN_IN = "until it is over"
    SCHOOL = "as long as the school uses Carillon"

    @property
    def rule(self) -> str | None:
        """The key of the rule that says how long; None where no rule does."""
        return None if self in {Kept.SIGN_IN, Kept.SCHOOL} else f"keeping.{self.value}"


PARAMETERS = (
    Parameter(
        "keeping.content",
        Kind.DURATION,
        "730 d",
        "How long after its expiry the wording of an announcement and its files are kept.",
        "UK GDPR art. 5(1)(e): two school years, so that last year's can be looked up",
        least="30 d",
        most="3650 d",
    ),
    Parameter(
        "keeping.messages",
        Kind.DURATION,
        "730 d",
        "How long after its expiry it is kept who was told what, by which way, and whether it came; the counts stay.",
        "UK GDPR art. 5(1)(e): two school years, for a complaint about a message that did not come",
        least="30 d",
        most="3650 d",
    ),
    Parameter(
        "keeping.receipts",
        Kind.DURATION,
        "30 d",
        "How long it is kept that a provider called back, that a mail bounced, that there was an alarm. What a callback"
        " said goes at once, when it has been read.",
        "UK GDPR art. 5(1)(c): what it said stands with the message",
        least="1 d",
        most="730 d",
    ),
    Parameter(
        "keeping.answers",
        Kind.DURATION,
        "365 d",
        "How long an answer is kept after somebody has dealt with it. One that nobody has dealt with stays. What"
        " belongs in a child's file is to be put there before.",
        "UK GDPR art. 5(1)(e); KCSIE: concerns belong in the child protection file",
        least="30 d",
        most="3650 d",
    ),
    Parameter(
        "keeping.addresses",
        Kind.DURATION,
        "90 d",
        "How long numbers and emails of those who left the school are kept: until then a wrong import can be undone.",
        "UK GDPR art. 5(1)(e)",
        least="7 d",
        most="730 d",
    ),
    Parameter(
        "keeping.people",
        Kind.DURATION,
        "400 d",
        "How long after they left the names of people are kept; then they are erased as if they had asked for it."
        " A roster may bring them back.",
        "UK GDPR art. 5(1)(e): one school year, for those who come back",
        least="30 d",
        most="3650 d",
    ),
    Parameter(
        "keeping.record",
        Kind.DURATION,
        "2557 d",
        "How long the sealed record is kept: who did what, in ids and commitments. Its seals stay and name nobody.",
        "Limitation Act 1980 s. 5: six years, and the year that runs",
        least="365 d",
        most="4000 d",
    ),
)
FAMILY = Family("keeping", PARAMETERS)


@dataclass(frozen=True, slots=True)
class Keeping:
    """How long each kind of data is kept."""

    content: timedelta
    messages: timedelta
    receipts: timedelta
    answers: timedelta
    addresses: timedelta
    people: timedelta
    record: timedelta


def keeping_of(rules: Rules) -> Keeping:
    """What the school's rules say about keeping."""
    return Keeping(**{key.rpartition(".")[2]: rules.duration(key) for key in (p.key for p in PARAMETERS)})

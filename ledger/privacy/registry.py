"""What every column of every table holds of anybody, how long, and what becomes of it when a person is erased.

The one place that knows. Erasing (`ledger.privacy.erasure`), keeping (`ledger.privacy.pruning`), a person's copy
(`ledger.reads.copy`) and the tables of docs/privacy.md are made from it, and a test fails for a column that is not in
it: a new table cannot be forgotten.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from types import MappingProxyType

from broker.rules.keeping import Kept


class Kind(StrEnum):
    """What a column holds."""

    NOTHING = "nothing of anybody: states, counts, times, our own words"
    STAND_IN = "our own number for somebody or something of theirs, which says nothing once that row is empty"
    NAME = "a name"
    ADDRESS = "a mobile number or an email"
    KNOWN_AS = "what another system calls them"
    FACT = "a fact about them: form, year, day of birth, language, who looks after whom"
    CHOICE = "what they agreed to, or refused"
    WORDS = "words that somebody typed, which may name anybody"
    WRITTEN = "what they themselves wrote to the school"
    FILE = "a file"
    PROVIDER = "what a provider calls a message to them, or said of it"
    KEY = "a secret key, or a digest of what was sent"
    HASH = "a keyed hash: finds the same value again, tells nobody what it was"
    OPERATOR = "who acted for the school, which has to answer for it"


class Whose(StrEnum):
    """Which of a person's numbers a column is compared with, to find their rows."""

    PERSON = "person"
    ADDRESS = "address"  # that they hold, whoever else does
    ALONE = "alone"  # that nobody else holds
    ALONE_HASH = "alone_hash"
    ADDRESS_HASH = "address_hash"
    DELIVERY = "delivery"  # to an address of theirs, or about them


class Erasure(StrEnum):
    """What becomes of a person's rows when they are erased."""

    NOTHING = "nothing: it is about nobody"
    GONE = "the rows go"
    EMPTIED = "the rows stay as stand-ins, emptied"
    STRUCK = "their names and addresses are struck out of the words"
    STANDS = "stands"


PERSONAL = frozenset(Kind) - {Kind.NOTHING, Kind.STAND_IN, Kind.HASH, Kind.OPERATOR}
TYPED = frozenset({Kind.WORDS, Kind.WRITTEN})
NOT_SHOWN = frozenset({Kind.STAND_IN, Kind.KEY, Kind.HASH, Kind.OPERATOR})  # in a person's copy


class Empty(StrEnum):
    """What an emptied column holds afterwards."""

    NULL = "null"
    BLANK = ""
    FALSE = "false"
    OWN = "erased~<id>"  # where a value has to be there and unlike every other
    FRESH = "a new random id"
    ERASED = "erased person"


@dataclass(frozen=True, slots=True)
class Held:
    """One table: what it holds, whose rows are whose, and what becomes of them.

    `theirs` finds a person's rows: column → whose. `shown` finds those of their copy, where they are others.
    `emptied` is what is left in each column. `aged` is the column of times by which rows go of age, None where age
    alone takes nothing. `because`: on what ground it stands after an erasure.
    """

    about: str
    kept: Kept
    columns: Mapping[str, Kind]
    erasure: Erasure = Erasure.NOTHING
    theirs: Mapping[str, Whose] = field(default_factory=dict)
    shown: Mapping[str, Whose] = field(default_factory=dict)
    emptied: Mapping[str, Empty] = field(default_factory=dict)
    aged: str | None = None
    title: str = ""
    because: str = ""

    @property
    def typed(self) -> tuple[str, ...]:
        """Columns of words that somebody typed, in which a name may stand that nobody can look for by a number."""
        if self.erasure in {Erasure.EMPTIED, Erasure.STANDS}:
            return ()
        return tuple(name for name, kind in self.columns.items() if kind in TYPED)

    @property
    def found_by(self) -> Mapping[str, Whose]:
        """What finds the rows of a person's copy."""
        return self.shown or self.theirs


def _columns(**kinds: str) -> Mapping[str, Kind]:
    named = {column: Kind[kind.upper()] for kind, columns in kinds.items() for column in columns.split()}
    return MappingProxyType(named)


_ACCOUNTABLE = "the school has to show what was done and by whom (UK GDPR art. 5(2), 17(3)(b))"
_STOP_HOLDS = (
    "a stop has to be honoured for ever, and a keyed hash is all that it takes (PECR reg. 22; art. 17(3)(b))"
)

REGISTRY: Mapping[str, Held] = MappingProxyType(
    {
        # --- people
        "person": Held(
            "pupils, guardians and staff",
            Kept.PEOPLE,
            _columns(
                stand_in="id",
                known_as="public_id source_id",
                name="given_name family_name preferred_name",
                fact="year form born language is_pupil is_guardian is_staff",
                nothing="mobile_refused email_refused active changed_at",
                key="commitment_key",
            ),
            Erasure.EMPTIED,
            theirs={"id": Whose.PERSON},
            emptied={
                "public_id": Empty.FRESH,
                "source_id": Empty.OWN,
                "given_name": Empty.ERASED,
                "family_name": Empty.BLANK,
                "preferred_name": Empty.NULL,
                "year": Empty.NULL,
                "form": Empty.NULL,
                "born": Empty.NULL,
                "language": Empty.BLANK,
                "is_pupil": Empty.FALSE,
                "is_guardian": Empty.FALSE,
                "is_staff": Empty.FALSE,
                "active": Empty.FALSE,
                "mobile_refused": Empty.FALSE,
                "email_refused": Empty.FALSE,
                "commitment_key": Empty.NULL,
            },
            title="Who you are to the school",
        ),
        "address": Held(
            "mobile numbers and emails",
            Kept.ADDRESSES,
            _columns(
                stand_in="id",
                address="value",
                hash="hash",
                nothing="kind doubtful confirmed_at",
                key="commitment_key",
            ),
            Erasure.EMPTIED,
            theirs={"id": Whose.ALONE},
            shown={"id": Whose.ADDRESS},
            emptied={"value": Empty.OWN, "hash": Empty.BLANK, "commitment_key": Empty.NULL},
            title="Your numbers and emails",
        ),
        "person_address": Held(
            "who holds which address",
            Kept.ADDRESSES,
            _columns(stand_in="person_id address_id", nothing="position"),
            Erasure.GONE,
            theirs={"person_id": Whose.PERSON},
        ),
        "guardianship": Held(
            "who looks after whom, and who is kept from hearing of whom",
            Kept.PEOPLE,
            _columns(
                stand_in="guardian_id pupil_id",
                fact="priority parental_responsibility lives_with blocked by_hand",
            ),
            Erasure.GONE,
            theirs={"guardian_id": Whose.PERSON, "pupil_id": Whose.PERSON},
            title="Whom you look after, or who looks after you",
        ),
        "membership": Held(
            "who is in which group",
            Kept.PEOPLE,
            _columns(stand_in="group_id person_id", fact="role begins_on ends_on"),
            Erasure.GONE,
            theirs={"person_id": Whose.PERSON},
        ),
        "people_group": Held(
            "groups",
            Kept.SCHOOL,
            _columns(
                stand_in="id department_id",
                words="name folded_name expression",
                nothing="source_id kind public active",
            ),
            Erasure.STRUCK,
        ),
        "term": Held(
            "the term calendar",
            Kept.SCHOOL,
            _columns(nothing="id source_id name kind begins_on ends_on parent active"),
        ),
        "mapping": Held(
            "how reports are read", Kept.SCHOOL, _columns(nothing="name body made_at")
        ),  # column titles of a report, never its rows
        # --- consent and opt-outs
        "consent": Held(
            "what stands of consent",
            Kept.PEOPLE,
            _columns(
                stand_in="person_id", choice="given guardian_given source", nothing="channel purpose at"
            ),
            Erasure.GONE,
            theirs={"person_id": Whose.PERSON},
        ),
        "consent_entry": Held(
            "every yes and no, with what proves it",
            Kept.PEOPLE,
            _columns(
                stand_in="id person_id guardian_id",
                choice="given source",
                words="evidence",
                nothing="channel purpose said_at at actor_kind",
                operator="actor_id",
            ),
            Erasure.GONE,
            theirs={"person_id": Whose.PERSON},
            title="What you agreed to, or refused",
        ),
        "suppression": Held(
            "opt-outs",
            Kept.SCHOOL,
            _columns(hash="hash", words="source", nothing="channel at"),
            Erasure.STRUCK,
            because=_STOP_HOLDS,
        ),
        "heard": Held(
            "which texts of the provider's were read already",
            Kept.SCHOOL,
            _columns(nothing="account_id key at"),
        ),
        # --- what came back
        "answer": Held(
            "what was answered",
            Kept.ANSWERS,
            _columns(
                stand_in="id public_id account_id announcement_id delivery_id",
                address="sender",
                hash="sender_hash",
                written="subject text",
                words="reply",
                provider="key",
                nothing="channel inbox received_at automatic concern released_at done_at",
                operator="released_by done_by",
            ),
            Erasure.GONE,
            theirs={"sender_hash": Whose.ALONE_HASH},
            shown={"sender_hash": Whose.ADDRESS_HASH},
            aged="done_at",
            title="What you wrote to the school",
        ),
        "note": Held(
            "which announcements the house wrote itself", Kept.SCHOOL, _columns(stand_in="announcement_id")
        ),
        "bounce": Held(
            "what came back undelivered",
            Kept.RECEIPTS,
            _columns(
                stand_in="id attempt_id delivery_id address_id", key="key", nothing="channel kind code at"
            ),
            Erasure.GONE,
            theirs={"address_id": Whose.ALONE},
            shown={"address_id": Whose.ADDRESS},
            aged="at",
            title="What came back from your addresses",
        ),
        "bounced": Held(
            "addresses that do not exist, by keyed hash",
            Kept.SCHOOL,
            _columns(hash="hash", nothing="channel code at"),
            Erasure.STANDS,
            because="nobody is to write to an address that bounced, and a keyed hash is all that it takes",
        ),
        "mailbox": Held("how far a mailbox is read", Kept.SCHOOL, _columns(nothing="name position read_at")),
        "mail_aside": Held(
            "mails that could not be taken in: where they lie, and nothing of them",
            Kept.SCHOOL,
            _columns(key="key", nothing="id mailbox place fault at"),
        ),
        "receipt": Held(
            "callbacks of providers; what they said is emptied as soon as it is read",
            Kept.RECEIPTS,
            _columns(
                stand_in="id account_id",
                provider="url headers body",
                key="digest",
                nothing="received_at confirmed_at fault",
            ),
            Erasure.NOTHING,
            aged="confirmed_at",
        ),
        # --- what was said
        "announcement": Held(
            "announcements",
            Kept.SCHOOL,
            _columns(
                stand_in="id department_id corrects",
                words="audience idempotency_key hold_why template",
                key="digest",
                nothing="public_id purpose urgency people ways accepted_at approved_at due_at expires_at"
                " fanned_out_at withdrawn_at held_until hold_code actor_kind settled_at",
                operator="actor_id on_behalf_of",
            ),
            Erasure.STRUCK,
        ),
        "told_before": Held(
            "which announcements are told to those whom others told, or to all but them",
            Kept.SCHOOL,
            _columns(stand_in="announcement_id earlier_id", nothing="again"),
        ),
        "timetable_source": Held(
            "timetable sources: how each was read last",
            Kept.SCHOOL,
            _columns(
                nothing="name read_at tried_at pushed_at rows changes told recent held_at held_count held_why"
                " released_at released_count"
            ),
        ),
        "timetable_change": Held(
            "the timetable's changes from today on, as digests",
            Kept.SCHOOL,
            _columns(nothing="source key day digest"),
        ),
        "timetable_line": Held(
            "what a class was told of its timetable",
            Kept.CONTENT,
            _columns(
                stand_in="id announcement_id group_id",
                words="words",
                nothing="source key digest day until place replaced made_at",
            ),
            Erasure.STRUCK,
            aged="made_at",
        ),
        "timetable_reader": Held(
            "whom each line of a timetable's changes was for",
            Kept.CONTENT,
            _columns(stand_in="id line_id person_id", nothing="made_at"),
            Erasure.GONE,
            theirs={"person_id": Whose.PERSON},
            aged="made_at",
        ),
        "content": Held(
            "their wording",
            Kept.CONTENT,
            _columns(stand_in="announcement_id", words="text", nothing="version language part"),
            Erasure.STRUCK,
        ),
        "content_attachment": Held(
            "which files go with them",
            Kept.CONTENT,
            _columns(
                stand_in="announcement_id",
                words="name",
                key="token sha256",
                nothing="version token_expires_at",
            ),
            Erasure.STRUCK,
        ),
        "attachment": Held(
            "files",
            Kept.CONTENT,
            _columns(key="sha256", nothing="media_type", file="bytes"),
            Erasure.STANDS,
            because="nobody can look into every file: the preview of an erasure counts those that went to them",
        ),
        "calendar_span": Held(
            "the term calendar of the office's own",
            Kept.SCHOOL,
            _columns(
                words="name", stand_in="id", nothing="kind begins_on ends_on made_at", operator="made_by"
            ),
            Erasure.STRUCK,
        ),
        "schedule": Held(
            "schedules",
            Kept.SCHOOL,
            _columns(
                stand_in="id public_id department_id",
                words="name folded_name audience template title short long",
                nothing="purpose urgency people ways language expected starts zone rule days missing double ended"
                " lasts_seconds made_at changed_at approved_at approved_count looked_until next_at paused_at ended_at",
                operator="made_by approved_by",
            ),
            Erasure.STRUCK,
        ),
        "schedule_attachment": Held(
            "which files go with schedules",
            Kept.SCHOOL,
            _columns(stand_in="schedule_id", words="name", key="sha256"),
            Erasure.STRUCK,
        ),
        "calendar_subscription": Held(
            "calendars elsewhere that are read again and again",
            Kept.SCHOOL,
            _columns(
                stand_in="id department_id",
                words="name audience",
                key="url",
                nothing="in_term every_seconds made_at tried_at read_at etag modified digest why retired_at",
                operator="made_by",
            ),
            Erasure.STRUCK,
        ),
        "schedule_exception": Held(
            "dates of schedules that were moved or cancelled",
            Kept.SCHOOL,
            _columns(stand_in="schedule_id", nothing="original moved_to made_at", operator="made_by"),
        ),
        "occurrence": Held(
            "what became of each date of a schedule",
            Kept.SCHOOL,
            _columns(stand_in="schedule_id announcement", nothing="original due_at outcome why at"),
        ),
        "event": Held(
            "rehearsals, concerts and other events",
            Kept.SCHOOL,
            _columns(
                stand_in="id public_id department_id",
                words="audience title place",
                nothing="source uid original wall starts_at ends_at sequence known_at cancelled_at",
                operator="made_by",
            ),
            Erasure.STRUCK,
        ),
        "reminder_rule": Held(
            "how long before events who is reminded, and in which words",
            Kept.SCHOOL,
            _columns(
                stand_in="id department_id",
                words="name audience title short long",
                nothing="before_seconds people ways made_at approved_at retired_at",
                operator="made_by approved_by",
            ),
            Erasure.STRUCK,
        ),
        "reminder": Held(
            "what became of each reminder",
            Kept.SCHOOL,
            _columns(stand_in="event_id rule_id announcement", nothing="sequence told at why"),
        ),
        "event_notice": Held(
            "which changes of an event those reminded of it were told",
            Kept.SCHOOL,
            _columns(
                stand_in="event_id announcement",
                words="words",
                nothing="sequence ways people owed_at made_at",
            ),
            Erasure.STRUCK,
        ),
        "template": Held(
            "templates",
            Kept.SCHOOL,
            _columns(
                stand_in="id department_id",
                words="name folded_name text",
                nothing="version language part made_at retired_at",
                operator="made_by",
            ),
            Erasure.STRUCK,
        ),
        "template_attachment": Held(
            "which files go with templates",
            Kept.SCHOOL,
            _columns(stand_in="template_id", words="name", key="sha256"),
            Erasure.STRUCK,
        ),
        "reckoning": Held(
            "what an announcement was reckoned to cost",
            Kept.SCHOOL,
            _columns(nothing="announcement_id channel account_id unit messages"),
        ),
        "headcount": Held(
            "how many an announcement tells",
            Kept.SCHOOL,
            _columns(nothing="announcement_id counted expected norm"),
        ),
        "verdict": Held(
            "what the rules said of an announcement",
            Kept.SCHOOL,
            _columns(
                nothing="id announcement_id account_id rules_version at answer code until",
                words="why evidence",
            ),
            Erasure.STRUCK,
        ),
        # --- going out
        "duty": Held(
            "who is to be told",
            Kept.MESSAGES,
            _columns(stand_in="id announcement_id person_id", nothing="acknowledged_at unreached"),
            Erasure.STANDS,
            theirs={"person_id": Whose.PERSON},
            because="the numbers point to emptied rows: how many were told stays true, and nobody can say who",
        ),
        "delivery": Held(
            "messages, one for each announcement, way and address",
            Kept.MESSAGES,
            _columns(
                stand_in="id announcement_id account_id address_id replaces",
                words="why",
                nothing="channel content_version lane state code due_at expires_at lease_until holder fence"
                " requeued_fence burned lookup_at lookups settled_at created_at changed_at",
                operator="settled_by",
            ),
            Erasure.EMPTIED,
            theirs={"id": Whose.DELIVERY},
            emptied={"why": Empty.BLANK},
            title="Messages to you, or about you",
        ),
        "delivery_covers": Held(
            "whom a message is about",
            Kept.MESSAGES,
            _columns(stand_in="delivery_id duty_id", nothing="dropped"),
            Erasure.STANDS,
            because="the numbers point to emptied rows",
        ),
        "attempt": Held(
            "tries to send one",
            Kept.MESSAGES,
            _columns(
                stand_in="id delivery_id account_id",
                key="digest",
                provider="provider_id",
                words="why",
                nothing="fence gateway started_at ended_at outcome evidence code cost",
            ),
            Erasure.EMPTIED,
            theirs={"delivery_id": Whose.DELIVERY},
            emptied={"digest": Empty.BLANK, "provider_id": Empty.NULL, "why": Empty.BLANK},
        ),
        "fanout_cursor": Held(
            "how far the planning of an announcement came",
            Kept.SCHOOL,
            _columns(stand_in="announcement_id address_id", nothing="channel done"),
        ),
        "retraction": Held(
            "posts that are to be taken back",
            Kept.SCHOOL,
            _columns(stand_in="delivery_id", nothing="due_at failures"),
        ),
        "redaction": Held(
            "what a provider is still to be asked to forget",
            Kept.RECEIPTS,
            _columns(stand_in="id account_id", provider="provider_id", nothing="wanted_at due_at failures"),
            Erasure.STANDS,
            because="until the provider has been asked; then the row goes",
        ),
        # --- keeping and erasing
        "erased": Held(
            "who was erased, by keyed hash",
            Kept.SCHOOL,
            _columns(hash="hash", stand_in="person_id", nothing="at"),
            Erasure.STANDS,
            because="without it the next import would bring them back (UK GDPR art. 17(1))",
        ),
        "remark": Held(
            "words about people that the record must not hold",
            Kept.RECORD,
            _columns(stand_in="id person_id", words="words", key="commitment", nothing="at"),
            Erasure.GONE,
            theirs={"person_id": Whose.PERSON},
            aged="at",
            title="What was noted about you",
        ),
        "legal_hold": Held(
            "what must not go",
            Kept.SCHOOL,
            _columns(
                stand_in="id person_id announcement_id",
                words="words",
                nothing="held_at lifted_at",
                operator="held_by lifted_by",
            ),
            Erasure.STRUCK,
        ),
        "night": Held(
            "what went each night", Kept.SCHOOL, _columns(nothing="day began_at lease_until ended_at done")
        ),
        # --- the record
        "record_entry": Held(
            "the record: ids and commitments",
            Kept.RECORD,
            _columns(stand_in="id announcement_id body", nothing="mark at kind"),
            Erasure.STANDS,
            because=_ACCOUNTABLE + "; it holds ids and commitments whose keys an erasure destroys",
        ),
        "record_seal": Held(
            "seals over it",
            Kept.SCHOOL,
            _columns(nothing="number first_mark next_mark count root previous hash sealed_at"),
        ),
        "record_head": Held(
            "heads of it that left the house", Kept.SCHOOL, _columns(nothing="id number hash at how")
        ),
        "head_holder": Held(
            "governors, to whom heads of it are mailed",
            Kept.SCHOOL,
            _columns(operator="name email added_by", nothing="added_at"),
            Erasure.STANDS,
            because=_ACCOUNTABLE + "; who is a governor no more is taken off the list",
        ),
        "record_opening": Held(
            "empty, but while the record is pruned", Kept.SCHOOL, _columns(nothing="id why")
        ),
        # --- two people
        "operator": Held(
            "who may act for the school",
            Kept.SCHOOL,
            _columns(
                stand_in="id department_id",
                operator="name folded_name added_by removed_by",
                nothing="added_at removed_at",
            ),
            Erasure.STANDS,
            because=_ACCOUNTABLE,
        ),
        "operator_role": Held(
            "what each of them may", Kept.SCHOOL, _columns(stand_in="operator_id", nothing="role")
        ),
        "approval": Held(
            "what the second person decided",
            Kept.SCHOOL,
            _columns(
                stand_in="id announcement_id",
                words="why void_why review",
                key="bound",
                nothing="decision at content_version rules_version counted void_at reviewed_at",
                operator="by reviewed_by",
            ),
            Erasure.STRUCK,
        ),
        "announcement_copy": Held(
            "which staff read an announcement too",
            Kept.MESSAGES,
            _columns(stand_in="announcement_id person_id"),
            Erasure.GONE,
            theirs={"person_id": Whose.PERSON},
        ),
        # --- rules, licences, money
        "rules": Held(
            "versions of the rules",
            Kept.SCHOOL,
            _columns(nothing="version body at", words="why", operator="by"),
            Erasure.STRUCK,
        ),
        "switch": Held(
            "what is switched off",
            Kept.SCHOOL,
            _columns(nothing="id kind subject off_at on_at", words="why", operator="off_by on_by"),
            Erasure.STRUCK,
        ),
        "licence": Held(
            "what a channel licence comes to",
            Kept.SCHOOL,
            _columns(nothing="account_id version stands_until lacking lapsing lapsed_at judged_at"),
        ),
        "licence_version": Held(
            "channel licences, every version",
            Kept.SCHOOL,
            _columns(
                nothing="id account_id version digest specimen made_at", words="body", operator="made_by"
            ),
            Erasure.STANDS,
            because=_ACCOUNTABLE + "; it names staff who answer for an account, and is signed by its digest",
        ),
        "licence_warning": Held(
            "warnings of a lapse", Kept.SCHOOL, _columns(nothing="account_id lapses_on days told_at mailed")
        ),
        "account_watch": Held(
            "when an account's posts are read",
            Kept.SCHOOL,
            _columns(nothing="account_id since due_at failures"),
        ),
        "found_post": Held(
            "posts found on an account",
            Kept.SCHOOL,
            _columns(
                nothing="id account_id posted_at found_at carried why_not",
                provider="provider_id",
                words="text",
            ),
            Erasure.STRUCK,
        ),
        "budget": Held(
            "budgets", Kept.SCHOOL, _columns(nothing="department_id month amount set_at", operator="set_by")
        ),
        "spend": Held("what was spent", Kept.SCHOOL, _columns(nothing="department_id account_id month cost")),
        "spend_delta": Held(
            "what was spent, not folded yet",
            Kept.SCHOOL,
            _columns(nothing="id department_id account_id month cost"),
        ),
        # --- the school and running it
        "school": Held(
            "the school", Kept.SCHOOL, _columns(nothing="id slug name zone locale region mark_offset")
        ),
        "department": Held("departments", Kept.SCHOOL, _columns(nothing="id slug name")),
        "account": Held(
            "the ways out",
            Kept.SCHOOL,
            _columns(
                nothing="id name channel department_id per_second active paused_at posture posture_at",
                words="paused_why",
            ),
            Erasure.STRUCK,
        ),
        "tally": Held("counters", Kept.SCHOOL, _columns(nothing="announcement_id channel state n")),
        "tally_delta": Held(
            "counters, not folded yet", Kept.SCHOOL, _columns(nothing="id announcement_id channel state n")
        ),
        "pace": Held("turns", Kept.SCHOOL, _columns(nothing="account_id next_at")),
        "stop": Held(
            "what must not go on; gone after ten minutes",
            Kept.SCHOOL,
            _columns(stand_in="subject", nothing="id kind at"),
        ),
        "worker": Held("workers", Kept.SCHOOL, _columns(nothing="id name started_at seen_at")),
        "alarm": Held(
            "alarms",
            Kept.RECEIPTS,
            _columns(nothing="id kind raised_at cleared_at", words="subject message"),
            Erasure.STRUCK,
            aged="cleared_at",
        ),
        "sign_in_link": Held(
            "sign-in links, until they are over",
            Kept.SIGN_IN,
            _columns(key="digest", operator="operator", nothing="made_at expires_at used_at"),
        ),
        "session": Held(
            "sessions, until they are over",
            Kept.SIGN_IN,
            _columns(key="digest", operator="operator", nothing="began_at expires_at ended_at"),
        ),
    }
)

"""The tables: what the ledger remembers, one module a theme, in the order the story is told.

Bigint ids inside, a UUIDv7 where an id is shown to people. States are stored as their words, held by a CHECK
that is computed from the broker's one state table. Times are instants in UTC.
"""

from ledger.tables.announcements import (
    announcement,
    attachment,
    content,
    content_attachment,
    follow_up_person,
    template,
    template_attachment,
    told_before,
)
from ledger.tables.answers import answer, bounce, bounced, mail_aside, mailbox, note
from ledger.tables.api import api_token, webhook
from ledger.tables.approvals import announcement_copy, approval, operator, operator_role
from ledger.tables.base import Id, Moment, metadata, one_of
from ledger.tables.calendar import (
    calendar_span,
    calendar_subscription,
    occurrence,
    schedule,
    schedule_attachment,
    schedule_exception,
)
from ledger.tables.consents import consent_entry, heard
from ledger.tables.deliveries import (
    attempt,
    delivery,
    delivery_covers,
    duty,
    fanout_cursor,
    receipt,
    retraction,
)
from ledger.tables.events import event, event_notice, reminder, reminder_rule
from ledger.tables.figures import figure, figures_until
from ledger.tables.ladders import acknowledgement, ladder, ladder_step, rung
from ledger.tables.licences import account_watch, found_post, licence, licence_version, licence_warning
from ledger.tables.links import private_link, subscriber
from ledger.tables.money import budget, reckoning, spend, spend_delta
from ledger.tables.people import (
    address,
    consent,
    guardianship,
    mapping,
    membership,
    people_group,
    person,
    person_address,
    suppression,
    term,
)
from ledger.tables.privacy import erased, legal_hold, night, redaction, remark
from ledger.tables.record import head_holder, record_entry, record_head, record_opening, record_seal
from ledger.tables.rules import headcount, rules, switch, verdict
from ledger.tables.running import alarm, gateway, pace, stop, tally, tally_delta, worker
from ledger.tables.school import account, department, school
from ledger.tables.sessions import (
    device,
    identity,
    proof,
    recovery_code,
    session,
    sign_in_link,
    sign_in_pace,
)
from ledger.tables.staged import staged_file, staged_import
from ledger.tables.timetable import timetable_change, timetable_line, timetable_reader, timetable_source

__all__ = [
    "Id",
    "Moment",
    "account",
    "account_watch",
    "acknowledgement",
    "address",
    "alarm",
    "announcement",
    "announcement_copy",
    "answer",
    "api_token",
    "approval",
    "attachment",
    "attempt",
    "bounce",
    "bounced",
    "budget",
    "calendar_span",
    "calendar_subscription",
    "consent",
    "consent_entry",
    "content",
    "content_attachment",
    "delivery",
    "delivery_covers",
    "department",
    "device",
    "duty",
    "erased",
    "event",
    "event_notice",
    "fanout_cursor",
    "figure",
    "figures_until",
    "follow_up_person",
    "found_post",
    "gateway",
    "guardianship",
    "head_holder",
    "headcount",
    "heard",
    "identity",
    "ladder",
    "ladder_step",
    "legal_hold",
    "licence",
    "licence_version",
    "licence_warning",
    "mail_aside",
    "mailbox",
    "mapping",
    "membership",
    "metadata",
    "night",
    "note",
    "occurrence",
    "one_of",
    "operator",
    "operator_role",
    "pace",
    "people_group",
    "person",
    "person_address",
    "private_link",
    "proof",
    "receipt",
    "reckoning",
    "record_entry",
    "record_head",
    "record_opening",
    "record_seal",
    "recovery_code",
    "redaction",
    "remark",
    "reminder",
    "reminder_rule",
    "retraction",
    "rules",
    "rung",
    "schedule",
    "schedule_attachment",
    "schedule_exception",
    "school",
    "session",
    "sign_in_link",
    "sign_in_pace",
    "spend",
    "spend_delta",
    "staged_file",
    "staged_import",
    "stop",
    "subscriber",
    "suppression",
    "switch",
    "tally",
    "tally_delta",
    "template",
    "template_attachment",
    "term",
    "timetable_change",
    "timetable_line",
    "timetable_reader",
    "timetable_source",
    "told_before",
    "verdict",
    "webhook",
    "worker",
]

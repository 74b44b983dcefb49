"""What the ledger holds of what was said, and of what is to be."""

from __future__ import annotations

from broker.rules.keeping import Kept
from ledger.privacy.registry.held import Erasure, Held, Whose, columns

TABLES: dict[str, Held] = {
    "announcement": Held(
        "announcements",
        Kept.SCHOOL,
        columns(
            stand_in="id department_id corrects corrected_by",
            words="audience idempotency_key hold_why template",
            key="digest",
            nothing="public_id purpose urgency people ways accepted_at approved_at due_at expires_at"
            " fanned_out_at withdrawn_at held_until hold_code actor_kind settled_at follow_up corrected_at",
            operator="actor_id on_behalf_of",
        ),
        Erasure.STRUCK,
    ),
    "ladder": Held(
        "announcements with ways in order",
        Kept.SCHOOL,
        columns(stand_in="announcement_id", nothing="seen look_at resting ended_at"),
    ),
    "ladder_step": Held(
        "when each of those ways opens",
        Kept.SCHOOL,
        columns(stand_in="announcement_id", nothing="step opens_at unless"),
    ),
    "told_before": Held(
        "which announcements are told to those whom others told, or to all but them",
        Kept.SCHOOL,
        columns(stand_in="announcement_id earlier_id", nothing="again"),
    ),
    "timetable_source": Held(
        "timetable sources: how each was read last",
        Kept.SCHOOL,
        columns(
            nothing="name read_at tried_at pushed_at rows changes told recent held_at held_count held_why"
            " released_at released_count"
        ),
    ),
    "timetable_change": Held(
        "the timetable's changes from today on, as digests",
        Kept.SCHOOL,
        columns(nothing="source key day digest"),
    ),
    "timetable_line": Held(
        "what a class was told of its timetable",
        Kept.CONTENT,
        columns(
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
        columns(stand_in="id line_id person_id", nothing="made_at"),
        Erasure.GONE,
        theirs={"person_id": Whose.PERSON},
        aged="made_at",
    ),
    "content": Held(
        "their wording",
        Kept.CONTENT,
        columns(stand_in="announcement_id", words="text", nothing="version language part"),
        Erasure.STRUCK,
    ),
    "content_attachment": Held(
        "which files go with them",
        Kept.CONTENT,
        columns(
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
        columns(key="sha256", nothing="media_type", file="bytes"),
        Erasure.STANDS,
        because="nobody can look into every file: the preview of an erasure counts those that went to them",
    ),
    "calendar_span": Held(
        "the term calendar of the office's own",
        Kept.SCHOOL,
        columns(words="name", stand_in="id", nothing="kind begins_on ends_on made_at", operator="made_by"),
        Erasure.STRUCK,
    ),
    "schedule": Held(
        "schedules",
        Kept.SCHOOL,
        columns(
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
        columns(stand_in="schedule_id", words="name", key="sha256"),
        Erasure.STRUCK,
    ),
    "calendar_subscription": Held(
        "calendars elsewhere that are read again and again",
        Kept.SCHOOL,
        columns(
            stand_in="id department_id",
            words="name audience url",  # an address of a calendar often has an email in it
            nothing="in_term every_seconds made_at tried_at read_at etag modified digest why retired_at",
            operator="made_by",
        ),
        Erasure.STRUCK,
    ),
    "schedule_exception": Held(
        "dates of schedules that were moved or cancelled",
        Kept.SCHOOL,
        columns(stand_in="schedule_id", nothing="original moved_to made_at", operator="made_by"),
    ),
    "occurrence": Held(
        "what became of each date of a schedule",
        Kept.SCHOOL,
        columns(stand_in="schedule_id announcement", nothing="original due_at outcome why at"),
    ),
    "event": Held(
        "rehearsals, concerts and other events",
        Kept.SCHOOL,
        columns(
            stand_in="id public_id department_id",
            words="audience title place source uid",
            nothing="original wall starts_at ends_at sequence known_at cancelled_at changed_at",
            operator="made_by",
        ),
        Erasure.STRUCK,
    ),
    "reminder_rule": Held(
        "how long before events who is reminded, and in which words",
        Kept.SCHOOL,
        columns(
            stand_in="id department_id",
            words="name audience title short long",
            nothing="before_seconds clock people ways made_at approved_at retired_at",
            operator="made_by approved_by",
        ),
        Erasure.STRUCK,
    ),
    "reminder": Held(
        "what became of each reminder",
        Kept.SCHOOL,
        columns(stand_in="event_id rule_id announcement", nothing="sequence told at why"),
    ),
    "event_notice": Held(
        "which changes of an event those reminded of it were told",
        Kept.SCHOOL,
        columns(
            stand_in="event_id announcement",
            words="words",
            nothing="sequence ways people owed_at made_at",
        ),
        Erasure.STRUCK,
    ),
    "template": Held(
        "templates",
        Kept.SCHOOL,
        columns(
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
        columns(stand_in="template_id", words="name", key="sha256"),
        Erasure.STRUCK,
    ),
    "reckoning": Held(
        "what an announcement was reckoned to cost",
        Kept.SCHOOL,
        columns(nothing="announcement_id channel account_id unit messages"),
    ),
    "headcount": Held(
        "how many an announcement tells",
        Kept.SCHOOL,
        columns(nothing="announcement_id counted expected norm"),
    ),
    "verdict": Held(
        "what the rules said of an announcement",
        Kept.SCHOOL,
        columns(
            nothing="id announcement_id account_id rules_version at answer code until",
            words="why evidence",
        ),
        Erasure.STRUCK,
    ),
}

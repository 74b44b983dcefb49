"""What is said on the page after something was done in the calendar."""

from __future__ import annotations

from collections.abc import Mapping

SAID: Mapping[str, str] = {
    "schedule_saved": "The schedule is kept. It announces by itself from its first date on.",
    "schedule_saved_waits": "The schedule is kept. What it announces waits for a second person until one has said yes.",
    "schedule_changed": "It is changed, for every date that is still to come.",
    "date_skipped": "That date is skipped. It can be put back.",
    "date_taken_back": "That date is skipped, and what was announced of it already is taken back.",
    "date_moved": "That date is moved; the others stay as they are.",
    "date_put_back": "That date is again as it was.",
    "schedule_paused": "It is paused: nothing of it goes out until somebody lets it go on.",
    "schedule_resumed": "It goes on from now.",
    "schedule_ends": "It ends after that day.",
    "schedule_ended": "It has ended. What was announced stands.",
    "event_added": "The event is in the calendar.",
    "event_changed": "The event is changed.",
    "event_cancelled": "The event is cancelled.",
    "events_brought": "The events are in the calendar.",
    "reminder_added": "The reminder is kept. It is for every event that it fits, from now on.",
    "reminder_added_waits": "The reminder is kept. What it says waits for a second person until one has said yes.",
    "reminder_changed": "The reminder is changed, for whom it has not reminded yet.",
    "reminder_changed_waits": "The reminder is changed. What it says waits for a second person until one has said yes.",
    "reminder_retired": "It reminds nobody any more.",
    "term_added": "It stands in the calendar of terms.",
    "term_changed": "It is changed. Every schedule was looked at anew.",
    "term_gone": "It is taken out. Every schedule was looked at anew.",
    "terms_brought": "The terms are there. Every schedule was looked at anew.",
    "calendar_subscribed": "The calendar was read and will be read again and again.",
    "calendar_read": "The calendar was read just now.",
    "calendar_unread": "The calendar could not be read just now; what is wrong stands beside it.",
    "calendar_left": "That calendar is read no more. Its events stay as they are.",
    "changes_released": "They go with the next reading of the timetable, unless they are more by then.",
}

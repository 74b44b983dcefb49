"""Guards of timetables, calendars and schedules: what is told, to whom, and once."""

from __future__ import annotations

from tests.mutants.mutant import Edit, Mutant

MANY = "tests/schedules/test_many_at_once.py"
PUSHES = "tests/timetables/test_timetable_pushes.py"
READERS = "tests/timetables/test_timetable_readers.py"
SCHEDULES = "tests/schedules/test_schedules.py"
SECOND = "tests/schedules/test_second_person.py"
TOLD = "tests/schedules/test_told_before.py"

MUTANTS = (
    Mutant(
        "change-told-again",
        "what a class was told of its timetable it is not told again",
        [
            Edit(
                "broker/diary/timetable_outlook.py",
                "Outlook.news",
                " or (before is not None and before.line.digest == change.said)",
                "",
            )
        ],
        [f"{PUSHES}::test_a_family_gets_one_message_with_the_changes_of_all_its_children"],
    ),
    Mutant(
        "horizon-ignored",
        "what lies beyond the next school day is not told yet",
        [
            Edit(
                "broker/diary/timetable_outlook.py",
                "Outlook._is_due",
                "change.day <= self.last and ",
                "",
            ),
            Edit(
                "broker/diary/timetable_outlook.py",
                "Outlook._sides",
                "if change.day <= furthest:",
                "if furthest:",
            ),
        ],
        [f"{PUSHES}::test_only_what_lies_within_the_horizon_is_told_and_each_when_its_time_comes"],
    ),
    Mutant(
        "taken-back-untold",
        "a change that is taken back is told to those who were told",
        [
            Edit(
                "broker/diary/timetable_outlook.py",
                "Outlook._is_taken_back",
                "return bool(line.digest) and",
                "return line.digest == '' and",
            )
        ],
        [f"{PUSHES}::test_what_is_changed_again_says_so_and_what_is_taken_back_is_told_to_those_told"],
    ),
    Mutant(
        "taken-back-told-to-the-class",
        "and to nobody else, whoever is in the class by now",
        [
            Edit("ledger/diary/timetables.py", "_in_class", 'c.digest != "", ', ""),
            Edit("ledger/diary/timetables.py", "Timetables.add", ", today), _told_before()):", ", today),):"),
        ],
        [f"{READERS}::test_what_is_taken_back_is_told_to_those_told_and_to_nobody_who_joined_since"],
    ),
    Mutant(
        "occurrence-by-its-new-time",
        "a moved occurrence keeps its identity: it is announced under its original time, once",
        [
            Edit(
                "broker/diary/scheduler.py",
                "_wanted",
                "key=key_of(row, one.original)",
                "key=key_of(row, one.at)",
            )
        ],
        [f"{SCHEDULES}::test_a_moved_one_is_announced_at_its_new_time_under_its_own_key"],
    ),
    Mutant(
        "notice-to-the-group",
        "a change is told to exactly those whom the reminders told, not to whoever is in the group now",
        [
            Edit(
                "ledger/told_before.py",
                "selected",
                "if earlier.again:",
                "if False:",
            )
        ],
        [f"{TOLD}::test_who_left_the_group_since_is_told_and_who_joined_it_is_not"],
    ),
    Mutant(
        "notice-before-it-is-known-to-whom",
        "while a reminder that was taken back is in hand nobody knows yet whom it tells: the notice waits",
        [Edit("broker/diary/reminding.py", "_notice", "if tx.events.in_hand([owed.event]):", "if False:")],
        [f"{TOLD}::test_while_a_reminder_is_in_hand_nobody_knows_yet_whom_it_tells_so_the_notice_waits"],
    ),
    Mutant(
        "reminded-of-a-move-twice",
        "after a move a rule goes on with those whom it had not told",
        [
            Edit(
                "broker/diary/reminding.py",
                "_wanted",
                "ToldBefore(due.before, again=False) if due.before else None",
                "None",
            )
        ],
        [
            f"{TOLD}::test_of_a_reminder_half_sent_those_it_told_hear_of_the_change_and_the_others_are_reminded_anew"
        ],
    ),
    Mutant(
        "schedule-nobodys",
        "what a schedule announces is said for whoever worded it, so that the rules about persons hold",
        [
            Edit(
                "broker/diary/scheduler.py",
                "_wanted",
                "replace(actor, department=draft.department, on_behalf_of=row.made_by)",
                "replace(actor, department=draft.department)",
            )
        ],
        [f"{SECOND}::test_what_a_schedule_says_waits_for_a_second_person_and_an_alarm_says_how"],
    ),
    Mutant(
        "yes-to-other-words",
        "a second person's yes was to what a schedule said then",
        [
            Edit(
                "broker/diary/schedules.py",
                "change",
                "approved=None if draft is not None else row.approved",
                "approved=row.approved",
            )
        ],
        [f"{SECOND}::test_other_words_want_another_yes_and_another_time_does_not"],
    ),
    Mutant(
        "refused-with-its-neighbours",
        "what a rule refuses is taken back alone",
        [
            Edit(
                "broker/intake_many.py",
                "accept_all",
                "ready = [each for each in ready if each.at not in refused.found]",
                "answers |= {each.at: next(iter(refused.found.values())) for each in ready}\n            ready = []",
            )
        ],
        [f"{MANY}::test_what_a_rule_refuses_is_taken_back_alone_and_told_in_the_record"],
    ),
)

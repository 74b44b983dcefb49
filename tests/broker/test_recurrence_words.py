"""When something comes again, in words: no page shows a rule."""

from __future__ import annotations

from datetime import datetime

import pytest

from broker.diary.recurrence_rule import read_rule
from broker.diary.recurrence_words import in_words

STARTS = datetime.fromisoformat("2026-09-01 08:00")  # a Tuesday, by a wall clock


@pytest.mark.parametrize(
    ("rule", "words"),
    [
        ("", "once, on Tue 1 September 2026 at 08:00"),
        ("FREQ=DAILY", "every day at 08:00"),
        ("FREQ=DAILY;INTERVAL=3", "every 3 days at 08:00"),
        ("FREQ=DAILY;BYDAY=MO,TU,WE,TH,FR", "every weekday at 08:00"),
        ("FREQ=WEEKLY", "every Tuesday at 08:00"),
        ("FREQ=WEEKLY;BYDAY=TH,TU", "every Tuesday and Thursday at 08:00"),
        ("FREQ=WEEKLY;INTERVAL=2;BYDAY=MO", "every second week on Monday at 08:00"),
        ("FREQ=WEEKLY;INTERVAL=3", "every 3 weeks on Tuesday at 08:00"),
        ("FREQ=WEEKLY;UNTIL=20270716", "every Tuesday at 08:00, until 16 July 2027"),
        ("FREQ=WEEKLY;COUNT=10", "every Tuesday at 08:00, 10 times"),
        ("FREQ=WEEKLY;BYMONTH=9,10", "every Tuesday at 08:00, in September and October"),
        ("FREQ=MONTHLY", "every month, on day 1 at 08:00"),
        ("FREQ=MONTHLY;BYMONTHDAY=-1", "every month, on its last day at 08:00"),
        ("FREQ=MONTHLY;BYDAY=1TU", "every month, on the first Tuesday at 08:00"),
        ("FREQ=MONTHLY;BYDAY=-1FR;INTERVAL=2", "every second month, on the last Friday at 08:00"),
        ("FREQ=MONTHLY;BYDAY=MO,TU;BYSETPOS=-1", "every month, on the last Monday or Tuesday at 08:00"),
        ("FREQ=YEARLY", "every year, on 1 September at 08:00"),
    ],
)
def test_a_rule_is_told_as_people_say_it(rule: str, words: str) -> None:
    assert in_words(read_rule(rule, zone="Europe/London", starts=STARTS), STARTS) == words

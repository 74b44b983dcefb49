"""Events, schedules and timetables, and what became of each date."""

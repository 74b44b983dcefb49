"""What takes place and when: the term calendar, events, timetables, and what is announced by the clock."""

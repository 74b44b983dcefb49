"""The ways in: rosters, calendars and timetables, read from files that somebody else wrote.

Everything is bounded before it is parsed. A fault of the file refuses it whole; a fault of one value drops that value,
keeps the person, and is reported with its row and column.
"""

"""What is said of a timetable change, one line for each class that it is about: never why somebody is away."""

from __future__ import annotations

from broker.diary.timetable import ChangeKind, TimetableChange

DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
LONGEST_FIELD = 80  # characters of a room, a subject, a class


def line(change: TimetableChange, school_class: str) -> str:
    """What one class is told of it, as plain words on one line."""
    return f"{_when(change, school_class)}: {_said(change)}"


def again_line(change: TimetableChange, school_class: str) -> str:
    """What those are told who were told otherwise before."""
    return f"{_when(change, school_class)}, changed again: {_said(change)}"


def after_all(told: str) -> str:
    """What those are told whose change was taken back; `told` is the line they have read."""
    return f"{told.partition(': ')[0].removesuffix(', changed again')}: as planned after all"


def clean(text: str) -> str:
    """A field of a source as it may stand in a message: one line, bounded, no brackets that would be filled."""
    words = " ".join("".join(c if c.isprintable() else " " for c in text).split())
    return words.replace("{", "(").replace("}", ")").replace(": ", " ")[:LONGEST_FIELD].strip()


def _when(change: TimetableChange, school_class: str) -> str:
    day = f"{DAYS[change.day.weekday()]} {change.day.day} {MONTHS[change.day.month - 1]}"
    period = change.period
    said = f", period {period}" if period.isdigit() else f", {period}" if period else ""
    return f"{school_class}, {day}{said}"


def _said(change: TimetableChange) -> str:
    lesson = change.subject or "the lesson"
    room = change.new_room or change.room
    changed = change.new_subject and change.new_subject != change.subject
    where = f"room {room}" if room else ""
    who = f"with {change.new_teacher}" if change.new_teacher and change.new_teacher != change.teacher else ""
    match change.kind:
        case ChangeKind.CANCELLED:
            return f"{lesson} is cancelled"
        case ChangeKind.MOVED_AWAY:
            return f"{lesson} is not then: it was moved"
        case ChangeKind.RELEASE:
            return "no lesson"
        case ChangeKind.ROOM:
            return f"{lesson} is in {where or 'another room'}"
        case ChangeKind.MOVED_HERE:
            lesson = f"{change.new_subject or lesson}, moved here"
        case ChangeKind.EXAM:
            lesson = f"exam, {change.new_subject or lesson}"
        case ChangeKind.SUPERVISION:
            lesson = f"{lesson}, supervised"
        case _ if changed:
            lesson = (
                f"{change.new_subject} instead of {change.subject}" if change.subject else change.new_subject
            )
    told = ", ".join(part for part in (lesson, who, where) if part)
    return told if who or where or changed or change.kind is not ChangeKind.OTHER else f"{told} is changed"

"""The personal parts of a wording: `{pupil}`, `{guardian}`, `{class}`; and "For Amy and Ben: " where no pupil is named.

`{changes}` is one too, of what the timetable system tells: each family's own lines are put in before a channel renders.

Pure and shared by every channel, so that a family reads the same names in a text and in a mail. A part that somebody
lacks (no form on file, a pupil's own number) becomes plain words, never a gap.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from difflib import get_close_matches

PLACEHOLDER = "{pupil}"
GUARDIAN = "{guardian}"
CLASS = "{class}"
CHANGES = "{changes}"
PERSONAL = (PLACEHOLDER, GUARDIAN, CLASS, CHANGES)
NOBODY_NAMED = "your child"
ANOTHER = "another child"
LACKING = {
    PLACEHOLDER: NOBODY_NAMED,
    GUARDIAN: "parent or carer",
    CLASS: "the class",
    CHANGES: "the timetable changes: please ask the school",
}
MOST_AT_ONCE = 6  # changes in a short text; a mail has them all

_ANY = re.compile(r"\{(pupil|guardian|class|changes)\}")
_LED_BY_NAME = re.compile(r"^\{(?:pupil|guardian)\}[:,]?\s*(?=\S)")
_MARKDOWN = re.compile(r"[\\`*_\[\]()<>#+\-.!|~&]")
_ALONE = re.compile(r"^[ \t]*\{changes\}[ \t]*$", re.MULTILINE)
_LIKE_ONE = re.compile(r"\{[^\W\d_]{1,30}\}")


def names_of(names: Iterable[str]) -> tuple[str, ...]:
    """Each name once, as a message may say them; none at all where no roster has any."""
    once = tuple(dict.fromkeys(names))
    return once if any(name.strip() for name in once) else ()


def join_names(names: Sequence[str]) -> str:
    """The names as English joins them: "Amy", "Amy and Ben", "Amy, Ben, Cal and Dee"; "" for none.

    Of whom a roster says no name, "another child" stands behind the named, so that nobody is left out unseen.
    """
    named = [name for name in names if name.strip()]
    return _joined([*named, ANOTHER] if named and len(named) < len(names) else named)


def join_words(words: Sequence[str]) -> str:
    """Guardians or classes as English joins them, each once; who has none of a name is not told of."""
    return _joined(list(dict.fromkeys(word for word in words if word.strip())))


def _joined(words: Sequence[str]) -> str:
    if len(words) < 2:
        return "".join(words)
    return f"{', '.join(words[:-1])} and {words[-1]}"


def lead(names: Sequence[str]) -> str:
    """What begins a wording for several pupils that names none: "For Amy and Ben: "; "" for one or none."""
    return f"For {join_names(names)}: " if len(names) > 1 and join_names(names) else ""


def heading(text: str) -> str:
    """A wording's beginning as a list of announcements has it: "Choir today", where it says "{pupil}: choir today"."""
    if not has_placeholder(text):
        return text
    general = _ANY.sub(lambda met: LACKING[met[0]], _LED_BY_NAME.sub("", text))
    return general[:1].upper() + general[1:]


def has_placeholder(text: str) -> bool:
    """Whether the wording says where something personal belongs."""
    return _ANY.search(text) is not None


def names_pupils(text: str) -> bool:
    """Whether the wording says where the pupils' names belong, so that no lead is wanted."""
    return PLACEHOLDER in text


def gaps(text: str) -> tuple[str, ...]:
    """What of a template somebody fills in before it is announced, each once: "time" for {time}."""
    found = (gap[0] for gap in _LIKE_ONE.finditer(text))
    return tuple(dict.fromkeys(gap[1:-1] for gap in found if gap not in PERSONAL))


def fill_gaps(text: str, values: Mapping[str, str]) -> str:
    """The text with its own gaps filled; what a value says is not read again."""
    return _LIKE_ONE.sub(lambda gap: values.get(gap[0][1:-1], gap[0]), text)


def unknown_placeholder(text: str) -> tuple[str, str] | None:
    """The first that looks like a personal part and is none, with the one that it may be meant for."""
    for found in _LIKE_ONE.finditer(text):
        if found[0] not in PERSONAL:
            near = get_close_matches(found[0].lower(), PERSONAL, n=1, cutoff=0.5)
            return found[0], near[0] if near else ""
    return None


def fill(text: str, names: Sequence[str], guardians: Sequence[str] = (), classes: Sequence[str] = ()) -> str:
    """The wording for these pupils (first names, as they should appear), their guardians and classes.

    `{pupil}` becomes the joined names, or "your child" when none may be named. A wording for two or more
    without `{pupil}` gets the lead, so that a parent of four knows whom one text is about.
    """
    begun = "" if names_pupils(text) else lead(names)
    if not has_placeholder(text):
        return begun + text
    said = {
        PLACEHOLDER: join_names(names),
        GUARDIAN: join_words(guardians),
        CLASS: join_words(classes),
        CHANGES: "",
    }
    return begun + _filled(text, said)


def with_changes(text: str, lines: Sequence[str], *, markdown: bool = False) -> str:
    """The text with `{changes}` filled: one after the other, or as a list where Markdown leaves it a line."""
    if not lines:
        return text
    if not markdown:
        more = len(lines) - MOST_AT_ONCE
        told = "; ".join(lines[:MOST_AT_ONCE]) + (f"; and {more} more, see the timetable" if more > 0 else "")
        return text.replace(CHANGES, told)
    plain = [_MARKDOWN.sub(r"\\\g<0>", line) for line in lines]
    listed = _ALONE.sub(lambda _: "\n" + "".join(f"- {line}\n" for line in plain), text)
    return listed.replace(CHANGES, "; ".join(plain))


def _filled(text: str, said: dict[str, str]) -> str:
    def one(found: re.Match[str]) -> str:
        if words := said[found[0]]:
            return words
        words = LACKING[found[0]]
        return _capital(words) if _begins_a_sentence(text[: found.start()]) else words

    return _ANY.sub(one, text)


def _begins_a_sentence(before: str) -> bool:
    bare = before.rstrip()
    gap = before[len(bare) :]
    return not bare or "\n" in gap or (bool(gap) and bare[-1] in ".!?")


def _capital(words: str) -> str:
    return words[0].upper() + words[1:]

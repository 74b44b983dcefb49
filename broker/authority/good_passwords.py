"""What may be a password: long, and nothing that anybody would guess. Length and nothing else is asked for.

After NIST SP 800-63B-4 (§3.1.1.2) and the NCSC's three random words: no capitals, digits or signs are asked for, and no
password grows old. The words below are those that lists of leaked passwords begin with, and what a keyboard offers.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable

from broker.audience import fold
from broker.errors import NotToBeChanged, Problem

SHORTEST, LONGEST = 12, 200  # characters
# Beyond that nobody reads on: four typed ones become one at most when they are put together.
MOST_TYPED = 1_000
LEAST_OF_ITS_OWN = 6  # characters beside what anybody would guess
LEAST_DIFFERENT = 5
GUESSED = (
    "password", "passw0rd", "p4ssw0rd", "passwort", "letmein", "welcome", "iloveyou", "trustno1", "changeme",
    "sunshine", "princess", "football", "liverpool", "arsenal", "chelsea", "charlie", "superman", "batman",
    "dragon", "monkey", "master", "shadow", "secret", "admin", "administrator", "login", "computer",
    "internet", "whatever", "starwars", "teacher", "headteacher", "school", "student", "classroom",
    "carillon", "qwerty", "qwertz", "azerty", "uiop", "asdf", "asdfgh", "jklzxcvbnm", "zxcvbn", "1q2w3e4r",
    "1qaz2wsx", "q1w2e3r4", "abcdefgh", "abcd", "abc", "january", "february", "march", "april", "june",
    "july", "august", "september", "october", "november", "december", "monday", "tuesday", "wednesday",
    "thursday", "friday", "saturday", "sunday", "spring", "summer", "autumn", "winter",
)  # fmt: skip
IN_A_ROW = "01234567890 98765432109 abcdefghijklmnopqrstuvwxyz"


def as_typed(password: str) -> str:
    """One spelling for what is typed alike: a ü is one sign on one keyboard and two on the next (NFKC)."""
    return unicodedata.normalize("NFKC", password[:MOST_TYPED])


def fit(password: str, names: Iterable[str]) -> None:
    """Whether it may be a password; `names`: the operator's and the school's. Raises NotToBeChanged with what to do."""
    if not SHORTEST <= len(as_typed(password)) <= LONGEST:
        raise _weak(f"a password is {SHORTEST} to {LONGEST} characters long", "three words are easy to keep")
    low = as_typed(password).casefold()
    if len(set(low)) < LEAST_DIFFERENT or _repeats(low):
        raise _weak("this is one that anybody would guess", "take three words that do not belong together")
    words = [word for name in names for word in (fold(name), *fold(name).split()) if len(word) > 2]
    if _beside(low, (*words, *GUESSED)) < LEAST_OF_ITS_OWN:
        raise _weak(
            "this is your name, the school's, or a word that everybody takes", "take three other words"
        )


def _repeats(text: str) -> bool:
    """Whether it is one piece again and again."""
    return text in (text + text)[1:-1]


def _beside(text: str, guessed: Iterable[str]) -> int:
    """How many characters are left without what anybody would guess, and without what goes on in a row."""
    for word in sorted(guessed, key=len, reverse=True):
        text = text.replace(word, "")
    pairs = zip("\0" + text, text, strict=False)
    return sum(before != sign and before + sign not in IN_A_ROW for before, sign in pairs)


def _weak(message: str, hint: str) -> NotToBeChanged:
    return NotToBeChanged(Problem("weak_password", "password", message, hint))

"""Addresses of the sample school: each given out once, and spelt as somebody in an office types them."""

from __future__ import annotations

import random
import unicodedata

# The first four digits, after the country code, of ranges that Ofcom has given to mobile networks.
_RANGES = (
    "7400",
    "7411",
    "7425",
    "7432",
    "7455",
    "7481",
    "7503",
    "7515",
    "7527",
    "7540",
    "7557",
    "7572",
    "7584",
)

_PLAIN_LETTERS = str.maketrans(
    {"ł": "l", "Ł": "L", "ø": "o", "Ø": "O", "ı": "i", "đ": "d", "ð": "d", "ß": "ss"}
)


class Addresses:
    """Numbers and emails that nobody else has; a seed decides all of them."""

    def __init__(self, rng: random.Random) -> None:
        self._rng = rng
        self._numbers: set[str] = set()
        self._emails: set[str] = set()

    def number(self) -> str:
        """A national number without its leading zero, never given out before."""
        while True:
            number = f"{self._rng.choice(_RANGES)}{self._rng.randrange(1_000_000):06}"
            if number not in self._numbers:
                self._numbers.add(number)
                return number

    def spelt(self, number: str) -> str:
        """As somebody in the office typed it."""
        if not number:
            return ""
        plain = f"0{number}"
        spellings = (
            plain,
            f"{plain[:5]} {plain[5:]}",
            f"+44 {number[:4]} {number[4:]}",
            f"+44 (0){number}",
            number,
        )
        (chosen,) = self._rng.choices(spellings, (40, 35, 12, 8, 5))
        return chosen

    def email(self, given: str, family: str, domain: str) -> str:
        """One that nobody else has."""
        local = f"{_ascii(given)}.{_ascii(family)}"
        email, again = f"{local}@{domain}", 1
        while email in self._emails:
            again += 1
            email = f"{local}{again}@{domain}"
        self._emails.add(email)
        return email


def _ascii(name: str) -> str:
    """A name as an email's local part has it."""
    plain = unicodedata.normalize("NFKD", name.translate(_PLAIN_LETTERS)).encode("ascii", "ignore").decode()
    return "".join(character for character in plain.casefold() if character.isalnum() or character == "-")

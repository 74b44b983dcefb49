"""How much of anything is read: everything from outside is bounded before it is parsed."""

from __future__ import annotations

from dataclasses import dataclass

MEBIBYTE = 1024 * 1024


@dataclass(frozen=True, slots=True)
class Limits:
    """Far above the largest school and far below what would trouble a small server; tests lower them."""

    file_bytes: int = 256 * MEBIBYTE  # one CSV, unpacked; also the zip itself
    total_bytes: int = 512 * MEBIBYTE  # every entry of a zip, unpacked
    entries: int = 1_000  # in a zip
    directory_bytes: int = MEBIBYTE  # a zip's table of contents, which is read before its entries are counted
    ratio: int = 200  # unpacked to packed; a CSV of enrolments reaches 40
    ratio_from_bytes: int = MEBIBYTE  # below this a ratio says nothing
    rows: int = 2_000_000  # of one CSV
    line: int = MEBIBYTE  # characters
    people: int = 250_000  # the largest school has a twentieth of that
    cell: int = 32_767  # characters: what a spreadsheet itself can hold in one


LIMITS = Limits()

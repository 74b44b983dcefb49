"""Tables that leave the house as CSV, and are opened in a spreadsheet.

A cell that begins with = + - @ is a formula to a spreadsheet, and a name is whatever somebody once typed into a form:
a formula there could send the whole list away. It is kept as text in the ledger and made harmless here, by an
apostrophe, on every way out (https://owasp.org/www-community/attacks/CSV_Injection).
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Sequence

_BEGINS_A_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")
_BOM = "\ufeff"  # without it Excel reads UTF-8 as the computer's own letters


def neutral(cell: object) -> str:
    """A cell as text that no spreadsheet obeys; nothing for None."""
    text = "" if cell is None else str(cell)
    return (
        f"'{text}"
        if text.lstrip().startswith(_BEGINS_A_FORMULA) or text.startswith(_BEGINS_A_FORMULA)
        else text
    )


def as_csv(headers: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    """A table as CSV for a spreadsheet: every cell neutral, lines ended by CR LF, marked as UTF-8."""
    written = io.StringIO(newline="")
    writer = csv.writer(written)
    writer.writerow([neutral(header) for header in headers])
    writer.writerows([neutral(cell) for cell in row] for row in rows)
    return _BOM + written.getvalue()

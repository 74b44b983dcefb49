"""Lists of the school's own ids, as somebody has them: a line each, or the first column of a table."""

from __future__ import annotations

MOST_LIST = 512 * 1024  # bytes: the ids of a school's largest group, each as long as may be


def ids_of(text: str) -> list[tuple[int, str]]:
    """(row, id) of every line that has one; a header that says id is none."""
    cells = (
        (n, line.split(",")[0].split(";")[0].split("\t")[0].strip().strip('"'))
        for n, line in enumerate(text.splitlines(), start=1)
    )
    rows = [(n, cell) for n, cell in cells if cell and cell.isprintable()]
    return rows[1:] if rows and rows[0][1].casefold() == "id" else rows

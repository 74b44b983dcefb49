"""What docs/privacy.md shows of the registry and the rules; `python -m tests.support.privacy_page` writes it anew."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from broker.rules.keeping import PARAMETERS, Kept
from ledger.privacy.registry import PERSONAL, REGISTRY, Erasure, Held, Kind

PAGE = Path(__file__).parents[2] / "docs" / "privacy.md"
BEGIN, END = "<!-- generated from {}: begin -->", "<!-- generated from {}: end -->"
NAMES = {kind: re.split("[:,]", kind.value)[0] for kind in Kind}


def current(page: str) -> str:
    """The page with its generated parts made anew."""
    for source, lines in (
        ("broker/rules/keeping.py", list(_lengths())),
        ("ledger/privacy/registry", [*_tables(), "", *_nothing()]),
    ):
        begin, end = BEGIN.format(source), END.format(source)
        made = "\n".join((begin, "", *lines, "", end))
        before, _, rest = page.partition(begin)
        page = before + made + rest.partition(end)[2]
    return page


def _lengths() -> Iterator[str]:
    yield "| rule | how long | what | why |"
    yield "|---|---|---|---|"
    for one in PARAMETERS:
        yield f"| `{one.key}` | {one.default} | {one.words} | {one.source} |"


def _tables() -> Iterator[str]:
    yield "| table | what | holds | kept | when somebody is erased |"
    yield "|---|---|---|---|---|"
    for name, held in REGISTRY.items():
        if kinds := [NAMES[kind] for kind in Kind if kind in PERSONAL and kind in held.columns.values()]:
            yield f"| `{name}` | {held.about} | {', '.join(kinds)} | {_kept(held)} | {_erased(held)} |"


def _nothing() -> Iterator[str]:
    empty = [f"`{name}`" for name, held in REGISTRY.items() if not PERSONAL & set(held.columns.values())]
    yield f"Nothing of anybody but our own numbers, keyed hashes and who acted for the school: {', '.join(empty)}."


def _kept(held: Held) -> str:
    return f"`{held.kept.rule}`" if held.kept.rule else Kept(held.kept).value


def _erased(held: Held) -> str:
    if held.erasure is Erasure.STANDS:
        return f"stands: {held.because}"
    also = "; elsewhere in it they are struck out" if held.typed and held.erasure is Erasure.GONE else ""
    return f"{held.erasure.value}{also}"


if __name__ == "__main__":
    PAGE.write_text(current(PAGE.read_text()))

"""A mutant: one guard taken out of the product's own source, and the tests that must go red without it."""

from __future__ import annotations

import ast
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path


class DoesNotFitError(Exception):
    """Raised when a mutant's text is not where it says, exactly once: the source has moved on, so must it."""


@dataclass(frozen=True, slots=True)
class Edit:
    """In one file, and one function or class of it (`Deliveries.start`; "" for the whole file): old text → new text."""

    file: str
    within: str
    old: str
    new: str

    def applied(self, source: str) -> str:
        """The source with the change. Raises DoesNotFitError."""
        start, end = _span(source, self.within) if self.within else (0, len(source))
        there = source[start:end].count(self.old)
        if there != 1:
            where = f"{self.file}, {self.within or 'anywhere'}"
            raise DoesNotFitError(f"{where}: found {there} times instead of once: {self.old.strip()!r}")
        changed = source[:start] + source[start:end].replace(self.old, self.new) + source[end:]
        try:
            ast.parse(changed)
        except SyntaxError as error:
            raise DoesNotFitError(f"{self.file}: is no Python after the change: {error}") from None
        return changed


@dataclass(frozen=True, slots=True)
class Mutant:
    """A guard that is missing. Each of `tests` (file::function, or with one parameter) must fail, asserting."""

    name: str
    guard: str  # what is taken out, in plain words
    edits: Sequence[Edit]
    tests: Sequence[str]
    thorough: Sequence[str] = field(default=(), kw_only=True)  # others that must, too slow for the sample
    quick: bool = field(default=False, kw_only=True)  # in the sample for every landing

    def changed(self, root: Path) -> Mapping[str, str]:
        """Each file it changes, with its new source. Raises DoesNotFitError."""
        sources: dict[str, str] = {}
        for edit in self.edits:
            before = sources.get(edit.file)
            if before is None:
                before = (root / edit.file).read_text(encoding="utf-8")
            sources[edit.file] = edit.applied(before)
        return sources


def _span(source: str, within: str) -> tuple[int, int]:
    """From where to where a function or class stands in a source, by its dotted name."""
    node: ast.AST = ast.parse(source)
    for name in within.split("."):
        inner = [
            child
            for child in ast.iter_child_nodes(node)
            if isinstance(child, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)) and child.name == name
        ]
        if len(inner) != 1:
            raise DoesNotFitError(f"{within}: there is no such function or class any more")
        node = inner[0]
    lines = source.splitlines(keepends=True)
    assert isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef))
    assert node.end_lineno is not None
    return sum(map(len, lines[: node.lineno - 1])), sum(map(len, lines[: node.end_lineno]))

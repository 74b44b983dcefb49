"""How the web's templates are read: what is put in is escaped, and a word that is missing is a fault, not a gap."""

from __future__ import annotations

from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined

HERE = Path(__file__).parent


def templates_in(folder: Path = HERE / "templates") -> Environment:
    """The templates of a folder: by default those of the public's pages and of what is printed."""
    return Environment(
        loader=FileSystemLoader(folder),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )

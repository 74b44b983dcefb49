"""What came from a browser, as every database takes it: nobody's own words are changed by that."""

from __future__ import annotations


def clean(text: str) -> str:
    """The text without NUL, which PostgreSQL keeps in no text, and with a mark for half a letter."""
    return text.replace("\0", "").encode("utf-8", "replace").decode()


def file_name(text: str) -> str:
    """A file's name without the folders that some machines send with it."""
    return clean(text).replace("\\", "/").rpartition("/")[2]

"""What a browser calls itself, in three words: enough to know one's own in a list, and nothing of a fingerprint."""

from __future__ import annotations

BROWSERS = (
    ("Edg", "Edge"),
    ("OPR/", "Opera"),
    ("SamsungBrowser", "Samsung Internet"),
    ("Firefox", "Firefox"),
    ("FxiOS", "Firefox"),
    ("Chrom", "Chrome"),
    ("CriOS", "Chrome"),
    ("Safari", "Safari"),
)
SYSTEMS = (
    ("iPhone", "iPhone"),
    ("iPad", "iPad"),
    ("Android", "Android"),
    ("CrOS", "a Chromebook"),
    ("Windows", "Windows"),
    ("Mac OS", "a Mac"),
    ("Linux", "Linux"),
)


def browser_of(agent: str) -> str:
    """ "Firefox on Windows"; "a browser" for what we do not know."""
    agent = agent[:512]
    name = next((told for mark, told in BROWSERS if mark in agent), "a browser")
    system = next((told for mark, told in SYSTEMS if mark in agent), "")
    return f"{name} on {system}" if system else name

"""docs/channels.md says of every channel of ours what `carillon channels --json` says."""

from __future__ import annotations

import inspect
import re
import sys
from collections.abc import Mapping
from importlib.metadata import entry_points
from pathlib import Path
from typing import Any

from broker.capabilities import Withdraws
from broker.channel import ENTRY_POINT_GROUP
from config.registry import Registry

PAGE = Path(__file__).parents[2] / "docs" / "channels.md"
ROW = re.compile(r"^\| \[(?P<name>\w+)\]\(channels/(?P=name)\.md\) \| (?P<cells>.*) \|$", re.MULTILINE)
TABLE = {
    found["name"]: found["cells"].split(" | ") for found in ROW.finditer(PAGE.read_text(encoding="utf-8"))
}


def test_the_table_of_channels_says_what_the_command_says(school):
    told = {entry["channel"]: entry["traits"] for entry in school("channels", "--json").json["channels"]}
    ours = {
        point.name for point in entry_points(group=ENTRY_POINT_GROUP) if point.value.startswith("channels.")
    }
    assert ours <= set(TABLE)
    assert {name: TABLE[name][:5] for name in sorted(ours)} == {
        name: _row(TABLE[name][0], name, told[name]) for name in sorted(ours)
    }
    assert all(len(row) == 8 and all(cell.strip() for cell in row) for row in TABLE.values())


def _row(reaches: str, name: str, traits: Mapping[str, Any]) -> list[str]:
    """The first cells as the command has them; whom a broadcast reaches may be said more closely behind a colon."""
    reached = f"one {traits['address_kind']}" if traits["address_kind"] else "the public"
    reached = "whoever subscribed" if traits["subscribed"] else reached
    lost = {
        "can be asked": traits["can_reconcile"],
        "tells what arrived": traits["confirms_delivery"],
        "may be told twice": traits["duplicates_harmless"],
    }
    return [
        reaches if reaches.partition(":")[0] == reached else reached,
        "yes" if traits["never_alone"] else "no",
        str(traits["age"] or "–"),
        "; ".join(words for words, can in lost.items() if can) or "a person looks",
        "yes" if issubclass(_channel(name), Withdraws) else "no",
    ]


def _channel(name: str) -> type:
    """What a kit opens, by the word of its own signature; by its first, where each gateway is a channel of its own."""
    kit = Registry().kit(name)
    first = str(inspect.signature(kit.open).return_annotation).partition(" | ")[0]
    opens: type = getattr(sys.modules[type(kit).__module__], first)
    return opens

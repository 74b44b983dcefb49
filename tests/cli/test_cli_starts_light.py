"""A command that stops something is in a hurry: it imports no web framework and no provider's SDK."""

from __future__ import annotations

import json
import subprocess
import sys

HEAVY = {"fastapi", "twilio", "tweepy"}
LOOK = "import json, sys; from config.registry import Registry; import cli.app; Registry().kit('sms')"


def test_the_command_starts_without_web_framework_and_sdks() -> None:
    told = subprocess.run(
        [sys.executable, "-c", f"{LOOK}; print(json.dumps([*sys.modules]))"],
        capture_output=True,
        check=True,
        text=True,
        timeout=60,
    )
    loaded = HEAVY & set(json.loads(told.stdout))
    assert loaded == set()

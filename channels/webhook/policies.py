"""The channel's own rules: none per delivery beyond the house's, and what a wording must be at intake."""

from __future__ import annotations

from collections.abc import Sequence

from broker.announcement import Content
from broker.errors import Problem
from broker.naming import has_placeholder
from broker.policy import Policy
from channels.webhook.render import is_empty

MOST = 50_000  # characters of a wording: a receiver that takes whole books is none we know
POLICIES: tuple[Policy, ...] = ()


def check(content: Content) -> Sequence[Problem]:
    """What is wrong with this wording for a machine that may show it to anybody: nothing said, personal, endless."""
    problems = []
    if is_empty(content):
        problems.append(Problem("empty_text", "short", "there is nothing to announce", "write the message"))
    for part, text in content.parts.items():
        if has_placeholder(text):
            message = "who reads at the other end is not known, but a personal part stands in this wording"
            hint = "say “your child”, or leave webhook out of the ways"
            problems.append(Problem("names_in_public", part.value, message, hint))
    if sum(map(len, content.parts.values())) > MOST:
        message = f"a receiver is told {MOST:,} characters at most"
        problems.append(Problem("text_too_long", "long", message, "shorten it, or attach it as a file"))
    return problems

"""The feed's own rules: none per delivery beyond the house's, and what a public wording must be at intake."""

from __future__ import annotations

from collections.abc import Sequence

from broker.announcement import Content
from broker.errors import Problem
from broker.naming import has_placeholder
from broker.policy import Policy
from channels.rss.render import Unfit, wording_of

POLICIES: tuple[Policy, ...] = ()


def check(content: Content) -> Sequence[Problem]:
    """What is wrong with this wording for everybody to read: nothing said, a gap for a name, an unfit character."""
    problems = []
    if not content.long.strip():
        problems.append(Problem("empty_text", "short", "there is nothing to announce", "write the message"))
    for part, text in content.parts.items():
        if has_placeholder(text):
            message = "a feed is public and names nobody, but a personal part stands in this one"
            problems.append(
                Problem(
                    "names_in_public", part.value, message, "say “your child”, or leave rss out of the ways"
                )
            )
    try:
        wording_of(content)
    except Unfit as unfit:
        problems.append(Problem("unfit_character", "long", str(unfit), "take it out, or type the text again"))
    return problems

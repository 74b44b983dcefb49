"""The noticeboard's own rules: none per delivery, and what a wording for the corridor must be at intake."""

from __future__ import annotations

from collections.abc import Sequence

from carillon import Content, Policy, Problem, has_placeholder
from carillon_noticeboard.render import text_of, title_of

LONGEST = 500  # characters; more cannot be read in passing
POLICIES: tuple[Policy, ...] = ()


def check(content: Content) -> Sequence[Problem]:
    """What is wrong with this wording for a screen that everybody passes."""
    text, problems = text_of(content), []
    if not text.strip():
        problems.append(Problem("empty_text", "short", "there is nothing to show", "write the message"))
    if len(text) > LONGEST:
        message = f"the screen shows {LONGEST} characters at most"
        problems.append(Problem("too_long", "short", message, "write a short text"))
    if has_placeholder(title_of(content) + text):
        message = "the corridor is public, and a pupil's name would stand there"
        hint = "say “your child”, or leave noticeboard out of the ways"
        problems.append(Problem("names_in_public", "short", message, hint))
    return problems

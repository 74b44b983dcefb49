"""The channel's own rules: none per delivery beyond the house's, and what a wording must be at intake."""

from __future__ import annotations

from collections.abc import Sequence

from broker.announcement import Content
from broker.audience import Audience, told_whole
from broker.errors import Problem
from broker.naming import has_placeholder
from broker.policy import Policy
from channels.markup import plain_words

POLICIES: tuple[Policy, ...] = ()


def check(content: Content) -> Sequence[Problem]:
    """What is wrong with this wording for whoever subscribed: nothing said, or something personal."""
    problems = []
    if not plain_words(content).strip():
        problems.append(Problem("empty_text", "short", "there is nothing to announce", "write a short text"))
    for part, text in content.parts.items():
        if has_placeholder(text):
            message = "nobody knows who subscribed, but a personal part stands in this wording"
            hint = "say “your child”, or leave webpush out of the ways"
            problems.append(Problem("personal_part", part.value, message, hint))
    return problems


def suits(audience: Audience) -> Sequence[Problem]:
    """Subscribers hear with a group: where part of a group is left out, nobody knows whether they are in that part."""
    everyone, groups = told_whole(audience)
    if everyone or groups:
        return ()
    message = "by webpush whole groups are told, and of these people nobody knows which subscribers they are"
    return (
        Problem("not_whole", "via", message, "name groups, joined by +; or leave webpush out of the ways"),
    )

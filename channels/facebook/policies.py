"""The channel's own rules: nothing is posted on a page that nobody has looked at, that is hidden or can be messaged.

What the page looks like is read by `broker.licences.posture` just before a turn of sending, and comes in with the Case.
"""

from __future__ import annotations

from broker.policy import ALLOW, Case, Policy, Verdict
from channels.posts import looked_at_lately, looks


def was_looked_at(case: Case) -> Verdict:
    """What nobody has looked at lately may have changed hands (R7)."""
    return looked_at_lately(case, "Facebook")


def is_published(case: Case) -> Verdict:
    """A page that is hidden tells nobody anything, and nobody would notice."""
    return looks(
        case, "published", "yes", "not_published", "the page is hidden at Facebook, so that nobody sees it"
    )


def cannot_be_messaged(case: Case) -> Verdict:
    """Nobody can write to the page in private (R4). Where Facebook does not tell, the licence's assurance counts."""
    if case.posture is None or case.posture.get("messages") != "open":
        return ALLOW
    return looks(case, "messages", "closed", "messages_open", "the page takes private messages at Facebook")


POLICIES: tuple[Policy, ...] = (was_looked_at, is_published, cannot_be_messaged)

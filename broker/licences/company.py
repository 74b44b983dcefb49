"""A way that wants an account elsewhere is never the only way: nobody is worse off for having none (R16).

Judged at intake and in every preview, before anything is written. That a school has named its notice route is a
required setting of such an account, so that it is not asked for here.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from broker.audience import Audience, Everyone
from broker.channel import Traits
from broker.errors import Problem


def alone(audience: Audience, ways: Mapping[str, Traits]) -> Sequence[Problem]:
    """What is wrong with these ways to this audience: `ways` are the chosen channels by name. Empty when nothing is.

    To everyone, a feed and its page beside it will do; to groups, only a way that goes to each person.
    """
    lonely = [name for name, traits in ways.items() if traits.never_alone]
    others = [traits for traits in ways.values() if not traits.never_alone]
    if not lonely or any(not traits.for_anybody for traits in others):
        return ()
    if isinstance(audience, Everyone):
        if others:
            return ()
        hint = "add rss, so that everybody can read it in the feed and on its page"
    else:
        hint = "add sms or email, so that each of them is told without an account there"
    return (Problem("never_alone", "via", f"{lonely[0]} may not be the only way (R16)", hint),)

"""What stands on the school's accounts for everybody: who else said it, and what was not said from here (R8, R18)."""

from __future__ import annotations

from broker.ports import Transaction
from broker.rules.case import AnnouncementCase
from broker.rules.social import same_words
from broker.values import AccountRow


def with_other_voices(
    tx: Transaction, account: AccountRow, announcement: int, case: AnnouncementCase, *, reworded: bool = False
) -> AnnouncementCase:
    """The case with who else of the school's accounts said the very same there lately, and earlier than this one.

    `reworded`: these words are of this moment, so that whoever has announced them is earlier.
    """
    if case.traits is None or not case.traits.never_alone or not case.contents:
        return case
    within = case.rules.duration("social.same_text_for")
    if not within:
        return case
    said = tx.posts.said_elsewhere(account.id, besides=announcement, within=within, reworded=reworded)
    ours = [content.short for content in case.contents]
    other = next((name for name, text in said if any(same_words(text, one) for one in ours)), "")
    return case.but(same_text_on=other)

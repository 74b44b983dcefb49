"""What the ledger holds of what went out, and of keeping and erasing it."""

from __future__ import annotations

from broker.rules.keeping import Kept
from ledger.privacy.registry.held import Empty, Erasure, Held, Whose, columns

TABLES: dict[str, Held] = {
    # --- going out
    "duty": Held(
        "who is to be told",
        Kept.MESSAGES,
        columns(stand_in="id announcement_id person_id", nothing="acknowledged_at unreached"),
        Erasure.STANDS,
        theirs={"person_id": Whose.PERSON},
        because="the numbers point to emptied rows: how many were told stays true, and nobody can say who",
    ),
    "rung": Held(
        "by which way somebody was last to be told, and why",
        Kept.MESSAGES,
        columns(stand_in="duty_id", nothing="step sheet code opened_at"),
        Erasure.STANDS,
        because="the numbers point to emptied rows",
    ),
    "acknowledgement": Held(
        "who said that they had seen something",
        Kept.MESSAGES,
        columns(stand_in="duty_id address_id", nothing="at"),
        Erasure.STANDS,
        shown={"address_id": Whose.ADDRESS},
        title="When you said that you had seen something",
        because="the numbers point to emptied rows",
    ),
    "follow_up_person": Held(
        "to whom an announcement was sent again",
        Kept.MESSAGES,
        columns(stand_in="announcement_id person_id"),
        Erasure.GONE,
        theirs={"person_id": Whose.PERSON},
    ),
    "delivery": Held(
        "messages, one for each announcement, way and address",
        Kept.MESSAGES,
        columns(
            stand_in="id announcement_id account_id address_id replaces",
            words="why",
            nothing="channel content_version lane state code due_at expires_at lease_until holder fence"
            " requeued_fence burned lookup_at lookups settled_at created_at changed_at",
            operator="settled_by",
        ),
        Erasure.EMPTIED,
        theirs={"id": Whose.DELIVERY},
        emptied={"why": Empty.BLANK},
        title="Messages to you, or about you",
    ),
    "delivery_covers": Held(
        "whom a message is about",
        Kept.MESSAGES,
        columns(stand_in="delivery_id duty_id", nothing="dropped"),
        Erasure.STANDS,
        because="the numbers point to emptied rows",
    ),
    "attempt": Held(
        "tries to send one",
        Kept.MESSAGES,
        columns(
            stand_in="id delivery_id account_id",
            key="digest",
            provider="provider_id",
            words="why",
            nothing="fence gateway started_at ended_at outcome evidence code cost",
        ),
        Erasure.EMPTIED,
        theirs={"delivery_id": Whose.DELIVERY},
        emptied={"digest": Empty.BLANK, "provider_id": Empty.NULL, "why": Empty.BLANK},
    ),
    "fanout_cursor": Held(
        "how far the planning of an announcement came",
        Kept.SCHOOL,
        columns(stand_in="announcement_id address_id", nothing="channel done"),
    ),
    "retraction": Held(
        "posts that are to be taken back",
        Kept.SCHOOL,
        columns(stand_in="delivery_id", nothing="due_at failures"),
    ),
    "redaction": Held(
        "what a provider is still to be asked to forget",
        Kept.RECEIPTS,
        columns(
            stand_in="id account_id", provider="provider_id", nothing="gateway wanted_at due_at failures"
        ),
        Erasure.STANDS,
        because="until the provider has been asked; then the row goes",
    ),
    # --- keeping and erasing
    "erased": Held(
        "who was erased, by keyed hash",
        Kept.SCHOOL,
        columns(hash="hash", stand_in="person_id", nothing="at"),
        Erasure.STANDS,
        because="without it the next import would bring them back (UK GDPR art. 17(1))",
    ),
    "remark": Held(
        "words about people that the record must not hold",
        Kept.RECORD,
        columns(stand_in="id person_id", words="words", key="commitment", nothing="at"),
        Erasure.GONE,
        theirs={"person_id": Whose.PERSON},
        aged="at",
        title="What was noted about you",
    ),
    "legal_hold": Held(
        "what must not go",
        Kept.SCHOOL,
        columns(
            stand_in="id person_id announcement_id",
            words="words",
            nothing="held_at lifted_at",
            operator="held_by lifted_by",
        ),
        Erasure.STRUCK,
    ),
    "night": Held(
        "what went each night", Kept.SCHOOL, columns(nothing="day began_at lease_until ended_at done")
    ),
}

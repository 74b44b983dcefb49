"""What the ledger holds of what people chose, and of what came back from them."""

from __future__ import annotations

from broker.rules.keeping import Kept
from ledger.privacy.registry.held import Erasure, Held, Whose, columns

_STOP_HOLDS = (
    "a stop has to be honoured for ever, and a keyed hash is all that it takes (PECR reg. 22; art. 17(3)(b))"
)

TABLES: dict[str, Held] = {
    # --- consent and opt-outs
    "consent": Held(
        "what stands of consent",
        Kept.PEOPLE,
        columns(stand_in="person_id", choice="given guardian_given source", nothing="channel purpose at"),
        Erasure.GONE,
        theirs={"person_id": Whose.PERSON},
    ),
    "consent_entry": Held(
        "every yes and no, with what proves it",
        Kept.PEOPLE,
        columns(
            stand_in="id person_id guardian_id",
            choice="given source",
            words="evidence",
            nothing="channel purpose said_at at actor_kind",
            operator="actor_id",
        ),
        Erasure.GONE,
        theirs={"person_id": Whose.PERSON},
        title="What you agreed to, or refused",
    ),
    "suppression": Held(
        "opt-outs",
        Kept.SCHOOL,
        columns(hash="hash", words="source", nothing="channel at"),
        Erasure.STRUCK,
        because=_STOP_HOLDS,
    ),
    "heard": Held(
        "which texts of the provider's were read already",
        Kept.SCHOOL,
        columns(nothing="account_id key at"),
    ),
    # --- what came back
    "answer": Held(
        "what was answered",
        Kept.ANSWERS,
        columns(
            stand_in="id public_id account_id announcement_id delivery_id",
            address="sender",
            hash="sender_hash",
            written="subject text",
            words="reply",
            provider="key",
            nothing="channel inbox received_at automatic concern opened_at released_at done_at",
            operator="opened_by released_by done_by",
        ),
        Erasure.GONE,
        theirs={"sender_hash": Whose.ALONE_HASH},
        shown={"sender_hash": Whose.ADDRESS_HASH},
        aged="done_at",
        title="What you wrote to the school",
    ),
    "note": Held(
        "which announcements the house wrote itself", Kept.SCHOOL, columns(stand_in="announcement_id")
    ),
    "bounce": Held(
        "what came back undelivered",
        Kept.RECEIPTS,
        columns(stand_in="id attempt_id delivery_id address_id", key="key", nothing="channel kind code at"),
        Erasure.GONE,
        theirs={"address_id": Whose.ALONE},
        shown={"address_id": Whose.ADDRESS},
        aged="at",
        title="What came back from your addresses",
    ),
    "bounced": Held(
        "addresses that do not exist, by keyed hash",
        Kept.SCHOOL,
        columns(hash="hash", nothing="channel code at"),
        Erasure.STANDS,
        because="nobody is to write to an address that bounced, and a keyed hash is all that it takes",
    ),
    "mailbox": Held("how far a mailbox is read", Kept.SCHOOL, columns(nothing="name position read_at")),
    "mail_aside": Held(
        "mails that could not be taken in: where they lie, and nothing of them",
        Kept.SCHOOL,
        columns(key="key", nothing="id mailbox place fault at"),
    ),
    "receipt": Held(
        "callbacks of providers; what they said is emptied as soon as it is read",
        Kept.RECEIPTS,
        columns(
            stand_in="id account_id",
            provider="url headers body",
            key="digest",
            nothing="received_at confirmed_at fault",
        ),
        Erasure.NOTHING,
        aged="confirmed_at",
    ),
}

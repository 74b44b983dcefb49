"""What the ledger holds of people and how they hang together."""

from __future__ import annotations

from broker.rules.keeping import Kept
from ledger.privacy.registry.held import Empty, Erasure, Held, Whose, columns

_STAGED = "it is gone within a day, and all of it at once when anybody is erased"

TABLES: dict[str, Held] = {
    "person": Held(
        "pupils, guardians and staff",
        Kept.PEOPLE,
        columns(
            stand_in="id",
            known_as="public_id source_id",
            name="given_name family_name preferred_name",
            fact="year form born language is_pupil is_guardian is_staff",
            nothing="mobile_refused email_refused active changed_at",
            key="commitment_key",
        ),
        Erasure.EMPTIED,
        theirs={"id": Whose.PERSON},
        emptied={
            "public_id": Empty.FRESH,
            "source_id": Empty.OWN,
            "given_name": Empty.ERASED,
            "family_name": Empty.BLANK,
            "preferred_name": Empty.NULL,
            "year": Empty.NULL,
            "form": Empty.NULL,
            "born": Empty.NULL,
            "language": Empty.BLANK,
            "is_pupil": Empty.FALSE,
            "is_guardian": Empty.FALSE,
            "is_staff": Empty.FALSE,
            "active": Empty.FALSE,
            "mobile_refused": Empty.FALSE,
            "email_refused": Empty.FALSE,
            "commitment_key": Empty.NULL,
        },
        title="Who you are to the school",
    ),
    "address": Held(
        "mobile numbers and emails",
        Kept.ADDRESSES,
        columns(
            stand_in="id",
            address="value",
            hash="hash",
            nothing="kind doubtful confirmed_at",
            key="commitment_key",
        ),
        Erasure.EMPTIED,
        theirs={"id": Whose.ALONE},
        shown={"id": Whose.ADDRESS},
        emptied={"value": Empty.OWN, "hash": Empty.BLANK, "commitment_key": Empty.NULL},
        title="Your numbers and emails",
    ),
    "person_address": Held(
        "who holds which address",
        Kept.ADDRESSES,
        columns(stand_in="person_id address_id", nothing="position"),
        Erasure.GONE,
        theirs={"person_id": Whose.PERSON},
    ),
    "guardianship": Held(
        "who looks after whom, and who is kept from hearing of whom",
        Kept.PEOPLE,
        columns(
            stand_in="guardian_id pupil_id",
            fact="priority parental_responsibility lives_with blocked by_hand",
        ),
        Erasure.GONE,
        theirs={"guardian_id": Whose.PERSON, "pupil_id": Whose.PERSON},
        title="Whom you look after, or who looks after you",
    ),
    "membership": Held(
        "who is in which group",
        Kept.PEOPLE,
        columns(stand_in="group_id person_id", fact="role begins_on ends_on"),
        Erasure.GONE,
        theirs={"person_id": Whose.PERSON},
    ),
    "people_group": Held(
        "groups",
        Kept.SCHOOL,
        columns(
            stand_in="id department_id",
            words="name folded_name expression source_id",  # a report without ids makes one of the name
            nothing="kind public active",
        ),
        Erasure.STRUCK,
    ),
    "term": Held(
        "the term calendar",
        Kept.SCHOOL,
        columns(nothing="id source_id name kind begins_on ends_on parent active"),
    ),
    "staged_import": Held(
        "imports that wait to be taken in, with the names of whom they would change",
        Kept.SIGN_IN,
        columns(
            stand_in="id public_id",
            name="told",
            nothing="kind stage asked made_at seen_at share",
            operator="made_by ended_by",
        ),
        Erasure.STANDS,
        because=_STAGED,
    ),
    "staged_file": Held(
        "their files",
        Kept.SIGN_IN,
        columns(stand_in="import_id", nothing="position mapping", words="name", file="bytes"),
        Erasure.STANDS,
        because=_STAGED,
    ),
    # Column titles of a report, never its rows.
    "mapping": Held("how reports are read", Kept.SCHOOL, columns(nothing="name body made_at")),
}

"""What the ledger holds of the school, of who acts for it, and of its rules and record."""

from __future__ import annotations

from broker.rules.keeping import Kept
from ledger.privacy.registry.held import Erasure, Held, Whose, columns

_ACCOUNTABLE = "the school has to show what was done and by whom (UK GDPR art. 5(2), 17(3)(b))"

TABLES: dict[str, Held] = {
    # --- the record
    "record_entry": Held(
        "the record: ids and commitments",
        Kept.RECORD,
        columns(stand_in="id announcement_id body", nothing="mark at kind"),
        Erasure.STANDS,
        because=_ACCOUNTABLE + "; it holds ids and commitments whose keys an erasure destroys",
    ),
    "record_seal": Held(
        "seals over it",
        Kept.SCHOOL,
        columns(nothing="number first_mark next_mark count root previous hash sealed_at"),
    ),
    "record_head": Held(
        "heads of it that left the house", Kept.SCHOOL, columns(nothing="id number hash at how")
    ),
    "head_holder": Held(
        "governors, to whom heads of it are mailed",
        Kept.SCHOOL,
        columns(operator="name email added_by", nothing="added_at"),
        Erasure.STANDS,
        because=_ACCOUNTABLE + "; who is a governor no more is taken off the list",
    ),
    "record_opening": Held("empty, but while the record is pruned", Kept.SCHOOL, columns(nothing="id why")),
    # --- two people
    "operator": Held(
        "who may act for the school",
        Kept.SCHOOL,
        columns(
            stand_in="id department_id",
            operator="name folded_name added_by removed_by",
            nothing="added_at removed_at",
        ),
        Erasure.STANDS,
        because=_ACCOUNTABLE,
    ),
    "operator_role": Held(
        "what each of them may", Kept.SCHOOL, columns(stand_in="operator_id", nothing="role")
    ),
    "approval": Held(
        "what the second person decided",
        Kept.SCHOOL,
        columns(
            stand_in="id announcement_id",
            words="why void_why review",
            key="bound",
            nothing="decision at content_version rules_version counted void_at reviewed_at",
            operator="by reviewed_by",
        ),
        Erasure.STRUCK,
    ),
    "announcement_copy": Held(
        "which staff read an announcement too",
        Kept.MESSAGES,
        columns(stand_in="announcement_id person_id"),
        Erasure.GONE,
        theirs={"person_id": Whose.PERSON},
    ),
    "private_link": Held(
        "private links to what a group is told, by digests",
        Kept.SCHOOL,
        columns(
            stand_in="id group_id",
            key="digest",
            words="about",
            nothing="made_at revoked_at",
            operator="made_by revoked_by",
        ),
        Erasure.STRUCK,
    ),
    "subscriber": Held(
        "browsers that asked to be told with a group; nobody knows whose they are",
        Kept.SCHOOL,
        columns(stand_in="address_id link_id account_id", nothing="made_at"),
    ),
    # --- rules, licences, money
    "rules": Held(
        "versions of the rules",
        Kept.SCHOOL,
        columns(nothing="version body at", words="why", operator="by"),
        Erasure.STRUCK,
    ),
    "switch": Held(
        "what is switched off",
        Kept.SCHOOL,
        columns(nothing="id kind subject off_at on_at", words="why", operator="off_by on_by"),
        Erasure.STRUCK,
    ),
    "licence": Held(
        "what a channel licence comes to",
        Kept.SCHOOL,
        columns(nothing="account_id version stands_until lacking lapsing lapsed_at judged_at"),
    ),
    "licence_version": Held(
        "channel licences, every version",
        Kept.SCHOOL,
        columns(nothing="id account_id version digest specimen made_at", words="body", operator="made_by"),
        Erasure.STANDS,
        because=_ACCOUNTABLE + "; it names staff who answer for an account, and is signed by its digest",
    ),
    "licence_warning": Held(
        "warnings of a lapse", Kept.SCHOOL, columns(nothing="account_id lapses_on days told_at mailed")
    ),
    "account_watch": Held(
        "when an account's posts are read",
        Kept.SCHOOL,
        columns(nothing="account_id since due_at failures"),
    ),
    "found_post": Held(
        "posts found on an account",
        Kept.SCHOOL,
        columns(
            nothing="id account_id posted_at found_at carried why_not",
            provider="provider_id",
            words="text",
        ),
        Erasure.STRUCK,
    ),
    "budget": Held(
        "budgets", Kept.SCHOOL, columns(nothing="department_id month amount set_at", operator="set_by")
    ),
    "spend": Held("what was spent", Kept.SCHOOL, columns(nothing="department_id account_id month cost")),
    "spend_delta": Held(
        "what was spent, not folded yet",
        Kept.SCHOOL,
        columns(nothing="id department_id account_id month cost"),
    ),
    # --- the school and running it
    "school": Held("the school", Kept.SCHOOL, columns(nothing="id slug name zone locale region mark_offset")),
    "department": Held("departments", Kept.SCHOOL, columns(nothing="id slug name")),
    "account": Held(
        "the ways out",
        Kept.SCHOOL,
        columns(
            nothing="id name channel department_id per_second active paused_at posture posture_at",
            words="paused_why",
        ),
        Erasure.STRUCK,
    ),
    "tally": Held("counters", Kept.SCHOOL, columns(nothing="announcement_id channel state n")),
    "tally_delta": Held(
        "counters, not folded yet", Kept.SCHOOL, columns(nothing="id announcement_id channel state n")
    ),
    "figure": Held(
        "what was sent, by the hour", Kept.SCHOOL, columns(nothing="hour department_id channel took n")
    ),
    "figures_until": Held("how far that is counted", Kept.SCHOOL, columns(nothing="id attempt_id")),
    "pace": Held("turns", Kept.SCHOOL, columns(nothing="account_id gateway next_at")),
    "gateway": Held(
        "how the providers under an account stand",
        Kept.SCHOOL,
        columns(
            nothing="account_id name stand since until openings counted_from tries errors slow",
            operator="held_by",
            words="why",
        ),
        Erasure.STRUCK,
    ),
    "stop": Held(
        "what must not go on; gone after ten minutes",
        Kept.SCHOOL,
        columns(stand_in="subject", nothing="id kind at"),
    ),
    "worker": Held("workers", Kept.SCHOOL, columns(nothing="id name started_at seen_at")),
    "alarm": Held(
        "alarms",
        Kept.RECEIPTS,
        columns(nothing="id kind raised_at cleared_at", words="subject message"),
        Erasure.STRUCK,
        aged="cleared_at",
    ),
    "api_token": Held(
        "tokens of the programs that may call",
        Kept.SCHOOL,
        columns(
            stand_in="id public_id department_id",
            key="digest",
            operator="name operator made_by revoked_by",
            nothing="scopes made_at expires_at used_at revoked_at",
        ),
        Erasure.STANDS,
        because=_ACCOUNTABLE,
    ),
    "webhook": Held(
        "programs that are told what became of deliveries, by numbers and states alone",
        Kept.SCHOOL,
        columns(
            stand_in="id public_id department_id",
            operator="made_by",
            nothing="url states made_at after_mark after_id until_mark until_id sequence failures"
            " failing_since due_at told_at why paused_at retired_at",
        ),
        Erasure.STANDS,
        because=_ACCOUNTABLE,
    ),
    "sign_in_link": Held(
        "sign-in links, until they are over",
        Kept.SIGN_IN,
        columns(key="digest", operator="operator", nothing="made_at expires_at used_at invites"),
    ),
    "session": Held(
        "sessions, until they are over; of the browser its make alone",
        Kept.SIGN_IN,
        columns(
            key="digest",
            operator="operator",
            nothing="began_at expires_at ended_at how stage seen_at proved_at idle_seconds about",
        ),
    ),
    "proof": Held(
        "what an operator signs in by, until they act no more: a password's hash, a second factor under seal",
        Kept.SIGN_IN,
        columns(stand_in="operator_id", key="password second", nothing="password_at second_at last_step"),
    ),
    "recovery_code": Held(
        "codes for who has lost their telephone, as keyed digests",
        Kept.SIGN_IN,
        columns(key="digest", stand_in="operator_id", nothing="made_at used_at"),
    ),
    "identity": Held(
        "who an operator is at Google or Microsoft, as keyed digests",
        Kept.SIGN_IN,
        columns(key="digest", stand_in="operator_id", nothing="provider mapped at"),
    ),
    "device": Held(
        "browsers on which an operator has signed in, as digests, for half a year",
        Kept.SIGN_IN,
        columns(key="digest", stand_in="operator_id", nothing="made_at expires_at"),
    ),
    "sign_in_pace": Held(
        "how many have just tried to sign in, by keyed digest of where from and as whom; gone within a day",
        Kept.SIGN_IN,
        columns(key="key", nothing="free_at"),
    ),
}

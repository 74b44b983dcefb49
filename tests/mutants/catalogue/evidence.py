"""Guards of what is known: nothing that was learned is lost, and nothing in the record is made up."""

from __future__ import annotations

from tests.mutants.mutant import Edit, Mutant

ANY_ORDER = "tests/dispatch/test_any_order.py::test_in_any_order_nothing_is_lost_and_nothing_sent_twice"
GUARDS = "tests/dispatch/test_guards.py"
LEASES = "tests/dispatch/test_leases.py"
LIFE = "tests/dispatch/test_delivery_life.py"

MUTANTS = (
    Mutant(
        "stale-outcome-discarded",
        "what a worker learned too late is kept, and enters as evidence",
        [Edit("broker/write_back.py", "write_in", "_enter_late(tx, late, actor)", "pass")],
        [
            f"{LEASES}::test_a_worker_that_comes_back_late_changes_nothing_but_what_it_learned_is_kept",
            "tests/dispatch/test_overtaken.py::test_a_no_that_comes_too_late_is_told_with_its_reason",
        ],
        quick=True,
    ),
    Mutant(
        "receipt-inbox-dropped",
        "callbacks that wait in the inbox are folded in",
        [
            Edit(
                "broker/confirm.py",
                "_drain_chunk",
                "apply_news(tx, [_news(ports, each, account, gateway) for each, gateway in told], actor=provider)",
                "pass",
            )
        ],
        [
            f"{LIFE}::test_callbacks_in_any_order_and_twice_end_the_same",
            "tests/dispatch/test_confirming.py::test_callbacks_are_confirmed_together",
        ],
        thorough=[ANY_ORDER],
    ),
    Mutant(
        "old-news-overrules",
        "news of an older try does not overrule a person who tried again",
        [Edit("broker/delivery.py", "fold_delivery", " and fence > requeued_fence", "")],
        [
            f"{GUARDS}::test_news_of_an_older_try_does_not_overrule_a_persons_decision",
            "tests/broker/test_delivery_states.py::test_a_bounce_from_before_a_requeue_does_not_undo_it",
        ],
    ),
    Mutant(
        "last-news-wins",
        "evidence is folded by its strength, in whatever order it comes",
        [
            Edit(
                "broker/delivery.py",
                "fold_attempt",
                "max(known, news, key=_WITHIN_ATTEMPT.__getitem__)",
                "news",
            )
        ],
        ["tests/broker/test_delivery_states.py::test_folding_an_attempt_does_not_mind_order_or_repetition"],
    ),
    Mutant(
        "rows-believed",
        "a delivery's row is held against what the record tells of it",
        [Edit("broker/scrutiny/audit.py", "delivery_fault", "if state != told.state:", "if False:")],
        [
            (
                "tests/record/test_tampering_rows.py::test_a_row_changed_behind_the_records_back_is_found"
                "[sqlite-a_text_said_to_have_arrived-]"
            )
        ],
    ),
    Mutant(
        "seals-unchained",
        "a seal follows the one before it",
        [Edit("broker/record.py", "Chain._fault", " or seal.previous != self.head", "")],
        [
            (
                "tests/record/test_tampering.py::test_whoever_changes_the_chain_is_found_at_its_seal"
                "[sqlite-an_entry_edited_and_its_seal_made_anew-]"
            )
        ],
    ),
)

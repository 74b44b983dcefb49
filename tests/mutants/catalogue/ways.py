"""Guards of who is told by which way: corrections and ladders."""

from __future__ import annotations

from tests.mutants.mutant import Edit, Mutant

ANY_ORDER = "tests/dispatch/test_any_order.py::test_in_any_order_nothing_is_lost_and_nothing_sent_twice"
CORRECTIONS = "tests/dispatch/test_corrections.py"
LADDER = "tests/broker/test_ladder.py"

MUTANTS = (
    Mutant(
        "correction-decides-too-soon",
        "a correction waits for what is still under way",
        [Edit("ledger/corrections/following.py", "follow", "(0 if waits else 1)", "1")],
        [f"{CORRECTIONS}::test_what_is_looked_up_is_decided_when_that_is_over"],
        thorough=[ANY_ORDER],
    ),
    Mutant(
        "correction-calls-itself-nothing",
        "who has the wrong text reads that it is corrected",
        [Edit("ledger/corrections/following.py", "follow", "left == 1, literal", "left == 2, literal")],
        [f"{CORRECTIONS}::test_a_mail_of_which_nobody_knows_gets_the_correction"],
        thorough=[ANY_ORDER],
    ),
    Mutant(
        "correction-forgets-what-settles-meanwhile",
        "whether all is settled is asked before the ways are looked at",
        [Edit("broker/corrections/planning.py", "plan", "_unsettled(tx, announcement)", "(False, None)")],
        [f"{CORRECTIONS}::test_what_settles_while_it_is_being_planned_is_not_forgotten"],
    ),
    Mutant(
        "ladder-waits-for-no-look-up",
        "an uncertain delivery waits for its look-ups before the next way opens",
        [Edit("broker/ladders/ladder.py", "next_move", "not (standing.looking and look_ups_first)", "True")],
        [f"{LADDER}::test_a_school_may_choose_not_to_wait_for_look_ups"],
    ),
    Mutant(
        "ladder-forgets-its-time",
        "at its time the next way opens, whatever is still looked up",
        [Edit("broker/ladders/ladder.py", "next_move", "now >= at", "False")],
        [f"{LADDER}::test_who_was_reached_but_has_not_said_so_is_told_by_the_next_way_at_its_time"],
    ),
)

"""Guards of what may be said at all: rules, switches, second people, licences, names, money."""

from __future__ import annotations

from tests.mutants.mutant import Edit, Mutant

ANY_ORDER = "tests/dispatch/test_any_order.py::test_in_any_order_nothing_is_lost_and_nothing_sent_twice"
LICENCES = "tests/dispatch/test_licences.py"
LIFE = "tests/dispatch/test_delivery_life.py"
MONEY = "tests/dispatch/test_money.py"
RULES = "tests/dispatch/test_held_by_rules.py"
SWITCHES = "tests/dispatch/test_switched_off.py"
TWO_PEOPLE = "tests/dispatch/test_two_people.py"
YES = "tests/dispatch/test_yes_to_what.py"

MUTANTS = (
    Mutant(
        "opt-out-not-judged",
        "whoever said stop gets nothing more",
        [Edit("broker/house_rules.py", "", "    not_opted_out,\n", "")],
        [f"{LIFE}::test_an_opt_out_refuses_and_survives_a_new_import"],
    ),
    Mutant(
        "rules-not-asked-in-the-claim",
        "a bulk under way stops when a rule or a switch says so",
        [
            Edit(
                "broker/claim.py",
                "_verdict",
                "if not isinstance(ruling.verdict, Allow):",
                "if False:",
            )
        ],
        [
            f"{RULES}::test_a_bulk_under_way_is_held_when_its_hours_end",
            f"{SWITCHES}::test_two_switches_are_both_needed_on",
        ],
        quick=True,
    ),
    Mutant(
        "held-and-planned",
        "what the rules hold as a whole is not planned",
        [
            Edit(
                "broker/fanout.py",
                "_still_to_plan",
                "found.held_until is not None and found.held_until > tx.now",
                "False",
            ),
            Edit("broker/fanout.py", "_held", "return hold is not None", "return False"),
            Edit(
                "broker/claim.py",
                "_verdict",
                "if not isinstance(ruling.verdict, Allow):",
                "if False:",
            ),
        ],
        [
            f"{RULES}::test_a_routine_announcement_waits_out_its_undo_window_and_then_leaves",
            f"{RULES}::test_an_audience_beyond_the_size_waits_until_somebody_typed_its_number",
        ],
    ),
    Mutant(
        "undo-without-looking",
        "undo says so when something may have left",
        [
            Edit(
                "broker/authority/second_thoughts.py",
                "undo",
                "begun = tx.cases.is_planned(announcement.id)",
                "begun = False",
            )
        ],
        [f"{RULES}::test_what_has_begun_to_go_out_cannot_be_undone"],
        thorough=[ANY_ORDER],
    ),
    Mutant(
        "switch-adds-no-stop",
        "a switch is felt by what is in hand",
        [
            Edit(
                "ledger/authority/switches.py",
                "Switches.switch_off",
                "stops.add(StopKind.EVERYTHING, 0)",
                "pass",
            ),
            Edit(
                "ledger/authority/switches.py",
                "Switches.switch_off",
                "stops.add(StopKind.ACCOUNT, one)",
                "pass",
            ),
        ],
        [
            f"{SWITCHES}::test_a_switch_is_felt_within_a_second_by_what_is_in_hand[sqlite-everything-]",
            f"{SWITCHES}::test_a_switch_is_felt_within_a_second_by_what_is_in_hand[sqlite-channel-sms]",
        ],
    ),
    Mutant(
        "licence-forgotten",
        "an account without a licence in force says nothing",
        [Edit("broker/rules/licence.py", "licensed", "if not case.licence_needed:", "if case.now:")],
        [f"{LICENCES}::test_an_angle_that_lapsed_lets_nothing_leave_and_says_which"],
    ),
    Mutant(
        "brake-forgets-the-licence",
        "what is in hand when a licence lapses does not begin any more",
        [Edit("broker/brake.py", "Brake._over", "if not allowed_still(case, now)", "if case is None")],
        [f"{LICENCES}::test_a_licence_that_lapses_in_mid_send_stops_the_rest_and_loses_nothing"],
    ),
    Mutant(
        "own-approver",
        "nobody approves what they announced themselves",
        [
            Edit(
                "broker/authority/approvals.py",
                "_second",
                "if any(operators.same(each, actor.id) for each in first):",
                "if first == ('',):",
            )
        ],
        [f"{TWO_PEOPLE}::test_nobody_approves_what_they_announced_themselves"],
    ),
    Mutant(
        "a-yes-for-ever",
        "a yes does no more when what it was given to has changed",
        [
            Edit(
                "broker/authority/approvals.py",
                "still_bound",
                "if decision is None or",
                "if decision is not None or",
            )
        ],
        [
            f"{YES}::test_other_rules_than_were_in_force_send_it_back_to_wait",
        ],
    ),
    Mutant(
        "names-let-through",
        "a full name of the roster is not published",
        [
            Edit(
                "broker/disclosure/roster_facts.py",
                "with_roster",
                "names = tx.people.names() if",
                "names = None if",
            )
        ],
        [
            "tests/dispatch/test_public_words.py::test_a_pupil_who_came_since_is_not_named_by_what_was_accepted_before"
        ],
    ),
    Mutant(
        "money-in-hand-uncounted",
        "what another worker has claimed and not begun counts as spent",
        [Edit("ledger/money.py", "Money.left", " - self._in_hand(department)", "")],
        [f"{MONEY}::test_what_another_worker_has_in_hand_counts"],
    ),
    Mutant(
        "money-never-given-back",
        "what provably did not leave is not spent",
        [
            Edit(
                "broker/write_back.py",
                "write_in",
                "tx.money.give_back(_to_give_back(results))",
                "_to_give_back(results)",
            )
        ],
        [f"{MONEY}::test_what_provably_did_not_leave_is_given_back"],
    ),
)

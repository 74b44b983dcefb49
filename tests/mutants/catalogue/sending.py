"""Guards of a delivery on its way: begun once, by whom it belongs to, looked up before it goes again."""

from __future__ import annotations

from tests.mutants.mutant import Edit, Mutant

ANY_ORDER = "tests/dispatch/test_any_order.py::test_in_any_order_nothing_is_lost_and_nothing_sent_twice"
CLOCK = "tests/channels/test_twitter_clock.py"
GUARDS = "tests/dispatch/test_guards.py"
LEASES = "tests/dispatch/test_leases.py"
TRIES = "tests/dispatch/test_failed_tries.py"

MUTANTS = (
    Mutant(
        "retry-on-timeout-without-look-up",
        "a try that may have left is looked up, never simply made again",
        [
            Edit(
                "broker/retry.py",
                "after_failure",
                "return Decision(Event.LOSE)",
                "return Decision(Event.RETRY, now + policy.wait(burned_before + 1, spread))",
            )
        ],
        [
            f"{TRIES}::test_a_lost_answer_is_looked_up_and_found",
            f"{TRIES}::test_an_uncertain_mail_waits_for_a_person",
            "tests/broker/test_retry.py::test_what_may_have_left_is_never_tried_again_blindly",
        ],
        thorough=[ANY_ORDER],
        quick=True,
    ),
    Mutant(
        "grace-zero",
        "a provider is asked only after a grace longer than its slowest accept",
        [
            Edit("broker/outcomes.py", "result_of", "now + traits.grace if", "now if"),
            Edit("broker/recover.py", "_recovered", "tx.now + traits.grace if", "tx.now if"),
            Edit(
                "broker/reconcile.py",
                "look_up",
                "again_in=channel.traits.grace",
                "again_in=0 * channel.traits.grace",
            ),
            Edit("broker/reconcile.py", "_absent", "tx.now + channel.traits.grace", "tx.now"),
        ],
        [
            f"{GUARDS}::test_a_provider_that_accepts_within_the_grace_is_given_no_second_text",
            f"{GUARDS}::test_a_killed_workers_text_is_asked_for_after_the_grace_too",
        ],
        quick=True,
    ),
    Mutant(
        "no-fence",
        "only who holds the newest fence begins, and moves a delivery by its outcome",
        [
            Edit("ledger/deliveries.py", "Deliveries.write_back", "AND delivery.fence = u.fence ", ""),
            Edit("ledger/deliveries.py", "Deliveries.start", " AND d.fence = u.fence", ""),
            Edit("ledger/exchange.py", "_statement", "AND delivery.fence = u.fence ", ""),
            Edit("ledger/exchange.py", "_statement", " AND d.fence = s.fence", ""),
        ],
        [
            f"{GUARDS}::test_an_answer_under_an_old_fence_leaves_the_newer_try_alone",
            f"{GUARDS}::test_a_try_under_an_old_fence_is_not_begun",
        ],
        quick=True,
    ),
    Mutant(
        "no-uniqueness",
        "the database takes one delivery for an announcement, a channel and an address",
        [
            Edit(
                "ledger/migrations/versions/0001_the_first_ledger.py",
                "upgrade",
                "sa.literal_column('coalesce(address_id, 0)')], unique=True)",
                "sa.literal_column('coalesce(address_id, 0)')], unique=False)",
            )
        ],
        [
            f"{GUARDS}::test_the_database_takes_one_delivery_for_an_announcement_and_an_address",
        ],
        quick=True,
    ),
    Mutant(
        "expiry-not-checked-before-the-call",
        "expiry is looked at once more just before each call",
        [
            Edit(
                "broker/brake.py",
                "Brake.may_start",
                "return self._database_at_read + timedelta(seconds=since) < depends.expires_at",
                "return True",
            )
        ],
        [
            f"{GUARDS}::test_what_expires_behind_a_slow_provider_is_not_begun_any_more",
            "tests/broker/test_brake.py::test_nothing_starts_at_or_after_its_expiry_by_the_databases_clock",
        ],
    ),
    Mutant(
        "expired-lease-queued-though-started",
        "a lease that ran out after the start leaves a delivery uncertain, never queued",
        [
            Edit(
                "broker/recover.py",
                "_recover_chunk",
                "_recovered(ports, tx, known, started,",
                "_recovered(ports, tx, known, False,",
            )
        ],
        [
            f"{LEASES}::test_an_expired_lease_that_started_is_uncertain_and_never_queued",
        ],
        thorough=[ANY_ORDER],
        quick=True,
    ),
    Mutant(
        "brake-not-asked",
        "the brake is asked just before each call",
        [Edit("broker/hands.py", "_Work._try", "if self._may_start(item.key) else _NOT_STARTED", "")],
        [
            f"{GUARDS}::test_what_expires_behind_a_slow_provider_is_not_begun_any_more",
            f"{GUARDS}::test_a_withdrawal_in_mid_send_stops_what_has_not_begun",
        ],
    ),
    Mutant(
        "stale-brake-says-yes",
        "a brake that could not read for 750 ms lets nothing begin",
        [Edit("broker/brake.py", "Brake.may_start", "or since > STALE.total_seconds()", "")],
        ["tests/broker/test_brake.py::test_a_read_that_is_too_old_forbids_everything_until_the_next"],
    ),
    Mutant(
        "lease-not-looked-at",
        "nothing is begun whose lease may end before its call does",
        [
            Edit(
                "ledger/deliveries.py",
                "Deliveries.start",
                " AND d.lease_until > {later}",
                " AND {later} IS NOT NULL",
            ),
            Edit(
                "ledger/exchange.py",
                "_statement",
                "AND d.lease_until > {dialect.after('margin')}",
                "AND {dialect.after('margin')} IS NOT NULL",
            ),
        ],
        [f"{GUARDS}::test_a_try_whose_lease_may_end_in_mid_call_is_not_begun"],
    ),
    Mutant(
        "absent-once-is-absent",
        "a provider is asked twice before a text goes again",
        [Edit("broker/reconcile.py", "", "TIMES = 2 ", "TIMES = 1 ")],
        [f"{TRIES}::test_absent_twice_is_sent_again_and_only_then"],
    ),
    Mutant(
        "one-proof-for-two",
        "one message at the provider proves one try, not two",
        [
            Edit(
                "broker/reconcile.py",
                "_not_bound_elsewhere",
                "if bound.setdefault(receipt.provider_id, attempt) == attempt:",
                "if True:",
            ),
            Edit(
                "ledger/moves.py",
                "Moves._lookups",
                "known=frozenset(_of_gateway(known[row.address_id], row.gateway, account.channel))",
                "known=frozenset()",
            ),
        ],
        [f"{TRIES}::test_one_message_at_the_provider_proves_one_attempt_and_not_two"],
    ),
    Mutant(
        "exchange-takes-what-it-can",
        "the one statement for a window holds only while every outcome meets its fence",
        [
            Edit(
                "ledger/exchange.py",
                "_statement",
                "= :expected THEN 1 ELSE 0 END",
                "= :expected THEN 1 ELSE 1 END",
            )
        ],
        [
            f"{LEASES}::test_a_worker_that_comes_back_late_changes_nothing_but_what_it_learned_is_kept[postgresql]",
            "tests/dispatch/test_overtaken.py::test_a_no_that_comes_too_late_is_told_with_its_reason[postgresql]",
        ],
    ),
    Mutant(
        "outcomes-die-with-the-start",
        "outcomes are not lost when the start that shares their transaction fails",
        [
            Edit(
                "broker/write_back.py",
                "write_back_and_start",
                "    write_back(ports, account, results, batch, actor=actor)",
                "    pass",
            )
        ],
        [
            "tests/dispatch/test_ledger_stumbles.py::test_outcomes_are_not_lost_with_the_start_that_goes_with_them"
        ],
    ),
    Mutant(
        "rate-limit-burns",
        "a rate limit burns no attempt",
        [
            Edit(
                "broker/retry.py",
                "after_failure",
                "policy.rate_limit_wait), burned=False)",
                "policy.rate_limit_wait))",
            )
        ],
        [f"{TRIES}::test_a_rate_limit_burns_no_attempt"],
    ),
    Mutant(
        "clock-blames-credentials",
        "a wrong clock pauses no account at X",
        [Edit("channels/twitter/line.py", "failure_of", "status_code == 401", "status_code == 0")],
        [f"{CLOCK}::test_a_wrong_clock_stops_no_account_and_the_next_try_goes_by_the_time_at_x"],
    ),
)

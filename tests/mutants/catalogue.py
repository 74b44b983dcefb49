"""The mutants: eight named ones that must be shown caught, and others that are telling."""

from __future__ import annotations

from tests.mutants.mutant import Edit, Mutant

LIFE = "tests/dispatch/test_delivery_life.py"
GUARDS = "tests/dispatch/test_guards.py"
RULES = "tests/dispatch/test_held_by_rules.py"
MONEY = "tests/dispatch/test_money.py"
LICENCES = "tests/dispatch/test_licences.py"
CORRECTIONS = "tests/dispatch/test_corrections.py"
CLOCK = "tests/channels/test_twitter_clock.py"
RUBBISH = "tests/faults/test_drips_and_rubbish.py"
LADDER = "tests/broker/test_ladder.py"
TWO_PEOPLE = "tests/dispatch/test_two_people.py"
PUSHES = "tests/timetables/test_timetable_pushes.py"
READERS = "tests/timetables/test_timetable_readers.py"
SCHEDULES = "tests/schedules/test_schedules.py"
TOLD = "tests/schedules/test_told_before.py"
SECOND = "tests/schedules/test_second_person.py"
MANY = "tests/schedules/test_many_at_once.py"
ANY_ORDER = "tests/dispatch/test_any_order.py::test_in_any_order_nothing_is_lost_and_nothing_sent_twice"

FAILOVER = "tests/dispatch/test_failover.py"
BREAKERS = "tests/broker/test_breaker.py"

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
            f"{LIFE}::test_a_lost_answer_is_looked_up_and_found",
            f"{LIFE}::test_an_uncertain_mail_waits_for_a_person",
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
            f"{LIFE}::test_an_expired_lease_that_started_is_uncertain_and_never_queued",
        ],
        thorough=[ANY_ORDER],
        quick=True,
    ),
    Mutant(
        "stale-outcome-discarded",
        "what a worker learned too late is kept, and enters as evidence",
        [Edit("broker/write_back.py", "write_in", "_enter_late(tx, late, actor)", "pass")],
        [
            f"{LIFE}::test_a_worker_that_comes_back_late_changes_nothing_but_what_it_learned_is_kept",
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
    # --- others that are telling -----------------------------------------------------------------------------------
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
        [f"{LIFE}::test_absent_twice_is_sent_again_and_only_then"],
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
        [f"{LIFE}::test_one_message_at_the_provider_proves_one_attempt_and_not_two"],
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
        "opt-out-not-judged",
        "whoever said stop gets nothing more",
        [Edit("broker/house_rules.py", "", "    not_opted_out,\n", "")],
        [f"{LIFE}::test_an_opt_out_refuses_and_survives_a_new_import"],
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
            f"{LIFE}::test_a_worker_that_comes_back_late_changes_nothing_but_what_it_learned_is_kept[postgresql]",
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
        [f"{LIFE}::test_a_rate_limit_burns_no_attempt"],
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
            f"{RULES}::test_two_switches_are_both_needed_on",
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
    Mutant(
        "clock-blames-credentials",
        "a wrong clock pauses no account at X",
        [Edit("channels/twitter/line.py", "failure_of", "status_code == 401", "status_code == 0")],
        [f"{CLOCK}::test_a_wrong_clock_stops_no_account_and_the_next_try_goes_by_the_time_at_x"],
    ),
    Mutant(
        "post-written-over",
        "at Bluesky a second try of one delivery is no second post, and writes over nothing",
        [Edit("channels/bluesky/gateway.py", "Gateway.send", '"swapRecord": None', '"validate": True')],
        ["tests/channels/test_bluesky.py::test_a_delivery_that_is_tried_twice_is_one_post_and_is_found"],
    ),
    Mutant(
        "post-under-no-key",
        "at Mastodon a second try of one delivery is the same post",
        [
            Edit(
                "channels/mastodon/gateway.py",
                "Gateway.send",
                "idempotency_key=once(self._account, item.key, item.message.digest)",
                "idempotency_key=None",
            )
        ],
        ["tests/channels/test_mastodon.py::test_a_delivery_that_is_tried_twice_is_one_post"],
    ),
    Mutant(
        "rubbish-proves-absence",
        "an answer that has changed is no proof that a post is not there",
        [Edit("channels/mastodon/line.py", "_is_as_asked_for", "isinstance(told, list) and", "")],
        [
            f"{RUBBISH}::test_whatever_json_a_look_up_gets_it_finds_or_fails_or_was_truly_told_none[mastodon]",
        ],
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
            f"{RULES}::test_a_switch_is_felt_within_a_second_by_what_is_in_hand[sqlite-everything-]",
            f"{RULES}::test_a_switch_is_felt_within_a_second_by_what_is_in_hand[sqlite-channel-sms]",
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
        [
            Edit(
                "broker/dispatch.py",
                "_Run._depends",
                "min(one.case.expires_at, got.licensed_until or one.case.expires_at)",
                "one.case.expires_at",
            )
        ],
        [f"{LICENCES}::test_a_licence_that_lapses_in_mid_send_stops_the_rest_and_loses_nothing"],
    ),
    Mutant(
        "breaker-ignored",
        "a gateway that fails is passed over",
        [
            Edit(
                "broker/gateways.py",
                "choose",
                "if health.stand is Stand.CLOSED:",
                "if health.stand is not Stand.OUT:",
            )
        ],
        [
            f"{BREAKERS}::test_the_first_in_order_is_chosen_then_the_next",
            f"{FAILOVER}::test_slow_answers_turn_it_before_they_are_there",
        ],
    ),
    Mutant(
        "urgent-as-a-trial",
        "what is urgent never tries whether a gateway is well again",
        [
            Edit(
                "broker/gateways.py",
                "choose",
                "if lane is Lane.ROUTINE and due_for_trial(health, now):",
                "if due_for_trial(health, now):",
            )
        ],
        [
            f"{BREAKERS}::test_a_trial_goes_before_the_next_in_order_when_its_time_has_come",
            f"{FAILOVER}::test_urgent_texts_are_no_trial",
        ],
    ),
    Mutant(
        "the-other-gateway-without-asking",
        "what one gateway may have goes by no other before that one was asked",
        [
            Edit(
                "broker/outcomes.py",
                "decide",
                "isinstance(failure, AccountRejected | Unreachable)",
                "isinstance(failure, DeliveryFailure)",
            )
        ],
        [
            f"{FAILOVER}::test_what_the_first_accepted_without_a_word_is_found_there_and_never_sent_again",
        ],
        quick=True,
    ),
    Mutant(
        "the-wrong-gateway-asked",
        "what is in doubt is asked of the gateway that its attempt names",
        [
            Edit(
                "broker/reconcile.py",
                "_look_up_at",
                "ports.channels.through(account.name, gateway)",
                "ports.channels.open(account.name)",
            )
        ],
        [
            f"{FAILOVER}::test_a_worker_that_dies_leaves_what_was_started_with_the_gateway_that_had_it",
        ],
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
            f"{TWO_PEOPLE}::test_other_rules_than_were_in_force_send_it_back_to_wait",
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
    Mutant(
        "rows-believed",
        "a delivery's row is held against what the record tells of it",
        [Edit("broker/scrutiny/audit.py", "delivery_fault", "if state != told.state:", "if False:")],
        [
            (
                "tests/record/test_tampering.py::test_a_row_changed_behind_the_records_back_is_found"
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
    Mutant(
        "change-told-again",
        "what a class was told of its timetable it is not told again",
        [
            Edit(
                "broker/diary/timetable_outlook.py",
                "Outlook.news",
                " or (before is not None and before.line.digest == change.said)",
                "",
            )
        ],
        [f"{PUSHES}::test_a_family_gets_one_message_with_the_changes_of_all_its_children"],
    ),
    Mutant(
        "horizon-ignored",
        "what lies beyond the next school day is not told yet",
        [
            Edit(
                "broker/diary/timetable_outlook.py",
                "Outlook._is_due",
                "change.day <= self.last and ",
                "",
            ),
            Edit(
                "broker/diary/timetable_outlook.py",
                "Outlook._sides",
                "if change.day <= furthest:",
                "if furthest:",
            ),
        ],
        [f"{PUSHES}::test_only_what_lies_within_the_horizon_is_told_and_each_when_its_time_comes"],
    ),
    Mutant(
        "taken-back-untold",
        "a change that is taken back is told to those who were told",
        [
            Edit(
                "broker/diary/timetable_outlook.py",
                "Outlook._is_taken_back",
                "return bool(line.digest) and",
                "return line.digest == '' and",
            )
        ],
        [f"{PUSHES}::test_what_is_changed_again_says_so_and_what_is_taken_back_is_told_to_those_told"],
    ),
    Mutant(
        "taken-back-told-to-the-class",
        "and to nobody else, whoever is in the class by now",
        [
            Edit("ledger/diary/timetables.py", "_in_class", 'c.digest != "", ', ""),
            Edit("ledger/diary/timetables.py", "Timetables.add", ", today), _told_before()):", ", today),):"),
        ],
        [f"{READERS}::test_what_is_taken_back_is_told_to_those_told_and_to_nobody_who_joined_since"],
    ),
    Mutant(
        "occurrence-by-its-new-time",
        "a moved occurrence keeps its identity: it is announced under its original time, once",
        [
            Edit(
                "broker/diary/scheduler.py",
                "_wanted",
                "key=key_of(row, one.original)",
                "key=key_of(row, one.at)",
            )
        ],
        [f"{SCHEDULES}::test_a_moved_one_is_announced_at_its_new_time_under_its_own_key"],
    ),
    Mutant(
        "notice-to-the-group",
        "a change is told to exactly those whom the reminders told, not to whoever is in the group now",
        [
            Edit(
                "ledger/told_before.py",
                "selected",
                "if earlier.again:",
                "if False:",
            )
        ],
        [f"{TOLD}::test_who_left_the_group_since_is_told_and_who_joined_it_is_not"],
    ),
    Mutant(
        "notice-before-it-is-known-to-whom",
        "while a reminder that was taken back is in hand nobody knows yet whom it tells: the notice waits",
        [Edit("broker/diary/reminding.py", "_notice", "if tx.events.in_hand([owed.event]):", "if False:")],
        [f"{TOLD}::test_while_a_reminder_is_in_hand_nobody_knows_yet_whom_it_tells_so_the_notice_waits"],
    ),
    Mutant(
        "reminded-of-a-move-twice",
        "after a move a rule goes on with those whom it had not told",
        [
            Edit(
                "broker/diary/reminding.py",
                "_wanted",
                "ToldBefore(due.before, again=False) if due.before else None",
                "None",
            )
        ],
        [
            f"{TOLD}::test_of_a_reminder_half_sent_those_it_told_hear_of_the_change_and_the_others_are_reminded_anew"
        ],
    ),
    Mutant(
        "schedule-nobodys",
        "what a schedule announces is said for whoever worded it, so that the rules about persons hold",
        [
            Edit(
                "broker/diary/scheduler.py",
                "_wanted",
                "replace(actor, department=draft.department, on_behalf_of=row.made_by)",
                "replace(actor, department=draft.department)",
            )
        ],
        [f"{SECOND}::test_what_a_schedule_says_waits_for_a_second_person_and_an_alarm_says_how"],
    ),
    Mutant(
        "yes-to-other-words",
        "a second person's yes was to what a schedule said then",
        [
            Edit(
                "broker/diary/schedules.py",
                "change",
                "approved=None if draft is not None else row.approved",
                "approved=row.approved",
            )
        ],
        [f"{SECOND}::test_other_words_want_another_yes_and_another_time_does_not"],
    ),
    Mutant(
        "refused-with-its-neighbours",
        "what a rule refuses is taken back alone",
        [
            Edit(
                "broker/intake_many.py",
                "accept_all",
                "ready = [each for each in ready if each.at not in refused.found]",
                "answers |= {each.at: next(iter(refused.found.values())) for each in ready}\n            ready = []",
            )
        ],
        [f"{MANY}::test_what_a_rule_refuses_is_taken_back_alone_and_told_in_the_record"],
    ),
    Mutant(
        "notify-rubbish-is-absence",
        "what is no list of messages proves nothing of Notify's",
        [
            Edit(
                "channels/notify_news.py",
                "listed",
                'if not isinstance(page, list) or not isinstance(told["links"]["current"], str):',
                "if False:",
            )
        ],
        [f"{RUBBISH}::test_rubbish_is_no_proof_that_a_message_is_not_there[16-notify]"],
    ),
    Mutant(
        "notify-forgotten-is-absence",
        "what Notify may have deleted by now is never said to be absent",
        [
            Edit(
                "channels/notify_line.py",
                "Post.find",
                "if not attempt.key.token or datetime.now(UTC) - attempt.started_at > KEEPS:",
                "if False:",
            )
        ],
        [
            "tests/channels/test_notify_texts.py::test_what_is_older_than_notify_may_keep_is_never_said_to_be_absent"
        ],
    ),
    Mutant(
        "sinch-report-anywhere",
        "a signed report of one text does not do for another",
        [
            Edit(
                "channels/sms/gateway_sinch.py",
                "SinchGateway.confirmations",
                'if urlsplit(url).path.rpartition("/")[2] != token:',
                "if False:",
            )
        ],
        ["tests/channels/test_sinch.py::test_a_report_is_believed_where_its_text_named_it_and_nowhere_else"],
    ),
)

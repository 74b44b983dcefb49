"""Guards of which gateway a message goes by, and of which one is asked."""

from __future__ import annotations

from tests.mutants.mutant import Edit, Mutant

RUBBISH = "tests/faults/test_drips_and_rubbish.py"
FAILOVER = "tests/dispatch/test_failover.py"
BREAKERS = "tests/broker/test_breaker.py"

MUTANTS = (
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

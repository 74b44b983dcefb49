"""Guards of public posts, and of where a connection may lead."""

from __future__ import annotations

from tests.mutants.mutant import Edit, Mutant

RUBBISH = "tests/faults/test_drips_and_rubbish.py"

MUTANTS = (
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
        "page-proves-gone",
        "a proxy's page that says “not found” is no proof that a post is deleted",
        [
            Edit(
                "channels/mastodon/line.py",
                "is_gone",
                'isinstance(_body(refused.response).get("error"), str)',
                "True",
            )
        ],
        [f"{RUBBISH}::test_rubbish_is_no_proof_that_a_post_is_gone[21-mastodon]"],
    ),
    Mutant(
        "one-good-address-will-do",
        "a name that leads inwards, too, is asked nowhere",
        [Edit("broker/outward.py", "looked_up", "not all(may(", "not any(may(")],
        ["tests/broker/test_outward.py::test_a_name_that_leads_inwards_too_is_asked_nowhere"],
    ),
)

"""Guards of the door: who gets in, what their session is good for, and what is another's."""

from __future__ import annotations

from tests.mutants.mutant import Edit, Mutant

PASSWORDS = "tests/web/watch/test_sign_in_password.py"
SLOWED_DOWN = "tests/web/watch/test_sign_in_slowed_down.py"
TABLE = "tests/web/watch/test_sign_in_table.py"
WHO_MAY = "tests/dispatch/test_who_may_stop_and_try_again.py"
TWO = "tests/web/watch/test_two_at_once.py"

MUTANTS = (
    Mutant(
        "guesses-uncounted",
        "whoever guesses is slowed down",
        [
            Edit(
                "broker/authority/passwords.py",
                "pace",
                "if not ports.ledger.transact(work):",
                "if ports.ledger.transact(work) is None:",
            )
        ],
        [f"{SLOWED_DOWN}::test_one_source_is_slowed_down_whatever_names_it_tries"],
    ),
    Mutant(
        "old-secret-lives-on",
        "every step of a sign-in ends the session that the browser had before it",
        [Edit("broker/authority/signin.py", "begin", "tx.sessions.end(digest(came.instead_of))", "pass")],
        [f"{PASSWORDS}::test_signing_in_gives_a_new_secret_at_every_step"],
    ),
    Mutant(
        "ended-session-read",
        "a session that was ended signs nobody in",
        [Edit("ledger/authority/sessions.py", "_holds", "session.c.ended_at.is_(None), ", "")],
        [f"{PASSWORDS}::test_ones_own_sessions_are_listed_and_ended_and_nobody_elses"],
    ),
    Mutant(
        "form-without-its-token",
        "a form wants the token of its own session",
        [
            Edit(
                "web/watch/signing_in.py",
                "our_form",
                'not hmac.compare_digest(form.get("token", "").encode(), signed.form_token.encode())',
                "form is None",
            )
        ],
        [
            f"{TABLE}::test_a_form_wants_the_token_of_its_own_session[/account/prove]",
            f"{TABLE}::test_a_form_wants_the_token_of_its_own_session[/account/password]",
        ],
    ),
    Mutant(
        "role-asked-at-the-page-alone",
        "the verbs themselves ask who may take back, try again and leave as it is",
        [
            Edit(
                "broker/authority/operators.py",
                "must_have",
                "if found is None or not set(roles) & set(found.roles):",
                "if found is None:",
            )
        ],
        [f"{WHO_MAY}::test_whose_role_does_not_hold_it_is_refused_by_the_verb_itself"],
    ),
    Mutant(
        "roles-written-over",
        "two admins at one member of staff do not write over each other",
        [
            Edit(
                "broker/authority/operators.py", "_must_be_seen", "if seen not in", "if False and seen not in"
            )
        ],
        [f"{TWO}::test_two_admins_who_change_one_persons_roles_do_not_write_over_each_other"],
    ),
    Mutant(
        "form-of-another-site",
        "another site sends no form of ours",
        [
            Edit(
                "web/origin.py",
                "is_ours",
                'came.netloc.lower() not in ours - {""}',
                "not ours",
            )
        ],
        [
            f"{TABLE}::test_a_form_of_another_site_is_refused[Origin:https://evil.example-/sign-in]",
            f"{TABLE}::test_a_form_of_another_site_is_refused[Origin:https://evil.example-/account/prove]",
        ],
    ),
    Mutant(
        "redirect-followed",
        "a program that is told of deliveries sends nothing of it elsewhere",
        [Edit("config/calls.py", "", "allow_redirects=False", "allow_redirects=True")],
        [
            "tests/dispatch/test_webhooks.py::test_what_failed_comes_again_as_the_same_message_and_the_next_comes_after_it"
        ],
    ),
    Mutant(
        "anothers-announcement-shown",
        "of another department's announcement a page says what it says of none",
        [
            Edit(
                "web/watch/announcement/pages.py",
                "the",
                "one(hand, public_id, at.department)",
                "one(hand, public_id)",
            )
        ],
        [f"{TABLE}::test_whoever_comes_gets_what_the_table_says[approver of music]"],
    ),
)

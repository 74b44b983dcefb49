"""The mutants, by what their guards are of; each names the tests that must turn red without it."""

from __future__ import annotations

from tests.mutants.catalogue import diary, evidence, failover, posts, rules, sending, sign_in, ways

MUTANTS = (
    *sending.MUTANTS,
    *evidence.MUTANTS,
    *rules.MUTANTS,
    *sign_in.MUTANTS,
    *ways.MUTANTS,
    *posts.MUTANTS,
    *failover.MUTANTS,
    *diary.MUTANTS,
)

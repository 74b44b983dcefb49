"""The mutants, by what their guards are of; each names the tests that must turn red without it."""

from __future__ import annotations

from tests.mutants.catalogue import diary, evidence, rules, sending, ways

MUTANTS = (*sending.MUTANTS, *evidence.MUTANTS, *rules.MUTANTS, *ways.MUTANTS, *diary.MUTANTS)

"""How far an announcement has come, in the word that every door uses."""

from __future__ import annotations

import pytest

from broker.announcement import Stage, stage_in_words


@pytest.mark.parametrize(
    ("stage", "settled", "went_out", "word"),
    [
        (Stage.SENDING, False, True, "going out"),
        (Stage.SENDING, True, True, "finished"),
        (Stage.EXPIRED, True, True, "finished"),
        (Stage.EXPIRED, False, True, "expired"),
        (Stage.EXPIRED, True, False, "expired"),
        (Stage.WITHDRAWN, True, True, "withdrawn"),
        (Stage.CORRECTED, True, True, "corrected"),
    ],
)
def test_only_what_never_went_out_has_expired(stage: Stage, settled: bool, went_out: bool, word: str) -> None:
    assert stage_in_words(stage, settled=settled, went_out=went_out) == word

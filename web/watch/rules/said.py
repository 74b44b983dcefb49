"""What is said on the page after a rule, a budget or a hold was changed."""

from __future__ import annotations

from collections.abc import Mapping

SAID: Mapping[str, str] = {
    "rule_changed": "The rule is changed, and holds from now on. What waits is looked at anew.",
    "rules_back": "The rules are as they were then. What came between stays in the history.",
    "budget_set": "The budget is kept. What waited for money is looked at anew.",
    "budget_gone": "There is no budget any more. What waited for money is looked at anew.",
    "held": "It is held: neither age nor a wish takes it away until somebody lifts it.",
    "lifted": "It is not held any more.",
}

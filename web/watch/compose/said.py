"""What is said on the page after something was written."""

from __future__ import annotations

from collections.abc import Mapping

SAID: Mapping[str, str] = {
    "written": "It is on its way. While nothing of it has left you can take it back here.",
    "written_at_once": "It is on its way.",
    "written_for_later": "It goes out at its time. Until then you can take it back here.",
    "written_to_be_agreed": "It waits for a second person: whoever approves sees it now.",
    "written_to_be_counted": "It waits until somebody says how many people are meant, or a second person agrees.",
    "written_before": "This was sent already: here it is. Nothing was sent twice.",
    "template_saved": "The template is kept.",
    "template_retired": "The template is offered no more. What was announced with it stands.",
}

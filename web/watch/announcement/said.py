"""What was done to an announcement, in a sentence on the page that follows."""

from __future__ import annotations

from collections.abc import Mapping

SAID: Mapping[str, str] = {
    "tried_again": "It is tried again. Our rules look at it anew before it leaves.",
    "all_tried_again": "They are tried again. Our rules look at each of them anew before it leaves.",
    "settled": "It is left as it is. Nobody is asked to look at it any more.",
    "they_know": "Noted: they know, and nothing more of it goes to them.",
    "expected": "The number is right. It goes on.",
    "kept": "It is kept, whatever its age, until somebody lets it go.",
    "let_go": "It is not held any more.",
    "undone": "Taken back. Nothing of it has left, and nobody will ever hear of it.",
    "withdrawn": "Withdrawn. Nothing more of it leaves from now on.",
    "withdrawn_and_told": "Withdrawn, and those whom it had reached are told. This is what they read.",
    "corrected": "The correction is on its way. This is how it stands.",
    "edited": "The slip of the pen is being put right where it is shown. Nobody is told.",
    "said_again": "It is said again. This is how it stands.",
}

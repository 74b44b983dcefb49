"""What is said after something was done about people and groups."""

from __future__ import annotations

from collections.abc import Mapping

SAID: Mapping[str, str] = {
    "group_begun": "The group is there. Add its members.",
    "group_made": "The group is there. It is worked out anew each time it is used.",
    "group_renamed": "The group has its new name.",
    "group_changed": "The group is made of that now.",
    "group_given": "The group belongs to whom you chose.",
    "group_retired": "The group is given up. You can bring it back, with its members, below.",
    "group_back": "The group is there again, with the members it had.",
    "group_published": "It is public. The addresses stand below.",
    "group_hidden": "It is hidden again. What strangers copied before stays with them.",
    "group_link_ended": "That link opens nothing any more.",
    "members_added": "They are in the group.",
    "members_removed": "They are out of the group.",
    "members_listed": "The members are those of the list.",
    "address_confirmed": "It is confirmed. If something fails there again, it is listed here again.",
    "address_stopped": "Nothing more goes there.",
    "consent_kept": "It is kept. What was said last stands.",
    "consent_brought": "The sheet is kept.",
    "stopped": "Nothing more goes there by this way.",
    "stopped_already": "It had asked for no more already.",
    "stopped_not_on_file": "Nothing more goes there, also when a roster brings it. It is not on file now.",
    "stopped_already_not_on_file": "It had asked for no more already. It is not on file now.",
    "heard_again": "Messages go there by this way again.",
    "blocked": "Nothing about this child goes to them from now on, urgent messages included.",
    "unblocked": "The block is lifted.",
    "erased": "They are erased. No roster brings them back.",
}

"""What is said on the page that follows when something was done.

By a word in the address, which leads to a sentence here: nobody can make the page say anything else.
"""

from __future__ import annotations

from collections import ChainMap
from collections.abc import Mapping

# Each family's own, from its said.py: a word is one family's alone.
SAID: Mapping[str, str] = ChainMap()

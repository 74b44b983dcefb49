"""What is said when something was done with an import or with how columns are read."""

from __future__ import annotations

from collections.abc import Mapping

SAID: Mapping[str, str] = {
    "import_taken": "It is taken in: the school is as the file says now.",
    "import_thrown_away": "It is thrown away. Nothing was changed.",
    "mapping_kept": "It is kept, and the file was read by it.",
    "mapping_forgotten": "It is forgotten. What was imported by it stays.",
}

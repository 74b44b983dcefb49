"""Who plays in a comparison: Carillon's own worker, the bare loops, and a task for each recipient."""

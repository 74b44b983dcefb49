"""What the office looks after by hand, and the facts of its lists."""

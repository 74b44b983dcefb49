"""Ways in order, and "I have seen this": a duty that one way does not meet is met by the next, in time."""

"""One person's data: shown, kept, struck out of words, and taken away."""

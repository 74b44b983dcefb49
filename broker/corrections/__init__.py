"""What follows up something said: corrections, edits, withdrawals that are told, and saying it once more."""

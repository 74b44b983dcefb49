"""Who said yes or no to what, and who wants no more."""

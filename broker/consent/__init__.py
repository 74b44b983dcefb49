"""Who said yes or no to what, who wants no more, and who is old enough to say so."""

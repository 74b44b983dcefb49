"""The people of the school, and how a roster is laid beside them and swapped in."""

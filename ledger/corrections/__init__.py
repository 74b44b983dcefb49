"""Threads: an announcement and all that follows it up."""

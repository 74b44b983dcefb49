"""Ladders, rungs and acknowledgements: see `broker/ladders`."""

"""What Carillon costs beside a bare loop over the same client, measured in one run, on loopback alone.

`make bench`, or `python -m bench --quick --json`. Nothing here is a test: a machine that is busy makes it slower, not
wrong. What is exact (statements, messages) is held by tests/dispatch/test_counts.py.
"""

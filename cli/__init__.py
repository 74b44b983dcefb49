"""The `carillon` command.

A command translates arguments into a verb of the broker and its answer into a table or JSON; it decides nothing.
"""

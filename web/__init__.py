"""The HTTP door: the application, the providers' callbacks, and health.

A view translates a request into a verb of the broker and back; it decides nothing.
"""

"""The Celery side: thin tasks that carry ids, the sweep, and the worker that runs embedded in one process.

A task is a hint that there is work; it decides nothing, and losing one loses nothing.
"""

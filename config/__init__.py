"""The assembly: settings, the Celery app, the plug-in registry, and the doctor.

It alone knows every room. Nothing below it reads a setting or an environment variable; what a room needs is
handed to it.
"""

"""The Django settings of a project with django-post_office and nothing else: as its manual says, no debugging."""

from __future__ import annotations

import os
from typing import Any
from urllib.parse import urlsplit

_database = urlsplit(os.environ["POST_OFFICE_DATABASE_URL"])
_host, _, _port = os.environ["POST_OFFICE_SMTP"].partition(":")

SECRET_KEY = "of-the-bench"
USE_TZ = True
INSTALLED_APPS = ["django.contrib.contenttypes", "django.contrib.auth", "post_office"]
DATABASES = {
    "default": {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": _database.path.lstrip("/"),
        "USER": _database.username or "",
        "HOST": _database.hostname,
        "PORT": _database.port,
        "CONN_MAX_AGE": 600,
    }
}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
EMAIL_BACKEND = "post_office.EmailBackend"
EMAIL_HOST, EMAIL_PORT = _host, int(_port)
EMAIL_TIMEOUT = 20
TEMPLATES = [
    {"BACKEND": "django.template.backends.django.DjangoTemplates", "APP_DIRS": True},
    {"BACKEND": "post_office.template.backends.post_office.PostOfficeTemplates", "APP_DIRS": True},
]
# The two that its manual names for bulk are set with each round: the sweep finds the best, its own defaults among them.
POST_OFFICE: dict[str, Any] = {}
LOGGING = {  # else it logs five lines a batch
    "version": 1,
    "disable_existing_loggers": False,
    "handlers": {"none": {"class": "logging.NullHandler"}},
    "loggers": {"post_office": {"level": "ERROR", "handlers": ["none"]}},
}

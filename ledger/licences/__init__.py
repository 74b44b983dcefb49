"""Licences of accounts, and what stands on those accounts."""

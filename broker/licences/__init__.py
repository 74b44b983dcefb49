"""What a school settles, sees to and tells parents before and while an account speaks."""

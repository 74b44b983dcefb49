"""The school as a file told it, and how such a file is read and imported."""

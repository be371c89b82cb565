"""The commands of `python -m zoo`, one a file."""

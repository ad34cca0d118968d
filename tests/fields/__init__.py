"""Fields and their commands."""

"""Models and their database."""

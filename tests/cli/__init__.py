"""The command line, as a newcomer meets it."""

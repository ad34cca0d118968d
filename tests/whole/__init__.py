"""All of it, end to end: walks, races, the documented examples, what is sent and how often one waits for it."""

"""Plans as data: on paper for eyes, as JSON for programs."""

"""Plans on paper and as JSON."""

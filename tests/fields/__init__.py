"""Fields: what is said on them, what they answer, and what they refuse."""

"""Models and their objects: declared, made, found, compared, deleted, and what is refused."""

"""What a session sees, answered by a dict: no server."""

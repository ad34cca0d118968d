"""What users see: every documented example, and what happens beside the road, on both kinds of server."""

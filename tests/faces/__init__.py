"""Bodies of tests that run on both faces, and both kinds of server."""

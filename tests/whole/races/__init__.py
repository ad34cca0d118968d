"""Several clients at once: real processes on the real server, and interleavings that are played out exactly."""

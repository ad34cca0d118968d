"""The tools of the tests: real servers, a proxy, MONITOR and redis-cli, and what every folder checks with."""

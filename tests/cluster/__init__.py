"""Places: what is in one is in one slot of a Redis Cluster; on one server, and on a cluster on loopback."""

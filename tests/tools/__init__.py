"""What the tests stand on: servers, a proxy, a monitor."""

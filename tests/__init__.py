"""The tests of uowredis; their tools are beside them, and nothing here is installed."""

"""What stands in ``uowredis.contrib``."""

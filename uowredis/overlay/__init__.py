"""What a session sees: pending writes laid over what the server holds (decide)."""

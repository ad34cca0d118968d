"""What a session sees: its pending writes over what the server holds."""

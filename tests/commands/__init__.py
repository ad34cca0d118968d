"""How arguments are spelled and replies are read."""

"""Parts of the documented API beyond the core."""

"""It is made for another core."""

"""Every hook of it raises."""

"""It never comes back from the first event."""

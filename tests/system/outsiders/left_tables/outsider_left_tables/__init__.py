"""Sound; taken away, its tables stay."""

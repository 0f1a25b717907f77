"""It requires one that requires it."""

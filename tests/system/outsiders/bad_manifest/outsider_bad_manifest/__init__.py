"""A key of its manifest is misspelt."""

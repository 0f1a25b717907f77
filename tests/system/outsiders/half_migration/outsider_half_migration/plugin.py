# mypy: ignore-errors
"""Nothing is wrong with its code."""

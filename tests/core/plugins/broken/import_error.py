
# mypy: ignore-errors

# mypy: ignore-errors
raise SystemExit

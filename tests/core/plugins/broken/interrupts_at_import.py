# mypy: ignore-errors
raise KeyboardInterrupt

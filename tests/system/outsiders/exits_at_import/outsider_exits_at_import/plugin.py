# mypy: ignore-errors
import sys

sys.exit("goodbye")

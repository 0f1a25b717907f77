# ruff: noqa: ANN201 - written as an author would, broken on purpose
# mypy: ignore-errors
import sys

from dianku.api import hookimpl


@hookimpl
def register_pages():
    sys.exit(3)

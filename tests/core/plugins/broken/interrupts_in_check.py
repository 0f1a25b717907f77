# ruff: noqa: ANN001, ANN201, ARG001 - written as an author would, broken on purpose
# mypy: ignore-errors
from dianku.api import hookimpl


@hookimpl
def check_document(document):
    raise KeyboardInterrupt

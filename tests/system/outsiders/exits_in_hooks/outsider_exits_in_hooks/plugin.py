# ruff: noqa: ANN001, ANN201, ARG001 - written as an author would, broken on purpose
# mypy: ignore-errors
import sys

from dianku.api import hookimpl


@hookimpl
def check_document(document):
    sys.exit(1)


@hookimpl
def register_routes():
    sys.exit(2)


@hookimpl
def document_posted(event):
    sys.exit(3)

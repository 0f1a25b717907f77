# ruff: noqa: ANN001, ANN201 - written as an author would, broken on purpose
# mypy: ignore-errors
from dianku.api import hookimpl


@hookimpl
def document_posted(event, shop, weather):
    pass

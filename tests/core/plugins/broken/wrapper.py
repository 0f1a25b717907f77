# ruff: noqa: ANN201 - written as an author would, broken on purpose
# mypy: ignore-errors
from dianku.api import hookimpl


@hookimpl(wrapper=True)
def register_pages():
    return (yield)

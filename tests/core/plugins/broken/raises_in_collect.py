# ruff: noqa: ANN201 - written as an author would, broken on purpose
# mypy: ignore-errors
from dianku.api import Page, Title, hookimpl


@hookimpl
def register_pages():
    yield Page("/half", Title("半", "Half"), "stock.view", "half.html")
    raise RuntimeError("half way")

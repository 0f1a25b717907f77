# ruff: noqa: ANN001, ANN201, ARG001 - written as an author would, broken on purpose
# mypy: ignore-errors
from dianku.api import Route, hookimpl


def taken(call):
    return {"listened": False}


@hookimpl
def register_routes():
    return [Route("GET", "/listener", taken, "stock.view", "Another plugin's own")]

# ruff: noqa: ANN001, ANN201, ARG001 - written as an author would, broken on purpose
# mypy: ignore-errors
from dianku.api import Route, hookimpl


def listened(call):
    return {"listened": True}


@hookimpl
def register_routes(shop):
    return [Route("GET", "/listener", listened, "stock.view", "Whether it listens")]


@hookimpl
def document_posted(event, shop):
    shop.log.info("heard of %s", event.data["number"])

# ruff: noqa: ANN001, ANN201, ARG001 - written as an author would, broken on purpose
# mypy: ignore-errors
from dianku.api import Objection, Page, Title, hookimpl

HEARD = []


@hookimpl
def register_pages():
    return [Page("/good", Title("好", "Good"), "stock.view", "good.html")]


@hookimpl
def check_document(document):
    if document.kind == "write_off":
        return Objection("not_today", Title("今天不行", "not today"))
    return None


@hookimpl
def document_posted(event, shop):
    HEARD.append((event.id, event.store, event.data["number"]))

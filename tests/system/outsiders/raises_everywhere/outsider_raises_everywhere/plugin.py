# ruff: noqa: ANN001, ANN201, ANN202, ARG001 - written as an author would, broken on purpose
# mypy: ignore-errors
from dianku.api import hookimpl

_TOLD = set()


def _raise_once(event):
    """Take an event the second time, so that the next one comes before long."""
    if event.id not in _TOLD:
        _TOLD.add(event.id)
        raise RuntimeError(f"broken {event.type}")


@hookimpl
def check_document(document):
    raise RuntimeError("broken check")


@hookimpl
def register_routes():
    raise RuntimeError("broken routes")


@hookimpl
def register_pages():
    raise RuntimeError("broken pages")


@hookimpl
def register_panels():
    raise RuntimeError("broken panels")


@hookimpl
def register_sites():
    raise RuntimeError("broken sites")


@hookimpl
def register_jobs():
    raise RuntimeError("broken jobs")


@hookimpl
def register_commands():
    raise RuntimeError("broken commands")


@hookimpl
def register_exports():
    raise RuntimeError("broken exports")


@hookimpl
def register_demo():
    raise RuntimeError("broken demo")


@hookimpl
def register_doctor():
    raise RuntimeError("broken doctor")


@hookimpl
def document_posted(event):
    _raise_once(event)


@hookimpl
def stock_changed(event):
    _raise_once(event)

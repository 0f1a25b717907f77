from dianku.api import hookimpl


@hookimpl
def document_posted(event):
    raise RuntimeError(f"not {event.id}")

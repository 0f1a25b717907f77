import threading

from dianku.api import hookimpl


@hookimpl
def document_posted(event):
    threading.Event().wait()

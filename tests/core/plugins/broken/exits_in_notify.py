import sys

from dianku.api import hookimpl


@hookimpl
def document_posted(event):
    sys.exit(2)

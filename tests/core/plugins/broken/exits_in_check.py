import sys

from dianku.api import hookimpl


@hookimpl
def check_document(document):
    sys.exit(1)

from dianku.api import hookimpl


@hookimpl
def check_document(document):
    raise RuntimeError("no idea")

from dianku.api import hookimpl


@hookimpl
def register_pages():
    return ["/page"]

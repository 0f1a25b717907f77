from dianku.api import hookimpl


@hookimpl
def document_posted(event, shop, weather):
    pass

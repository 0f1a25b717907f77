from dianku.api import hookimpl


@hookimpl(wrapper=True)
def register_pages():
    return (yield)

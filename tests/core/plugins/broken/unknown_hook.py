from dianku.api import hookimpl


@hookimpl
def register_weather(shop):
    return []

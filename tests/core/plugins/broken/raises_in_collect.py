from dianku.api import Page, Title, hookimpl


@hookimpl
def register_pages():
    yield Page("/half", Title("半", "Half"), "stock.view")
    raise RuntimeError("half way")

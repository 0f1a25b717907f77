"""The site: every page in its frame, and what is said to who is turned away.

A page is a template with its data. With the header `X-Part: NAME` only the block of that name is
rendered, which is how lists are searched and sheets are filled without a page anew.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import quote

from attrs import evolve, frozen
from jinja2 import Environment, FileSystemLoader, PrefixLoader, StrictUndefined

from dianku.api import (
    PUBLIC,
    Call,
    Content,
    Given,
    Page,
    Refusal,
    Refused,
    Replied,
    Route,
    Shop,
    Site,
    may,
)
from dianku_console.assets import TYPES, WORKER_POLICY, Assets
from dianku_console.installed import manifest, worker
from dianku_console.pages.offline import KEPT_FOR_LATER
from dianku_console.view import View, open_view, teach
from dianku_console.words import script_words

ROOT = "/console"
PLACES = ("sell", "stock", "buy", "look", "manage")
HTML = "text/html; charset=utf-8"
POLICY = (
    "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; style-src 'self'; "
    "img-src 'self' data: blob:; connect-src 'self'; font-src 'self'; manifest-src 'self'; "
    "worker-src 'self'; media-src 'self' blob:; form-action 'self'; base-uri 'none'; "
    "frame-ancestors 'none'"
)
"""No script and no style in a page, none from elsewhere; the camera's reader is WebAssembly.

Data of a page may name in `reaches` origins of this shop that its scripts ask besides.
"""


@frozen
class Shown:
    """A card or a panel, rendered."""

    name: str
    title: str
    html: str


class Console:
    """The pages and panels of every plugin over one shop, and the templates they are made with."""

    def __init__(self, shop: Shop, *, pages: Sequence[Given], panels: Sequence[Given]) -> None:
        self._shop = shop
        self._pages = [one for one in pages if one.record.path.startswith(f"{ROOT}/")]
        self._panels = sorted(panels, key=lambda one: (one.record.order, one.record.name))
        folders = {
            one.plugin: one.folder for one in (*pages, *panels) if one.folder is not None
        } | {shop.plugin: Path(__file__).parent}
        self.assets = Assets(folders, made=script_words(shop.messages, folders))
        self._templates = _environment(folders)
        self._templates.globals["asset"] = self.assets.address

    def routes(self) -> Iterable[Route]:
        """What the site answers."""
        for given in self._pages:
            page: Page = given.record
            yield Route(
                "GET",
                page.path.removeprefix(ROOT),
                self._handler(given),
                page.permission,
                page.title.en,
                media_type=HTML,
            )
        yield Route("GET", "/sw.js", self._worker, PUBLIC, "What works without a connection")
        yield Route("GET", "/app.webmanifest", self._manifest, PUBLIC, "To install as an app")
        for depth in range(1, 4):
            parts = "/".join(f"{{part{n}}}" for n in range(depth))
            path = f"/assets/{{digest}}/{{plugin}}/{parts}"
            yield Route("GET", path, self._asset, PUBLIC, "Styles, scripts, pictures")

    def refused(self, refusal: Refusal) -> Content | Replied:
        """What is shown to who is turned away: the door for nobody, the reason for others."""
        status = refusal.problem.status
        if status == 401:
            goal = quote(refusal.target, safe="")
            return Replied(
                Content(b"", HTML), status=303, headers={"Location": f"{ROOT}/sign-in?next={goal}"}
            )
        view = View(refusal.call, self._shop.messages, self._shop.clock)
        content = self._render("console/refused.html", view, {"refusal": refusal})
        return Replied(content, status=status)

    def _handler(self, given: Given) -> Callable[[Call], Content]:
        page: Page = given.record

        def show(call: Call) -> Content:
            view = open_view(call, messages=self._shop.messages, clock=self._shop.clock)
            view.here = page.path
            asked = evolve(call, query={**call.query, "store": view.store})
            try:
                data = page.data(asked) if page.data is not None else {}
                names = {
                    **data,
                    "page": page,
                    "title": page.title.in_language(view.language),
                    "nav": self._menu(view),
                    "panels": lambda on: self._shown(on, asked, view),
                }
                return self._render(f"{given.plugin}/{page.template}", view, names)
            except Refused:
                raise
            except Exception as error:
                given.failed(error)
                raise

        return show

    def _render(self, name: str, view: View, names: Mapping[str, Any]) -> Content:
        template = self._templates.get_template(name)
        known = {**names, "view": view}
        part = view.call.headers.get("x-part", "")
        if part in template.blocks:
            names_of_it = template.new_context(known)
            # What a template imports at its head is there once its first piece was asked for.
            next(iter(template.root_render_func(names_of_it)), None)
            html = "".join(template.blocks[part](names_of_it))
        else:
            html = template.render(known)
        policy = POLICY
        for origin in names.get("reaches", ()):
            policy = policy.replace("connect-src 'self'", f"connect-src 'self' {origin}")
        return Content(html.encode(), HTML, headers={"Content-Security-Policy": policy})

    def _menu(self, view: View) -> list[tuple[str, list[Page]]]:
        """The pages the reader may open, by the job they belong to."""
        groups: dict[str, list[Page]] = {place: [] for place in PLACES}
        for one in sorted(self._pages, key=lambda given: given.record.order):
            if one.record.several_stores and not view.several_stores:
                continue
            if one.record.place and may(view.call.ctx, one.record.permission):
                groups[one.record.place].append(one.record)
        return [(place, pages) for place, pages in groups.items() if pages]

    def _shown(self, on: str, call: Call, view: View) -> list[Shown]:
        """The panels of a page; one that breaks is left out and is its plugin's fault."""
        shown = []
        for one in self._panels:
            panel = one.record
            if panel.on != on or not may(view.call.ctx, panel.permission):
                continue
            try:
                data = panel.data(call)
                if data is None:
                    continue
                template = self._templates.get_template(f"{one.plugin}/{panel.template}")
                html = template.render({**data, "view": view})
            except Exception as error:  # noqa: BLE001 - somebody else's code on everybody's page
                if not isinstance(error, Refused):
                    one.failed(error)
                continue
            shown.append(Shown(panel.name, panel.title.in_language(view.language), html))
        return shown

    def _worker(self, call: Call) -> Content:
        del call
        text = worker(self.assets, pages=[ROOT + path for path in KEPT_FOR_LATER])
        headers = {"Content-Security-Policy": WORKER_POLICY, "Cache-Control": "no-cache"}
        return Content(text, TYPES[".js"], headers=headers)

    def _manifest(self, call: Call) -> Content:
        view = View(call, self._shop.messages, self._shop.clock)
        text = manifest(
            self.assets,
            name=view.t("console.name"),
            short_name=view.t("console.name"),
            language=view.language,
        )
        return Content(text, TYPES[".webmanifest"], headers={"Cache-Control": "no-cache"})

    def _asset(self, call: Call) -> Content:
        parts = [
            call.path["plugin"],
            *(call.path[f"part{n}"] for n in range(3) if f"part{n}" in call.path),
        ]
        return self.assets.serve(call, "/".join(parts))


def console_site(shop: Shop, *, pages: Sequence[Given], panels: Sequence[Given]) -> Site:
    """The console of a shop, with the pages and panels of every plugin."""
    console = Console(shop, pages=pages, panels=panels)
    return Site(
        ROOT,
        list(console.routes()),
        console.refused,
        set_up="/set-up",
        sign_in="/sign-in",
        plain=("/trust", "/assets"),
    )


def _environment(folders: Mapping[str, Path]) -> Environment:
    loaders = {plugin: FileSystemLoader(folder / "templates") for plugin, folder in folders.items()}
    environment = Environment(
        loader=PrefixLoader(loaders),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=False,
    )
    teach(environment)
    return environment

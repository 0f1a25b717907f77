"""Places of pages at the root, outside `/api`: what a plugin answers there, and to whom.

A site's routes go through the same door as the API's: the caller is known, the permission is
checked, what is not named is denied. Only what a refusal looks like is the site's own.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from http.cookies import CookieError, SimpleCookie
from urllib.parse import quote, urlencode

from attrs import evolve, field, frozen, validators

from dianku.errors import ConfigurationError, Problem
from dianku.http.route import Call, Content, Replied, Route, RouteTable
from dianku.messages import LANGUAGES, negotiate

LANGUAGE_COOKIE = "dianku_language"
"""What a browser is spoken to in, where a person has chosen; else what it says it likes."""
RESERVED = frozenset({"/api", "/healthz", "/readyz", "/metrics"})


@frozen
class Refusal:
    """Why a page is not shown: a problem, worded, and the call that is turned away.

    `target` is the path with its query, as asked.
    """

    call: Call
    problem: Problem
    title: str
    detail: str
    target: str


@frozen
class Site:
    """A place at the root with all below it.

    The paths of `routes` are below `path` (`/` is the place itself), their methods GET. They are
    answered with a `Content` or a `Replied`. `refused` makes the page for who is turned away, with
    its status where it is a `Replied`. `set_up` and `sign_in` are its pages below `path` for the
    first owner, who brings the one-time link's secret as the fragment `link=`, and for everybody;
    empty where it has none.
    """

    path: str = field(validator=validators.matches_re(r"/[a-z][a-z0-9-]*"))
    routes: Sequence[Route]
    refused: Callable[[Refusal], Content | Replied] = field(validator=validators.is_callable())
    set_up: str = field(default="", validator=validators.matches_re(r"(/[a-z0-9-]+)?"))
    sign_in: str = field(default="", validator=validators.matches_re(r"(/[a-z0-9-]+)?"))
    plain: Sequence[str] = field(
        default=(),
        validator=validators.deep_iterable(validators.matches_re(r"/[a-z0-9-]+")),
    )


@frozen
class Entrance:
    """Where people come in: the server's address, and the first site where there is any."""

    address: str
    site: Site | None

    def set_up(self, secret: str) -> str:
        """The one-time link of the first owner; the secret alone where no page takes it.

        The secret stands behind the `#`: no browser sends that, so no log has it.
        """
        if self.site is None or not self.site.set_up:
            return secret
        return f"{self.address}{self.site.path}{self.site.set_up}#link={secret}"

    def sign_in(self, name: str, password: str) -> str:
        """A link that fills in the sign-in page; empty where there is none."""
        if self.site is None or not self.site.sign_in:
            return ""
        filled = urlencode({"name": name, "password": password}, quote_via=quote)
        return f"{self.address}{self.site.path}{self.site.sign_in}#{filled}"


class Sites:
    """The sites of one shop, found by path."""

    def __init__(self) -> None:
        self.table = RouteTable(())
        self._sites: dict[str, Site] = {}

    @property
    def first(self) -> Site | None:
        """Where somebody goes who asks for the root."""
        return next(iter(self._sites.values()), None)

    @property
    def plain_entry(self) -> str:
        """The page that leads a phone through trusting the shop; empty where no site has one."""
        return next(iter(self.plain_paths), "")

    @property
    def plain_paths(self) -> Sequence[str]:
        """What is shown without HTTPS too, beside it."""
        return [one.path + below for one in self._sites.values() for below in one.plain]

    def add(self, site: Site, *, plugin: str) -> None:
        """Take a site in.

        Raises:
            ConfigurationError: one of its routes cannot be; none of them is then answered.
        """
        trial = RouteTable(())
        routes = []
        for route in site.routes:
            if route.method != "GET":
                claim = f"{route.method} {site.path}{route.path}"
                raise ConfigurationError("site_only_shows", owner=plugin, route=claim)
            # Bodies of no type: who shows a page reads nothing but the address.
            whole = evolve(
                route, path=site.path + route.path, plugin=plugin, request=None, query=dict
            )
            trial.add(whole)
            routes.append(whole)
        for whole in routes:
            self.table.add(whole)
        self._sites[site.path] = site

    def at(self, path: str) -> Site | None:
        """The site a path is of."""
        end = path.find("/", 1)
        return self._sites.get(path if end < 0 else path[:end])


def language_of(cookie: bytes | None, accepted: bytes | None) -> str:
    """The language of a page: what the person chose on this device, else what the browser says."""
    if cookie and LANGUAGE_COOKIE.encode() in cookie:
        try:
            chosen = SimpleCookie(cookie.decode("latin-1")).get(LANGUAGE_COOKIE)
        except CookieError:
            chosen = None
        if chosen is not None and chosen.value in LANGUAGES:
            return chosen.value
    return negotiate((accepted or b"").decode("latin-1"))

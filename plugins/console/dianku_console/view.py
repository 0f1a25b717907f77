"""What a template knows besides its own data: the reader, the store, the words and the forms."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime
from typing import Any
from urllib.parse import unquote
from zoneinfo import ZoneInfo

from attrs import define, field
from jinja2 import Environment, pass_context
from jinja2.runtime import Context as Names

from dianku.api import SIGNED_IN, Call, Clock
from dianku_console import formats

STORE_COOKIE = "dianku_store"
FACE_COOKIE = "dianku_face"
EVERY_STORE = "*"
"""What the cookie holds when somebody looks at all stores at once."""


@define
class View:
    """One page being shown to one person.

    Attributes:
        call: What was asked.
        language: `zh-CN` or `en`.
        me: The answer of `GET /me`; empty for nobody.
        stores: The stores the reader sees, as the API lists them.
        store: The code of the one chosen; empty where all are looked at.
        zone: The time zone figures of today are of.
        here: The path of the page, as the menu has it.
    """

    call: Call
    messages: Any
    clock: Clock
    me: Mapping[str, Any] = field(factory=dict)
    stores: Sequence[Mapping[str, Any]] = ()
    store: str = ""
    zone: str = "Asia/Shanghai"
    here: str = ""

    @property
    def language(self) -> str:
        """`zh-CN` or `en`."""
        return self.call.ctx.language

    @property
    def practising(self) -> bool:
        """Whether the shop is a throw-away one."""
        return bool(self.call.host.config.practice)

    @property
    def may_practise(self) -> bool:
        """Whether there can be a throw-away shop for the reader."""
        config = self.call.host.config
        return config.alone and not config.practice

    @property
    def face(self) -> str:
        """`light`, `dark`, or empty for what the device prefers."""
        chosen = _cookie(self.call, FACE_COOKIE)
        return chosen if chosen in {"light", "dark"} else ""

    @property
    def now(self) -> datetime:
        """The time, by the shop's clock."""
        return datetime.fromtimestamp(self.clock.now_ms() / 1000, UTC)

    @property
    def several_stores(self) -> bool:
        """Whether the shop has more than one store; who is kept to some may not see the others."""
        return len(self.stores) > 1 or self.me.get("stores") is not None

    @property
    def today(self) -> str:
        """The date where the chosen store is, as the API writes dates."""
        return self.now.astimezone(ZoneInfo(self.zone)).date().isoformat()

    @property
    def currency(self) -> str:
        """The shop's currency."""
        return str(self.me.get("shop", {}).get("currency", "CNY"))

    @property
    def symbol(self) -> str:
        """The currency's sign, as it stands before an amount."""
        return formats.symbol_of(self.currency)

    def t(self, key: str, /, **params: Any) -> str:
        """The words of a key; `key.one` where there is one and `n` is 1.

        Raises:
            KeyError: there are none in this language, which a test finds before a person does.
        """
        if str(params.get("n")) == "1" and self._has(f"{key}.one"):
            key = f"{key}.one"
        if not self._has(key):
            raise KeyError(f"no words for {key!r} in {self.language}")
        return str(self.messages.text(key, self.language, **params))

    def may(self, permission: str) -> bool:
        """Whether the reader holds a permission."""
        if permission == SIGNED_IN:
            return bool(self.me)
        return self.call.ctx.may(permission)

    def store_name(self, code: str) -> str:
        """What a store is called; its code where the reader does not see it."""
        return next((str(s["name"]) for s in self.stores if s["code"] == code), code)

    def money(self, value: object) -> str:
        """An amount in the shop's currency."""
        return formats.money(value, self.currency)

    def moment(self, value: object) -> str:
        """A time by the store's clock."""
        return formats.moment(value, self.zone, now=self.now, language=self.language)

    def day(self, value: object) -> str:
        """A calendar date."""
        return formats.day(value, language=self.language, now=self.now.date())

    def days_until(self, day: str) -> int:
        """How many days from today in the chosen store; less than none where it is over."""
        return (date.fromisoformat(day) - date.fromisoformat(self.today)).days

    def _has(self, key: str) -> bool:
        return key in self.messages.keys(self.language)


def open_view(call: Call, *, messages: Any, clock: Clock) -> View:
    """The view of a caller: who they are, which stores they see, which one they are in."""
    view = View(call, messages, clock)
    if not call.ctx.actor.name:
        return view
    view.me = call.ask("/me")
    if call.ctx.may("catalog.view"):
        view.stores = call.ask("/stores", limit=1000)["items"]
    codes = [str(store["code"]) for store in view.stores]
    wanted = call.query.get("store") or _cookie(call, STORE_COOKIE)
    if wanted in codes:
        view.store = str(wanted)
    elif wanted != EVERY_STORE or len(codes) == 1:
        shops = [str(s["code"]) for s in view.stores if s["kind"] == "shop"]
        view.store = next(iter(shops or codes), "")
    view.zone = next(
        (str(s["timezone"]) for s in view.stores if not view.store or s["code"] == view.store),
        view.zone,
    )
    return view


def teach(environment: Environment) -> None:
    """Give templates the words and forms: `t(...)`, `may(...)`, and the filters of figures."""

    def bound(name: str) -> Any:
        @pass_context
        def ask(names: Names, *args: Any, **params: Any) -> Any:
            return getattr(names["view"], name)(*args, **params)

        return ask

    environment.globals |= {name: bound(name) for name in ("t", "may", "store_name", "days_until")}
    environment.filters |= {name: bound(name) for name in ("money", "moment", "day")}
    environment.filters["figure"] = formats.figure


def _cookie(call: Call, name: str) -> str:
    for pair in call.headers.get("cookie", "").split(";"):
        key, _, value = pair.strip().partition("=")
        if key == name:
            return unquote(value)
    return ""

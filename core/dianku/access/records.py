"""What can be asked of users and tokens, and what is answered. No answer carries a hash."""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import UNSET, Meta, UnsetType

from dianku.wire import Answer, Name, Request, When

PASSWORD_MIN = 8
Password = Annotated[str, Meta(min_length=PASSWORD_MIN, max_length=256)]
Pin = Annotated[str, Meta(pattern=r"^[0-9]{4,8}(?!\n)$")]
Role = Annotated[str, Meta(min_length=1, max_length=32)]
StoreCodes = Annotated[
    list[Annotated[str, Meta(min_length=1, max_length=64)]], Meta(max_length=1000)
]


class NewUser(Request, frozen=True):
    """A person who may sign in; without a password they cannot until one is set."""

    name: Name
    role: Role
    password: Password | None = None
    stores: StoreCodes | None = None
    pin: Pin | None = None


class UserPatch(Request, frozen=True):
    """Changes to a user; what is left out stays, `stores` null means every store."""

    role: Role | UnsetType = UNSET
    password: Password | UnsetType = UNSET
    stores: StoreCodes | None | UnsetType = UNSET
    pin: Pin | None | UnsetType = UNSET
    active: bool | UnsetType = UNSET


class UserRecord(Answer):
    """A person who may sign in."""

    id: str
    name: str
    role: str
    stores: list[str] | None
    active: bool
    can_sign_in: bool
    has_pin: bool
    created_at: str


class NewToken(Request, frozen=True):
    """A token for a program, a till or a channel."""

    name: Name
    role: Role
    stores: StoreCodes | None = None
    expires_at: When | None = None


class TokenRecord(Answer):
    """A token without its secret; `prefix` tells it from others."""

    id: str
    name: str
    role: str
    stores: list[str] | None
    prefix: str
    created_at: str
    created_by: str
    expires_at: str | None
    revoked_at: str | None


class IssuedToken(TokenRecord):
    """A token just made. `token` is shown this once; a replayed answer has null."""

    token: str | None


class SignIn(Request, frozen=True):
    """A name and its password; `device` is what the list of sign-ins then calls the browser."""

    name: Name
    password: Annotated[str, Meta(max_length=256)]
    device: Annotated[str, Meta(max_length=300)] | None = None


class SignInByPin(Request, frozen=True):
    """A name and its PIN, on a shared device."""

    name: Name
    pin: Annotated[str, Meta(max_length=20)]


class NewDevice(Request, frozen=True):
    """A device that several people share."""

    name: Name


class DeviceRecord(Answer):
    """A shared device: people sign in there with their PIN."""

    id: str
    name: str
    stores: list[str] | None
    created_at: str
    created_by: str


class ThisDevice(Answer):
    """What a browser is to the shop: `people` may sign in on it with a PIN; null: not shared."""

    name: str | None
    people: list[str]


class SessionRecord(Answer):
    """Somebody signed in on a device. `seen_at` is to five minutes; `current`: this very one."""

    id: str
    user: str
    device: str | None
    created_at: str
    seen_at: str | None
    expires_at: str
    current: bool


class NewShop(Request, frozen=True):
    """What a shop is called and which clock and language it has, with its first store."""

    name: Name
    store: Name
    timezone: Annotated[str, Meta(max_length=64)] = "Asia/Shanghai"
    language: Literal["zh-CN", "en"] = "zh-CN"


class SetUp(Request, frozen=True):
    """The first owner, named by whoever holds the one-time link.

    `shop` is made too; where there is a store already it is left out. Who signs in afterwards
    needs no token.
    """

    link: Annotated[str, Meta(min_length=1, max_length=200)]
    name: Name
    password: Password
    shop: NewShop | None = None
    with_token: bool = True


class SetUpState(Answer):
    """Whether a shop waits for its first owner, and whether it has a store already."""

    open: bool
    begun: bool


class ShopBrief(Answer):
    """What every screen of the shop needs: its name, currency, language and clock."""

    name: str
    currency: str
    language: str
    timezone: str


class Me(Answer):
    """Who the caller is, and of which shop. `stores` null: all of them."""

    name: str
    role: str
    stores: list[str] | None
    permissions: list[str]
    shop: ShopBrief


class SignedIn(Me):
    """A session begun: `csrf` goes into `X-CSRF-Token` of what changes something."""

    csrf: str


class SetUpDone(Answer):
    """The first owner, and a token to begin with, shown this once; null where none was wanted."""

    user: UserRecord
    token: str | None

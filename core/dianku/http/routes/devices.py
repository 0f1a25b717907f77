"""Devices that people share, and signing in on them with a PIN."""

from __future__ import annotations

from msgspec import structs

from dianku.access.devices import EDIT_PERMISSION, PIN_SESSION_MS, Devices
from dianku.access.records import DeviceRecord, NewDevice, SignedIn, SignInByPin, ThisDevice
from dianku.access.secrets import csrf_of
from dianku.http.identity import cookie_value, session_cookie
from dianku.http.route import PUBLIC, Call, Replied, Route
from dianku.http.routes.access import me_of
from dianku.http.routes.answers import Page

COOKIE = "dianku_device"
COOKIE_S = 365 * 86_400


def list_devices(call: Call) -> Page[DeviceRecord]:
    """List shared devices."""
    return Page(items=_devices(call).list_all(ctx=call.ctx))


def enrol(call: Call) -> Replied:
    """Make the device that asks a shared one; it is told by a cookie."""
    secret, record = _devices(call).enrol(call.body, ctx=call.ctx)
    cookie = [f"{COOKIE}={secret}", "Path=/", "HttpOnly", "SameSite=Lax", f"Max-Age={COOKIE_S}"]
    cookie += ["Secure"] if call.secure else []
    return Replied(record, 201, {"Set-Cookie": "; ".join(cookie)})


def remove(call: Call) -> None:
    """Share a device no longer."""
    _devices(call).remove(call.path["id"], ctx=call.ctx)


def this_device(call: Call) -> ThisDevice:
    """Say whether the device that asks is shared, and by whom."""
    return _devices(call).this(_secret(call))


def sign_in(call: Call) -> Replied:
    """Begin a session with a PIN."""
    session = _devices(call).sign_in(call.body, _secret(call))
    cookie = session_cookie(
        session.secret, max_age_seconds=PIN_SESSION_MS // 1000, secure=call.secure
    )
    me = me_of(call, session.actor)
    answer = SignedIn(csrf=csrf_of(session.secret), **structs.asdict(me))
    return Replied(answer, headers={"Set-Cookie": cookie})


def _secret(call: Call) -> str:
    return cookie_value(call.headers.get("cookie", "").encode("latin-1"), COOKIE)


def _devices(call: Call) -> Devices:
    host = call.host
    return Devices(host.database, access=host.access, clock=host.clock)


ROUTES = (
    Route("GET", "/devices", list_devices, EDIT_PERMISSION, "Devices", answer=Page[DeviceRecord]),
    Route(
        "POST",
        "/devices",
        enrol,
        EDIT_PERMISSION,
        "Share a device",
        request=NewDevice,
        answer=DeviceRecord,
        status=201,
    ),
    Route(
        "DELETE", "/devices/{id}", remove, EDIT_PERMISSION, "Share a device no longer", status=204
    ),
    Route("GET", "/device", this_device, PUBLIC, "This device", answer=ThisDevice),
    Route(
        "POST",
        "/sessions/pin",
        sign_in,
        PUBLIC,
        "Sign in with a PIN",
        request=SignInByPin,
        answer=SignedIn,
        status=201,
    ),
)

"""What a phone needs to trust the shop's own HTTPS: open to everybody, for nobody is known yet."""

from __future__ import annotations

from datetime import datetime

from dianku.clock import format_ms, to_ms
from dianku.errors import refuse
from dianku.http.route import PUBLIC, Call, Content, Route
from dianku.trust.keeping import Held
from dianku.trust.reached import plain_addresses, secure_addresses
from dianku.wire import Answer

AUTHORITY_TYPE = "application/x-x509-ca-cert"


class AuthorityRecord(Answer):
    """The shop's authority: `fingerprint` is the SHA-256 of its certificate in hex."""

    name: str
    fingerprint: str
    ends_at: str


class ServerCertificate(Answer):
    """The certificate that answers now, and the names and addresses it is good for."""

    names: list[str]
    begins_at: str
    ends_at: str


class TrustState(Answer):
    """Whether this server speaks HTTPS by the shop's own authority, and at which addresses.

    `plain` are the addresses, without HTTPS, that lead a phone through trusting it; both lists
    have what phones get to by first. `authority` and `certificate` are null where none was made.
    """

    https: bool
    addresses: list[str]
    plain: list[str]
    authority: AuthorityRecord | None
    certificate: ServerCertificate | None


def show_trust(call: Call) -> TrustState:
    """Say whether and how the shop speaks HTTPS by itself."""
    trust, https = call.host.trust, call.host.config.https
    try:
        authority, server = trust.authority(), trust.server()
    except ValueError:  # damaged: the doctor says so, the server's start refuses it
        authority = server = None
    return TrustState(
        https=https is not None,
        addresses=[] if https is None else secure_addresses(https, server),
        plain=[] if https is None else plain_addresses(https, server),
        authority=None if authority is None else _authority(authority),
        certificate=None if server is None else _certificate(server),
    )


def get_authority(call: Call) -> Content:
    """Give the authority's certificate, to be trusted by a phone."""
    try:
        held = call.host.trust.authority()
    except ValueError:
        held = None
    if held is None:
        raise refuse("not_found", what="authority", name="authority.crt")
    # Not as an attachment: an iPhone offers to install what it is shown, and files what it is sent.
    return Content(held.der, AUTHORITY_TYPE)


def _authority(held: Held) -> AuthorityRecord:
    return AuthorityRecord(
        name=held.name, fingerprint=held.fingerprint, ends_at=_moment(held.ends_at)
    )


def _certificate(held: Held) -> ServerCertificate:
    return ServerCertificate(
        names=list(held.names),
        begins_at=_moment(held.begins_at),
        ends_at=_moment(held.ends_at),
    )


def _moment(at: datetime) -> str:
    return format_ms(to_ms(at))


ROUTES = (
    Route("GET", "/trust", show_trust, PUBLIC, "HTTPS by the shop itself", answer=TrustState),
    Route(
        "GET",
        "/trust/authority.crt",
        get_authority,
        PUBLIC,
        "The shop's authority, as a certificate to trust",
        media_type=AUTHORITY_TYPE,
    ),
)

"""The shop's authority and its certificates, held against OpenSSL, which did not make them."""

from __future__ import annotations

import ssl
import stat
import time
import zipfile
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from dianku.clock import SetClock
from dianku.config import HostConfig
from dianku.context import Context
from dianku.doctor import examine
from dianku.errors import ConfigurationError
from dianku.host import Host
from dianku.http.secure import refresh, tls_context
from dianku.trust.authority import Authority
from dianku.trust.keeping import AUTHORITY_FILE, SERVER_FILE, Trust
from dianku.trust.names import HOSTS_INSIDE, Names, is_inside, names_here

pytestmark = pytest.mark.sqlite_only
TILL = Names(("till.local",), (ip_address("192.168.7.5"), ip_address("127.0.0.1")))
NAMES = [*TILL.hosts, "192.168.7.5", "127.0.0.1"]


class Shop:
    """A trust folder whose machine has the names it is told."""

    def __init__(self, folder: Path, *, days_ago: float = 0) -> None:
        self.clock = SetClock(time.time_ns() // 1_000_000)
        self.clock.advance(days=-days_ago)
        self.names = TILL
        self.further: Sequence[str] = ()
        self.trust = Trust(folder, clock=self.clock, names=lambda _further: self.names)

    def pem(self) -> str:
        """The authority's certificate, as a phone has it."""
        held = self.trust.authority()
        assert held is not None
        return ssl.DER_cert_to_PEM_cert(held.der)


@pytest.fixture
def shop(tmp_path: Path) -> Shop:
    return Shop(tmp_path / "trust")


def met(server: ssl.SSLContext, *, name: str, authority: str) -> x509.Certificate:
    """A handshake as a phone makes it; the server's certificate. Raises `ssl.SSLError`."""
    client = ssl.create_default_context(cadata=authority)
    to_server, to_client = ssl.MemoryBIO(), ssl.MemoryBIO()
    phone = client.wrap_bio(to_client, to_server, server_hostname=name)
    till = server.wrap_bio(to_server, to_client, server_side=True)
    for _ in range(10):
        for side in (phone, till):
            try:
                side.do_handshake()
            except ssl.SSLWantReadError:
                continue
        if phone.version() and till.version():
            der = phone.getpeercert(binary_form=True)
            assert der is not None
            return x509.load_der_x509_certificate(der)
    raise AssertionError("no end of the handshake")


def written(folder: Path, authority: Authority, name: str) -> ssl.SSLContext:
    """A server with a certificate for a name, signed with the authority's key by whoever has it."""
    key = ec.generate_private_key(ec.SECP256R1())
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .issuer_name(authority.certificate.subject)
        .subject_name(x509.Name([]))
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(hours=1))
        .not_valid_after(now + timedelta(hours=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(name)]), critical=True)
        .sign(authority.key, hashes.SHA256())
    )
    file = folder / "stolen.pem"
    private = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    file.write_bytes(private + certificate.public_bytes(serialization.Encoding.PEM))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(file)
    return context


@pytest.mark.parametrize("name", NAMES)
def test_certificate_is_good_for_each_name_of_the_machine(shop: Shop, name: str) -> None:
    context = tls_context(shop.trust)
    found = met(context, name=name, authority=shop.pem())
    assert found.not_valid_after_utc - found.not_valid_before_utc < timedelta(days=32)


@pytest.mark.parametrize("name", ["192.168.7.6", "other.local"])
def test_certificate_is_good_for_no_other_machine(shop: Shop, name: str) -> None:
    context = tls_context(shop.trust)
    with pytest.raises(ssl.SSLError, match=r"(match|not valid)"):
        met(context, name=name, authority=shop.pem())


@pytest.mark.parametrize("name", ["bank.example.com", "pay.shop", "local.example.org"])
def test_stolen_key_of_the_authority_stands_in_for_nobody_outside(
    shop: Shop, tmp_path: Path, name: str
) -> None:
    tls_context(shop.trust)
    authority = Authority.read((shop.trust.folder / AUTHORITY_FILE).read_bytes())
    inside = written(tmp_path, authority, "till.local")
    assert met(inside, name="till.local", authority=shop.pem())
    with pytest.raises(ssl.SSLError, match="permitted subtree violation"):
        met(written(tmp_path, authority, name), name=name, authority=shop.pem())


def test_certificate_is_renewed_in_time_and_taken_in_without_a_new_start(tmp_path: Path) -> None:
    shop = Shop(tmp_path / "trust", days_ago=21)
    context = tls_context(shop.trust)
    first = met(context, name="192.168.7.5", authority=shop.pem())
    authority = shop.pem()
    shop.clock.advance(days=19)
    assert not refresh(shop.trust, context)
    shop.clock.advance(days=2)
    assert refresh(shop.trust, context)
    second = met(context, name="192.168.7.5", authority=authority)
    assert second.serial_number != first.serial_number
    assert second.not_valid_after_utc > first.not_valid_after_utc
    assert not refresh(shop.trust, context)
    assert shop.pem() == authority


def test_certificate_follows_a_new_address_of_the_machine(shop: Shop) -> None:
    context = tls_context(shop.trust)
    shop.names = Names(TILL.hosts, (*TILL.addresses, ip_address("10.1.2.3")))
    assert shop.trust.unnamed() == ["10.1.2.3"]
    assert refresh(shop.trust, context)
    assert met(context, name="10.1.2.3", authority=shop.pem())
    shop.names = TILL
    # A name that is gone for now (a cable unplugged) is no reason.
    assert not refresh(shop.trust, context)


def test_authority_that_has_ended_is_made_anew(tmp_path: Path) -> None:
    shop = Shop(tmp_path / "trust", days_ago=3651)
    tls_context(shop.trust)
    before = shop.pem()
    shop.clock.advance(days=3640)
    tls_context(shop.trust)
    assert shop.pem() == before
    shop.clock.advance(days=11)
    context = tls_context(shop.trust)
    assert shop.pem() != before
    assert met(context, name="till.local", authority=shop.pem())


def test_keys_lie_open_to_nobody_else(shop: Shop) -> None:
    tls_context(shop.trust)
    folder = shop.trust.folder
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert sorted(path.name for path in folder.iterdir()) == [AUTHORITY_FILE, SERVER_FILE]
    for path in folder.iterdir():
        assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_damaged_files_are_told_and_what_can_be_made_anew_is(shop: Shop) -> None:
    tls_context(shop.trust)
    shop.trust.server_file.write_text("cut off")
    assert met(tls_context(shop.trust), name="till.local", authority=shop.pem())
    (shop.trust.folder / AUTHORITY_FILE).write_text("cut off")
    with pytest.raises(ConfigurationError, match=r"authority\.pem is damaged"):
        shop.trust.renew()


@pytest.mark.parametrize("name", ["example.com", "8.8.8.8", "shop", "a..local", "*.local", ""])
def test_name_outside_the_shop_is_refused(tmp_path: Path, name: str) -> None:
    trust = Trust(tmp_path / "trust", clock=SetClock(0), further=[name])
    with pytest.raises(ConfigurationError, match="own network only"):
        trust.renew()
    assert not trust.folder.exists()


def test_this_machine_knows_names_and_addresses_and_all_are_inside() -> None:
    found = names_here(["Till.LAN", "192.168.1.9"])
    assert found.hosts[0] == "till.lan"
    assert str(found.addresses[0]) == "192.168.1.9"
    assert {"127.0.0.1", "::1", "localhost"} <= set(found.all())
    assert all(is_inside(one) for one in found.all())
    assert all(is_inside(f"a.{end}") for end in HOSTS_INSIDE)


@pytest.fixture
def host(data_folder: Path) -> Iterator[Host]:
    clock = SetClock(time.time_ns() // 1_000_000)
    host = Host.build(HostConfig(data_dir=data_folder, clock=clock, strict=True))
    host.start(background=False)
    try:
        yield host
    finally:
        host.close()


def findings(host: Host) -> list[str]:
    """What the doctor says of certificates, by severity and words."""
    ours = ("certificate", "authority", "private key", "trust")
    found = [(one.severity, one.what.en) for one in examine(host)]
    return [f"{severity}: {what}" for severity, what in found if any(o in what for o in ours)]


def test_doctor_says_what_ended_lacks_or_lies_open(host: Host) -> None:
    clock = host.clock
    assert isinstance(clock, SetClock)
    assert findings(host) == []
    host.trust.renew()
    assert findings(host) == []
    file = host.trust.folder / AUTHORITY_FILE
    file.chmod(0o644)
    assert findings(host) == ["error: others on this machine can read this private key"]
    file.chmod(0o600)
    begun = clock.now_ms()
    clock.advance(days=31)
    assert [one.partition(" 2")[0] for one in findings(host)] == [
        "error: the server's certificate ended on"
    ]
    host.trust.renew()
    assert findings(host) == []
    clock.set(begun)
    clock.advance(days=3600)
    host.trust.renew()
    assert [one.partition(" 2")[0] for one in findings(host)] == [
        "warning: the authority phones trust ends on"
    ]
    host.trust.server_file.unlink()
    file.unlink()
    assert findings(host) == [
        "error: the shop's authority is missing",
        "error: there is no server's certificate to use",
    ]
    file.write_text("cut off")
    file.chmod(0o600)
    [damaged] = findings(host)
    assert damaged.startswith("error: the shop's authority is damaged")


def test_backup_holds_no_key(host: Host, tmp_path: Path) -> None:
    host.trust.renew()
    file = tmp_path / "shop.backup"
    host.backups.write(file, ctx=Context(host.access.actor("test")))
    with zipfile.ZipFile(file) as archive:
        content = b"".join(archive.read(name) for name in archive.namelist())
    assert b"PRIVATE KEY" not in content
    assert b"PRIVATE KEY" in (host.trust.folder / AUTHORITY_FILE).read_bytes()

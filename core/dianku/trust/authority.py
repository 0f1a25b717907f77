"""The shop's own certificate authority: made once, trusted by the shop's phones by hand.

It vouches for names and addresses inside a shop's network and nothing else: that stands in its
certificate as name constraints (RFC 5280, 4.2.1.10), which the phones hold it to. So whoever
stole its key could stand in for the shop's server, and for nobody's bank.
"""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from datetime import datetime, timedelta
from ipaddress import IPv4Network, IPv6Network

from attrs import frozen
from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from dianku.trust.names import HOSTS_INSIDE, NETWORKS_INSIDE, Names, address_of

AUTHORITY_DAYS = 3650
SERVER_DAYS = 30
"""Phones refuse more than 825 days of a certificate like this one, whoever signed it."""
BEHIND = timedelta(days=1)
"""How far a phone's clock may be behind without finding a new certificate not yet valid."""


@frozen
class Authority:
    """An authority with its key."""

    certificate: x509.Certificate
    key: ec.EllipticCurvePrivateKey

    @classmethod
    def make(cls, *, own: str, at: datetime) -> Authority:
        """A new one for a machine called `own` (empty: without a name)."""
        key = ec.generate_private_key(ec.SECP256R1())
        mark = secrets.token_hex(2).upper()
        name = x509.Name(
            [
                x509.NameAttribute(NameOID.ORGANIZATION_NAME, "Dianku"),
                x509.NameAttribute(NameOID.COMMON_NAME, f"Dianku {own or 'shop'} {mark}"),
            ]
        )
        builder = (
            _begun(name, name, key.public_key(), begins=at - BEHIND)
            .not_valid_after(at + timedelta(days=AUTHORITY_DAYS))
            .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
            .add_extension(_usage(signs=True), critical=True)
            .add_extension(_constraints(), critical=True)
        )
        return cls(builder.sign(key, hashes.SHA256()), key)

    @classmethod
    def read(cls, text: bytes) -> Authority:
        """One out of its file. Raises `ValueError` where that is damaged."""
        key = serialization.load_pem_private_key(text, None)
        certificate = x509.load_pem_x509_certificate(text)
        if not isinstance(key, ec.EllipticCurvePrivateKey):
            raise ValueError("its key is not of the kind that was made")  # noqa: TRY004 - damage
        if certificate.public_key() != key.public_key():
            raise ValueError("its key is not that of its certificate")
        return cls(certificate, key)

    def written(self) -> bytes:
        """Key and certificate, as they stand in the file."""
        return _pem(self.key) + self.certificate.public_bytes(serialization.Encoding.PEM)

    def sign(self, names: Names, *, at: datetime) -> bytes:
        """A server's certificate for these names with a new key, as it stands in its file.

        Names it may not vouch for are left out.
        """
        key = ec.generate_private_key(ec.SECP256R1())
        admitted = [one for one in names.all() if admits(self.certificate, one)]
        own = self.certificate
        named = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, admitted[0])])
        builder = (
            _begun(
                own.subject,
                named,
                key.public_key(),
                begins=max(at - BEHIND, own.not_valid_before_utc),
            )
            .not_valid_after(min(at + timedelta(days=SERVER_DAYS), own.not_valid_after_utc))
            .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
            .add_extension(_usage(signs=False), critical=True)
            .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
            .add_extension(_alternatives(admitted), critical=False)
            .add_extension(
                x509.AuthorityKeyIdentifier.from_issuer_public_key(self.key.public_key()),
                critical=False,
            )
        )
        signed = builder.sign(self.key, hashes.SHA256())
        return _pem(key) + signed.public_bytes(serialization.Encoding.PEM)

    def signed(self, certificate: x509.Certificate) -> bool:
        """Whether a certificate is one of its own."""
        try:
            certificate.verify_directly_issued_by(self.certificate)
        except (InvalidSignature, TypeError, ValueError):
            return False
        return True


def admits(authority: x509.Certificate, name: str) -> bool:
    """Whether an authority's certificate lets it vouch for a name or an address."""
    found = authority.extensions.get_extension_for_class(x509.NameConstraints).value
    permitted = found.permitted_subtrees or []
    address = address_of(name)
    if address is not None:
        networks = [one.value for one in permitted if isinstance(one, x509.IPAddress)]
        return any(isinstance(n, IPv4Network | IPv6Network) and address in n for n in networks)
    ends = [one.value for one in permitted if isinstance(one, x509.DNSName)]
    return any(name == end or name.endswith(f".{end}") for end in ends)


def names_of(certificate: x509.Certificate) -> list[str]:
    """The names and addresses a server's certificate is good for."""
    found = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    addresses = found.get_values_for_type(x509.IPAddress)
    return [*map(str, addresses), *found.get_values_for_type(x509.DNSName)]


def _begun(
    issuer: x509.Name, subject: x509.Name, key: ec.EllipticCurvePublicKey, *, begins: datetime
) -> x509.CertificateBuilder:
    return (
        x509.CertificateBuilder()
        .issuer_name(issuer)
        .subject_name(subject)
        .public_key(key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(begins)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key), critical=False)
    )


def _constraints() -> x509.NameConstraints:
    permitted: list[x509.GeneralName] = [x509.DNSName(host) for host in HOSTS_INSIDE]
    permitted += [x509.IPAddress(network) for network in NETWORKS_INSIDE]
    return x509.NameConstraints(permitted_subtrees=permitted, excluded_subtrees=None)


def _alternatives(names: Sequence[str]) -> x509.SubjectAlternativeName:
    found: list[x509.GeneralName] = []
    for name in names:
        address = address_of(name)
        found.append(x509.DNSName(name) if address is None else x509.IPAddress(address))
    return x509.SubjectAlternativeName(found)


def _usage(*, signs: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not signs,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=signs,
        crl_sign=signs,
        encipher_only=False,
        decipher_only=False,
    )


def _pem(key: ec.EllipticCurvePrivateKey) -> bytes:
    return key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )

"""The folder `trust` of a shop: its authority, and the server's certificate, renewed in time.

Both are one file each, key and certificate together, for nobody else on the machine; so there is
no half of one. They are in no backup: what phones trust by hand is not to travel with the books.
"""

from __future__ import annotations

import os
import secrets
import sys
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from attrs import frozen

from dianku.clock import Clock, from_ms
from dianku.errors import ConfigurationError
from dianku.trust.names import Names, is_inside, names_here, own_name

if TYPE_CHECKING:
    from cryptography.x509 import Certificate

    from dianku.trust.authority import Authority

FOLDER = "trust"
AUTHORITY_FILE = "authority.pem"
SERVER_FILE = "server.pem"
RENEW_BEFORE = timedelta(days=10)
"""A server's certificate with less left than this is made anew."""
PRIVATE = 0o600


@frozen
class Held:
    """A certificate of the folder as others may see it: without its key.

    `names` are empty for the authority; `fingerprint` is the SHA-256 of the certificate, hex.
    """

    name: str
    fingerprint: str
    begins_at: datetime
    ends_at: datetime
    names: Sequence[str]
    der: bytes


class Trust:
    """The authority and the server's certificate of one shop on one machine."""

    def __init__(
        self,
        folder: Path,
        *,
        clock: Clock,
        further: Sequence[str] = (),
        names: Callable[[Sequence[str]], Names] = names_here,
    ) -> None:
        self.folder = folder
        self._clock = clock
        self._further = tuple(further)
        self._names = names

    @property
    def server_file(self) -> Path:
        """Key and certificate of the server, as TLS libraries read them."""
        return self.folder / SERVER_FILE

    def renew(self) -> None:
        """See to it that there is an authority and a certificate that is good for a while.

        Made anew are a certificate with less than `RENEW_BEFORE` left or without one of the
        machine's names, and an authority that has ended, which phones then have to trust anew.

        Raises:
            ConfigurationError: a name that was asked for is none of a shop's network, a file is
                damaged, or the folder cannot be written.
        """
        for name in self._further:
            if not is_inside(name.strip().lower()):
                raise ConfigurationError("name_outside", name=name)
        try:
            self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            authority = self._authority()
            names = self._names(self._further)
            if self._is_due(authority, names):
                self._replace(self.server_file, authority.sign(names, at=self._now()))
        except OSError as error:
            raise ConfigurationError(
                "trust_not_written", folder=self.folder, reason=error.strerror or str(error)
            ) from error

    def authority(self) -> Held | None:
        """The authority; None where none was made yet. Raises `ValueError` where it is damaged."""
        return self._held(self.folder / AUTHORITY_FILE)

    def server(self) -> Held | None:
        """The server's certificate. None and `ValueError` as `authority`."""
        return self._held(self.server_file)

    def lying_open(self) -> list[Path]:
        """Files with keys that others on the machine can read."""
        if sys.platform == "win32":
            return []  # rights are not kept in bits there
        there = [self.folder / AUTHORITY_FILE, self.server_file]
        return [file for file in there if file.exists() and file.stat().st_mode & 0o077]

    def unnamed(self) -> list[str]:
        """What this machine is called now that the server's certificate does not name."""
        from dianku.trust.authority import admits

        authority = self._certificate(self.folder / AUTHORITY_FILE)
        server = self.server()
        if authority is None or server is None:
            return []
        names = self._names(self._further).all()
        return [one for one in names if admits(authority, one) and one not in server.names]

    def _authority(self) -> Authority:
        from dianku.trust.authority import Authority

        file = self.folder / AUTHORITY_FILE
        now = self._now()
        if file.exists():
            try:
                found = Authority.read(file.read_bytes())
            except ValueError as error:
                raise ConfigurationError(
                    "authority_damaged", file=file, reason=str(error)
                ) from error
            if found.certificate.not_valid_after_utc > now:
                return found
            self._replace(file, Authority.make(own=own_name(), at=now).written())
        else:
            self._add(file, Authority.make(own=own_name(), at=now).written())
        # Another process may have been first: one authority is all phones know.
        return Authority.read(file.read_bytes())

    def _is_due(self, authority: Authority, names: Names) -> bool:
        try:
            found = self._certificate(self.server_file)
        except ValueError:
            return True
        if found is None or not authority.signed(found):
            return True
        from dianku.trust.authority import admits, names_of

        now, ends = self._now(), found.not_valid_after_utc
        # One that ends with the authority would not last longer made anew.
        late = ends - now < RENEW_BEFORE and ends < authority.certificate.not_valid_after_utc
        lacking = {one for one in names.all() if admits(authority.certificate, one)} - set(
            names_of(found)
        )
        return late or found.not_valid_before_utc > now or bool(lacking)

    def _now(self) -> datetime:
        return from_ms(self._clock.now_ms())

    def _held(self, file: Path) -> Held | None:
        certificate = self._certificate(file)
        if certificate is None:
            return None
        from cryptography.hazmat.primitives import hashes
        from cryptography.hazmat.primitives.serialization import Encoding
        from cryptography.x509.oid import NameOID

        from dianku.trust.authority import names_of

        [named] = certificate.subject.get_attributes_for_oid(NameOID.COMMON_NAME)
        return Held(
            name=str(named.value),
            fingerprint=certificate.fingerprint(hashes.SHA256()).hex(),
            begins_at=certificate.not_valid_before_utc,
            ends_at=certificate.not_valid_after_utc,
            names=names_of(certificate) if file.name == SERVER_FILE else (),
            der=certificate.public_bytes(Encoding.DER),
        )

    def _certificate(self, file: Path) -> Certificate | None:
        try:
            text = file.read_bytes()
        except FileNotFoundError:
            return None
        from cryptography.x509 import load_pem_x509_certificate

        return load_pem_x509_certificate(text)

    def _add(self, file: Path, content: bytes) -> None:
        """Write a file that is not there; one that came there meanwhile stays."""
        made = self._written(file, content)
        try:
            os.link(made, file)
        except FileExistsError:
            pass
        finally:
            made.unlink()

    def _replace(self, file: Path, content: bytes) -> None:
        self._written(file, content).replace(file)

    def _written(self, file: Path, content: bytes) -> Path:
        made = file.with_name(f".{file.name}.{secrets.token_hex(4)}")
        descriptor = os.open(made, os.O_WRONLY | os.O_CREAT | os.O_EXCL, PRIVATE)
        with os.fdopen(descriptor, "wb") as opened:
            opened.write(content)
            opened.flush()
            os.fsync(opened.fileno())
        return made

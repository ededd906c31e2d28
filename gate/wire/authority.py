"""A port's own certificate authority: who may connect to its broker, and which broker is the right one.

X.509 v3 (RFC 5280), ECDSA on P-256. The authority signs nothing but the port's broker and its clients, so a certificate of any other
authority is a stranger there, whatever it says.
"""

import ipaddress
import os
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from gate.core.clock import Clock
from gate.errors import GateError

CA_DAYS = 3650
DAYS = 397
"""A year and a month: renewed once a year, there is a month to notice that it was forgotten."""
_BACKDATED = timedelta(hours=1)  # a lane's clock may lag behind the authority's


class Authority:
    """A folder: ``ca.pem`` and ``ca.key``, and ``{name}.pem`` and ``{name}.key`` for each that it issued. GateError when one is broken."""

    def __init__(self, folder: Path, *, port: str, clock: Clock) -> None:
        self.folder = folder
        self._port = port
        self._clock = clock

    @property
    def ca_file(self) -> Path:
        return self.folder / "ca.pem"

    def files(self, name: str) -> tuple[Path, Path]:
        """Certificate and key of ``name``."""
        return self.folder / f"{name}.pem", self.folder / f"{name}.key"

    def create_missing(self) -> bool:
        """Make the authority unless it is there; whether it is new. OSError when it cannot be written."""
        if self.ca_file.exists():
            return False
        self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        key = ec.generate_private_key(ec.SECP256R1())
        name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, f"Tongguan {self._port}")])
        builder = (
            self._builder(name, key, CA_DAYS)
            .issuer_name(name)
            .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
            .add_extension(_usage(signs_certificates=True), critical=True)
        )
        _write_key(self.folder / "ca.key", key)
        _write(self.ca_file, builder.sign(key, hashes.SHA256()))
        return True

    def issue(self, name: str, *, hosts: Iterable[str] = (), days: int = DAYS) -> tuple[Path, Path]:
        """A new key and certificate for ``name``: a server's when it has ``hosts`` (names or addresses), otherwise a client's.

        What was issued to that name before stays good until it ends: the two overlap.
        """
        ca, ca_key = self._load()
        key = ec.generate_private_key(ec.SECP256R1())
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
        hosts = tuple(hosts)
        purpose = ExtendedKeyUsageOID.SERVER_AUTH if hosts else ExtendedKeyUsageOID.CLIENT_AUTH
        builder = (
            self._builder(subject, key, days)
            .issuer_name(ca.subject)
            .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
            .add_extension(_usage(signs_certificates=False), critical=True)
            .add_extension(x509.ExtendedKeyUsage([purpose]), critical=False)
            .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(ca_key.public_key()), critical=False)
        )
        if hosts:
            builder = builder.add_extension(
                x509.SubjectAlternativeName([_host(item) for item in hosts]), critical=False
            )
        certificate_file, key_file = self.files(name)
        _write_key(key_file, key)
        _write(certificate_file, builder.sign(ca_key, hashes.SHA256()))
        return certificate_file, key_file

    def ends(self, name: str) -> datetime:
        """Until when the certificate of ``name`` is good."""
        return _read(self.files(name)[0]).not_valid_after_utc

    def _builder(self, name: x509.Name, key: ec.EllipticCurvePrivateKey, days: int) -> x509.CertificateBuilder:
        now = datetime.fromtimestamp(self._clock.utc_ms() / 1000, tz=UTC)
        return (
            x509.CertificateBuilder()
            .subject_name(name)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - _BACKDATED)
            .not_valid_after(now + timedelta(days=days))
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        )

    def _load(self) -> tuple[x509.Certificate, ec.EllipticCurvePrivateKey]:
        path = self.folder / "ca.key"
        try:
            key = serialization.load_pem_private_key(path.read_bytes(), password=None)
        except (OSError, ValueError, UnsupportedAlgorithm) as error:
            raise GateError(
                f"the authority's key {path} cannot be read ({error}): make one with 'gate keys init --tls'"
            ) from None
        if not isinstance(key, ec.EllipticCurvePrivateKey):
            raise GateError(
                f"the authority's key {path} is not an EC key: make an authority with 'gate keys init --tls'"
            )
        return _read(self.ca_file), key


def _read(path: Path) -> x509.Certificate:
    try:
        return x509.load_pem_x509_certificate(path.read_bytes())
    except (OSError, ValueError) as error:
        raise GateError(f"the certificate {path} cannot be read ({error}): issue it with 'gate keys issue'") from None


def _host(name: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(name))
    except ValueError:
        return x509.DNSName(name)


def _usage(*, signs_certificates: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not signs_certificates,
        key_cert_sign=signs_certificates,
        crl_sign=signs_certificates,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        encipher_only=False,
        decipher_only=False,
    )


def _write(path: Path, certificate: x509.Certificate) -> None:
    new = path.with_suffix(".new")
    new.write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    new.replace(path)


def _write_key(path: Path, key: ec.EllipticCurvePrivateKey) -> None:
    # Made under another name first: a key that is half written when the machine stops must not look like one.
    new = path.with_suffix(".key.new")
    descriptor = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(
            key.private_bytes(
                serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
            )
        )
    new.replace(path)

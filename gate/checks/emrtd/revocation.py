"""Certificate revocation lists of issuing states (ICAO Doc 9303 part 12, 7.2, 8th edition; RFC 5280, 5)."""

import hashlib
from dataclasses import dataclass, field
from datetime import datetime

from asn1crypto import crl, pem

from gate.checks.emrtd.algorithms import Scheme, UnknownScheme, read_scheme
from gate.checks.emrtd.certificate import Certificate
from gate.checks.emrtd.faults import ChipFault, reading
from gate.checks.emrtd.keys import Verification, verify
from gate.checks.emrtd.names import Name, read_name

MAX_OCTETS = 16 * 2**20


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class RevocationList:
    """``revoked``: when each serial number was. ``next_update`` None: the issuer does not say. Times have a zone."""

    der: bytes = field(repr=False)
    sha256: str
    issuer: Name
    authority_key_id: bytes | None
    this_update: datetime
    next_update: datetime | None
    revoked: dict[int, datetime] = field(repr=False)
    scheme: Scheme | UnknownScheme
    signature: bytes = field(repr=False)
    signed: bytes = field(repr=False)

    @property
    def country(self) -> str:
        return self.issuer.country

    @property
    def title(self) -> str:
        return f"revocation list of {self.issuer.text} of {self.this_update:%Y-%m-%d}"

    def verified_by(self, issuer: Certificate) -> Verification:
        """Whether the issuer's key signed this list."""
        return verify(issuer.key, self.scheme, self.signature, self.signed)

    def is_current_at(self, moment: datetime) -> bool:
        return self.this_update <= moment and (self.next_update is None or moment <= self.next_update)


def read_revocation_list(data: bytes) -> RevocationList:
    """Return the list in ``data`` (DER, or PEM). Raises ChipFault for what is none."""
    if len(data) > MAX_OCTETS:
        raise ChipFault(f"a revocation list of {len(data)} octets is longer than any; fetch it again")
    with reading("a revocation list"):
        if pem.detect(data):
            data = pem.unarmor(data)[2]
        listed = crl.CertificateList.load(data, strict=True)
        body = listed["tbs_cert_list"]
        extensions = {item["extn_id"].dotted: item["extn_value"] for item in body["crl_extensions"]}
        authority = extensions.get("2.5.29.35")
        return RevocationList(
            der=bytes(data),
            sha256=hashlib.sha256(data).hexdigest(),
            issuer=read_name(body["issuer"]),
            authority_key_id=authority.parsed["key_identifier"].native if authority is not None else None,
            this_update=body["this_update"].native,
            next_update=body["next_update"].native,
            revoked={
                entry["user_certificate"].native: entry["revocation_date"].native
                for entry in body["revoked_certificates"]
            },
            scheme=read_scheme(listed["signature_algorithm"]),
            signature=listed["signature"].native,
            signed=body.dump(),
        )

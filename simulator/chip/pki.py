"""The certificates of issuing states that do not exist: CSCA, document signers, link certificates, revocation lists.

Profiles are those of ICAO Doc 9303 part 12 (8th edition), section 7.1, so that what is wrong in a test is what the test made wrong.
Certificates are put together with asn1crypto, since explicit curve parameters are more than ``cryptography`` writes.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from asn1crypto import core, crl, x509

from simulator.chip.keys import Algorithm, KeyPair
from simulator.chip.tlv import integer, tlv

DOCUMENT_TYPE_LIST = "2.23.136.1.1.6.2"
NAME_CHANGE = "2.23.136.1.1.6.1"
MASTER_LIST_SIGNING = "2.23.136.1.1.3"
_DAY = timedelta(days=1)
_YEAR = timedelta(days=365)

_CSCA_USES = frozenset({"key_cert_sign", "crl_sign"})
_SIGNER_USES = frozenset({"digital_signature"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Signer:
    """A key pair with its certificate (DER): a document signer, or whoever signs a master list."""

    keys: KeyPair
    certificate: bytes

    @property
    def serial_number(self) -> int:
        number: int = x509.Certificate.load(self.certificate).serial_number
        return number


@dataclass(frozen=True, slots=True, kw_only=True)
class Profile:
    """What a certificate says. Times are with a zone. ``path_length`` None: no such limit; ``is_ca`` None: no basic constraints at all.

    ``document_types`` None: no document type list; ``crl_url`` None: no distribution point.
    """

    subject: x509.Name
    serial_number: int
    not_before: datetime
    not_after: datetime
    uses: frozenset[str] = _SIGNER_USES
    is_ca: bool | None = None
    path_length: int | None = 0
    document_types: tuple[str, ...] | None = None
    crl_url: str | None = None
    extended_use: str | None = None
    has_name_change: bool = False
    critical_extension: str | None = None
    """The identifier of an extension that nobody knows, marked critical."""


def name(country: str, common_name: str, *more: tuple[str, str]) -> x509.Name:
    """A distinguished name. ``more`` are further attributes by asn1crypto's names."""
    return x509.Name.build({"country_name": country, "common_name": common_name, **dict(more)})


def certify(
    issuer: x509.Name,
    issuer_keys: KeyPair,
    subject_info: bytes,
    profile: Profile,
    *,
    issuer_key_info: bytes | None = None,
) -> bytes:
    """A certificate (DER) for the SubjectPublicKeyInfo ``subject_info``, signed with the issuer's key.

    ``issuer_key_info``: whose key the authority key identifier names, if not the signer's.
    """
    info = x509.PublicKeyInfo.load(subject_info)
    authority = x509.PublicKeyInfo.load(issuer_key_info or issuer_keys.public_key_info)
    tbs = x509.TbsCertificate(
        {
            "version": "v3",
            "serial_number": profile.serial_number,
            "signature": issuer_keys.signature_algorithm,
            "issuer": issuer,
            "validity": {"not_before": _time(profile.not_before), "not_after": _time(profile.not_after)},
            "subject": profile.subject,
            "subject_public_key_info": info,
            "extensions": _extensions(profile, key_id=info.sha1, authority_id=authority.sha1),
        }
    )
    return _signed(x509.Certificate, "tbs_certificate", "signature_value", tbs, issuer_keys)


class Issuer:
    """An issuing state's country signing CA (CSCA) with a self-signed certificate, valid from ``now`` for ``years``.

    ``country`` is the two-letter code of its certificates (Utopia is UT).
    """

    def __init__(
        self,
        country: str = "UT",
        *,
        now: datetime,
        algorithm: Algorithm | None = None,
        common_name: str = "CSCA",
        serial_number: int = 1,
        years: int = 15,
    ) -> None:
        self.country = country
        self.algorithm = algorithm or Algorithm()
        self.keys = KeyPair(self.algorithm)
        self.name = name(country, common_name)
        self.profile = Profile(
            subject=self.name,
            serial_number=serial_number,
            not_before=now - _DAY,
            not_after=now + years * _YEAR,
            uses=_CSCA_USES,
            is_ca=True,
        )
        self.certificate = certify(self.name, self.keys, self.keys.public_key_info, self.profile)
        self._now = now
        self._last_serial = serial_number

    def document_signer(
        self, *, algorithm: Algorithm | None = None, country: str | None = None, **changes: Any
    ) -> Signer:
        """A document signer with a key of its own, by the same algorithm unless another is given.

        ``country``: of its subject, if not the issuer's. ``changes`` to its :class:`Profile` make what a test wants wrong: ``not_after``,
        ``uses``, ``document_types``, ...
        """
        return self.certify_signer(KeyPair(algorithm or self.algorithm), country=country, **changes)

    def certify_signer(self, keys: KeyPair, *, country: str | None = None, **changes: Any) -> Signer:
        """As :meth:`document_signer`, for a key pair that is there (RSA keys take a while to make)."""
        self._last_serial += 1
        usual = Profile(
            subject=name(country or self.country, f"Document Signer {self._last_serial}"),
            serial_number=self._last_serial,
            not_before=self._now - _DAY,
            not_after=self._now + 10 * _YEAR,
            document_types=("P",),
            crl_url=f"https://pki.example/{self.country}.crl",
        )
        profile = replace(usual, **changes)
        return Signer(keys=keys, certificate=certify(self.name, self.keys, keys.public_key_info, profile))

    def master_list_signer(self, *, algorithm: Algorithm | None = None, **changes: Any) -> Signer:
        """Somebody who may sign master lists (part 12, 7.1.4)."""
        changes = {"document_types": None, "extended_use": MASTER_LIST_SIGNING} | changes
        return self.document_signer(algorithm=algorithm, **changes)

    def link(self, successor: "Issuer") -> bytes:
        """A link certificate (DER): this CSCA's word, signed with its key, for the next one's key and name."""
        self._last_serial += 1
        profile = replace(
            successor.profile,
            serial_number=self._last_serial,
            has_name_change=successor.name != self.name,
        )
        return certify(self.name, self.keys, successor.keys.public_key_info, profile)

    def crl(
        self,
        revoked: Iterable[int] = (),
        *,
        now: datetime | None = None,
        days: int = 90,
        signer: KeyPair | None = None,
    ) -> bytes:
        """A revocation list (DER) that names these serial numbers, of ``now`` and good for ``days``; ``signer`` forges it."""
        issued = now or self._now
        keys = signer or self.keys
        entries = [{"user_certificate": number, "revocation_date": _time(issued)} for number in revoked]
        key_id = x509.PublicKeyInfo.load(self.keys.public_key_info).sha1
        tbs = crl.TbsCertList(
            {
                "version": "v2",
                "signature": keys.signature_algorithm,
                "issuer": self.name,
                "this_update": _time(issued),
                "next_update": _time(issued + days * _DAY),
                "revoked_certificates": entries or None,
                "crl_extensions": [
                    {"extn_id": "authority_key_identifier", "extn_value": {"key_identifier": key_id}},
                    {"extn_id": "crl_number", "extn_value": 1},
                ],
            }
        )
        return _signed(crl.CertificateList, "tbs_cert_list", "signature", tbs, keys)


def _signed(kind: Any, body: str, signature: str, tbs: Any, keys: KeyPair) -> bytes:
    fields = {body: tbs, "signature_algorithm": keys.signature_algorithm, signature: keys.sign(tbs.dump())}
    der: bytes = kind(fields).dump()
    return der


def _time(moment: datetime) -> x509.Time:
    """UTC time until 2049, generalised time after (RFC 5280, 4.1.2.5)."""
    kind = "utc_time" if moment.year < 2050 else "general_time"
    value = core.UTCTime(moment) if kind == "utc_time" else core.GeneralizedTime(moment)
    return x509.Time(name=kind, value=value)


def _extensions(profile: Profile, *, key_id: bytes, authority_id: bytes) -> Sequence[dict[str, Any]]:
    extensions: list[dict[str, Any]] = [
        {"extn_id": "authority_key_identifier", "extn_value": {"key_identifier": authority_id}},
        {"extn_id": "key_identifier", "extn_value": key_id},
        {"extn_id": "key_usage", "critical": True, "extn_value": set(profile.uses)},
    ]
    if profile.is_ca is not None:
        constraints: dict[str, Any] = {"ca": profile.is_ca}
        if profile.is_ca and profile.path_length is not None:
            constraints["path_len_constraint"] = profile.path_length
        extensions.append({"extn_id": "basic_constraints", "critical": True, "extn_value": constraints})
    if profile.crl_url is not None:
        point = {"distribution_point": x509.DistributionPointName(name="full_name", value=[_url(profile.crl_url)])}
        extensions.append({"extn_id": "crl_distribution_points", "extn_value": [point]})
    if profile.extended_use is not None:
        extensions.append({"extn_id": "extended_key_usage", "critical": True, "extn_value": [profile.extended_use]})
    if profile.document_types is not None:
        types = tlv(0x31, *sorted(tlv(0x13, kind.encode("ascii")) for kind in profile.document_types))
        extensions.append(_other(DOCUMENT_TYPE_LIST, tlv(0x30, integer(0), types)))
    if profile.has_name_change:
        extensions.append(_other(NAME_CHANGE, tlv(0x05)))
    if profile.critical_extension is not None:
        extensions.append(_other(profile.critical_extension, tlv(0x05)) | {"critical": True})
    return extensions


def _url(url: str) -> x509.GeneralName:
    return x509.GeneralName(name="uniform_resource_identifier", value=url)


def _other(dotted: str, der: bytes) -> dict[str, Any]:
    return {"extn_id": dotted, "extn_value": core.ParsableOctetString(der)}

"""A passport with a chip, whole: page data, data groups, signatures, protocols, all out of a few choices and one issuing state."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from asn1crypto import keys as asn1_keys
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from drivers.chip.access_key import MrzKey
from drivers.chip.domain import DhDomain, Domain, EcDomain
from simulator.chip.files import make_com, make_dg1, make_dg2, make_dg11, make_dg12, make_dg14, make_dg15
from simulator.chip.pki import Issuer, Signer
from simulator.chip.profile import BSI, CIPHER_ARCS, ChipProfile, PaceOption, SigningKey, StaticKey
from simulator.chip.sod import make_card_security, make_sod
from simulator.chip.tlv import integer, oid, tlv

COM, SOD, CARD_ACCESS, CARD_SECURITY, ATR_INFO = 0x011E, 0x011D, 0x011C, 0x011D, 0x2F01
SPECIMEN_LINES = (
    "P<UTOERIKSSON<<ANNA<MARIA<<<<<<<<<<<<<<<<<<<",
    "L898902C36UTO7408122F1204159ZE184226B<<<<<10",
)
_AA_OID = "2.23.136.1.1.5"
_ECDSA_PLAIN = "0.4.0.127.0.7.1.1.4.1"
_ECDSA_ARCS = {"sha1": 1, "sha224": 2, "sha256": 3, "sha384": 4, "sha512": 5}


@dataclass(frozen=True, slots=True, kw_only=True)
class Choices:
    """What this chip has. ``lines``: its MRZ (TD3); ``portrait``: JPEG or JPEG 2000."""

    lines: tuple[str, ...] = SPECIMEN_LINES
    portrait: bytes = b"\xff\xd8\xff\xe0" + bytes(2000) + b"\xff\xd9"
    pace: tuple[PaceOption, ...] = ()
    has_bac: bool = True
    can: str | None = None
    chip_keys: tuple[StaticKey, ...] = ()
    mapping_key: StaticKey | None = None
    signing_key: SigningKey | None = None
    digest: str = "sha256"
    has_details: bool = True
    buffer_bytes: int | None = None
    """What EF.ATR/INFO says that the chip's buffer holds; None: no such file."""
    more: dict[str, Any] = field(default_factory=dict)
    """Changes to the chip's profile: habits."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ChipDocument:
    """A chip's profile, and who issued it."""

    profile: ChipProfile
    issuer: Issuer
    signer: Signer

    def with_files(self, changes: Mapping[int, bytes | None]) -> ChipDocument:
        """Files of the application replaced, or taken away, as somebody does who cannot sign."""
        files = {**self.profile.files, **changes}
        kept = {identifier: data for identifier, data in files.items() if data is not None}
        return replace(self, profile=replace(self.profile, files=kept))

    def changed(self, **changes: Any) -> ChipDocument:
        """With another profile's fields."""
        return replace(self, profile=replace(self.profile, **changes))


def mrz_key(lines: tuple[str, ...]) -> MrzKey:
    """The access key of a TD3 zone."""
    second = lines[1]
    return MrzKey(document_number=second[:9], birth_date=second[13:19], expiry_date=second[21:27])


def make_document(issuer: Issuer, signer: Signer, choices: Choices | None = None) -> ChipDocument:
    """A passport that is in order in every way."""
    here = choices or Choices()
    groups: dict[int, bytes] = {1: make_dg1(here.lines), 2: make_dg2(here.portrait, width=480, height=640)}
    if here.has_details:
        groups[11] = make_dg11(full_name="ERIKSSON, ANNA MARIA", place_of_birth="ZENITH")
        groups[12] = make_dg12(authority="UTOPIA")
    infos = _infos_of_dg14(here)
    if infos:
        groups[14] = make_dg14(*infos)
    if here.signing_key is not None:
        groups[15] = make_dg15(_public_key_info(here.signing_key))
    files = {0x0100 | number: data for number, data in groups.items()}
    files[COM] = make_com(groups)
    files[SOD] = make_sod(groups, signer, digest=here.digest)
    habits: dict[str, Any] = {} if here.buffer_bytes is None else {"max_answer_bytes": here.buffer_bytes}
    habits |= here.more
    profile = ChipProfile(
        mrz=mrz_key(here.lines),
        files=files,
        master_files=_master_files(here, signer),
        can=here.can,
        pace=here.pace,
        has_bac=here.has_bac,
        chip_keys=here.chip_keys,
        mapping_key=here.mapping_key,
        signing_key=here.signing_key,
        **habits,
    )
    return ChipDocument(profile=profile, issuer=issuer, signer=signer)


def make_issuer(now: datetime) -> tuple[Issuer, Signer]:
    """Utopia, and one document signer of it."""
    issuer = Issuer(now=now)
    return issuer, issuer.document_signer()


def static_key(domain: Domain, **changes: Any) -> StaticKey:
    """A new static key for chip authentication in this domain."""
    return StaticKey(domain=domain, private=domain.generate(secrets.token_bytes).private, **changes)


def _master_files(choices: Choices, signer: Signer) -> dict[int, bytes]:
    files: dict[int, bytes] = {}
    if choices.buffer_bytes is not None:
        sizes = tlv(0x7F66, integer(choices.buffer_bytes), integer(choices.buffer_bytes))
        files[ATR_INFO] = tlv(0x43, b"\xb8") + sizes
    if not choices.pace:
        return files
    infos = [option.info for option in choices.pace]
    files[CARD_ACCESS] = tlv(0x31, *sorted(infos))
    if choices.mapping_key is not None:
        signed = tlv(0x31, *sorted([*infos, _key_info(choices.mapping_key)]))
        files[CARD_SECURITY] = make_card_security(signed, signer)
    return files


def _infos_of_dg14(choices: Choices) -> list[bytes]:
    infos = [option.info for option in choices.pace]
    for key in choices.chip_keys:
        kind = 2 if isinstance(key.domain, EcDomain) else 1
        reference = () if key.key_id is None else (integer(key.key_id),)
        infos.append(tlv(0x30, oid(f"{BSI}.3.{kind}.{CIPHER_ARCS[key.cipher]}"), integer(1), *reference))
        infos.append(_key_info(key))
    signing = choices.signing_key
    if signing is not None and not hasattr(signing.key, "private_numbers"):
        raise TypeError("the signing key gives no numbers")
    if signing is not None and hasattr(signing.key, "curve"):
        algorithm = oid(f"{_ECDSA_PLAIN}.{_ECDSA_ARCS[signing.digest]}")
        infos.append(tlv(0x30, oid(_AA_OID), integer(1), algorithm))
    return infos


def _key_info(key: StaticKey) -> bytes:
    """ChipAuthenticationPublicKeyInfo (DER)."""
    kind = 2 if isinstance(key.domain, EcDomain) else 1
    reference = () if key.key_id is None else (integer(key.key_id),)
    return tlv(0x30, oid(f"{BSI}.1.{kind}"), _static_public_key_info(key), *reference)


def _static_public_key_info(key: StaticKey) -> bytes:
    domain = key.domain
    if isinstance(domain, EcDomain):
        # Explicit parameters, as most real chips have them.
        curve = domain.curve
        field_bytes = curve.field_bytes
        parameters = tlv(
            0x30,
            integer(1),
            tlv(0x30, oid("1.2.840.10045.1.1"), integer(curve.p)),
            tlv(0x30, tlv(0x04, curve.a.to_bytes(field_bytes)), tlv(0x04, curve.b.to_bytes(field_bytes))),
            tlv(0x04, curve.generator),
            integer(curve.n),
            integer(curve.h),
        )
        return tlv(0x30, tlv(0x30, oid("1.2.840.10045.2.1"), parameters), tlv(0x03, b"\x00", key.public))
    if not isinstance(domain, DhDomain):
        raise TypeError(f"no public key is written for {domain}")
    numbers = tlv(0x30, integer(domain.p), integer(domain.generator), integer(domain.q))
    algorithm = tlv(0x30, oid("1.2.840.10046.2.1"), numbers)
    return tlv(0x30, algorithm, tlv(0x03, b"\x00", integer(int.from_bytes(key.public))))


def _public_key_info(signing: SigningKey) -> bytes:
    der = signing.key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    return bytes(asn1_keys.PublicKeyInfo.load(der).dump())

"""SecurityInfos: what a chip says that it can do (Doc 9303-11 section 9.2), in EF.CardAccess, EF.CardSecurity and DG14."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from drivers.chip import libcrypto, tlv
from drivers.chip.domain import DhDomain, Domain, ec_domain, standardised
from drivers.chip.errors import ChipFailed, Reason
from drivers.chip.symmetric import BlockCipher

_BSI = bytes.fromhex("04007F00070202")
_PACE, _CA, _CA_KEY = _BSI + b"\x04", _BSI + b"\x03", _BSI + b"\x01"
_AA = bytes.fromhex("678108010105")
_EC_PUBLIC_KEY = bytes.fromhex("2A8648CE3D0201")
_PRIME_FIELD = bytes.fromhex("2A8648CE3D0101")
_STANDARDISED = bytes.fromhex("04007F00070102")
_DH_NUMBERS = (bytes.fromhex("2A864886F70D010301"), bytes.fromhex("2A8648CE3E0201"))
_SIGNED_DATA = bytes.fromhex("2A864886F70D010702")
_CIPHERS = {1: BlockCipher.TDES, 2: BlockCipher.AES_128, 3: BlockCipher.AES_192, 4: BlockCipher.AES_256}
_SEQUENCE, _SET, _OID, _INTEGER, _BITS, _OCTETS = 0x30, 0x31, 0x06, 0x02, 0x03, 0x04


class Mapping(StrEnum):
    GENERIC = "GM"
    INTEGRATED = "IM"
    CHIP_AUTHENTICATION = "CAM"


_PACE_KINDS = {
    1: (False, Mapping.GENERIC),
    2: (True, Mapping.GENERIC),
    3: (False, Mapping.INTEGRATED),
    4: (True, Mapping.INTEGRATED),
    6: (True, Mapping.CHIP_AUTHENTICATION),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class PaceInfo:
    """One way into the chip. ``oid`` as its content bytes; ``parameter_id`` None when the chip gives its own parameters."""

    oid: bytes
    is_ec: bool
    mapping: Mapping
    cipher: BlockCipher
    version: int
    parameter_id: int | None

    @property
    def name(self) -> str:
        return f"PACE-{'ECDH' if self.is_ec else 'DH'}-{self.mapping}-{self.cipher}"


@dataclass(frozen=True, slots=True, kw_only=True)
class ChipAuthenticationInfo:
    oid: bytes
    is_ec: bool
    cipher: BlockCipher
    version: int
    key_id: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ChipPublicKey:
    """A static key of the chip; it is worth what the signature over its file is worth."""

    domain: Domain
    public: bytes
    key_id: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class SecurityInfos:
    """``unknown`` counts the ones that are of no use to us; ``pace_raw`` are the PACE infos in their bytes, to compare files by."""

    pace: tuple[PaceInfo, ...] = ()
    chip_authentication: tuple[ChipAuthenticationInfo, ...] = ()
    chip_keys: tuple[ChipPublicKey, ...] = ()
    active_authentication_oid: bytes | None = None
    pace_raw: frozenset[bytes] = frozenset()
    unknown: int = 0


def parse_security_infos(data: bytes) -> SecurityInfos:
    """``data``: a SET OF SecurityInfo, as EF.CardAccess holds it. `ChipFailed` (broken) when it is none.

    A single info that is malformed or not supported is counted as unknown: others may still do.
    """
    pace: list[PaceInfo] = []
    authentication: list[ChipAuthenticationInfo] = []
    keys: list[ChipPublicKey] = []
    active: bytes | None = None
    raw: set[bytes] = set()
    unknown = 0
    for info in tlv.only(data, _SET).children():
        try:
            oid, required, optional = _split(info)
            if oid.startswith(_PACE) and len(oid) == len(_PACE) + 2:
                pace.append(_pace(oid, required, optional))
                raw.add(info.raw)
            elif oid.startswith(_CA) and len(oid) == len(_CA) + 2:
                authentication.append(_chip_authentication(oid, required, optional))
            elif oid.startswith(_CA_KEY) and len(oid) == len(_CA_KEY) + 1:
                keys.append(_chip_key(required, optional))
            elif oid == _AA:
                active = optional.value if optional is not None and optional.tag == _OID else None
            else:
                unknown += 1
        except (ChipFailed, ValueError):
            unknown += 1
    return SecurityInfos(
        pace=tuple(pace),
        chip_authentication=tuple(authentication),
        chip_keys=tuple(keys),
        active_authentication_oid=active,
        pace_raw=frozenset(raw),
        unknown=unknown,
    )


def card_security_content(data: bytes) -> bytes:
    """The SecurityInfos inside EF.CardSecurity, a CMS SignedData whose signature is somebody else's to verify."""
    outer = tlv.only(data, _SEQUENCE).children()
    if len(outer) < 2 or outer[0].value != _SIGNED_DATA:
        raise ChipFailed(Reason.BROKEN, "EF.CardSecurity holds no signed data")
    fields = tlv.only(outer[1].value, _SEQUENCE).children()
    encapsulated = next((one for one in fields if one.tag == _SEQUENCE), None)
    parts = encapsulated.children() if encapsulated is not None else []
    if len(parts) < 2:
        raise ChipFailed(Reason.BROKEN, "EF.CardSecurity signs nothing")
    return tlv.only(parts[1].value, _OCTETS).value


def parse_public_key(data: bytes) -> tuple[Domain, bytes]:
    """A SubjectPublicKeyInfo on a curve or in a prime group: its parameters, and the key as it is sent.

    Explicit parameters are recognised by value as one of the curves of Doc 9303; any other is refused (`ChipFailed`, unsupported).
    """
    parts = tlv.only(data, _SEQUENCE).children()
    if len(parts) < 2:
        raise ChipFailed(Reason.BROKEN, "the chip's public key is incomplete")
    algorithm, bits = parts[:2]
    if bits.tag != _BITS or bits.value[:1] != b"\x00":
        raise ChipFailed(Reason.BROKEN, "the chip's public key is no whole number of bytes")
    key = bits.value[1:]
    named = algorithm.children()
    if not named:
        raise ChipFailed(Reason.BROKEN, "the chip's public key names no algorithm")
    oid, *parameters = named
    if oid.value == _STANDARDISED and parameters:
        return standardised(int.from_bytes(parameters[0].value)), key
    if oid.value == _EC_PUBLIC_KEY and parameters:
        return _ec_parameters(parameters[0]), key
    if oid.value in _DH_NUMBERS and parameters:
        domain = _dh_parameters(parameters[0], oid.value)
        number = int.from_bytes(tlv.only(key, _INTEGER).value)
        if number >= domain.p:
            raise ChipFailed(Reason.BROKEN, "the chip's public key is outside the group")
        return domain, number.to_bytes((domain.p.bit_length() + 7) // 8)
    raise ChipFailed(Reason.UNSUPPORTED, f"the chip's public key is of an unknown kind ({oid.value.hex()})")


def _split(info: tlv.Tlv) -> tuple[bytes, tlv.Tlv, tlv.Tlv | None]:
    parts = info.children()
    if info.tag != _SEQUENCE or len(parts) < 2 or parts[0].tag != _OID:
        raise ChipFailed(Reason.BROKEN, "a SecurityInfo is no sequence of an identifier and data")
    return parts[0].value, parts[1], parts[2] if len(parts) > 2 else None


def _pace(oid: bytes, version: tlv.Tlv, parameter: tlv.Tlv | None) -> PaceInfo:
    kind, cipher = oid[-2], oid[-1]
    if kind not in _PACE_KINDS or cipher not in _CIPHERS or (kind == 6 and cipher == 1):
        raise ChipFailed(Reason.UNSUPPORTED, f"PACE protocol {kind}.{cipher} does not exist")
    is_ec, mapping = _PACE_KINDS[kind]
    return PaceInfo(
        oid=oid,
        is_ec=is_ec,
        mapping=mapping,
        cipher=_CIPHERS[cipher],
        version=int.from_bytes(version.value),
        parameter_id=None if parameter is None else int.from_bytes(parameter.value),
    )


def _chip_authentication(oid: bytes, version: tlv.Tlv, key_id: tlv.Tlv | None) -> ChipAuthenticationInfo:
    kind, cipher = oid[-2], oid[-1]
    if kind not in (1, 2) or cipher not in _CIPHERS:
        raise ChipFailed(Reason.UNSUPPORTED, f"chip authentication {kind}.{cipher} does not exist")
    return ChipAuthenticationInfo(
        oid=oid,
        is_ec=kind == 2,
        cipher=_CIPHERS[cipher],
        version=int.from_bytes(version.value),
        key_id=None if key_id is None else int.from_bytes(key_id.value),
    )


def _chip_key(key: tlv.Tlv, key_id: tlv.Tlv | None) -> ChipPublicKey:
    domain, public = parse_public_key(key.raw)
    return ChipPublicKey(domain=domain, public=public, key_id=None if key_id is None else int.from_bytes(key_id.value))


def _ec_parameters(parameters: tlv.Tlv) -> Domain:
    if parameters.tag == _OID:
        for name in libcrypto.CURVE_NAMES:
            if libcrypto.curve(name).oid == parameters.value:
                return ec_domain(name)
        raise ChipFailed(Reason.UNSUPPORTED, f"the chip's key is on an unknown curve ({parameters.value.hex()})")
    try:
        _, field, coefficients, base, order, *_ = parameters.children()
        kind, prime = field.children()
        a, b, *_ = coefficients.children()
    except ValueError as error:
        raise ChipFailed(Reason.BROKEN, "the parameters of the chip's key are incomplete") from error
    if kind.value == _PRIME_FIELD:
        given = tuple(int.from_bytes(one.value) for one in (prime, a, b, order))
        for name in libcrypto.CURVE_NAMES:
            curve = libcrypto.curve(name)
            generators = (curve.generator, bytes((2 + curve.generator[-1] % 2,)) + curve.x_of(curve.generator))
            if given == (curve.p, curve.a, curve.b, curve.n) and base.value in generators:
                return ec_domain(name)
    raise ChipFailed(Reason.UNSUPPORTED, "the chip's key is on a curve of its own, which is refused")


def _dh_parameters(parameters: tlv.Tlv, oid: bytes) -> DhDomain:
    numbers = [int.from_bytes(one.value) for one in parameters.children() if one.tag == _INTEGER]
    if len(numbers) < 2:
        raise ChipFailed(Reason.BROKEN, "the parameters of the chip's key are incomplete")
    p, generator = numbers[:2]
    for known in (0, 1, 2):
        group = standardised(known)
        if isinstance(group, DhDomain) and (group.p, group.generator) == (p, generator):
            return group
    # X9.42 (RFC 3279) gives the subgroup's order; PKCS #3 does not, and without it a key cannot be checked.
    if oid == _DH_NUMBERS[1] and len(numbers) > 2 and 1024 <= p.bit_length() <= 4096:
        q = numbers[2]
        is_group = p % 2 == 1 and q.bit_length() >= 160 and (p - 1) % q == 0
        if is_group and libcrypto.power(generator, q, p) == 1 < generator:
            return DhDomain(p, generator, q)
    raise ChipFailed(Reason.UNSUPPORTED, "the chip's key is in a group of its own, which is refused")

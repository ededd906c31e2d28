"""What a virtual chip holds: its files, its keys, the protocols it offers, its habits and its bad ones."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from cryptography.hazmat.primitives.asymmetric import ec, rsa

from drivers.chip.access_key import MrzKey
from drivers.chip.domain import Domain
from drivers.chip.symmetric import BlockCipher
from simulator.chip.tlv import integer, oid, tlv

BSI = "0.4.0.127.0.7.2.2"
CIPHER_ARCS = {BlockCipher.TDES: 1, BlockCipher.AES_128: 2, BlockCipher.AES_192: 3, BlockCipher.AES_256: 4}
_MAPPING_ARCS = {("DH", "GM"): 1, ("ECDH", "GM"): 2, ("DH", "IM"): 3, ("ECDH", "IM"): 4, ("ECDH", "CAM"): 6}


@dataclass(frozen=True, slots=True, kw_only=True)
class PaceOption:
    """One PACE that the chip offers. ``mapping``: "GM", "IM" or "CAM"; ``parameter_id`` of Doc 9303-11 table 6."""

    mapping: str = "GM"
    parameter_id: int = 12
    cipher: BlockCipher = BlockCipher.AES_128

    @property
    def identifier(self) -> bytes:
        """The object identifier with its tag (DER)."""
        kind = "DH" if self.parameter_id < 8 else "ECDH"
        return oid(f"{BSI}.4.{_MAPPING_ARCS[kind, self.mapping]}.{CIPHER_ARCS[self.cipher]}")

    @property
    def info(self) -> bytes:
        """PACEInfo (DER)."""
        return tlv(0x30, self.identifier, integer(2), integer(self.parameter_id))


@dataclass(frozen=True, slots=True, kw_only=True)
class StaticKey:
    """A static key for chip authentication, with the protocol it is for."""

    domain: Domain
    private: int
    cipher: BlockCipher = BlockCipher.AES_128
    key_id: int | None = None

    @property
    def public(self) -> bytes:
        return self.domain.public_of(self.private)


@dataclass(frozen=True, slots=True, kw_only=True)
class SigningKey:
    """The key of active authentication, and the hash it signs with."""

    key: rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey
    digest: str = "sha256"


@dataclass(frozen=True, slots=True, kw_only=True)
class ChipProfile:
    """``files`` and ``master_files`` by file identifier, whole with their tags.

    ``max_answer_bytes``: what the chip's buffer holds of one answer, protection included; more is refused with 6700.
    ``claims`` gives a file a longer life than it has: reading on beyond its end yields zeros (an endless file).
    """

    mrz: MrzKey
    files: Mapping[int, bytes]
    master_files: Mapping[int, bytes]
    can: str | None = None
    pace: tuple[PaceOption, ...] = ()
    has_bac: bool = True
    is_open: bool = False
    chip_keys: tuple[StaticKey, ...] = ()
    mapping_key: StaticKey | None = None
    signing_key: SigningKey | None = None
    is_extended: bool = True
    is_reticent: bool = False
    """Takes extended length and does not say so when it is powered up, as chips of type B."""
    has_short_identifiers: bool = True
    has_key_agreement_template: bool = True
    """Whether chip authentication with 3DES goes by MSE:Set KAT; else by GENERAL AUTHENTICATE only."""
    max_answer_bytes: int = 65538
    endless: frozenset[int] = frozenset()

    @property
    def atr(self) -> bytes:
        """A contactless chip's, as PC/SC makes it up: the last of the capabilities says whether length may be extended."""
        says_so = self.is_extended and not self.is_reticent
        historical = bytes((0x80, 0x73, 0xC6, 0x21, 0xC0 if says_so else 0x80))
        body = bytes((0x80 | len(historical), 0x80, 0x01)) + historical
        check = 0
        for byte in body:
            check ^= byte
        return b"\x3b" + body + bytes((check,))

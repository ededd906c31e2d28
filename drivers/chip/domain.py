"""Domain parameters of key agreements, on curves and in prime groups alike: PACE and chip authentication run over either.

Sources: Doc 9303-11 sections 4.4.3.3 (mappings), 9.5.1 (standardised parameters), 9.6 (key agreement), appendix B (point encoding).
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cache

from drivers.chip import libcrypto
from drivers.chip.dh_groups import RFC5114_1024_160, RFC5114_2048_224, RFC5114_2048_256
from drivers.chip.errors import ChipFailed, Reason
from drivers.chip.symmetric import BlockCipher, encrypt_cbc

Random = Callable[[int], bytes]
"""That many random bytes, as `secrets.token_bytes` gives them."""

_DH_GROUPS = {0: RFC5114_1024_160, 1: RFC5114_2048_224, 2: RFC5114_2048_256}
_CURVES = {
    8: "secp192r1",
    9: "brainpoolP192r1",
    10: "secp224r1",
    11: "brainpoolP224r1",
    12: "secp256r1",
    13: "brainpoolP256r1",
    14: "brainpoolP320r1",
    15: "secp384r1",
    16: "brainpoolP384r1",
    17: "brainpoolP512r1",
    18: "secp521r1",
}
STANDARDISED = (*_DH_GROUPS, *_CURVES)
"""Identifiers that :func:`standardised` knows (table 6)."""

_C0_128, _C1_128 = "a668892a7c41e3ca739f40b057d85904", "a4e136ac725f738b01c1f60217c188ad"
_C0_256 = "d463d65234124ef7897054986dca0a174e28df758cbaa03f240616414d5a1676"
_C1_256 = "54bd7255f0aaf831bec3423fcf39d69b6cbf066677d0faae5aadd99df8e53517"


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyPair:
    private: int
    public: bytes
    """As it is sent: an uncompressed point, or a number as long as the modulus."""


class Domain(ABC):
    """A group with a generator of prime order. All methods that take a peer's key raise `ChipFailed` (broken) for a bad one."""

    @property
    @abstractmethod
    def order(self) -> int: ...

    @property
    @abstractmethod
    def public_tag(self) -> int:
        """Of a public key in the data that an authentication token is computed over: 0x86 on curves, 0x84 in prime groups."""

    @abstractmethod
    def public_of(self, private: int) -> bytes: ...

    @abstractmethod
    def in_token(self, public: bytes) -> bytes:
        """A public key as a token covers it (section 9.4): numbers without leading zeros, however they were sent."""

    @abstractmethod
    def agree(self, private: int, peer: bytes) -> bytes:
        """The shared secret: the x coordinate, or the number, in full length."""

    @abstractmethod
    def map_generic(self, nonce: bytes, private: int, peer: bytes) -> Domain:
        """Generic mapping: a new generator out of the nonce and an agreement's whole result."""

    @abstractmethod
    def map_integrated(self, cipher: BlockCipher, nonce: bytes, ours: bytes) -> Domain:
        """Integrated mapping: a new generator out of the chip's nonce s and the terminal's t."""

    def generate(self, random: Random) -> KeyPair:
        """A new key pair, private key uniform in 1..order-1."""
        # Eight bytes more than the order has make the remainder's bias less than 2**-64.
        size = (self.order.bit_length() + 7) // 8 + 8
        private = int.from_bytes(random(size)) % (self.order - 1) + 1
        return KeyPair(private=private, public=self.public_of(private))


@dataclass(frozen=True, slots=True)
class EcDomain(Domain):
    curve: libcrypto.Curve
    generator: bytes

    @property
    def order(self) -> int:
        return self.curve.n

    @property
    def public_tag(self) -> int:
        return 0x86

    def public_of(self, private: int) -> bytes:
        return self.curve.multiply(private, self.generator)

    def in_token(self, public: bytes) -> bytes:
        return public

    def agree(self, private: int, peer: bytes) -> bytes:
        return self.curve.x_of(self.times(private, peer))

    def times(self, private: int, peer: bytes) -> bytes:
        """The whole point: private * peer."""
        try:
            return self.curve.multiply(private, peer)
        except libcrypto.NotOnCurve as error:
            raise ChipFailed(Reason.BROKEN, f"the chip's public key is not on the curve {self.curve.name}") from error

    def map_generic(self, nonce: bytes, private: int, peer: bytes) -> EcDomain:
        shared = self.times(private, peer)
        try:
            generator = self.curve.multiply_add(int.from_bytes(nonce) % self.order, self.generator, shared)
        except libcrypto.NotOnCurve as error:
            raise ChipFailed(Reason.BROKEN, "the mapped generator is no generator") from error
        return EcDomain(self.curve, generator)

    def map_integrated(self, cipher: BlockCipher, nonce: bytes, ours: bytes) -> EcDomain:
        curve = self.curve
        if curve.p % 4 != 3:
            raise ChipFailed(Reason.UNSUPPORTED, f"the integrated mapping is not defined on {curve.name}")
        x, y = _encode_point(curve, pseudo_random(cipher, nonce, ours, curve.p))
        return replace(self, generator=curve.multiply(curve.h, curve.encode(x, y)))


@dataclass(frozen=True, slots=True)
class DhDomain(Domain):
    p: int
    generator: int
    q: int

    @property
    def order(self) -> int:
        return self.q

    @property
    def public_tag(self) -> int:
        return 0x84

    def public_of(self, private: int) -> bytes:
        return self._encode(libcrypto.power(self.generator, private, self.p))

    def in_token(self, public: bytes) -> bytes:
        return public.lstrip(b"\x00")

    def agree(self, private: int, peer: bytes) -> bytes:
        return self._encode(libcrypto.power(self._decode(peer), private, self.p))

    def map_generic(self, nonce: bytes, private: int, peer: bytes) -> DhDomain:
        shared = libcrypto.power(self._decode(peer), private, self.p)
        return self._with(libcrypto.power(self.generator, int.from_bytes(nonce), self.p) * shared % self.p)

    def map_integrated(self, cipher: BlockCipher, nonce: bytes, ours: bytes) -> DhDomain:
        x = pseudo_random(cipher, nonce, ours, self.p)
        return self._with(libcrypto.power(x, (self.p - 1) // self.q, self.p))

    def _with(self, generator: int) -> DhDomain:
        if generator <= 1:
            raise ChipFailed(Reason.BROKEN, "the mapped generator is no generator")
        return replace(self, generator=generator)

    def _encode(self, number: int) -> bytes:
        return number.to_bytes((self.p.bit_length() + 7) // 8)

    def _decode(self, peer: bytes) -> int:
        # Keys outside the subgroup would give away our private key modulo a small factor.
        number = int.from_bytes(peer)
        if not 1 < number < self.p - 1 or libcrypto.power(number, self.q, self.p) != 1:
            raise ChipFailed(Reason.BROKEN, "the chip's public key is outside the group")
        return number


@cache
def standardised(identifier: int) -> Domain:
    """Parameters 0 to 2 and 8 to 18 of table 6. `ChipFailed` (unsupported) for a number that stands for nothing."""
    if identifier in _DH_GROUPS:
        return DhDomain(*_DH_GROUPS[identifier])
    if identifier in _CURVES:
        return ec_domain(_CURVES[identifier])
    raise ChipFailed(Reason.UNSUPPORTED, f"the chip asks for domain parameters {identifier}, which are reserved")


def ec_domain(name: str) -> EcDomain:
    """A curve of Doc 9303-11 with its own generator."""
    curve = libcrypto.curve(name)
    return EcDomain(curve, curve.generator)


def nonce_bytes(cipher: BlockCipher) -> int:
    """Length of the chip's nonce: whole blocks, no shorter than the key (section 4.4.3.3)."""
    return 32 if cipher.key_bytes > 16 else 16


def pseudo_random(cipher: BlockCipher, nonce: bytes, ours: bytes, p: int) -> int:
    """R_p(s, t) of section 4.4.3.3.2, a number below p."""
    size = nonce_bytes(cipher)
    c0, c1 = (bytes.fromhex(one) for one in ((_C0_128, _C1_128) if size == 16 else (_C0_256, _C1_256)))
    if len(nonce) != size or len(ours) != cipher.key_bytes:
        raise ChipFailed(Reason.BROKEN, f"the chip's nonce has {len(nonce)} bytes where {size} belong")
    key = encrypt_cbc(cipher, ours, nonce)[: cipher.key_bytes]
    parts = b""
    while len(parts) * 8 < p.bit_length() + 64:
        parts += encrypt_cbc(cipher, key, c1)
        key = encrypt_cbc(cipher, key, c0)[: cipher.key_bytes]
    return int.from_bytes(parts) % p


def _encode_point(curve: libcrypto.Curve, t: int) -> tuple[int, int]:
    """Appendix B.2, in its own numbering; p is 3 modulo 4."""
    p, a, b = curve.p, curve.a, curve.b
    alpha = -t * t % p
    denominator = (alpha + alpha * alpha) % p
    if not denominator:
        raise ChipFailed(Reason.BROKEN, "the nonces do not map to a point")
    x2 = -b * pow(a, -1, p) * (1 + pow(denominator, -1, p)) % p
    x3 = alpha * x2 % p
    h2 = (x2 * x2 * x2 + a * x2 + b) % p
    u = t * t * t * h2 % p
    root = libcrypto.power(h2, p - 1 - (p + 1) // 4, p)
    return (x2, root * h2 % p) if root * root * h2 % p == 1 else (x3, root * u % p)

"""Elliptic-curve points and modular powers by OpenSSL's libcrypto, which `cryptography` does not hand out (decisions/0033).

PACE multiplies points that are no standard generator, adds points, and uses all brainpool curves. Every function here is a thin call;
no arithmetic on curves is ours. Points are uncompressed octet strings (04 x y), scalars and field elements are integers.
"""

from __future__ import annotations

import ctypes
import ctypes.util
from ctypes import POINTER, byref, c_char_p, c_int, c_long, c_size_t, c_ubyte, c_void_p
from dataclasses import dataclass, field
from functools import cache
from typing import Any

from drivers.chip.tlv import wrap
from drivers.errors import DeviceError

_UNCOMPRESSED = 4

CURVE_NAMES = {
    "secp192r1": "prime192v1",
    "secp224r1": "secp224r1",
    "secp256r1": "prime256v1",
    "secp384r1": "secp384r1",
    "secp521r1": "secp521r1",
    "brainpoolP192r1": "brainpoolP192r1",
    "brainpoolP224r1": "brainpoolP224r1",
    "brainpoolP256r1": "brainpoolP256r1",
    "brainpoolP320r1": "brainpoolP320r1",
    "brainpoolP384r1": "brainpoolP384r1",
    "brainpoolP512r1": "brainpoolP512r1",
}
"""The curves of Doc 9303-11 table 6, and OpenSSL's names of them."""


class NotOnCurve(ValueError):
    """Bytes that are no point of the curve, or the point at infinity where none may be."""


@dataclass(frozen=True, slots=True)
class Curve:
    """A curve over a prime field, y² = x³ + ax + b, its generator of prime order n with cofactor h."""

    name: str
    p: int
    a: int
    b: int
    n: int
    h: int
    generator: bytes
    oid: bytes
    """Content bytes of the object identifier."""
    _group: int = field(repr=False, compare=False)

    @property
    def field_bytes(self) -> int:
        return (self.p.bit_length() + 7) // 8

    def multiply(self, scalar: int, point: bytes) -> bytes:
        """scalar * point. `NotOnCurve` when `point` is none or the product is at infinity."""
        return self._combine(scalar, point, None)

    def multiply_add(self, scalar: int, point: bytes, addend: bytes) -> bytes:
        """scalar * point + addend, as the generic mapping wants it."""
        return self._combine(scalar, point, addend)

    def encode(self, x: int, y: int) -> bytes:
        """A point by its coordinates; whether it is on the curve shows when it is used."""
        return bytes((_UNCOMPRESSED,)) + x.to_bytes(self.field_bytes) + y.to_bytes(self.field_bytes)

    def x_of(self, point: bytes) -> bytes:
        """The x coordinate, `field_bytes` long."""
        return point[1 : 1 + self.field_bytes]

    def verify(self, public_key: bytes, hash_name: str, message: bytes, r: int, s: int) -> bool:
        """ECDSA (hash_name as `hashlib` has it). False for a bad signature and for a key that is no point."""
        lib = _lib()
        bits = b"\x00" + public_key
        algorithm = wrap(0x30, wrap(0x06, bytes.fromhex("2A8648CE3D0201")) + wrap(0x06, self.oid))
        spki = wrap(0x30, algorithm + wrap(0x03, bits))
        signature = wrap(0x30, _integer(r) + _integer(s))
        key = lib.d2i_PUBKEY(None, byref(c_char_p(spki)), len(spki))
        if not key:
            lib.ERR_clear_error()
            return False
        context = lib.EVP_MD_CTX_new()
        try:
            digest = lib.EVP_get_digestbyname(hash_name.encode())
            if not digest or lib.EVP_DigestVerifyInit(context, None, digest, None, key) != 1:
                raise ValueError(f"libcrypto cannot verify ECDSA with {hash_name}")
            return bool(lib.EVP_DigestVerify(context, signature, len(signature), message, len(message)) == 1)
        finally:
            lib.EVP_MD_CTX_free(context)
            lib.EVP_PKEY_free(key)
            lib.ERR_clear_error()

    def _combine(self, scalar: int, point: bytes, addend: bytes | None) -> bytes:
        lib = _lib()
        product, operand = lib.EC_POINT_new(self._group), lib.EC_POINT_new(self._group)
        number = _to_bn(scalar)
        try:
            if point == self.generator:
                # Of P-256's own generator libcrypto keeps a table of multiples, six times as fast.
                _check(lib.EC_POINT_mul(self._group, product, number, None, None, None))
            else:
                self._load(operand, point)
                _check(lib.EC_POINT_mul(self._group, product, None, operand, number, None))
            if addend is not None:
                self._load(operand, addend)
                _check(lib.EC_POINT_add(self._group, product, product, operand, None))
            return self._store(product)
        finally:
            lib.EC_POINT_clear_free(product)
            lib.EC_POINT_clear_free(operand)
            lib.BN_clear_free(number)

    def _load(self, handle: int, point: bytes) -> None:
        lib = _lib()
        is_formed = len(point) == 1 + 2 * self.field_bytes and point[0] == _UNCOMPRESSED
        if not is_formed or lib.EC_POINT_oct2point(self._group, handle, point, len(point), None) != 1:
            lib.ERR_clear_error()
            raise NotOnCurve(f"these {len(point)} bytes are no point of {self.name}")

    def _store(self, handle: int) -> bytes:
        lib = _lib()
        if lib.EC_POINT_is_at_infinity(self._group, handle):
            raise NotOnCurve(f"a product is the point at infinity of {self.name}")
        buffer = ctypes.create_string_buffer(1 + 2 * self.field_bytes)
        size = lib.EC_POINT_point2oct(self._group, handle, _UNCOMPRESSED, buffer, len(buffer), None)
        if size != len(buffer):
            raise RuntimeError("libcrypto did not give a point's bytes")
        return buffer.raw


@cache
def curve(name: str) -> Curve:
    """A curve of :data:`CURVE_NAMES`. KeyError for another name, `DeviceError` when libcrypto was built without it."""
    lib = _lib()
    nid = lib.OBJ_sn2nid(CURVE_NAMES[name].encode())
    group = lib.EC_GROUP_new_by_curve_name(nid)
    if not group:
        raise DeviceError(f"OpenSSL's libcrypto has no curve {name}; install a build with all curves of RFC 5639.")
    numbers = [lib.BN_new() for _ in range(5)]
    _check(lib.EC_GROUP_get_curve(group, *numbers[:3], None))
    _check(lib.EC_GROUP_get_order(group, numbers[3], None))
    _check(lib.EC_GROUP_get_cofactor(group, numbers[4], None))
    p, a, b, n, h = (_from_bn(number) for number in numbers)
    buffer = ctypes.create_string_buffer(1 + 2 * ((p.bit_length() + 7) // 8))
    generator = lib.EC_GROUP_get0_generator(group)
    lib.EC_POINT_point2oct(group, generator, _UNCOMPRESSED, buffer, len(buffer), None)
    for number in numbers:
        lib.BN_free(number)
    return Curve(name, p, a, b, n, h, buffer.raw, _oid(nid), group)


def power(base: int, exponent: int, modulus: int) -> int:
    """base ** exponent mod an odd modulus, in a time that does not depend on the exponent's bits."""
    lib = _lib()
    numbers = [_to_bn(value) for value in (0, base, exponent, modulus)]
    context = lib.BN_CTX_new()
    try:
        result, *rest = numbers
        _check(lib.BN_mod_exp_mont_consttime(result, *rest, context, None))
        return _from_bn(result)
    finally:
        lib.BN_CTX_free(context)
        for number in numbers:
            lib.BN_clear_free(number)


def _check(is_done: int) -> None:
    if is_done != 1:
        lib = _lib()
        code = lib.ERR_get_error()
        lib.ERR_clear_error()
        raise RuntimeError(f"libcrypto failed with error {code:#x}")


def _to_bn(value: int) -> int:
    data = value.to_bytes((value.bit_length() + 7) // 8 or 1)
    number: int = _lib().BN_bin2bn(data, len(data), None)
    return number


def _from_bn(number: int) -> int:
    lib = _lib()
    buffer = ctypes.create_string_buffer((lib.BN_num_bits(number) + 7) // 8 or 1)
    size = lib.BN_bn2bin(number, buffer)
    return int.from_bytes(buffer.raw[:size])


def _oid(nid: int) -> bytes:
    lib = _lib()
    out = POINTER(c_ubyte)()
    size = lib.i2d_ASN1_OBJECT(lib.OBJ_nid2obj(nid), byref(out))
    data = bytes(out[:size])
    lib.CRYPTO_free(out, None, 0)
    return data[2:]


def _integer(value: int) -> bytes:
    return wrap(0x02, value.to_bytes(value.bit_length() // 8 + 1))


_SIGNATURES: dict[str, tuple[Any, list[Any]]] = {
    "BN_new": (c_void_p, []),
    "BN_free": (None, [c_void_p]),
    "BN_clear_free": (None, [c_void_p]),
    "BN_bin2bn": (c_void_p, [c_char_p, c_int, c_void_p]),
    "BN_bn2bin": (c_int, [c_void_p, c_char_p]),
    "BN_num_bits": (c_int, [c_void_p]),
    "BN_CTX_new": (c_void_p, []),
    "BN_CTX_free": (None, [c_void_p]),
    "BN_mod_exp_mont_consttime": (c_int, [c_void_p] * 6),
    "CRYPTO_free": (None, [c_void_p, c_char_p, c_int]),
    "d2i_PUBKEY": (c_void_p, [c_void_p, c_void_p, c_long]),
    "EC_GROUP_get0_generator": (c_void_p, [c_void_p]),
    "EC_GROUP_get_cofactor": (c_int, [c_void_p] * 3),
    "EC_GROUP_get_curve": (c_int, [c_void_p] * 5),
    "EC_GROUP_get_order": (c_int, [c_void_p] * 3),
    "EC_GROUP_new_by_curve_name": (c_void_p, [c_int]),
    "EC_POINT_add": (c_int, [c_void_p] * 5),
    "EC_POINT_clear_free": (None, [c_void_p]),
    "EC_POINT_is_at_infinity": (c_int, [c_void_p] * 2),
    "EC_POINT_mul": (c_int, [c_void_p] * 6),
    "EC_POINT_new": (c_void_p, [c_void_p]),
    "EC_POINT_oct2point": (c_int, [c_void_p, c_void_p, c_char_p, c_size_t, c_void_p]),
    "EC_POINT_point2oct": (c_size_t, [c_void_p, c_void_p, c_int, c_char_p, c_size_t, c_void_p]),
    "ERR_clear_error": (None, []),
    "ERR_get_error": (ctypes.c_ulong, []),
    "EVP_DigestVerify": (c_int, [c_void_p, c_char_p, c_size_t, c_char_p, c_size_t]),
    "EVP_DigestVerifyInit": (c_int, [c_void_p] * 5),
    "EVP_MD_CTX_free": (None, [c_void_p]),
    "EVP_MD_CTX_new": (c_void_p, []),
    "EVP_PKEY_free": (None, [c_void_p]),
    "EVP_get_digestbyname": (c_void_p, [c_char_p]),
    "i2d_ASN1_OBJECT": (c_int, [c_void_p, c_void_p]),
    "OBJ_nid2obj": (c_void_p, [c_int]),
    "OBJ_sn2nid": (c_int, [c_char_p]),
}


@cache
def _lib() -> Any:
    """Handles are void pointers throughout; which kind belongs where is seen to above."""
    name = ctypes.util.find_library("crypto")
    if name is None:
        raise DeviceError("Reading chips needs OpenSSL's libcrypto; install the system package libssl3.")
    lib = ctypes.CDLL(name)
    try:
        for function, (result, arguments) in _SIGNATURES.items():
            getattr(lib, function).restype = result
            getattr(lib, function).argtypes = arguments
    except AttributeError as error:
        raise DeviceError(
            f"OpenSSL's libcrypto ({name}) is too old or cut down: {error}; install OpenSSL 3."
        ) from error
    return lib

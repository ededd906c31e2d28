"""A chip whose PACE is OpenPACE's (Debian: libeac3), an implementation of other hands, through ctypes."""

from __future__ import annotations

import ctypes
from ctypes import c_char_p, c_int, c_size_t, c_ulong, c_void_p
from functools import cache
from typing import Any

from drivers.chip.apdu import parse_command
from drivers.chip.channel import ApduChannel
from simulator.chip.profile import PaceOption
from simulator.chip.tlv import tlv

_CAN = 2
_PACE = 0
_SIGNATURES: dict[str, tuple[Any, list[Any]]] = {
    "EAC_init": (None, []),
    "EAC_CTX_new": (c_void_p, []),
    "EAC_CTX_clear_free": (None, [c_void_p]),
    "EAC_CTX_init_ef_cardaccess": (c_int, [c_char_p, c_size_t, c_void_p]),
    "EAC_CTX_set_encryption_ctx": (c_int, [c_void_p, c_int]),
    "EAC_encrypt": (c_void_p, [c_void_p, c_void_p]),
    "EAC_authenticate": (c_void_p, [c_void_p, c_void_p]),
    "EAC_increment_ssc": (c_int, [c_void_p]),
    "PACE_SEC_new": (c_void_p, [c_char_p, c_size_t, c_int]),
    "PACE_SEC_clear_free": (None, [c_void_p]),
    "PACE_STEP1_enc_nonce": (c_void_p, [c_void_p] * 2),
    "PACE_STEP3A_generate_mapping_data": (c_void_p, [c_void_p]),
    "PACE_STEP3A_map_generator": (c_int, [c_void_p] * 2),
    "PACE_STEP3B_generate_ephemeral_key": (c_void_p, [c_void_p]),
    "PACE_STEP3B_compute_shared_secret": (c_int, [c_void_p] * 2),
    "PACE_STEP3C_derive_keys": (c_int, [c_void_p]),
    "PACE_STEP3D_compute_authentication_token": (c_void_p, [c_void_p] * 2),
    "PACE_STEP3D_verify_authentication_token": (c_int, [c_void_p] * 2),
}


class _Buffer(ctypes.Structure):
    _fields_ = (("length", c_size_t), ("data", c_void_p), ("max", c_size_t), ("flags", c_ulong))


@cache
def libraries() -> tuple[Any, Any]:
    """libeac and the libcrypto that it is linked with. OSError when it is not installed."""
    eac, crypto = ctypes.CDLL("libeac.so.3"), ctypes.CDLL("libcrypto.so.3")
    for name, (result, arguments) in _SIGNATURES.items():
        getattr(eac, name).restype = result
        getattr(eac, name).argtypes = arguments
    crypto.BUF_MEM_new.restype = c_void_p
    crypto.BUF_MEM_grow.argtypes = [c_void_p, c_size_t]
    crypto.BUF_MEM_free.argtypes = [c_void_p]
    eac.EAC_init()
    return eac, crypto


class LibeacChip(ApduChannel):
    """Answers MSE:Set AT and GENERAL AUTHENTICATE, for one password."""

    def __init__(self, option: PaceOption, can: str) -> None:
        self._eac, self._crypto = libraries()
        self._context = self._eac.EAC_CTX_new()
        access = tlv(0x31, option.info)
        assert self._eac.EAC_CTX_init_ef_cardaccess(access, len(access), self._context) == 1
        self._secret = self._eac.PACE_SEC_new(can.encode(), len(can), _CAN)
        assert self._secret
        self._theirs = b""

    def encrypt(self, block: bytes) -> bytes:
        """A block under the session's key, at the first value of its counter."""
        assert self._eac.EAC_CTX_set_encryption_ctx(self._context, _PACE) == 1
        self._eac.EAC_increment_ssc(self._context)
        return self._take(self._eac.EAC_encrypt(self._context, self._give(block)))

    def authenticate(self, block: bytes) -> bytes:
        """The checksum over the present counter and this block."""
        return self._take(self._eac.EAC_authenticate(self._context, self._give(block)))

    def connect(self, timeout_ms: int) -> bytes:
        return b""

    def transmit(self, command: bytes, timeout_ms: int) -> bytes:
        apdu = parse_command(command)
        if apdu.ins == 0x22:
            return b"\x90\x00"
        inner = apdu.data[2:] if apdu.data[1] < 0x80 else apdu.data[2 + (apdu.data[1] & 0x7F) :]
        tag = inner[0] if inner else 0
        start = 2 if not inner or inner[1] < 0x80 else 2 + (inner[1] & 0x7F)
        answer = {0: self._nonce, 0x81: self._map, 0x83: self._agree, 0x85: self._authenticate}[tag](inner[start:])
        return tlv(0x7C, answer) + b"\x90\x00" if answer is not None else b"\x63\x00"

    def is_present(self) -> bool:
        return True

    def close(self) -> None:
        self._eac.EAC_CTX_clear_free(self._context)
        self._eac.PACE_SEC_clear_free(self._secret)

    def _nonce(self, _data: bytes) -> bytes:
        return tlv(0x80, self._take(self._eac.PACE_STEP1_enc_nonce(self._context, self._secret)))

    def _map(self, data: bytes) -> bytes:
        ours = self._take(self._eac.PACE_STEP3A_generate_mapping_data(self._context))
        assert self._eac.PACE_STEP3A_map_generator(self._context, self._give(data)) == 1
        return tlv(0x82, ours)

    def _agree(self, data: bytes) -> bytes:
        self._theirs = data
        ours = self._take(self._eac.PACE_STEP3B_generate_ephemeral_key(self._context))
        assert self._eac.PACE_STEP3B_compute_shared_secret(self._context, self._give(data)) == 1
        assert self._eac.PACE_STEP3C_derive_keys(self._context) == 1
        return tlv(0x84, ours)

    def _authenticate(self, data: bytes) -> bytes | None:
        if self._eac.PACE_STEP3D_verify_authentication_token(self._context, self._give(data)) != 1:
            return None
        token = self._eac.PACE_STEP3D_compute_authentication_token(self._context, self._give(self._theirs))
        return tlv(0x86, self._take(token))

    def _give(self, data: bytes) -> Any:
        handle = self._crypto.BUF_MEM_new()
        self._crypto.BUF_MEM_grow(handle, len(data))
        ctypes.memmove(_Buffer.from_address(handle).data, data, len(data))
        return handle

    def _take(self, handle: Any) -> bytes:
        assert handle, "libeac gave nothing"
        buffer = _Buffer.from_address(handle)
        data = ctypes.string_at(buffer.data, buffer.length)
        self._crypto.BUF_MEM_free(handle)
        return data

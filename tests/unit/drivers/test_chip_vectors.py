"""The worked examples of ICAO Doc 9303 part 11, byte by byte: what independent authors published is what we send and accept."""

from __future__ import annotations

import time
import tomllib
from pathlib import Path
from typing import Any

import pytest

from drivers.chip import libcrypto, tlv
from drivers.chip.access_key import AccessKey, CanKey, MrzKey
from drivers.chip.active_auth import _matches
from drivers.chip.apdu import Command
from drivers.chip.bac import basic_access
from drivers.chip.chip_auth import verify_chip_mapping
from drivers.chip.domain import EcDomain, pseudo_random, standardised
from drivers.chip.errors import ChipFailed, Reason
from drivers.chip.link import ChipLink
from drivers.chip.pace import pace
from drivers.chip.results import AuthOutcome
from drivers.chip.secure_messaging import SecureSession
from drivers.chip.security_infos import ChipPublicKey, PaceInfo, SecurityInfos, parse_security_infos
from drivers.chip.symmetric import ENC, MAC, BlockCipher, derive_key
from drivers.chip.trace import RecordedTrace

VECTORS: dict[str, dict[str, Any]] = tomllib.loads((Path(__file__).parent / "chip_vectors.toml").read_text())
PACE = ("gm_ecdh", "gm_dh", "im_ecdh", "im_dh", "cam_ecdh")


def h(text: str) -> bytes:
    return bytes.fromhex(text)


def key_of(vector: dict[str, Any]) -> AccessKey:
    if "can" in vector:
        return CanKey(number=vector["can"])
    names = ("document_number", "birth_date", "expiry_date")
    return MrzKey(**{name: vector[name] for name in names})


def info_of(vector: dict[str, Any]) -> PaceInfo:
    parameter = tlv.wrap(0x02, bytes((vector["parameter_id"],)))
    one = tlv.wrap(0x30, tlv.wrap(0x06, h(vector["oid"])) + h("020102") + parameter)
    return parse_security_infos(tlv.wrap(0x31, one)).pace[0]


class Script:
    """Randomness that makes the example's keys: a terminal draws its nonce (if it does), then each private key."""

    def __init__(self, vector: dict[str, Any]) -> None:
        self._order = standardised(vector["parameter_id"]).order
        self._nonces = [h(vector["ours"])] if "ours" in vector else []
        self._keys = [int(one, 16) % self._order for one in vector["private_keys"]]

    def __call__(self, count: int) -> bytes:
        if self._nonces:
            return self._nonces.pop()
        return (self._keys.pop(0) - 1).to_bytes(count)


def link_over(*exchanges: tuple[str, str]) -> tuple[ChipLink, RecordedTrace]:
    trace = RecordedTrace([(h(command), h(answer)) for command, answer in exchanges])
    return ChipLink(trace, now_ns=time.monotonic_ns, command_timeout_ms=1000, deadline_ns=1 << 62), trace


def is_session(session: SecureSession, vector: dict[str, Any], cipher: BlockCipher, counter: int) -> bool:
    """The same keys: the next protected command of both is the same."""
    expected = SecureSession(cipher, h(vector["ks_enc"]), h(vector["ks_mac"]), counter)
    command = Command(ins=0xA4, p1=0x02, p2=0x0C, data=h("011E"))
    return session.protect(command) == expected.protect(command)


def test_bac_and_its_secure_messaging_appendix_d() -> None:
    v = VECTORS["bac"]
    key = key_of(v)
    assert key.secret[:16] == h(v["seed"])
    assert derive_key(BlockCipher.TDES, h(v["seed"]), ENC) == h(v["k_enc"])
    assert derive_key(BlockCipher.TDES, h(v["seed"]), MAC) == h(v["k_mac"])
    link, trace = link_over(
        ("0084000008", v["rnd_ic"] + "9000"),
        ("0082000028" + v["e_ifd"] + v["m_ifd"] + "28", v["answer"] + "9000"),
        *v["exchanges"],
    )
    draws = [h(v["rnd_ifd"]), h(v["k_ifd"])]
    assert isinstance(key, MrzKey)
    link.session = basic_access(link, key, lambda _count: draws.pop(0))
    assert link.session.counter == int(v["counter"], 16)

    assert link.send(Command(ins=0xA4, p1=0x02, p2=0x0C, data=h("011E"))).is_ok
    head = link.send(Command(ins=0xB0, expected=4)).data
    rest = link.send(Command(ins=0xB0, p2=0x04, expected=18)).data
    assert head + rest == h(v["com"])
    assert trace.is_finished


@pytest.mark.parametrize("name", PACE)
def test_pace_appendices_g_h_i(name: str) -> None:
    v = VECTORS[name]
    link, trace = link_over(*v["exchanges"])
    done = pace(link, info_of(v), key_of(v), Script(v))
    assert trace.is_finished
    assert is_session(done.session, v, BlockCipher.AES_128, 0)
    assert (done.chip_mapping is not None) == (name == "cam_ecdh")


@pytest.mark.parametrize("name", ["gm_ecdh", "cam_ecdh"])
def test_the_generic_mapping_maps_where_the_example_does(name: str) -> None:
    v = VECTORS[name]
    domain = standardised(v["parameter_id"])
    assert isinstance(domain, EcDomain)
    theirs = tlv.find(h(v["exchanges"][2][1])[2:-2], 0x82)
    assert theirs is not None
    mapped = domain.map_generic(h(v["nonce"]), int(v["private_keys"][0], 16), theirs)
    assert mapped.generator == h(v["mapped"])


def test_the_integrated_mapping_maps_where_the_example_does() -> None:
    v = VECTORS["im_ecdh"]
    domain = standardised(v["parameter_id"])
    assert isinstance(domain, EcDomain)
    mapped = domain.map_integrated(BlockCipher.AES_128, h(v["nonce"]), h(v["ours"]))
    assert pseudo_random(BlockCipher.AES_128, h(v["nonce"]), h(v["ours"]), domain.curve.p) == int(
        v["pseudo_random"], 16
    )
    assert mapped.generator == h(v["mapped"])


@pytest.mark.parametrize("name", PACE)
def test_a_chip_whose_token_differs_in_one_bit_is_not_believed(name: str) -> None:
    v = VECTORS[name]
    exchanges = [list(pair) for pair in v["exchanges"]]
    answer = bytearray(h(exchanges[-1][1]))
    answer[4] ^= 1
    exchanges[-1][1] = answer.hex()
    link, _ = link_over(*((command, reply) for command, reply in exchanges))
    with pytest.raises(ChipFailed) as raised:
        pace(link, info_of(v), key_of(v), Script(v))
    assert raised.value.reason is Reason.BROKEN


@pytest.mark.parametrize("status", ["6300", "63C2", "6982", "6985"])
def test_a_refused_token_is_a_wrong_key(status: str) -> None:
    v = VECTORS["gm_ecdh"]
    link, _ = link_over(*v["exchanges"][:-1], (v["exchanges"][-1][0], status))
    with pytest.raises(ChipFailed) as raised:
        pace(link, info_of(v), key_of(v), Script(v))
    assert raised.value.reason is Reason.DENIED


def test_pace_cam_holds_with_the_chip_s_own_key_only() -> None:
    """Appendix I gives CA_IC and PK_Map; the static key follows from them: PK_IC = CA_IC^-1 * PK_Map."""
    v = VECTORS["cam_ecdh"]
    link, _ = link_over(*v["exchanges"])
    mapping = pace(link, info_of(v), key_of(v), Script(v)).chip_mapping
    assert mapping is not None
    curve = mapping.domain.curve
    static = curve.multiply(pow(mapping.scalar, -1, curve.n), mapping.mapped)
    right = SecurityInfos(chip_keys=(ChipPublicKey(domain=mapping.domain, public=static, key_id=None),))
    assert verify_chip_mapping(mapping, right).outcome is AuthOutcome.PASS
    other = curve.multiply(2, static)
    wrong = SecurityInfos(chip_keys=(ChipPublicKey(domain=mapping.domain, public=other, key_id=None),))
    assert verify_chip_mapping(mapping, wrong).outcome is AuthOutcome.FAIL
    assert verify_chip_mapping(mapping, SecurityInfos()).outcome is AuthOutcome.FAIL


def test_a_public_number_that_begins_with_a_zero_goes_into_a_token_without_it() -> None:
    group, curve = standardised(0), standardised(12)
    assert group.in_token(b"\x00" + bytes(range(1, 128))) == bytes(range(1, 128))
    assert curve.in_token(b"\x04" + bytes(64)) == b"\x04" + bytes(64)


def test_active_authentication_appendix_f() -> None:
    v = VECTORS["aa"]
    recovered, challenge = h(v["recovered"]), h(v["challenge"])
    assert _matches(recovered, challenge)
    assert not _matches(recovered, h("F173589974BF40C7"))
    for at in (0, 1, 60, 110, 126, 127):
        altered = bytearray(recovered)
        altered[at] ^= 0x80 if at == 0 else 1
        assert not _matches(bytes(altered), challenge), at


def test_prime_groups_are_those_that_openssl_has() -> None:
    import ctypes

    lib = libcrypto._lib()
    lib.DH_get0_pqg.argtypes = [ctypes.c_void_p] * 4
    for identifier, name in enumerate(("1024_160", "2048_224", "2048_256")):
        make = getattr(lib, f"DH_get_{name}")
        make.restype = ctypes.c_void_p
        p, q, g = (ctypes.c_void_p() for _ in range(3))
        lib.DH_get0_pqg(make(), ctypes.byref(p), ctypes.byref(q), ctypes.byref(g))
        theirs = [libcrypto._from_bn(number.value) for number in (p, g, q)]
        ours = standardised(identifier)
        assert [ours.p, ours.generator, ours.q] == theirs  # type: ignore[attr-defined]

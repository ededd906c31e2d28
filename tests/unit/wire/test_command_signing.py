"""Who may say what to a lane: signed by the hub, for this lane, in time, once. Everything else is refused and nothing raises."""

import base64
import hashlib
import hmac
import json
import sqlite3
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from joserfc import jws
from joserfc.jwk import OKPKey

from gate.core.clock import ManualClock
from gate.core.release import VerifiedRelease
from gate.errors import GateError
from gate.wire.messages import Act, Command, Receipt
from gate.wire.signing import (
    BEARER_TYPE,
    CLOCK_TOLERANCE_S,
    COMMAND_MAX_LIFE_S,
    COMMAND_TYPE,
    RECEIPT_TYPE,
    CommandVerifier,
    Refused,
    SigningKey,
    VerifiedCommand,
    Verifier,
    VerifyKey,
    make_lane_bearer,
    sign_command,
    sign_receipt,
    verify_lane_bearer,
    verify_receipt,
)

LANE = "port/lane-1"
KEY = SigningKey.generate()
CLOCK = ManualClock()
NOW_S = CLOCK.utc_ms() / 1000


def claims(**changes: Any) -> dict[str, Any]:
    body = {
        "iss": "hub",
        "aud": LANE,
        "jti": "0123456789abcdef",
        "seq": 5,
        "iat": NOW_S,
        "exp": NOW_S + 10,
        "act": "release",
        "by": "ann",
        "case_id": "case-1",
        "occupancy_id": "boot-1",
        "evidence_digest": "d" * 64,
    }
    return {**body, **changes}


class Lane:
    def __init__(self, last_seq: int = 0) -> None:
        self.clock = ManualClock()
        self.remembered: list[int] = []
        self.verifier = CommandVerifier(
            Verifier.trusting(KEY.public()),
            address=LANE,
            clock=self.clock,
            last_seq=last_seq,
            remember=self.remembered.append,
        )

    def reason(self, token: str | bytes) -> str:
        """Why it is refused; a refused command is never remembered, so that it cannot push out a good one."""
        before = list(self.remembered)
        refused = self.verifier.verify(token)
        assert isinstance(refused, Refused)
        assert self.remembered == before
        return refused.reason


def signed(key: SigningKey = KEY, message_type: str = COMMAND_TYPE, **changes: Any) -> str:
    return key.sign(claims(**changes), message_type)


def test_a_release_by_the_book() -> None:
    lane = Lane()
    verified = lane.verifier.verify(signed())
    assert isinstance(verified, VerifiedCommand)
    assert verified.release is not None
    assert verified.evacuation is None
    release = verified.release
    assert (release.release_id, release.lane, release.case_id) == ("0123456789abcdef", LANE, "case-1")
    assert (release.occupancy_id, release.evidence_digest) == ("boot-1", "d" * 64)
    assert release.expires_utc_ms == CLOCK.utc_ms() + 10_000
    assert lane.remembered == [5]


def test_nothing_is_believed_as_long_as_nobody_knows_what_was_seen_before() -> None:
    """A store that cannot be read at the start: a command of before would pass for a new one."""
    lane = Lane()
    is_readable = False

    def last_seq() -> int:
        if not is_readable:
            raise sqlite3.OperationalError("disk I/O error")
        return 5

    lane.verifier = CommandVerifier(
        Verifier.trusting(KEY.public()),
        address=LANE,
        clock=lane.clock,
        last_seq=last_seq,
        remember=lane.remembered.append,
    )
    with pytest.raises(sqlite3.Error):
        lane.verifier.verify(signed(seq=5))
    is_readable = True
    assert lane.reason(signed(seq=5)) == "replayed"
    assert isinstance(lane.verifier.verify(signed(seq=6)), VerifiedCommand)
    assert lane.remembered == [6]


def test_bytes_are_as_good_as_text() -> None:
    assert isinstance(Lane().verifier.verify(signed().encode()), VerifiedCommand)


def test_only_a_release_is_a_release_and_only_an_evacuation_evacuates() -> None:
    for number, act in enumerate(Act, start=1):
        verified = Lane().verifier.verify(signed(act=act.value, seq=number, also_by="ben"))
        assert isinstance(verified, VerifiedCommand)
        assert (verified.release is not None) == (act in (Act.RELEASE, Act.FORCE_OPEN))
        assert (verified.evacuation is not None) == (act is Act.EVACUATE)
        if verified.evacuation is not None:
            assert (verified.evacuation.lane, verified.evacuation.order_id) == (LANE, "0123456789abcdef")


def test_a_command_is_taken_once_also_over_a_restart() -> None:
    lane = Lane()
    token = signed()
    assert isinstance(lane.verifier.verify(token), VerifiedCommand)
    assert lane.reason(token) == "replayed"
    assert lane.reason(signed(seq=4, jti="f" * 32)) == "replayed"
    restarted = Lane(last_seq=lane.remembered[-1])
    assert restarted.reason(token) == "replayed"
    assert isinstance(restarted.verifier.verify(signed(seq=6)), VerifiedCommand)


def test_a_number_is_on_disk_before_the_command_is_believed() -> None:
    """Half written: when the number cannot be kept, the command is not handed on and may come again."""

    def full(_seq: int) -> None:
        raise OSError("disk full")

    verifier = CommandVerifier(
        Verifier.trusting(KEY.public()), address=LANE, clock=ManualClock(), last_seq=0, remember=full
    )
    for _ in range(2):
        with pytest.raises(OSError, match="disk full"):
            verifier.verify(signed())


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"aud": "port/lane-2"}, "not_for_this_lane"),
        ({"aud": "other/lane-1"}, "not_for_this_lane"),
        ({"aud": ""}, "not_for_this_lane"),
        ({"exp": NOW_S}, "expired"),
        ({"exp": NOW_S - 1}, "expired"),
        ({"iat": NOW_S + CLOCK_TOLERANCE_S + 0.01, "exp": NOW_S + 60}, "from_the_future"),
        ({"exp": NOW_S + COMMAND_MAX_LIFE_S + 0.01}, "lives_too_long"),
        ({"iat": -1e300, "exp": 1e300}, "lives_too_long"),
        ({"seq": 0}, "malformed"),
        ({"seq": -1}, "malformed"),
        ({"seq": "five"}, "malformed"),
        ({"act": "open_sesame"}, "malformed"),
        ({"extra": 1}, "malformed"),
        ({"jti": "short"}, "malformed"),
        ({"iat": float("nan")}, "malformed"),
        ({"exp": float("inf")}, "malformed"),
        ({"exp": 10**400}, "malformed"),
        ({"occupancy_id": None}, "malformed"),
        ({"occupancy_id": ""}, "malformed"),
        ({"case_id": None}, "malformed"),
        ({"evidence_digest": None}, "malformed"),
    ],
)
def test_what_is_refused_though_the_hub_signed_it(changes: dict[str, Any], reason: str) -> None:
    assert Lane().reason(signed(**changes)) == reason


def test_times_at_their_limits_are_taken() -> None:
    for changes in (
        {"exp": NOW_S + 0.001},
        {"iat": NOW_S + CLOCK_TOLERANCE_S},
        {"exp": NOW_S + COMMAND_MAX_LIFE_S},
    ):
        assert isinstance(Lane().verifier.verify(signed(**changes)), VerifiedCommand), changes


def test_a_message_of_another_kind_is_no_command() -> None:
    receipt = sign_receipt(KEY, Receipt(aud=LANE, iat=NOW_S, event_ids=["a" * 32]))
    assert Lane().reason(receipt) == "wrong_type"
    assert Lane().reason(signed(message_type=RECEIPT_TYPE)) == "wrong_type"
    assert Lane().reason(signed(message_type=BEARER_TYPE)) == "wrong_type"
    assert Lane().reason(make_lane_bearer(KEY, address=LANE, clock=CLOCK)) == "wrong_type"


def test_a_key_that_is_not_trusted_signs_nothing() -> None:
    assert Lane().reason(signed(SigningKey.generate())) == "unknown_key"


def part(value: object) -> str:
    data = value if isinstance(value, bytes) else json.dumps(value).encode()
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


HEADER = {"alg": "Ed25519", "kid": KEY.kid, "typ": COMMAND_TYPE}


@pytest.mark.parametrize("message_type", [COMMAND_TYPE, RECEIPT_TYPE, BEARER_TYPE])
def test_a_signature_is_the_one_that_a_library_for_jws_makes(message_type: str) -> None:
    said = claims(by="安妮")
    payload = json.dumps(said, separators=(",", ":"), ensure_ascii=False).encode()
    registry = jws.JWSRegistry(algorithms=["Ed25519"], strict_check_header=False)
    header = HEADER | {"typ": message_type}
    assert KEY.sign(said, message_type) == jws.serialize_compact(header, payload, KEY._key, registry=registry)
    read = jws.deserialize_compact(KEY.sign(said, message_type), KEY.public().jose_key, registry=registry)
    assert (read.headers(), json.loads(read.payload)) == (header, said)


def test_a_forger_who_names_our_key_is_refused() -> None:
    other = OKPKey.generate_key("Ed25519")
    forged = jws.serialize_compact(
        HEADER,
        json.dumps(claims()).encode(),
        other,
        registry=jws.JWSRegistry(algorithms=["Ed25519"], strict_check_header=False),
    )
    assert Lane().reason(forged) == "bad_signature"


def test_an_altered_payload_is_refused() -> None:
    head, _, signature = signed().split(".")
    assert Lane().reason(f"{head}.{part(claims(aud='port/lane-1', seq=6))}.{signature}") == "bad_signature"


@pytest.mark.parametrize("changes", [{"seq": 7}, {"typ": RECEIPT_TYPE}, {"kid": "other"}])
def test_an_altered_header_is_refused(changes: dict[str, object]) -> None:
    _, payload, signature = signed().split(".")
    assert Lane().reason(f"{part({**HEADER, **changes})}.{payload}.{signature}")


@pytest.mark.parametrize("algorithm", ["none", "None", "NONE", "", "EdDSA", "HS256", "RS256", "ES256"])
def test_no_other_algorithm_is_taken(algorithm: str) -> None:
    """RFC 8725 3.1: the verifier, not the message, chooses the algorithm."""
    head, payload = part({**HEADER, "alg": algorithm}), part(claims())
    _, _, signature = signed().split(".")
    for tail in ("", signature, part(b"\0" * 64)):
        assert Lane().reason(f"{head}.{payload}.{tail}") == "bad_signature"


def test_the_public_key_is_no_shared_secret() -> None:
    """The classic confusion: HMAC with the public key's bytes."""
    public = KEY.public().jose_key
    for secret in (public.as_pem(private=False), json.dumps(public.as_dict(private=False)).encode()):
        head, payload = part({**HEADER, "alg": "HS256"}), part(claims())
        mac = hmac.new(secret, f"{head}.{payload}".encode(), hashlib.sha256).digest()
        assert Lane().reason(f"{head}.{payload}.{part(mac)}") == "bad_signature"


def test_a_key_that_comes_along_is_not_believed() -> None:
    stranger = OKPKey.generate_key("Ed25519")
    header = {**HEADER, "jwk": stranger.as_dict(private=False)}
    registry = jws.JWSRegistry(algorithms=["Ed25519"], strict_check_header=False)
    token = jws.serialize_compact(header, json.dumps(claims()).encode(), stranger, registry=registry)
    assert Lane().reason(token) == "bad_signature"


@pytest.mark.parametrize(
    "token",
    [
        "",
        ".",
        "..",
        "...",
        "a.b.c",
        "\ud800.a.b",
        "通关",
        b"\xff\xfe\x00",
        b"\x00" * 100,
        "a" * (256 * 1024 + 1),
        f"{part([])}.{part(claims())}.",
        f"{part('text')}.{part(claims())}.",
        f"{part({**HEADER, 'crit': ['exp'], 'exp': 1})}.{part(claims())}.",
        f"{part({**HEADER, 'b64': False, 'crit': ['b64']})}.{part(claims())}.",
        f"{part({**HEADER, 'kid': 7})}.{part(claims())}.",
        f"{part({**HEADER, 'kid': ['x']})}.{part(claims())}.",
        f"{part(b'[' * 20_000)}.a.b",
        part(b'{"a":' * 20_000) + ".a.b",
    ],
    ids=lambda token: repr(token[:20]),
)
def test_junk_is_refused(token: str | bytes) -> None:
    assert Lane().reason(token) in ("bad_signature", "wrong_type", "unknown_key", "too_long")


@pytest.mark.parametrize("payload", [b"[" * 20_000, b"null", b"[]", b'"text"', b"\xff", b"", b"9" * 5000])
def test_a_signed_payload_that_is_no_object_is_refused(payload: bytes) -> None:
    key = OKPKey.import_key(KEY._key.as_dict(private=True))
    token = jws.serialize_compact(
        HEADER, payload, key, registry=jws.JWSRegistry(algorithms=["Ed25519"], strict_check_header=False)
    )
    assert Lane().reason(token) in ("bad_signature", "malformed")


GOOD = signed()


@given(st.one_of(st.text(max_size=200), st.binary(max_size=200)))
@settings(derandomize=True, max_examples=300, deadline=None)
def test_no_junk_is_taken_and_none_raises(token: str | bytes) -> None:
    Lane().reason(token)


@given(st.integers(0, len(GOOD) - 1), st.integers(1, 127), st.sampled_from(["flip", "cut", "double"]))
@settings(derandomize=True, max_examples=400, deadline=None)
def test_no_alteration_of_a_good_command_is_taken_for_another(position: int, bits: int, how: str) -> None:
    if how == "flip":
        altered = GOOD[:position] + chr((ord(GOOD[position]) ^ bits) & 0x7F) + GOOD[position + 1 :]
    elif how == "cut":
        altered = GOOD[:position]
    else:
        altered = GOOD[:position] + GOOD[position:] * 2
    verified = Lane().verifier.verify(altered)
    if isinstance(verified, VerifiedCommand):
        # Base64 has spare bits at the end of a part: another spelling, the same bytes, the same number, so still taken once.
        assert verified.command == Command.model_validate(claims())
        assert altered != GOOD


def test_another_spelling_of_the_same_command_is_the_same_command() -> None:
    lane = Lane()
    assert isinstance(lane.verifier.verify(GOOD), VerifiedCommand)
    for last in "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_":
        assert lane.reason(GOOD[:-1] + last) in ("replayed", "bad_signature")


def test_receipts_are_for_one_lane_and_of_their_kind() -> None:
    verifier = Verifier.trusting(KEY.public())
    receipt = Receipt(aud=LANE, iat=NOW_S, event_ids=["a" * 32])
    assert verify_receipt(verifier, sign_receipt(KEY, receipt), address=LANE) == receipt
    other = verify_receipt(verifier, sign_receipt(KEY, receipt), address="port/lane-2")
    assert other == Refused(reason="not_for_this_lane")
    assert verify_receipt(verifier, signed(), address=LANE) == Refused(reason="wrong_type")
    empty = KEY.sign({"aud": LANE, "iat": NOW_S, "event_ids": []}, RECEIPT_TYPE)
    assert verify_receipt(verifier, empty, address=LANE) == Refused(reason="malformed")
    forged = sign_receipt(SigningKey.generate(), receipt)
    assert verify_receipt(verifier, forged, address=LANE) == Refused(reason="unknown_key")


def test_a_lanes_bearer_proves_its_own_address_for_a_minute() -> None:
    clock = ManualClock()
    lane_key = SigningKey.generate()
    verifier = Verifier.trusting(lane_key.public(), KEY.public())
    owners = {lane_key.kid: LANE, KEY.kid: "port/lane-2"}
    token = make_lane_bearer(lane_key, address=LANE, clock=clock)

    def check(text: str) -> str | Refused:
        return verify_lane_bearer(verifier, text, clock=clock, owners=owners)

    assert check(token) == LANE
    assert check(make_lane_bearer(KEY, address=LANE, clock=clock)) == Refused(reason="not_its_key")
    assert check(signed()) == Refused(reason="wrong_type")
    for broken in ({"sub": LANE}, {"sub": 7, "iat": 1, "exp": 2}, {"sub": LANE, "iat": "a", "exp": 2}):
        assert check(lane_key.sign(broken, BEARER_TYPE)) == Refused(reason="malformed")
    early = lane_key.sign({"sub": LANE, "iat": NOW_S + 6, "exp": NOW_S + 60}, BEARER_TYPE)
    assert check(early) == Refused(reason="expired")
    clock.advance_ms(60_000)
    assert check(token) == Refused(reason="expired")


def test_keys_are_kept_in_files_that_only_their_owner_reads(tmp_path: Path) -> None:
    path = tmp_path / "keys" / "hub.pem"
    KEY.save(path)
    assert path.stat().st_mode & 0o777 == 0o600
    assert SigningKey.load(path).kid == KEY.kid
    public = VerifyKey.load(path.with_suffix(".pub.pem"))
    assert isinstance(Verifier.trusting(public).claims(signed(), COMMAND_TYPE), tuple)
    assert b"PRIVATE" not in path.with_suffix(".pub.pem").read_bytes()


@pytest.mark.parametrize(
    ("content", "words"), [(None, "does not exist"), (b"junk", "not a readable"), ("public", "public key")]
)
def test_a_broken_key_file_is_one_clear_sentence(tmp_path: Path, content: bytes | str | None, words: str) -> None:
    path = tmp_path / "hub.pem"
    if isinstance(content, bytes):
        path.write_bytes(content)
    elif content == "public":
        KEY.save(tmp_path / "other.pem")
        path.write_bytes((tmp_path / "other.pub.pem").read_bytes())
    with pytest.raises(GateError, match=words) as caught:
        SigningKey.load(path)
    assert str(path) in str(caught.value)


def test_a_command_is_what_was_signed() -> None:
    command = Command.model_validate(claims())
    verified = Lane().verifier.verify(sign_command(KEY, command))
    assert isinstance(verified, VerifiedCommand)
    assert verified.command == command
    assert isinstance(verified.release, VerifiedRelease)


def test_a_forced_opening_is_a_release_that_needs_two_names() -> None:
    lane = Lane()
    for number, also_by in enumerate((None, "", "ann"), start=10):
        assert lane.reason(KEY.sign(claims(act="force_open", seq=number, also_by=also_by), COMMAND_TYPE)) == "malformed"
    unnamed = claims(act="force_open", seq=20, also_by="ben", occupancy_id=None)
    assert lane.reason(KEY.sign(unnamed, COMMAND_TYPE)) == "malformed"
    forced = Command.model_validate(claims(act="force_open", seq=30, also_by="ben"))
    verified = lane.verifier.verify(sign_command(KEY, forced))
    assert isinstance(verified, VerifiedCommand)
    assert isinstance(verified.release, VerifiedRelease)
    assert (verified.command.by, verified.command.also_by) == ("ann", "ben")


def test_what_does_not_apply_is_not_in_a_command() -> None:
    command = Command.model_validate(claims(act="acknowledge", case_id=None, occupancy_id=None, evidence_digest=None))
    payload = sign_command(KEY, command).split(".")[1]
    body = json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
    assert set(body) == {"iss", "aud", "jti", "seq", "iat", "exp", "act", "by"}

"""Only signed messages make releases: the seal is taken once, by one module, and cannot be borrowed from a release."""

import ast
import copy
import dataclasses
import pickle
from pathlib import Path

import pytest

import gate
from gate.core import release as release_module
from gate.core.clock import ManualClock
from gate.core.release import Seal, VerifiedEvacuation, VerifiedRelease, take_seal
from gate.wire.messages import Act, Command
from gate.wire.signing import CommandVerifier, SigningKey, VerifiedCommand, Verifier, sign_command

HOUSE = Path(gate.__file__).parents[1]
ROOMS = ("gate", "models", "drivers", "config", "simulator")


def made() -> VerifiedRelease:
    clock, key = ManualClock(), SigningKey.generate()
    now_s = clock.utc_ms() / 1000
    command = Command(
        iss="hub",
        aud="port/lane-1",
        jti="0123456789abcdef",
        seq=1,
        iat=now_s,
        exp=now_s + 10,
        act=Act.RELEASE,
        by="ann",
        case_id="c",
        occupancy_id="o",
        evidence_digest="d",
    )
    verifier = CommandVerifier(
        Verifier.trusting(key.public()), address="port/lane-1", clock=clock, last_seq=0, remember=lambda _seq: None
    )
    verified = verifier.verify(sign_command(key, command))
    assert isinstance(verified, VerifiedCommand)
    assert verified.release is not None
    return verified.release


def test_the_seal_is_given_away_once() -> None:
    with pytest.raises(RuntimeError, match=r"mallory.*gate\.wire\.signing"):
        take_seal("mallory")


def test_a_seal_of_ones_own_is_no_seal() -> None:
    fields = {"release_id": "r", "lane": "l", "case_id": "c", "occupancy_id": "o", "evidence_digest": "d"}
    for seal in (Seal(), None, object()):
        with pytest.raises(PermissionError, match="signed message"):
            VerifiedRelease(**fields, expires_utc_ms=1, seal=seal)  # type: ignore[arg-type]
        with pytest.raises(PermissionError, match="signed message"):
            VerifiedEvacuation(order_id="r", lane="l", seal=seal)  # type: ignore[arg-type]


def test_a_release_lends_its_seal_to_nobody() -> None:
    release = made()
    assert "seal" not in repr(release)
    assert not hasattr(release, "seal")
    with pytest.raises((TypeError, ValueError)):
        dataclasses.replace(release, occupancy_id="another")
    with pytest.raises(dataclasses.FrozenInstanceError):
        release.occupancy_id = "another"  # type: ignore[misc]


def test_a_copy_is_the_same_release() -> None:
    """Also out of a pickle: whoever can feed us pickles runs code here anyway, and nothing of ours reads any."""
    release = made()
    assert copy.copy(release) == release
    assert pickle.loads(pickle.dumps(release)) == release


def names_called(tree: ast.AST) -> set[str]:
    calls = (node.func for node in ast.walk(tree) if isinstance(node, ast.Call))
    return {
        func.id if isinstance(func, ast.Name) else func.attr
        for func in calls
        if isinstance(func, ast.Name | ast.Attribute)
    }


def test_one_module_takes_the_seal_and_makes_releases() -> None:
    makers: dict[str, set[str]] = {}
    mentions: dict[str, set[str]] = {}
    for room in ROOMS:
        for path in (HOUSE / room).rglob("*.py"):
            text = path.read_text()
            where = path.relative_to(HOUSE).as_posix()
            for name in names_called(ast.parse(text)) & {"take_seal", "VerifiedRelease", "VerifiedEvacuation"}:
                makers.setdefault(name, set()).add(where)
            for word in ("take_seal", "_SEAL", "_seal", "_takers", "pickle"):
                if word in text:
                    mentions.setdefault(word, set()).add(where)
    only = {"gate/wire/signing.py"}
    assert makers == {"take_seal": only, "VerifiedRelease": only, "VerifiedEvacuation": only}
    core = "gate/core/release.py"
    assert mentions["take_seal"] == {core, *only}
    assert mentions["_SEAL"] == only
    assert mentions["_seal"] == {core, *only}
    assert mentions["_takers"] == {core}
    assert "pickle" not in mentions
    assert Path(release_module.__file__) == HOUSE / core

"""Somebody on the network who knows the form of a release and has a key of their own."""

import secrets

from gate.wire.messages import Act, Command
from gate.wire.signing import SigningKey, sign_command
from simulator.chaos.lane import ADDRESS


class Forger:
    """Signs what a hub would, with a key that nobody trusts."""

    def __init__(self) -> None:
        self._key = SigningKey.generate()

    def release(self, *, case_id: str, occupancy_id: str, digest: str, now_ms: int) -> str:
        command = Command(
            iss="hub",
            aud=ADDRESS,
            jti=secrets.token_hex(16),
            seq=now_ms + 1_000_000,
            iat=now_ms / 1000,
            exp=now_ms / 1000 + 10,
            act=Act.RELEASE,
            by="rule",
            case_id=case_id,
            occupancy_id=occupancy_id,
            evidence_digest=digest,
        )
        return sign_command(self._key, command)

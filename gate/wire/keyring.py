"""The signing keys of a site, as files: ``hub.pem``, ``lane-{id}.pem`` and beside each its public half ``.pub.pem``."""

import os
from collections.abc import Iterable
from pathlib import Path

from gate.wire.signing import SigningKey, VerifyKey


class Keyring:
    """A folder of keys. Loading raises GateError with one sentence when a key is missing or broken."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def hub_file(self) -> Path:
        return self.folder / "hub.pem"

    def lane_file(self, lane: str) -> Path:
        return self.folder / f"lane-{lane}.pem"

    def hub(self) -> SigningKey:
        return SigningKey.load(self.hub_file())

    def hub_public(self) -> VerifyKey:
        return VerifyKey.load(_public(self.hub_file()))

    def lane(self, lane: str) -> SigningKey:
        return SigningKey.load(self.lane_file(lane))

    def lane_public(self, lane: str) -> VerifyKey:
        return VerifyKey.load(_public(self.lane_file(lane)))

    def create_missing(self, lanes: Iterable[str]) -> dict[Path, bool]:
        """Make the private keys that are missing; each file, and whether it is new. OSError when one cannot be written.

        A private key that is there is never replaced; its public half is restored when only that is missing.
        """
        self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        return {path: _create(path) for path in (self.hub_file(), *(self.lane_file(lane) for lane in lanes))}


def _create(path: Path) -> bool:
    if path.exists():
        if not _public(path).exists():
            _public(path).write_bytes(SigningKey.load(path).public().jose_key.as_pem(private=False))
        return False
    # Made under another name first: a key that is half written when the machine stops must not look like one.
    new = path.with_suffix(".new.pem")
    SigningKey.generate().save(new)
    os.replace(_public(new), _public(path))
    os.replace(new, path)
    return True


def _public(path: Path) -> Path:
    return path.with_suffix(".pub.pem")

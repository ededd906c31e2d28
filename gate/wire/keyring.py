"""The signing keys of a site, as files: ``hub.pem``, ``lane-{id}.pem`` and beside each its public half ``.pub.pem``."""

from collections.abc import Iterable
from pathlib import Path

from gate.wire.signing import SigningKey, VerifyKey


class Keyring:
    """A folder of keys. Loading raises GateError with one sentence when a key is missing or broken."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def hub(self) -> SigningKey:
        return SigningKey.load(self.folder / "hub.pem")

    def hub_public(self) -> VerifyKey:
        return VerifyKey.load(self.folder / "hub.pub.pem")

    def lane(self, lane: str) -> SigningKey:
        return SigningKey.load(self.folder / f"lane-{lane}.pem")

    def lane_public(self, lane: str) -> VerifyKey:
        return VerifyKey.load(self.folder / f"lane-{lane}.pub.pem")

    def create_missing(self, lanes: Iterable[str]) -> list[Path]:
        """Make the keys that are not there yet; never overwrites one. Returns what was made."""
        made = []
        for name in ("hub", *(f"lane-{lane}" for lane in lanes)):
            path = self.folder / f"{name}.pem"
            if not path.exists():
                SigningKey.generate().save(path)
                made.append(path)
        return made

"""The signing keys of a site, as files: ``hub.pem``, ``lane-{id}.pem`` and beside each its public half ``.pub.pem``."""

import os
from collections.abc import Iterable
from pathlib import Path

from gate.errors import GateError
from gate.wire.rotation import Step
from gate.wire.signing import SigningKey, VerifyKey

_NEXT, _LAST = ".next.pem", ".last.pem"


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

    def hub_publics(self) -> tuple[VerifyKey, ...]:
        """What a lane believes as its hub's: the key in use and, while one follows another, the next or the last."""
        return self._trusted(self.hub_file())

    def lane_publics(self, lane: str) -> tuple[VerifyKey, ...]:
        """What a hub believes as this lane's."""
        return self._trusted(self.lane_file(lane))

    def _trusted(self, path: Path) -> tuple[VerifyKey, ...]:
        others = (_public(path.with_suffix(suffix)) for suffix in (_NEXT, _LAST))
        return (VerifyKey.load(_public(path)), *(VerifyKey.load(other) for other in others if other.exists()))

    def rotate(self, path: Path, step: Step) -> Path:
        """Do one step of exchanging the key at ``path`` (:meth:`hub_file`, :meth:`lane_file`); the file that was made or removed.

        GateError when it is not that step's turn; OSError when the folder cannot be written.
        """
        following, last = path.with_suffix(_NEXT), _public(path.with_suffix(_LAST))
        match step:
            case Step.PREPARE:
                if not path.exists():
                    raise GateError(f"there is no key {path} to exchange: create the site's keys with 'gate keys init'")
                if last.exists():
                    raise GateError(
                        f"{last} is still trusted from the last exchange: end that with --step finish first"
                    )
                _create(following)
                return _public(following)
            case Step.SWITCH:
                if following.exists():
                    last.write_bytes(_pem(SigningKey.load(path).public()))
                    os.replace(following, path)
                elif not last.exists():
                    raise GateError(f"there is no next key {following}: make it with --step prepare, and hand it out")
                # Stopped anywhere before this, both keys are trusted; done again, it ends here too.
                _public(path).write_bytes(_pem(SigningKey.load(path).public()))
                _public(following).unlink(missing_ok=True)
                return _public(path)
            case Step.FINISH:
                if not last.exists():
                    raise GateError(f"there is no former key {last} to give up: nothing was exchanged")
                last.unlink()
                return last

    def create_missing(self, lanes: Iterable[str]) -> dict[Path, bool]:
        """Make the private keys that are missing; each file, and whether it is new. OSError when one cannot be written.

        A private key that is there is never replaced; its public half is restored when only that is missing.
        """
        self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        return {path: _create(path) for path in (self.hub_file(), *(self.lane_file(lane) for lane in lanes))}


def _create(path: Path) -> bool:
    if path.exists():
        if not _public(path).exists():
            _public(path).write_bytes(_pem(SigningKey.load(path).public()))
        return False
    # Made under another name first: a key that is half written when the machine stops must not look like one.
    new = path.with_suffix(".new.pem")
    SigningKey.generate().save(new)
    os.replace(_public(new), _public(path))
    os.replace(new, path)
    return True


def _pem(key: VerifyKey) -> bytes:
    return key.jose_key.as_pem(private=False)


def _public(path: Path) -> Path:
    return path.with_suffix(".pub.pem")

"""The key files of a site: ``hub.pem``, ``lane-{id}.pem``, and beside each its public half (``.pub.pem``)."""

import os
from pathlib import Path

from config.schema import Site
from gate.wire.signing import SigningKey, VerifyKey


def hub_key_file(site: Site) -> Path:
    return site.keys_dir / "hub.pem"


def lane_key_file(site: Site, lane: str) -> Path:
    return site.keys_dir / f"lane-{lane}.pem"


def init_keys(site: Site) -> dict[Path, bool]:
    """Make the private keys that are missing; each file, and whether it is new. Raises OSError when one cannot be written.

    A private key that is there is read and its public half restored when only that is missing; it is never replaced.
    """
    site.keys_dir.mkdir(parents=True, exist_ok=True, mode=0o700)
    return {
        path: _init_key(path) for path in [hub_key_file(site), *(lane_key_file(site, lane.id) for lane in site.lanes)]
    }


def load_hub_key(site: Site) -> SigningKey:
    """GateError when it is missing: 'gate keys init' makes it."""
    return SigningKey.load(hub_key_file(site))


def load_lane_keys(site: Site) -> dict[str, VerifyKey]:
    """The lanes' public keys by lane id; a lane without one cannot be believed, so GateError when any is missing."""
    return {lane.id: VerifyKey.load(_public(lane_key_file(site, lane.id))) for lane in site.lanes}


def _init_key(path: Path) -> bool:
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

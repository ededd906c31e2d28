"""The key that signs health codes: ``health-authority.pem`` in the site's folder of keys; lanes trust ``health-authority.pub.pem``."""

import os
import secrets
from pathlib import Path

from joserfc.errors import JoseError
from joserfc.jwk import OKPKey

from gate.hub.errors import HubError

NAME = "health-authority"


def health_key(folder: Path) -> OKPKey:
    """The key, made when there is none yet. HubError when it cannot be made or is broken."""
    path = folder / f"{NAME}.pem"
    try:
        if not path.exists():
            _make(path)
        key = OKPKey.import_key(path.read_bytes())
    except (OSError, ValueError, JoseError) as error:
        raise HubError(
            f"the key of health codes {path} cannot be used ({error}): check the file and its folder"
        ) from None
    if not key.is_private:
        raise HubError(f"{path} holds a public key where a private one is needed: take it away, and a new one is made")
    return key


def _make(path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    key = OKPKey.generate_key("Ed25519")
    new = path.with_suffix(f".{secrets.token_hex(4)}.pem")
    descriptor = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(key.as_pem(private=True))
        os.link(new, path)  # never over one that another process made in the same moment
        path.with_suffix(".pub.pem").write_bytes(key.as_pem(private=False))
    except FileExistsError:
        return
    finally:
        new.unlink(missing_ok=True)

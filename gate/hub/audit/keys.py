"""The key that signs the audit log: ``audit.pem`` in the site's folder of keys, and ``audit.pub.pem`` for whoever checks it.

It is not the hub's: that one is exchanged from time to time, and a checkpoint of last year must still be believed then.
"""

import os
import secrets
from pathlib import Path

from gate.hub.errors import HubError
from gate.wire.signing import SigningKey


def log_key(folder: Path) -> SigningKey:
    """The key, made when there is none yet. HubError when it cannot be, GateError when it is broken."""
    path = folder / "audit.pem"
    if not path.exists():
        try:
            _make(path)
        except OSError as error:
            raise HubError(
                f"the audit log's key {path} cannot be made ({error}): check the folder's permissions"
            ) from None
    return SigningKey.load(path)


def _make(path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    new = path.with_suffix(f".{secrets.token_hex(4)}.pem")
    SigningKey.generate().save(new)
    try:
        os.link(new, path)  # never over one that another process made in the same moment
        os.replace(new.with_suffix(".pub.pem"), path.with_suffix(".pub.pem"))
    except FileExistsError:
        new.with_suffix(".pub.pem").unlink()
    finally:
        new.unlink()

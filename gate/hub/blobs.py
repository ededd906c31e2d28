"""Pictures and private parts of cases, on disk under the sha256 of their bytes. Written once, never changed."""

import hashlib
import os
import tempfile
from pathlib import Path


class BlobStore:
    """Files under ``root/ab/abcdef...``. It does not decide who may read or write them."""

    def __init__(self, root: Path) -> None:
        self._root = root
        root.mkdir(parents=True, exist_ok=True, mode=0o700)

    def put(self, sha256: str, data: bytes) -> bool:
        """Keep ``data``; False when it was there already. It is on disk on return. ValueError when the digest is not its own."""
        if hashlib.sha256(data).hexdigest() != sha256:
            raise ValueError(f"the bytes are not those of {sha256}")
        target = self._path(sha256)
        if target.exists():
            return False
        target.parent.mkdir(exist_ok=True, mode=0o700)
        descriptor, name = tempfile.mkstemp(dir=target.parent, prefix=".new-")
        try:
            with os.fdopen(descriptor, "wb") as file:
                file.write(data)
                file.flush()
                os.fsync(file.fileno())
            os.replace(name, target)
        except BaseException:
            Path(name).unlink(missing_ok=True)
            raise
        # Without this the name itself may be lost on power failure, though the bytes are safe.
        for folder in (target.parent, self._root):
            _sync_folder(folder)
        return True

    def get(self, sha256: str) -> bytes | None:
        """The bytes, or None when they are not here or are no longer what their name says."""
        try:
            data = self._path(sha256).read_bytes()
        except FileNotFoundError:
            return None
        return data if hashlib.sha256(data).hexdigest() == sha256 else None

    def _path(self, sha256: str) -> Path:
        if len(sha256) != 64 or not set(sha256) <= set("0123456789abcdef"):
            raise ValueError("a blob is named by 64 lower-case hex digits")
        return self._root / sha256[:2] / sha256


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)

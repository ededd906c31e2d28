"""Pictures and private parts of cases, on disk under the sha256 of their bytes. Written once, encrypted, never changed.

A file is: 8 bytes ``TGEVID1\\0``, 8 bytes key id, 12 bytes nonce, then the AES-256-GCM ciphertext with its 16 bytes tag (NIST SP 800-38D).
All before the nonce and the sha256 that names the file are authenticated with it, so that no file can pass for another.
"""

import hashlib
import os
import secrets
import tempfile
from collections.abc import Iterator
from pathlib import Path

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from gate.hub.evidence.keys import KEY_ID_BYTES, EvidenceKeys

_MAGIC = b"TGEVID1\0"
_HEAD_BYTES = len(_MAGIC) + KEY_ID_BYTES
_NONCE_BYTES = 12
_NAME = frozenset("0123456789abcdef")


class BlobStore:
    """Files under ``root/ab/abcdef...``. It does not decide who may read or write them, nor how long they stay."""

    def __init__(self, root: Path, keys: EvidenceKeys) -> None:
        self._root = root
        self._keys = keys
        root.mkdir(parents=True, exist_ok=True, mode=0o700)

    def put(self, sha256: str, data: bytes) -> bool:
        """Keep ``data``; False when it was there already. It is on disk on return. ValueError when the digest is not its own."""
        if hashlib.sha256(data).hexdigest() != sha256:
            raise ValueError(f"the bytes are not those of {sha256}")
        target = self._path(sha256)
        if target.exists():
            return False
        self._write(target, self._encrypted(sha256, data))
        return True

    def get(self, sha256: str) -> bytes | None:
        """The bytes, or None when they are not here or are no longer what their name says."""
        try:
            data = self._opened(sha256, self._path(sha256).read_bytes())
        except FileNotFoundError:
            return None
        return data if data is not None and hashlib.sha256(data).hexdigest() == sha256 else None

    def erase(self, sha256: str) -> bool:
        """Take the file away; False when it was not here. On return it is looked for once more and is gone from the disk's folder."""
        target = self._path(sha256)
        try:
            target.unlink()
        except FileNotFoundError:
            return False
        _sync_folder(target.parent)
        if target.exists():
            raise OSError(f"{target} is still there after it was removed")
        return True

    def is_here(self, sha256: str) -> bool:
        """Whether there is a file of that name."""
        return self._path(sha256).exists()

    def all(self) -> Iterator[str]:
        """The names of all that is here."""
        for folder in sorted(self._root.iterdir()):
            if folder.is_dir():
                yield from sorted(path.name for path in folder.iterdir() if len(path.name) == 64)

    def key_of(self, sha256: str) -> bytes | None:
        """The id of the key that this file needs; None for one that was written before there were keys."""
        with self._path(sha256).open("rb") as file:
            head = file.read(_HEAD_BYTES)
        return head[len(_MAGIC) :] if head.startswith(_MAGIC) else None

    def renew(self, sha256: str) -> bool:
        """Encrypt it again with the current key; False when it is already so, or can no longer be read."""
        if self.key_of(sha256) == self._keys.current()[0]:
            return False
        data = self.get(sha256)
        if data is None:
            return False
        self._write(self._path(sha256), self._encrypted(sha256, data))
        return True

    def _encrypted(self, sha256: str, data: bytes) -> bytes:
        key_id, key = self._keys.current()
        head, nonce = _MAGIC + key_id, secrets.token_bytes(_NONCE_BYTES)
        return head + nonce + AESGCM(key).encrypt(nonce, data, head + bytes.fromhex(sha256))

    def _opened(self, sha256: str, raw: bytes) -> bytes | None:
        if not raw.startswith(_MAGIC):
            return raw  # of before there were keys: its name still says whether it is whole
        key = self._keys.find(raw[len(_MAGIC) : _HEAD_BYTES])
        if key is None:
            return None
        nonce, sealed = raw[_HEAD_BYTES : _HEAD_BYTES + _NONCE_BYTES], raw[_HEAD_BYTES + _NONCE_BYTES :]
        try:
            return AESGCM(key).decrypt(nonce, sealed, raw[:_HEAD_BYTES] + bytes.fromhex(sha256))
        except (InvalidTag, ValueError):
            return None

    def _write(self, target: Path, raw: bytes) -> None:
        target.parent.mkdir(exist_ok=True, mode=0o700)
        descriptor, name = tempfile.mkstemp(dir=target.parent, prefix=".new-")
        try:
            with os.fdopen(descriptor, "wb") as file:
                file.write(raw)
                file.flush()
                os.fsync(file.fileno())
            os.replace(name, target)
        except BaseException:
            Path(name).unlink(missing_ok=True)
            raise
        # Without this the name itself may be lost on power failure, though the bytes are safe.
        for folder in (target.parent, self._root):
            _sync_folder(folder)

    def _path(self, sha256: str) -> Path:
        if len(sha256) != 64 or not set(sha256) <= _NAME:
            raise ValueError("a blob is named by 64 lower-case hex digits")
        return self._root / sha256[:2] / sha256


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)

"""The keys of the evidence store, as files ``evidence-0001.key``, ``evidence-0002.key``, ... in the site's folder of keys.

The highest number encrypts what comes; the others only decrypt, for as long as a file needs them.
"""

import base64
import binascii
import hashlib
import os
import re
import secrets
import threading
from pathlib import Path

from gate.hub.errors import HubError

KEY_BYTES = 32
KEY_ID_BYTES = 8
_FILE = re.compile(r"evidence-(\d{4})\.key")


class EvidenceKeys:
    """The keys in a folder; thread-safe. A first one is made when there is none."""

    def __init__(self, folder: Path) -> None:
        """Raises HubError when the folder cannot be used or a key is broken."""
        self._folder = folder
        self._lock = threading.Lock()
        self._by_id: dict[bytes, tuple[int, bytes]] = {}
        try:
            folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            self._load()
            if not self._by_id:
                self._make(1)
                self._load()
        except OSError as error:
            raise HubError(
                f"the keys of the evidence store in {folder} cannot be used ({error}): check its permissions"
            ) from None

    def current(self) -> tuple[bytes, bytes]:
        """(id, key) to encrypt with."""
        with self._lock:
            key_id = max(self._by_id, key=lambda item: self._by_id[item][0])
            return key_id, self._by_id[key_id][1]

    def find(self, key_id: bytes) -> bytes | None:
        """The key of that id; one that was made meanwhile is looked for on disk."""
        with self._lock:
            if key_id not in self._by_id:
                self._load()
            held = self._by_id.get(key_id)
            return held[1] if held is not None else None

    def rotate(self) -> Path:
        """Make a new key, which encrypts from now on. Its file."""
        with self._lock:
            self._load()
            path = self._make(max((number for number, _ in self._by_id.values()), default=0) + 1)
            self._load()
            return path

    def file_of(self, key_id: bytes) -> Path | None:
        """Where the key of that id is."""
        with self._lock:
            held = self._by_id.get(key_id)
            return self._path(held[0]) if held is not None else None

    @property
    def ids(self) -> frozenset[bytes]:
        with self._lock:
            return frozenset(self._by_id)

    def _path(self, number: int) -> Path:
        return self._folder / f"evidence-{number:04}.key"

    def _make(self, number: int) -> Path:
        path = self._path(number)
        new = path.with_suffix(f".{secrets.token_hex(4)}.new")
        descriptor = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "wb") as file:
            file.write(base64.b64encode(secrets.token_bytes(KEY_BYTES)) + b"\n")
            file.flush()
            os.fsync(file.fileno())
        try:
            os.link(new, path)  # never over one that another process made in the same moment
        except FileExistsError:
            pass
        finally:
            new.unlink()
        descriptor = os.open(self._folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
        return path

    def _load(self) -> None:
        for path in self._folder.iterdir():
            match = _FILE.fullmatch(path.name)
            if match is None:
                continue
            try:
                key = base64.b64decode(path.read_bytes().strip(), validate=True)
            except binascii.Error:
                key = b""
            if len(key) != KEY_BYTES:
                raise HubError(
                    f"{path} is not a key of the evidence store: put the right file back, its evidence is lost without it"
                )
            self._by_id[hashlib.sha256(key).digest()[:KEY_ID_BYTES]] = (int(match.group(1)), key)

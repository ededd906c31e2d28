"""Signed checkpoints: what the log was at a moment, in the form that other transparency logs use.

The text is a C2SP tlog-checkpoint (https://c2sp.org/tlog-checkpoint): origin, size, base64 root, each on a line; extension lines may
follow. It is signed as a C2SP signed-note (https://c2sp.org/signed-note) with Ed25519, so that any witness can countersign it and any
of their tools can read it.
"""

import base64
import binascii
import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

_ED25519 = b"\x01"
_NAME = re.compile(r"[^\s+]+")
_SIZE = re.compile(r"0|[1-9][0-9]{0,18}")
_MAX_NOTE_CHARS = 64 * 1024


class NoteRefused(Exception):
    """A note is not believed; ``str()`` says why."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Checkpoint:
    """The log called ``origin`` had ``size`` entries with this ``root`` (32 bytes)."""

    origin: str
    size: int
    root: bytes

    def text(self) -> str:
        """What is signed."""
        return f"{self.origin}\n{self.size}\n{base64.b64encode(self.root).decode()}\n"


def key_id(name: str, public: Ed25519PublicKey) -> bytes:
    """The four bytes by which a signature line names its key: SHA-256(name || LF || 0x01 || key)[:4]."""
    return hashlib.sha256(name.encode() + b"\n" + _ED25519 + public.public_bytes_raw()).digest()[:4]


def sign_note(text: str, name: str, key: Ed25519PrivateKey) -> str:
    """The note of ``text`` (lines, each ended) with one signature by the key called ``name``. ValueError when either has no such form."""
    if _NAME.fullmatch(name) is None or not text.endswith("\n") or "\n\n" in text:
        raise ValueError("a note has ended lines, no empty one, and a signer without blanks or '+'")
    signature = key_id(name, key.public_key()) + key.sign(text.encode())
    return f"{text}\n— {name} {base64.b64encode(signature).decode()}\n"


def open_note(note: str, keys: Mapping[str, Ed25519PublicKey]) -> str:
    """The text that one of these named keys signed. NoteRefused otherwise; signatures by others are not looked at."""
    text, gap, lines = note.rpartition("\n\n")
    if not gap or len(note) > _MAX_NOTE_CHARS:
        raise NoteRefused("this is no signed note")
    text += "\n"
    is_signed = False
    for line in lines.splitlines():
        dash, _, rest = line.partition(" ")
        name, _, encoded = rest.partition(" ")
        if dash != "—" or not name or not encoded:
            raise NoteRefused("a signature line of the note is malformed")
        try:
            raw = base64.b64decode(encoded, validate=True)
        except (binascii.Error, ValueError):
            raise NoteRefused("a signature line of the note is malformed") from None
        key = keys.get(name)
        if key is None or raw[:4] != key_id(name, key):
            continue
        try:
            key.verify(raw[4:], text.encode())
        except InvalidSignature:
            raise NoteRefused(f"the signature of {name} is not of this text") from None
        is_signed = True
    if not is_signed:
        raise NoteRefused("no key that is trusted here has signed the note")
    return text


def read_checkpoint(text: str) -> Checkpoint:
    """The checkpoint that a note's text says. NoteRefused when it is none."""
    lines = text.split("\n")
    if len(lines) < 4 or not lines[0] or _SIZE.fullmatch(lines[1]) is None:
        raise NoteRefused("the note holds no checkpoint")
    try:
        root = base64.b64decode(lines[2], validate=True)
    except (binascii.Error, ValueError):
        raise NoteRefused("the note holds no checkpoint") from None
    if len(root) != 32:
        raise NoteRefused("the note holds no checkpoint")
    return Checkpoint(origin=lines[0], size=int(lines[1]), root=root)

"""Does the hub's proof convince? Worked out here, by nothing that the hub runs: RFC 6962 audit paths and signed notes.

An entry is hashed, its path is walked to a root, the root must be the one in the checkpoint, and the checkpoint must be signed by the
port's audit key. The key is read from the console's own folder of keys, so a hub that lies about its log needs that folder too.
"""

import base64
import binascii
import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import load_pem_public_key

from gate.console.hub_supervision import AuditEntry, Inclusion

_ED25519 = b"\x01"


class Believed(StrEnum):
    """What came of it. Only ``PROVEN`` means that the entry is in the signed log."""

    PROVEN = "proven"
    NO_KEY = "no_key"  # the path leads to the checkpoint's root, but here is no key to check the signature with
    OTHER_ENTRY = "other_entry"  # the proof is of another entry than the one on the screen
    WRONG_PATH = "wrong_path"
    WRONG_ROOT = "wrong_root"  # the path leads to a root that the checkpoint does not name
    BAD_NOTE = "bad_note"
    BAD_SIGNATURE = "bad_signature"


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One step of the walk: the neighbour's hash, on its side, and the node that comes of both. Hex."""

    neighbour: str
    is_left: bool
    node: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Judgement:
    """What is believed, and the way there, to be shown."""

    believed: Believed
    leaf: str = ""
    steps: tuple[Step, ...] = ()
    root: str = ""
    signer: str = ""


def judge(entry: AuditEntry, proof: Inclusion, keys: Sequence[Ed25519PublicKey]) -> Judgement:
    """Walk from the entry that is on the screen to the signed root."""
    leaf = hashlib.sha256(b"\x00" + entry.body.encode()).digest()
    if proof.number != entry.number or leaf.hex() != proof.leaf:
        return Judgement(believed=Believed.OTHER_ENTRY, leaf=leaf.hex())
    walked = _walk(leaf, proof)
    if walked is None:
        return Judgement(believed=Believed.WRONG_PATH, leaf=leaf.hex())
    steps, root = walked
    said = _read_note(proof.note)
    if said is None:
        believed, signer = Believed.BAD_NOTE, ""
    else:
        text, size, named_root, signatures = said
        signer = text.split("\n", 1)[0]
        if named_root != root or size != proof.size:
            believed = Believed.WRONG_ROOT
        elif not keys:
            believed = Believed.NO_KEY
        else:
            is_signed = any(_is_signed(text, signatures, key) for key in keys)
            believed = Believed.PROVEN if is_signed else Believed.BAD_SIGNATURE
    return Judgement(believed=believed, leaf=leaf.hex(), steps=tuple(steps), root=root.hex(), signer=signer)


def audit_keys(folder: Path) -> tuple[Ed25519PublicKey, ...]:
    """The public keys of the port's audit log that are here; none when there is no ``audit.pub.pem``, or no key in it."""
    try:
        key = load_pem_public_key((folder / "audit.pub.pem").read_bytes())
    except (OSError, ValueError):
        return ()
    return (key,) if isinstance(key, Ed25519PublicKey) else ()


def _walk(leaf: bytes, proof: Inclusion) -> tuple[list[Step], bytes] | None:
    """RFC 9162, 2.1.3.2: the root that this path gives; None when it is no path of such an entry."""
    if not 0 <= proof.number < proof.size:
        return None
    try:
        path = [bytes.fromhex(item) for item in proof.path]
    except ValueError:
        return None
    here, last, node = proof.number, proof.size - 1, leaf
    steps = []
    for neighbour in path:
        if last == 0 or len(neighbour) != 32:
            return None
        is_left = bool(here & 1) or here == last
        pair = neighbour + node if is_left else node + neighbour
        node = hashlib.sha256(b"\x01" + pair).digest()
        steps.append(Step(neighbour=neighbour.hex(), is_left=is_left, node=node.hex()))
        if is_left:
            while here and not here & 1:
                here >>= 1
                last >>= 1
        here >>= 1
        last >>= 1
    return (steps, node) if last == 0 else None


def _read_note(note: str) -> tuple[str, int, bytes, list[tuple[str, bytes]]] | None:
    """A C2SP signed note with a checkpoint: text, size, root, and (name, signature) of each line. None when it is none."""
    text, gap, lines = note.rpartition("\n\n")
    fields = text.split("\n")
    if not gap or len(fields) < 3 or not fields[1].isdigit():
        return None
    signatures = []
    try:
        root = base64.b64decode(fields[2], validate=True)
        for line in lines.splitlines():
            dash, name, encoded = line.split(" ", 2)
            if dash != "—":
                return None
            signatures.append((name, base64.b64decode(encoded, validate=True)))
    except (ValueError, binascii.Error):
        return None
    return text + "\n", int(fields[1]), root, signatures


def _is_signed(text: str, signatures: Sequence[tuple[str, bytes]], key: Ed25519PublicKey) -> bool:
    """Whether one of the lines is this key's signature of the text (the first four bytes name the key)."""
    for name, signature in signatures:
        named = hashlib.sha256(name.encode() + b"\n" + _ED25519 + key.public_bytes_raw()).digest()[:4]
        if signature[:4] != named:
            continue
        try:
            key.verify(signature[4:], text.encode())
        except InvalidSignature:
            return False
        return True
    return False

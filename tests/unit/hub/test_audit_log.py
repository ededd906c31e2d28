"""The audit log: trees as RFC 6962 has them, notes as C2SP has them, appended with what they record."""

import base64
import json

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from hub_kit import FakeLane
from sqlalchemy import func, select

from gate.hub.audit import log as audit
from gate.hub.audit.log import AuditKind, Entry, StoredSpan
from gate.hub.audit.merkle import (
    EMPTY_ROOT,
    Frontier,
    consistency_path,
    fold,
    inclusion_path,
    is_consistent,
    is_included,
    leaf_hash,
)
from gate.hub.audit.notes import Checkpoint, NoteRefused, open_note, read_checkpoint, sign_note
from gate.hub.schema import AUDIT, EVENTS
from gate.hub.service import Hub

# The reference vectors of Certificate Transparency (RFC 6962): eight inputs and the roots of the trees of the first 1 to 8 of them.
INPUTS = [
    bytes.fromhex(text)
    for text in (
        "",
        "00",
        "10",
        "2021",
        "3031",
        "40414243",
        "5051525354555657",
        "606162636465666768696a6b6c6d6e6f",
    )
]
ROOTS = [
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
]
LEAVES = [leaf_hash(item) for item in INPUTS]
# The same source: (index, size) and the audit path; (old, new) and the consistency proof.
PATHS = {
    (0, 8): [
        "96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7",
        "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
        "6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4",
    ],
    (5, 8): [
        "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b",
        "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0",
        "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    ],
    (2, 3): ["fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125"],
}
CONSISTENT = {
    (1, 1): [],
    (1, 8): [
        "96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7",
        "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
        "6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4",
    ],
    (6, 8): [
        "0ebc5d3437fbe2db158b9f126a1d118e308181031d0a949f8dededebc558ef6a",
        "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0",
        "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    ],
    (2, 5): [
        "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
        "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b",
    ],
}


def span(start: int, end: int) -> bytes:
    return fold(LEAVES[start:end])


def test_roots_are_those_of_the_published_vectors() -> None:
    assert EMPTY_ROOT.hex() == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
    frontier = Frontier()
    for leaf, root in zip(LEAVES, ROOTS, strict=True):
        frontier, _ = frontier.grown(leaf)
        assert frontier.root.hex() == root
        assert span(0, frontier.size).hex() == root


def test_proofs_are_those_of_the_published_vectors() -> None:
    for (index, size), path in PATHS.items():
        assert [item.hex() for item in inclusion_path(index, size, span)] == path
    for (old, new), path in CONSISTENT.items():
        assert [item.hex() for item in consistency_path(old, new, span)] == path


def test_every_proof_convinces_and_no_other_does() -> None:
    for size in range(1, 9):
        root = bytes.fromhex(ROOTS[size - 1])
        for index in range(size):
            path = inclusion_path(index, size, span)
            assert is_included(leaf=LEAVES[index], index=index, size=size, path=path, root=root)
            for other in range(8):
                is_same = other == index
                assert is_included(leaf=LEAVES[other], index=index, size=size, path=path, root=root) == is_same
                if other < size:
                    assert is_included(leaf=LEAVES[index], index=other, size=size, path=path, root=root) == is_same
            assert not is_included(leaf=LEAVES[index], index=index, size=size, path=[*path, root], root=root)
            assert not path or not is_included(leaf=LEAVES[index], index=index, size=size, path=path[:-1], root=root)
        for old in range(1, size + 1):
            path = consistency_path(old, size, span)
            old_root = bytes.fromhex(ROOTS[old - 1])
            assert is_consistent(old=old, old_root=old_root, new=size, new_root=root, path=path)
            assert not is_consistent(old=old, old_root=root[::-1], new=size, new_root=root, path=path)
            assert not is_consistent(old=old, old_root=old_root, new=size, new_root=root[::-1], path=path)
            assert not is_consistent(old=old, old_root=old_root, new=size, new_root=root, path=[*path, root])
    assert is_consistent(old=0, old_root=EMPTY_ROOT, new=8, new_root=bytes.fromhex(ROOTS[7]), path=[])
    assert not is_consistent(old=8, old_root=b"", new=7, new_root=b"", path=[])


def test_a_proof_of_what_is_not_there_is_an_error() -> None:
    with pytest.raises(ValueError, match="no entry 8"):
        inclusion_path(8, 8, span)
    with pytest.raises(ValueError, match="no proof"):
        consistency_path(0, 8, span)
    with pytest.raises(ValueError, match="peaks"):
        Frontier(size=3, peaks=())


# The example of https://c2sp.org/signed-note
EXAMPLE = """This is an example message.

— example.com/foo Uw2QOkn8srV1yJGh2VYRlL1Tnagv1YEq6TfXppzi2ONncAlTgK7Ztg1ERYNZXsYjOBH3mFXmRKuwHjG1Yu72IneyaQM=
"""
EXAMPLE_KEY = "AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k"


def test_a_note_of_others_is_read_and_ours_are_like_it() -> None:
    public = Ed25519PublicKey.from_public_bytes(base64.b64decode(EXAMPLE_KEY)[1:])
    assert open_note(EXAMPLE, {"example.com/foo": public}) == "This is an example message.\n"
    key = Ed25519PrivateKey.generate()
    checkpoint = Checkpoint(origin="example.com/log", size=8, root=bytes.fromhex(ROOTS[7]))
    note = sign_note(checkpoint.text(), "example.com/log", key)
    keys = {"example.com/log": key.public_key()}
    assert read_checkpoint(open_note(note, keys)) == checkpoint
    countersigned = note + EXAMPLE.rpartition("\n\n")[2]
    assert read_checkpoint(open_note(countersigned, keys)) == checkpoint
    for bad in (
        note.replace("\n8\n", "\n9\n"),
        note.replace("—", "-"),
        note.partition("\n\n")[0],
        note[:-8] + "\n",
        "",
        sign_note(checkpoint.text(), "example.com/log", Ed25519PrivateKey.generate()),
    ):
        with pytest.raises(NoteRefused):
            open_note(bad, keys)
    for text in ("x\n", "x\n08\nAAAA\n", "x\n8\n!\n", "x\n8\nAAAA\n", "\n8\n"):
        with pytest.raises(NoteRefused):
            read_checkpoint(text)
    for text, name in (("x", "n"), ("x\n\ny\n", "n"), ("x\n", "a b"), ("x\n", "a+b")):
        with pytest.raises(ValueError, match="lines"):
            sign_note(text, name, key)


def entry(number: int) -> Entry:
    return Entry(at_ms=number, kind=AuditKind.LOGIN, who="ann", data={"number": number})


def test_the_stored_log_proves_what_the_tree_in_memory_proves(hub: Hub) -> None:
    total = 700
    leaves = [leaf_hash(entry(number).body().encode()) for number in range(total)]
    for start in range(0, total, 70):
        with hub.store.write() as connection:
            for number in range(start, start + 70):
                audit.note(connection, entry(number))
    with hub.store.read() as connection:
        stored = StoredSpan(connection)
        frontier = audit.head(connection)
        assert (frontier.size, frontier.root) == (total, fold(leaves))
        for index in (0, 255, 256, 511, 512, 699):
            path = inclusion_path(index, total, stored)
            assert is_included(leaf=leaves[index], index=index, size=total, path=path, root=frontier.root)
        for old in (1, 256, 257, 512, 640, 699):
            path = consistency_path(old, total, stored)
            assert is_consistent(old=old, old_root=fold(leaves[:old]), new=total, new_root=frontier.root, path=path)


def test_an_entry_is_there_exactly_when_what_it_records_is(hub: Hub, clock: object) -> None:
    def fail() -> None:
        with hub.store.write() as connection:
            audit.note(connection, entry(0))
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fail()
    lane = FakeLane(hub.clock)
    first = lane.start("c1")
    hub.take_in([first, first, lane.record()])
    hub.take_in([first])
    with hub.store.read() as connection:
        assert audit.head(connection).size == connection.scalar(select(func.count()).select_from(AUDIT)) == 1
        body = json.loads(connection.scalar(select(AUDIT.c.body)) or "")
        assert [item[0] for item in body["data"]["events"]] == list(
            connection.scalars(select(EVENTS.c.id).order_by(EVENTS.c.sequence))
        )
        with pytest.raises(RuntimeError, match="transaction that writes"):
            audit.note(connection, entry(0))

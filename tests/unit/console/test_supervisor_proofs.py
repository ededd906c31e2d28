"""Proofs and reports: the console believes an honest hub, no other one, and takes its figures away unchanged."""

import base64
import csv
import hashlib
import io
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from test_supervisor_views import EN, ZH, make_flow

from gate.console.audit_proof import Believed, audit_keys, judge
from gate.console.hub_supervision import AuditEntry, Inclusion
from gate.console.kpi_export import csv_of, pdf_of, reason_words
from gate.hub.audit.merkle import inclusion_path, leaf_hash, node_hash, split
from gate.hub.audit.notes import Checkpoint, sign_note
from gate.wire.signing import SigningKey

NAME = "tongguan/p/hub"


class Log:
    """A log of that many entries, with proofs made by the hub's own code."""

    def __init__(self, size: int, key: Ed25519PrivateKey) -> None:
        self.bodies = [f'{{"n":{number}}}' for number in range(size)]
        self.key = key

    def span(self, start: int, end: int) -> bytes:
        if end - start == 1:
            return leaf_hash(self.bodies[start].encode())
        cut = start + split(end - start)
        return node_hash(self.span(start, cut), self.span(cut, end))

    def entry(self, number: int) -> AuditEntry:
        body = self.bodies[number]
        leaf = leaf_hash(body.encode()).hex()
        return AuditEntry(number=number, at_ms=0, kind="login", who="chen", leaf=leaf, body=body)

    def proof(self, number: int) -> Inclusion:
        size = len(self.bodies)
        root = self.span(0, size)
        note = sign_note(Checkpoint(origin=NAME, size=size, root=root).text(), NAME, self.key)
        path = tuple(item.hex() for item in inclusion_path(number, size, self.span))
        leaf = self.entry(number).leaf
        return Inclusion(number=number, size=size, leaf=leaf, path=path, root=root.hex(), note=note)


@pytest.fixture(scope="module")
def key() -> Ed25519PrivateKey:
    return Ed25519PrivateKey.generate()


@pytest.fixture(scope="module")
def keys(key: Ed25519PrivateKey) -> list[Ed25519PublicKey]:
    return [key.public_key()]


@pytest.mark.parametrize("size", [1, 2, 3, 7, 8, 13])
def test_every_entry_of_an_honest_log_is_proven(
    size: int, key: Ed25519PrivateKey, keys: list[Ed25519PublicKey]
) -> None:
    log = Log(size, key)
    for number in range(size):
        judged = judge(log.entry(number), log.proof(number), keys)
        assert judged.believed is Believed.PROVEN
        assert judged.signer == NAME
        assert judged.root == log.span(0, size).hex()
        assert len(judged.steps) == len(log.proof(number).path)


def test_a_lie_anywhere_is_not_believed(key: Ed25519PrivateKey, keys: list[Ed25519PublicKey]) -> None:
    log = Log(7, key)
    entry, proof = log.entry(4), log.proof(4)

    def believed(entry: AuditEntry = entry, keys: list[Ed25519PublicKey] = keys, **lie: object) -> Believed:
        return judge(entry, proof.model_copy(update=lie), keys).believed

    assert believed() is Believed.PROVEN
    assert believed(entry.model_copy(update={"body": '{"n":5}'})) is Believed.OTHER_ENTRY
    assert believed(number=5) is Believed.OTHER_ENTRY
    assert believed(log.entry(5), number=5, leaf=log.entry(5).leaf) is not Believed.PROVEN
    assert believed(path=proof.path[:-1]) is Believed.WRONG_PATH
    assert believed(path=(*proof.path, proof.path[0])) is Believed.WRONG_PATH
    assert believed(path=("xx", *proof.path[1:])) is Believed.WRONG_PATH
    assert believed(path=(proof.path[1], proof.path[0], *proof.path[2:])) is Believed.WRONG_ROOT
    assert believed(size=8) in (Believed.WRONG_PATH, Believed.WRONG_ROOT)
    assert believed(note="nothing") is Believed.BAD_NOTE
    assert believed(keys=[]) is Believed.NO_KEY
    assert believed(keys=[Ed25519PrivateKey.generate().public_key()]) is Believed.BAD_SIGNATURE
    forged = Log(7, Ed25519PrivateKey.generate()).proof(4).note
    assert believed(note=forged) is Believed.BAD_SIGNATURE
    text, _, line = proof.note.rpartition("\n\n")
    raw = bytearray(base64.b64decode(line.split(" ")[2]))
    raw[10] ^= 1
    broken = f"{text}\n\n— {NAME} {base64.b64encode(bytes(raw)).decode()}\n"
    assert believed(note=broken) is Believed.BAD_SIGNATURE


def test_the_leaf_is_worked_out_from_what_is_shown(key: Ed25519PrivateKey, keys: list[Ed25519PublicKey]) -> None:
    log = Log(3, key)
    judged = judge(log.entry(1), log.proof(1), keys)
    assert judged.leaf == hashlib.sha256(b"\x00" + log.bodies[1].encode()).hexdigest()


def test_keys_are_read_where_the_port_keeps_them(tmp_path: Path) -> None:
    assert audit_keys(tmp_path) == ()
    SigningKey.generate().save(tmp_path / "audit.pem")
    assert len(audit_keys(tmp_path)) == 1
    (tmp_path / "audit.pub.pem").write_text("no key")
    assert audit_keys(tmp_path) == ()


def test_the_table_holds_the_figures_and_no_formula() -> None:
    flow = make_flow(reasons=[{"code": "=cmd|x", "crossings": 1}])
    content = csv_of(flow, lane_title=lambda lane: f"+{lane}")
    assert content.startswith(b"\xef\xbb\xbf")
    rows = list(csv.reader(io.StringIO(content.decode("utf-8-sig"))))
    assert rows[0] == ["what", "name", "crossings", "referred", "waiting_s_p95"]
    assert rows[1][2:] == ["30", "3", "42.0"]
    assert [row[2:] for row in rows if row[0] == "step"] == [["10", "1", "40.4"], ["20", "2", ""]]
    assert [row[1] for row in rows if row[0] in ("lane", "reason")] == ["'+lane-1", "'=cmd|x"]
    assert sum(int(row[2]) for row in rows if row[0] == "outcome") == flow.crossings


@pytest.mark.parametrize("words", [EN, ZH], ids=["en", "zh_CN"])
def test_the_report_is_a_pdf_in_either_language(words: object) -> None:
    spoken = EN if words is EN else ZH
    content = pdf_of(make_flow(), port="北港 & <North>", words=spoken, lane_title=lambda lane: lane)
    assert content.startswith(b"%PDF-")
    assert content.rstrip().endswith(b"%%EOF")
    empty = pdf_of(
        make_flow(
            crossings=0, referred=0, referral_ratio=None, waiting_ms_p95=None, by_lane=[], by_outcome={}, reasons=[]
        ),
        port="p",
        words=spoken,
        lane_title=lambda lane: lane,
    )
    assert len(empty) < len(content)


def test_a_reason_is_in_words_when_there_are_any() -> None:
    assert reason_words(EN, "document.expiry") == "Document has expired"
    assert reason_words(EN, "unheard.of_code") == "unheard · of code"

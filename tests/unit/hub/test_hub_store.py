"""The store: tables as declared, blobs as written."""

import hashlib
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from hub_kit import FakeLane
from sqlalchemy import func, select

from gate.hub import ingest
from gate.hub.blobs import BlobStore
from gate.hub.evidence.keys import EvidenceKeys
from gate.hub.heard import MAX_PAYLOAD_BYTES
from gate.hub.schema import METADATA, REJECTED
from gate.hub.service import Hub


def test_migrations_lead_to_the_declared_tables(hub: Hub) -> None:
    with hub.store.write() as connection:
        assert compare_metadata(MigrationContext.configure(connection), METADATA) == []


def test_every_commit_is_forced_to_disk(hub: Hub) -> None:
    with hub.store.read() as connection:
        assert connection.exec_driver_sql("PRAGMA journal_mode").scalar() == "wal"
        assert connection.exec_driver_sql("PRAGMA synchronous").scalar() == 2


def test_a_failed_transaction_leaves_nothing(hub: Hub) -> None:
    row = {"digest": "d", "topic": "", "reason": "", "payload": "", "count": 1, "first_ms": 0, "last_ms": 0}

    def fail() -> None:
        with hub.store.write() as connection:
            connection.execute(REJECTED.insert().values(row))
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fail()
    with hub.store.read() as connection:
        assert connection.scalar(select(func.count()).select_from(REJECTED)) == 0


def test_rejected_messages_do_not_fill_the_disk(hub: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ingest, "MAX_REJECTED", 5)
    lane = FakeLane(hub.clock)
    hub.take_in([lane.message("event", f"bad {number}") for number in range(12)])
    hub.take_in([lane.message("event", "x" * (MAX_PAYLOAD_BYTES + 1))])
    with hub.store.read() as connection:
        rows = connection.execute(select(REJECTED)).all()
    assert len(rows) == 5
    assert max(len(row.payload) for row in rows) <= 4096


def test_blobs_are_written_whole_or_not_at_all(tmp_path: Path) -> None:
    blobs = BlobStore(tmp_path / "e", EvidenceKeys(tmp_path / "keys"))
    data = b"picture"
    sha256 = hashlib.sha256(data).hexdigest()
    assert blobs.put(sha256, data)
    assert not blobs.put(sha256, data)
    assert blobs.get(sha256) == data
    with pytest.raises(ValueError, match="not those of"):
        blobs.put("0" * 64, data)
    with pytest.raises(ValueError, match="64"):
        blobs.get("../" + "0" * 61)
    assert [path.name for path in (tmp_path / "e").rglob("*") if path.is_file()] == [sha256]

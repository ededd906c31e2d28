"""Events that the hub refuses for good leave the outbox, and are offered once more after the next start."""

from pathlib import Path

from gate.core.clock import ManualClock
from gate.lane.store import EventDraft, LaneStore
from gate.wire.messages import CrossingStarted, EventType


def test_a_refused_event_waits_for_the_next_start(tmp_path: Path) -> None:
    with LaneStore(tmp_path / "lane.sqlite", port="p", lane="l", clock=ManualClock()) as store:
        store.next_boot()
        drafts = [EventDraft(type=EventType.CROSSING_STARTED, data=CrossingStarted(case_id=f"c{n}")) for n in range(3)]
        rows = store.record(drafts)
        store.set_aside([rows[1].id, "unknown"])
        assert [row.id for row in store.waiting_events()] == [rows[0].id, rows[2].id]
        assert store.refused_events() == [rows[1]]
        store.set_aside([rows[1].id])  # told twice
        store.receipted([rows[0].id])
    with LaneStore(tmp_path / "lane.sqlite", port="p", lane="l", clock=ManualClock()) as store:
        store.next_boot()
        assert store.waiting_events() == [rows[1], rows[2]]
        assert store.refused_events() == []

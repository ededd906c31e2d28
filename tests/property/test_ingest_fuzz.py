"""Whatever a lane says, of every kind of message, the ingest takes it or sets it aside, and goes on."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import func, select
from wire_kit import DATA, LANE, PORT, event

from config.loader import parse_site
from config.schema import Site
from gate.core.clock import ManualClock
from gate.hub.heard import Incoming, LaneEvent, Rejected, parse_message
from gate.hub.schema import CASES, EVENTS, LANES, REJECTED
from gate.hub.service import Hub
from gate.wire.messages import EVENT_DATA, EventType
from gate.wire.signing import SigningKey
from gate.wire.topics import Channel, lane_topic

STRANGE = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.sampled_from([2**31, 2**63, 2**64, -(2**63) - 1, 10**400, 0.1, 1e308, -0.0]),
    st.text(max_size=8),
    st.sampled_from(["", "\0", "\ud7ff", "\U0001f6c2", "x" * 70, "../..", "c1", "0" * 64, "'; DROP TABLE events"]),
    st.lists(st.integers(), max_size=2),
    st.dictionaries(st.text(max_size=3), st.text(max_size=3), max_size=2),
)


def make_site(folder: Path) -> Site:
    lane = {
        "id": LANE,
        "board": {"port": "/dev/none"},
        "face_camera": {"kind": "folder", "source": "x"},
        "document_camera": {"kind": "folder", "source": "x"},
    }
    role = {"id": "customs", "title": "Customs", "title_zh": "海关", "colour": "#000000"}
    data = {"port": {"id": PORT, "title": "P"}, "state_dir": str(folder), "hub": {"database_url": "sqlite://"}}
    return parse_site(data | {"role": [role], "lane": [lane]}, origin="test")


@pytest.fixture(scope="module")
def hub(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Hub]:
    key = SigningKey.generate()
    made = Hub(make_site(tmp_path_factory.mktemp("fuzz")), key, {LANE: key.public()}, ManualClock())
    made.store.migrate()
    yield made
    made.stop()


def say(channel: Channel, payload: bytes) -> Incoming:
    return Incoming(topic=lane_topic(PORT, LANE, channel), payload=payload, arrived_ns=0)


def take(hub: Hub, *messages: Incoming) -> None:
    """A bug would raise here, as would a value that the database cannot hold."""
    hub.take_in(list(messages))


@pytest.mark.parametrize("kind", list(EventType))
def test_what_each_kind_means_is_believed(kind: EventType) -> None:
    parsed = parse_message(say(Channel.EVENT, json.dumps(event(kind)).encode()), port=PORT, lanes=[LANE])
    assert isinstance(parsed, LaneEvent)
    assert isinstance(parsed.stored.data, EVENT_DATA[kind])


@given(data=st.data(), kind=st.sampled_from(list(EventType)))
@settings(max_examples=250)
def test_no_value_of_any_field_breaks_the_ingest(hub: Hub, data: st.DataObject, kind: EventType) -> None:
    message = event(kind)
    body = dict(message["data"])
    where = data.draw(st.sampled_from([*(("data", name) for name in body), *(("", name) for name in message)]))
    value = data.draw(STRANGE)
    message = message | ({"data": body | {where[1]: value}} if where[0] else {where[1]: value})
    if where != ("", "id"):
        message["id"] = f"{data.draw(st.integers(0, 2**128 - 1)):032x}"
    take(hub, say(Channel.EVENT, json.dumps(message).encode()))


@given(
    value=STRANGE,
    path=st.sampled_from(["revision", "occupancy_id", "findings", "attachments", "case_id", "port", "lane", "more"]),
    number=st.integers(0, 2**128 - 1),
)
@settings(max_examples=80)
def test_no_evidence_breaks_the_ingest(hub: Hub, value: Any, path: str, number: int) -> None:
    said = DATA[EventType.EVIDENCE_RECORDED]
    data = said | {"evidence": said["evidence"] | {path: value}}
    take(
        hub, say(Channel.EVENT, json.dumps(event(EventType.EVIDENCE_RECORDED, id=f"{number:032x}", data=data)).encode())
    )


@given(
    payload=st.one_of(st.binary(max_size=64), STRANGE.map(lambda item: json.dumps(item).encode())),
    channel=st.sampled_from(list(Channel)),
)
@settings(max_examples=120)
def test_no_bytes_on_any_topic_break_the_ingest(hub: Hub, payload: bytes, channel: Channel) -> None:
    take(hub, say(channel, payload))


@pytest.mark.parametrize("channel", [Channel.ACK, Channel.STATUS, Channel.STATE])
def test_deep_and_wide_messages_are_refused(hub: Hub, channel: Channel) -> None:
    for payload in (b"[" * 100_000, b'{"a":' * 50_000, b'{"command_id":"\\u0000","outcome":"taken"}', b"9" * 100_000):
        assert isinstance(parse_message(say(channel, payload), port=PORT, lanes=[LANE]), Rejected)


def test_a_lane_is_told_which_of_its_events_are_refused_for_good(hub: Hub) -> None:
    bad = event(EventType.CROSSING_STARTED, id="f" * 32, data={"case_id": "no such id!"})
    taken = hub._ingest.take([say(Channel.EVENT, json.dumps(bad).encode()), say(Channel.EVENT, b"not json")])
    assert taken.refused == {LANE: ["f" * 32]}
    assert taken.receipts == {}
    unknown = Incoming(topic=f"tongguan/v1/{PORT}/lane-9/event", payload=json.dumps(bad).encode(), arrived_ns=0)
    assert hub._ingest.take([unknown]).refused == {}  # tomorrow's site file may know that lane


def test_after_all_that_the_projections_are_what_the_events_say(hub: Hub) -> None:
    take(hub, *(say(Channel.EVENT, json.dumps(event(kind)).encode()) for kind in EventType))

    def rows() -> list[list[tuple[Any, ...]]]:
        with hub.store.read() as connection:
            return [
                sorted((tuple(row) for row in connection.execute(select(table))), key=repr) for table in (CASES, LANES)
            ]

    before = rows()
    hub.rebuild()
    assert rows() == before
    with hub.store.read() as connection:
        assert connection.scalar(select(func.count()).select_from(EVENTS)) >= len(EventType)
        assert not connection.scalar(select(func.count()).where(REJECTED.c.reason == "internal_error"))

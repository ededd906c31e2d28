"""An event's envelope is written as text; what reads it must find the same event."""

import json

from gate.wire.messages import (
    CloudEvent,
    CrossingStarted,
    EventType,
    LaneStarted,
    cloud_event_json,
    new_event_id,
    new_traceparent,
    utc,
)


def test_an_envelope_is_read_as_the_event_that_was_written() -> None:
    at_ms, event_id, parent = 1_767_225_600_123, new_event_id(), new_traceparent()
    data = CrossingStarted(case_id='K2"é')
    body = cloud_event_json(
        data,
        event_id=event_id,
        source="/port/lane",
        kind=EventType.CROSSING_STARTED,
        at_ms=at_ms,
        sequence=7,
        subject='K2"é',
        traceparent=parent,
    )
    expected = CloudEvent(
        id=event_id,
        source="/port/lane",
        type=EventType.CROSSING_STARTED,
        time=utc(at_ms),
        subject='K2"é',
        traceparent=parent,
        sequence=7,
        data=data.model_dump(mode="json"),
    )
    assert CloudEvent.model_validate_json(body) == expected


def test_what_an_event_has_not_is_left_out() -> None:
    data = LaneStarted(boot_id="b", software_version="1")
    body = cloud_event_json(
        data, event_id=new_event_id(), source="/p/l", kind=EventType.LANE_STARTED, at_ms=0, sequence=1
    )
    assert json.loads(body).keys() == {
        "specversion",
        "id",
        "source",
        "type",
        "time",
        "datacontenttype",
        "sequence",
        "data",
    }

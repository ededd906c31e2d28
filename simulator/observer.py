"""Watches a port's MQTT traffic as any client of the broker may, and remembers what lanes do and how crossings end."""

import threading
from typing import Any

import paho.mqtt.client as mqtt
from paho.mqtt.enums import CallbackAPIVersion, MQTTProtocolVersion
from pydantic import ValidationError

from config.schema import Site
from gate.wire.messages import CloudEvent, CrossingEnded, EventType, LaneState
from gate.wire.mqtt import end
from gate.wire.topics import Channel, LaneTopic, all_lanes, parse


class Observer:
    """Thread-safe. ``ended`` events are kept in order of first arrival, each id once."""

    def __init__(self, site: Site) -> None:
        self._news = threading.Condition()
        self._states: dict[str, LaneState] = {}
        self._events: dict[str, tuple[str, CloudEvent]] = {}
        self._port = site.port.id
        client = mqtt.Client(CallbackAPIVersion.VERSION2, client_id="observer", protocol=MQTTProtocolVersion.MQTTv311)
        client.reconnect_delay_set(min_delay=1, max_delay=2)
        client.on_connect = self._connected
        client.on_message = self._message
        client.connect_async(site.broker.host, site.broker.port, keepalive=10)
        client.loop_start()
        self._client = client

    def close(self) -> None:
        end(self._client)

    def state(self, lane: str) -> LaneState | None:
        """The lane's last state."""
        with self._news:
            return self._states.get(lane)

    def wait_for_state(self, lane: str, state: str, timeout_s: float) -> bool:
        """Whether the lane is, or comes to be, in ``state`` within the time."""
        with self._news:
            return self._news.wait_for(lambda: self._is_in(lane, state), timeout_s)

    def ended_count(self, lane: str) -> int:
        """How many crossings of the lane have ended so far."""
        with self._news:
            return len(self._ended(lane))

    def wait_for_end(self, lane: str, after: int, timeout_s: float) -> CrossingEnded | None:
        """The first crossing of the lane that ended beyond the first ``after`` ones; None when none did in time."""
        with self._news:
            if not self._news.wait_for(lambda: len(self._ended(lane)) > after, timeout_s):
                return None
            return self._ended(lane)[after]

    def event_ids(self) -> set[str]:
        """The ids of all lane events seen."""
        with self._news:
            return set(self._events)

    def _is_in(self, lane: str, state: str) -> bool:
        last = self._states.get(lane)
        return last is not None and last.state == state

    def _ended(self, lane: str) -> list[CrossingEnded]:
        return [
            CrossingEnded.model_validate(event.data)
            for source, event in self._events.values()
            if source == lane and event.type is EventType.CROSSING_ENDED
        ]

    def _connected(self, client: mqtt.Client, _data: Any, _flags: Any, reason: Any, _properties: Any) -> None:
        if not reason.is_failure:
            client.subscribe([(all_lanes(self._port, Channel.STATE), 0), (all_lanes(self._port, Channel.EVENT), 1)])

    def _message(self, _client: mqtt.Client, _data: Any, message: mqtt.MQTTMessage) -> None:
        topic = parse(message.topic)
        if not isinstance(topic, LaneTopic):
            return
        try:
            with self._news:
                if topic.channel is Channel.STATE:
                    self._states[topic.lane] = LaneState.model_validate_json(message.payload)
                else:
                    event = CloudEvent.model_validate_json(message.payload)
                    self._events.setdefault(event.id, (topic.lane, event))
                self._news.notify_all()
        except ValidationError:
            return  # not ours to judge: the hub keeps a record of messages that are wrong

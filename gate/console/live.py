"""News from the lanes: one MQTT subscription for all open pages, and what is known of every lane now.

paho's thread hands every message to the event loop; from there on everything runs on the loop, and pages subscribe to the
:class:`nicegui.Event` objects here, which forget a page when it is gone. Not responsible for what is in a case: a message says
only *that* it changed, and each page asks the hub with its own officer's token.
"""

import asyncio
import secrets
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import TypeVar

import paho.mqtt.client as mqtt
import structlog
from nicegui import Event
from paho.mqtt.enums import CallbackAPIVersion, MQTTProtocolVersion
from paho.mqtt.reasoncodes import ReasonCode
from pydantic import ValidationError

from config.schema import Broker, Site
from gate.core.clock import Clock
from gate.wire import topics
from gate.wire.messages import CaseChanged, HelpAsked, LaneState, LaneStatus, Message
from gate.wire.mqtt import end

SILENCE_LIMIT_MS = 20_000
"""A lane that is online and says nothing for so long is drawn as stale. A lane repeats its state at least every 5 s."""

_KEEP_ALIVE_S = 10
_log = structlog.get_logger(__name__)

Model = TypeVar("Model", bound=Message)


class Freshness(StrEnum):
    """How far what a screen shows of a lane can be believed."""

    LIVE = "live"
    STALE = "stale"  # nothing heard for SILENCE_LIMIT_MS
    OFFLINE = "offline"  # the broker says that the lane is gone
    UNKNOWN = "unknown"  # this lane was never heard of
    LINK_LOST = "link_lost"  # this console has lost its broker


@dataclass(frozen=True, slots=True, kw_only=True)
class LaneNews:
    """The last word of one lane. ``heard_ns`` is when (monotonic)."""

    lane: str
    status: LaneStatus | None = None
    state: LaneState | None = None
    heard_ns: int | None = None


class Live:
    """What the lanes last said, and events when they say something new. Use on one event loop only."""

    def __init__(self, site: Site, clock: Clock) -> None:
        self._site = site
        self._clock = clock
        self._loop: asyncio.AbstractEventLoop | None = None
        self._client: mqtt.Client | None = None
        self._lanes = {lane.id: LaneNews(lane=lane.id) for lane in site.lanes}
        self.is_linked = False
        self._unlinked_ns = clock.monotonic_ns()
        self.lane_changed: Event[str] = Event()
        self.case_changed: Event[CaseChanged] = Event()
        self.link_changed: Event[bool] = Event()
        self.help_heard: Event[str, HelpAsked | None] = Event()
        self.rejected_count = 0

    def lane(self, lane_id: str) -> LaneNews:
        """What is known of that lane; KeyError when the site has none of that id."""
        return self._lanes[lane_id]

    def silence_ms(self, lane_id: str) -> int | None:
        """For how long nothing was heard of the lane; None when it never was."""
        heard_ns = self._lanes[lane_id].heard_ns
        return None if heard_ns is None else (self._clock.monotonic_ns() - heard_ns) // 1_000_000

    def unlinked_ms(self) -> int:
        """For how long the broker has been away; 0 while it is there."""
        return 0 if self.is_linked else (self._clock.monotonic_ns() - self._unlinked_ns) // 1_000_000

    def freshness(self, lane_id: str) -> Freshness:
        """How far :meth:`lane` can be believed now."""
        news = self._lanes[lane_id]
        silence_ms = self.silence_ms(lane_id)
        if not self.is_linked:
            return Freshness.LINK_LOST
        if news.status is not None and not news.status.is_online:
            return Freshness.OFFLINE
        if news.state is None or silence_ms is None:
            return Freshness.UNKNOWN
        return Freshness.STALE if silence_ms > SILENCE_LIMIT_MS else Freshness.LIVE

    def start(self) -> None:
        """Connect in the background, and again whenever the link breaks. Call on the event loop."""
        self._loop = asyncio.get_running_loop()
        self._client = client = _make_client(self._site.broker)
        client.on_connect = self._on_connect
        client.on_disconnect = self._on_disconnect
        client.on_message = self._on_message
        client.connect_async(self._site.broker.host, self._site.broker.port, keepalive=_KEEP_ALIVE_S)
        client.loop_start()

    async def stop(self) -> None:
        """Leave the broker and end paho's thread. That the link ends then is no news for a page."""
        self._loop = None
        client, self._client = self._client, None
        if client is not None:
            await asyncio.to_thread(end, client)

    def tell_help(self, lane: str, call: HelpAsked | None) -> None:
        """Tell all consoles of a call at a lane's kiosk, or with None that there is none. Without a link it is told once there is one."""
        if self._client is not None:
            topic = topics.lane_topic(self._site.port.id, lane, topics.Channel.HELP)
            payload = b"" if call is None else call.model_dump_json()
            self._client.publish(topic, payload, qos=1, retain=True)

    # On paho's thread: nothing but handing over.

    def _on_connect(
        self,
        client: mqtt.Client,
        _userdata: object,
        _flags: mqtt.ConnectFlags,
        reason: ReasonCode,
        _properties: object,
    ) -> None:
        if reason.is_failure:
            _log.warning("broker_refused", reason=str(reason))
            return
        port = self._site.port.id
        client.subscribe(
            [
                (topics.all_lanes(port, topics.Channel.STATUS), 1),
                (topics.all_lanes(port, topics.Channel.STATE), 0),
                (topics.all_lanes(port, topics.Channel.HELP), 1),
                (topics.all_cases(port), 0),
            ]
        )
        self._hand_over(self.set_link, True)

    def _on_disconnect(self, *_: object) -> None:
        self._hand_over(self.set_link, False)

    def _on_message(self, _client: mqtt.Client, _userdata: object, message: mqtt.MQTTMessage) -> None:
        self._hand_over(self.take, message.topic, message.payload)

    def _hand_over(self, function: object, *args: object) -> None:
        if self._loop is not None and not self._loop.is_closed():
            self._loop.call_soon_threadsafe(function, *args)  # type: ignore[arg-type]

    # On the event loop.

    def set_link(self, is_linked: bool) -> None:
        """The link to the broker came up or broke."""
        if is_linked != self.is_linked:
            self.is_linked = is_linked
            self._unlinked_ns = self._clock.monotonic_ns()
            self.link_changed.emit(is_linked)

    def take(self, topic: str, payload: bytes) -> None:
        """One message. What does not fit is counted, logged and dropped: a peer's fault must not stop a screen."""
        place = topics.parse(topic)
        match place:
            case topics.LaneTopic(port=self._site.port.id, lane=lane, channel=topics.Channel.STATE):
                state = self._read(LaneState, topic, payload)
                if state is not None:
                    self._update(lane, state=state)
            case topics.LaneTopic(port=self._site.port.id, lane=lane, channel=topics.Channel.STATUS):
                status = self._read(LaneStatus, topic, payload)
                if status is not None:
                    self._update(lane, status=status)
            case topics.LaneTopic(port=self._site.port.id, lane=lane, channel=topics.Channel.HELP) if (
                lane in self._lanes
            ):
                call = self._read(HelpAsked, topic, payload) if payload else None
                if call is not None or not payload:
                    self.help_heard.emit(lane, call)
            case topics.CaseTopic(port=self._site.port.id):
                change = self._read(CaseChanged, topic, payload)
                if change is not None:
                    self.case_changed.emit(change)
            case _:
                self._reject(topic, "unknown topic")

    def _update(self, lane: str, *, state: LaneState | None = None, status: LaneStatus | None = None) -> None:
        held = self._lanes.get(lane)
        if held is None:
            self._reject(lane, "a lane that the site does not name")
            return
        self._lanes[lane] = replace(
            held, state=state or held.state, status=status or held.status, heard_ns=self._clock.monotonic_ns()
        )
        self.lane_changed.emit(lane)

    def _read(self, model: type[Model], topic: str, payload: bytes) -> Model | None:
        try:
            return model.model_validate_json(payload)
        except ValidationError as error:
            self._reject(topic, error.errors()[0]["msg"])
            return None

    def _reject(self, topic: str, reason: str) -> None:
        self.rejected_count += 1
        _log.warning("message_rejected", topic=topic, reason=reason)


def _make_client(broker: Broker) -> mqtt.Client:
    client = mqtt.Client(
        CallbackAPIVersion.VERSION2, client_id=f"console-{secrets.token_hex(6)}", protocol=MQTTProtocolVersion.MQTTv311
    )
    client.reconnect_delay_set(min_delay=1, max_delay=8)
    if broker.ca_file is not None:
        client.tls_set(
            ca_certs=str(broker.ca_file),
            certfile=None if broker.certificate_file is None else str(broker.certificate_file),
            keyfile=None if broker.key_file is None else str(broker.key_file),
        )
    return client

"""The lane's side of MQTT: events out of the outbox until the hub's receipt, state for the screens, signed commands in.

MQTT 3.1.1, clean sessions: nothing is left to the broker's memory. What the hub has not receipted is sent again, on reconnection and
after :data:`RESEND_S`; the hub counts each id once.
"""

import asyncio
import contextlib
import sqlite3
from collections.abc import Callable
from typing import Any

import paho.mqtt.client as mqtt
import structlog
from paho.mqtt.enums import CallbackAPIVersion, MQTTProtocolVersion

from config.schema import Broker
from gate.core.clock import Clock
from gate.lane.hub_link import HubLink, Stored
from gate.lane.store import LaneStore, OutboxRow, Picture
from gate.wire.messages import Ack, AckOutcome, LaneState, LaneStatus
from gate.wire.mqtt import acknowledge_at_once, end, send_at_once
from gate.wire.signing import CommandVerifier, Refused, VerifiedCommand, Verifier, verify_receipt
from gate.wire.topics import Channel, lane_topic

_log = structlog.get_logger(__name__)

RESEND_S = 3.0
STATE_S = 5.0
"""The state is said again so often although nothing changed: screens draw a lane that says nothing as stale."""
PICTURE_RETRY_S = 1.0
CommandHandler = Callable[[VerifiedCommand], str | None]
"""Takes a verified command; returns why it is refused all the same, or None."""


class Uplink:
    """Runs paho's network thread; everything else happens on the event loop in which :meth:`start` was awaited."""

    def __init__(
        self,
        *,
        broker: Broker,
        port: str,
        lane: str,
        boot_id: str,
        software_version: str,
        store: LaneStore,
        hub: HubLink,
        commands: CommandVerifier,
        receipts: Verifier,
        on_command: CommandHandler,
        on_refused: Callable[[Refused], None],
        on_store_failed: Callable[[sqlite3.Error], None],
        clock: Clock,
        make_client: Callable[..., mqtt.Client] = mqtt.Client,
    ) -> None:
        """``on_store_failed`` is told of every write that the disk did not take; what was not written is done again later.

        ``make_client`` makes paho's client, or one that keeps its interface.
        """
        self._broker = broker
        self._address = f"{port}/{lane}"
        self._topics = {channel: lane_topic(port, lane, channel) for channel in Channel}
        self._status = LaneStatus(is_online=True, boot_id=boot_id, software_version=software_version)
        self._store = store
        self._hub = hub
        self._commands = commands
        self._receipts = receipts
        self._on_command = on_command
        self._on_refused = on_refused
        self._on_store_failed = on_store_failed
        self._clock = clock
        self._sent_s: dict[str, float] = {}
        self._state_json: str | None = None
        self._state_said_s = 0.0
        self._is_connected = False
        self._wake = asyncio.Event()
        self._picture_wake = asyncio.Event()
        self._tasks: list[asyncio.Task[None]] = []
        self._loop: asyncio.AbstractEventLoop | None = None
        self._new_client = make_client
        self._client = self._make_client(f"lane-{port}-{lane}")

    @property
    def is_connected(self) -> bool:
        return self._is_connected

    def _make_client(self, client_id: str) -> mqtt.Client:
        client = self._new_client(
            CallbackAPIVersion.VERSION2, client_id=client_id, protocol=MQTTProtocolVersion.MQTTv311, clean_session=True
        )
        offline = self._status.model_copy(update={"is_online": False})
        client.will_set(self._topics[Channel.STATUS], offline.model_dump_json(), qos=1, retain=True)
        client.reconnect_delay_set(min_delay=1, max_delay=5)
        if self._broker.ca_file is not None:
            client.tls_set(
                ca_certs=str(self._broker.ca_file),
                certfile=str(self._broker.certificate_file) if self._broker.certificate_file else None,
                keyfile=str(self._broker.key_file) if self._broker.key_file else None,
            )
        client.on_connect = self._connected
        client.on_disconnect = self._disconnected
        client.on_message = self._message
        client.on_publish = lambda paho, *_: acknowledge_at_once(paho)
        client.on_socket_open = send_at_once
        return client

    async def start(self, on_end: Callable[[asyncio.Task[None]], None]) -> None:
        """Begin connecting; returns at once, a broker that is away is tried again and again.

        ``on_end`` is told when a task of the uplink ends, which only :meth:`stop` or a bug makes it do.
        """
        self._loop = asyncio.get_running_loop()
        self._client.connect_async(self._broker.host, self._broker.port, keepalive=10)
        self._client.loop_start()
        self._tasks = [asyncio.create_task(self._pump()), asyncio.create_task(self._send_pictures())]
        for task in self._tasks:
            task.add_done_callback(on_end)

    async def stop(self) -> None:
        """Say goodbye (retained: offline) and end. Bounded."""
        for task in self._tasks:
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await task
        if self._is_connected:
            offline = self._status.model_copy(update={"is_online": False})
            info = self._client.publish(self._topics[Channel.STATUS], offline.model_dump_json(), qos=1, retain=True)
            with contextlib.suppress(RuntimeError, ValueError):
                await asyncio.to_thread(info.wait_for_publish, 1.0)
        await asyncio.to_thread(end, self._client)

    # -- out -------------------------------------------------------------------------------------------------------

    def send(self, rows: list[OutboxRow]) -> None:
        """Publish rows that were just recorded; what cannot go now goes later."""
        if self._is_connected:
            for row in rows:
                self._publish(row)

    def pictures_waiting(self) -> None:
        """There are new pictures in the store."""
        self._picture_wake.set()

    def publish_state(self, state: LaneState) -> None:
        """Make ``state`` the retained one; after a reconnection the newest is published again."""
        self._state_json = state.model_dump_json(exclude_none=True)
        if self._is_connected:
            self._say_state()

    def _say_state(self) -> None:
        if self._state_json is not None:
            self._state_said_s = self._now_s()
            self._client.publish(self._topics[Channel.STATE], self._state_json, qos=0, retain=True)

    def _now_s(self) -> float:
        return self._clock.monotonic_ns() / 1e9

    def _publish(self, row: OutboxRow) -> None:
        self._sent_s[row.id] = self._now_s()
        self._client.publish(self._topics[Channel.EVENT], row.body, qos=1)

    async def _pump(self) -> None:
        while True:
            if self._is_connected:
                self._reading(self._publish_due)
                if self._now_s() - self._state_said_s >= STATE_S:
                    self._say_state()
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(RESEND_S / 3):
                    await self._wake.wait()
            self._wake.clear()

    def _reading(self, act: Callable[[], None]) -> None:
        """A store that cannot be read now is tried again with the next round."""
        try:
            act()
        except sqlite3.Error as error:
            self._on_store_failed(error)

    def _publish_due(self) -> None:
        now_s = self._now_s()
        for row in self._store.waiting_events():
            if now_s - self._sent_s.get(row.id, -RESEND_S) >= RESEND_S:
                self._publish(row)

    async def _send_pictures(self) -> None:
        while True:
            await self._picture_wake.wait()
            self._picture_wake.clear()
            for waiting in await self._waiting_pictures():
                stored = await self._hub.store_picture(waiting)
                if stored is Stored.LATER or not self._forget(waiting, stored):
                    await asyncio.sleep(PICTURE_RETRY_S)
                self._picture_wake.set()

    async def _waiting_pictures(self) -> list[Picture]:
        try:
            return self._store.waiting_pictures()
        except sqlite3.Error as error:
            self._on_store_failed(error)
            await asyncio.sleep(PICTURE_RETRY_S)
            self._picture_wake.set()
            return []

    def _forget(self, picture: Picture, stored: Stored) -> bool:
        try:
            if stored is Stored.DONE:
                self._store.picture_stored(picture.sha256)
            else:
                self._store.picture_refused(picture.sha256)
        except sqlite3.Error as error:
            self._on_store_failed(error)
            return False
        return True

    # -- paho's thread ---------------------------------------------------------------------------------------------

    def _connected(self, client: mqtt.Client, _data: Any, _flags: Any, reason: Any, _properties: Any) -> None:
        if reason.is_failure:
            _log.warning("broker_refused", reason=str(reason))
            return
        client.subscribe([(self._topics[Channel.COMMAND], 1), (self._topics[Channel.RECEIPT], 1)])
        client.publish(self._topics[Channel.STATUS], self._status.model_dump_json(), qos=1, retain=True)
        self._call(self._up)

    def _disconnected(self, _client: mqtt.Client, _data: Any, _flags: Any, reason: Any, _properties: Any) -> None:
        self._call(self._down, str(reason))

    def _message(self, client: mqtt.Client, _data: Any, message: mqtt.MQTTMessage) -> None:
        acknowledge_at_once(client)
        if not message.retain:  # nothing that we listen to is ever retained: an old command is not a command
            self._call(self._take, message.topic, bytes(message.payload))

    def _call(self, function: Callable[..., None], *args: Any) -> None:
        if self._loop is not None and not self._loop.is_closed():
            with contextlib.suppress(RuntimeError):  # the loop closed in between: we are stopping
                self._loop.call_soon_threadsafe(function, *args)

    # -- in, on the event loop -------------------------------------------------------------------------------------

    def _up(self) -> None:
        self._is_connected = True
        self._sent_s.clear()
        self._say_state()
        self._wake.set()
        self._picture_wake.set()

    def _down(self, reason: str) -> None:
        if self._is_connected:
            _log.warning("broker_lost", reason=reason)
        self._is_connected = False

    def _take(self, topic: str, payload: bytes) -> None:
        try:
            if topic == self._topics[Channel.RECEIPT]:
                self._take_receipt(payload)
            elif topic == self._topics[Channel.COMMAND]:
                self._take_command(payload)
        except sqlite3.Error as error:
            # The event stays in the outbox, the command is neither obeyed nor acknowledged: both come again.
            self._on_store_failed(error)

    def _take_receipt(self, payload: bytes) -> None:
        receipt = verify_receipt(self._receipts, payload, address=self._address)
        if isinstance(receipt, Refused):
            _log.warning("receipt_refused", reason=receipt.reason)
            return
        self._store.receipted(receipt.event_ids)
        if receipt.refused:
            _log.error("events_refused", event_ids=receipt.refused)
            self._store.set_aside(receipt.refused)
        for event_id in (*receipt.event_ids, *receipt.refused):
            self._sent_s.pop(event_id, None)
        if self._store.waiting_count():
            self._wake.set()

    def _take_command(self, payload: bytes) -> None:
        checked = self._commands.verify(payload)
        if isinstance(checked, Refused):
            self._on_refused(checked)
            self._ack(Ack(command_id=checked.message_id, outcome=AckOutcome.REFUSED, reason=checked.reason))
            return
        objection = self._on_command(checked)
        outcome = AckOutcome.TAKEN if objection is None else AckOutcome.REFUSED
        self._ack(Ack(command_id=checked.command.jti, outcome=outcome, reason=objection or ""))

    def _ack(self, ack: Ack) -> None:
        self._client.publish(self._topics[Channel.ACK], ack.model_dump_json(), qos=1)

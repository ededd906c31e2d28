"""An MQTT broker in memory with what brokers and networks do: go away, deliver late, deliver twice.

QoS 1 without a session: what is under way when a connection ends is lost, and who needs it says it again.
"""

import random
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, cast

from paho.mqtt.client import Client as PahoClient

from simulator.chaos.timeloop import TimeLoop

_DOUBLED_RATIO = 0.02
_RECONNECT_S = 1.0


@dataclass(frozen=True, slots=True)
class Message:
    """What paho hands to ``on_message``, as far as a lane looks at it."""

    topic: str
    payload: bytes
    retain: bool = False


class _Reason:
    is_failure = False

    def __str__(self) -> str:
        return "ok"


class _Published:
    def wait_for_publish(self, timeout: float | None = None) -> None: ...


class Broker:
    """Topics without wildcards. ``deliver`` of the hub takes every message that no lane subscribed to."""

    def __init__(self, loop: TimeLoop, rng: random.Random) -> None:
        self.loop = loop
        self.is_up = True
        self.latency_s = 0.002
        self.deliver: Callable[[str, bytes], None] = lambda _topic, _payload: None
        self._rng = rng
        self._clients: list[Client] = []

    def client(self, *_args: Any, **_settings: Any) -> PahoClient:
        """In the place of ``paho.mqtt.client.Client``: what a lane uses of it."""
        return cast(PahoClient, Client(self))

    def stop(self) -> None:
        """The broker is gone, and with it every connection and all that was on its way."""
        self.is_up = False
        for client in tuple(self._clients):
            self._drop(client)

    def start(self) -> None:
        self.is_up = True

    def disconnect(self) -> None:
        """Every connection breaks once; the broker stays."""
        for client in tuple(self._clients):
            self._drop(client)

    def join(self, client: "Client") -> None:
        self._clients.append(client)

    def leave(self, client: "Client") -> None:
        if client in self._clients:
            self._clients.remove(client)

    def _drop(self, client: "Client") -> None:
        self.leave(client)
        client.connection += 1
        if client.on_disconnect is not None:
            client.on_disconnect(client, None, None, _Reason(), None)
        client.come_back()

    def take(self, client: "Client", topic: str, payload: bytes) -> None:
        """From a client, to the hub."""
        connection = client.connection
        for _ in range(2 if self._rng.random() < _DOUBLED_RATIO else 1):
            self.loop.call_later(self._delay_s(), self._hand_on, client, connection, topic, payload)

    def _hand_on(self, client: "Client", connection: int, topic: str, payload: bytes) -> None:
        if self.is_up and client.connection == connection:
            self.deliver(topic, payload)

    def send(self, topic: str, payload: bytes) -> None:
        """From the hub, to whoever subscribed; lost when nobody is there."""
        if not self.is_up:
            return
        for client in tuple(self._clients):
            if topic in client.topics:
                connection = client.connection
                for _ in range(2 if self._rng.random() < _DOUBLED_RATIO else 1):
                    self.loop.call_later(self._delay_s(), client.hear, connection, Message(topic, payload))

    def _delay_s(self) -> float:
        return self.latency_s * (0.5 + self._rng.random())


class Client:
    """The part of ``paho.mqtt.client.Client`` that a lane uses."""

    def __init__(self, broker: Broker) -> None:
        self._broker = broker
        self._is_wanted = False
        self.connection = 0
        self.topics: set[str] = set()
        self.on_connect: Callable[..., None] | None = None
        self.on_disconnect: Callable[..., None] | None = None
        self.on_message: Callable[..., None] | None = None
        self.on_publish: Callable[..., None] | None = None
        self.on_socket_open: Callable[..., None] | None = None

    def will_set(self, *_args: Any, **_settings: Any) -> None: ...

    def reconnect_delay_set(self, **_settings: Any) -> None: ...

    def connect_async(self, *_args: Any, **_settings: Any) -> None:
        self._is_wanted = True

    def loop_start(self) -> None:
        self._broker.loop.call_soon(self._connect)

    def loop_stop(self) -> None: ...

    def reinitialise(self) -> None: ...

    def socket(self) -> None:
        return None

    def disconnect(self) -> None:
        self._is_wanted = False
        self.connection += 1
        self._broker.leave(self)

    def subscribe(self, filters: list[tuple[str, int]]) -> None:
        self.topics |= {topic for topic, _ in filters}

    def publish(self, topic: str, payload: str, **_settings: Any) -> _Published:
        if self._broker.is_up and self._is_wanted:
            self._broker.take(self, topic, payload.encode())
        return _Published()

    def come_back(self) -> None:
        """As paho's loop does it, after a pause."""
        self._broker.loop.call_later(_RECONNECT_S, self._connect)

    def _connect(self) -> None:
        if not self._is_wanted:
            return
        if not self._broker.is_up:
            self.come_back()
            return
        self._broker.join(self)
        if self.on_connect is not None:
            self.on_connect(self, None, None, _Reason(), None)

    def hear(self, connection: int, message: Message) -> None:
        """A message that was sent on ``connection`` arrives."""
        if connection == self.connection and self.on_message is not None:
            self.on_message(self, None, message)

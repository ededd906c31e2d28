"""What lane, hub and screens ask of a paho client beyond its own interface: small messages at once, and a clean end."""

import contextlib
import socket
import struct
from collections.abc import Sequence
from typing import Any

from paho.mqtt.client import Client
from paho.mqtt.enums import MessageType

PUBACK = int(MessageType.PUBACK)
_PUBACK = struct.Struct("!BBH")
_QUICKACK: int | None = getattr(socket, "TCP_QUICKACK", None)  # Linux only


def send_at_once(_client: Client, _userdata: Any, connection: Any) -> None:
    """For ``on_socket_open``: do not let the kernel wait to fill a packet.

    Without this and the next, a release waits some 40 ms for a delayed acknowledgement (RFC 896 with RFC 1122 4.2.3.2).
    """
    _set(connection, socket.TCP_NODELAY)


def acknowledge_at_once(client: Client) -> None:
    """For every message, and for every acknowledgement of the broker's (``on_publish``).

    A broker that sends by Nagle's rule (rumqttd) holds its next segment back until this one is acknowledged.

    Linux forgets the wish after a while (tcp(7), TCP_QUICKACK), so it is made again with every message.
    """
    if _QUICKACK is not None:
        _set(client.socket(), _QUICKACK)


def acknowledge_together(client: Client, mids: Sequence[int]) -> None:
    """PUBACK (MQTT 3.1.1 and 5, clause 3.4) for all of these at once, of a client with ``manual_ack``.

    ``Client.ack`` wakes the network thread and makes a system call for each; here they are one write. This hands paho bytes by the
    function with which it queues its own packets (``_packet_queue``, paho-mqtt 2.0 to 2.2).
    """
    packets = b"".join(_PUBACK.pack(PUBACK, 2, mid) for mid in mids)
    client._packet_queue(PUBACK, packets, 0, 0)


def end(client: Client) -> None:
    """Say goodbye, end the network thread, and close what paho would leave to the garbage collector (its wake-up sockets)."""
    client.disconnect()
    client.loop_stop()
    client.reinitialise()


def _set(connection: Any, option: int) -> None:
    if isinstance(connection, socket.socket):
        with contextlib.suppress(OSError):  # closed meanwhile
            connection.setsockopt(socket.IPPROTO_TCP, option, 1)
